"""The words an office uses in a kind of document: from its edition, with names, month and deadline filled in."""

from dataclasses import dataclass
from datetime import datetime

from weicheng.rules.content import day_text
from weicheng.rules.deadlines import deadline, parse_limit
from weicheng.rules.errors import N_, RuleError
from weicheng.standards import editions

# What a short name of an area leaves off; the longest first.
_SUFFIXES = ("街道办事处", "街道", "社区", "新区", "区", "县", "市", "镇", "乡")


@dataclass(frozen=True)
class Wording:
    """The words of one document; texts: the places for own words, by name."""

    agency: str
    title: str
    word: str
    addressed_to: str
    copies_to: str
    printed_by: str
    due: datetime
    texts: dict[str, str]
    editions: tuple[str, ...] = ()

    def text(self, key: str) -> str:
        return self.texts.get(key, "")


def short_name(name: str) -> str:
    """Return an area's name as a 机关代字 has it: 泉山 for 泉山区; a name of two characters stays whole."""
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name.removesuffix(suffix)
    return name


def wording(kind: str, *, owner: str, name: str, period: str, at: datetime) -> Wording:
    """Return the words for a document.

    owner, name: code and name of the area whose office writes; period: label of the month, "" for a notice
    RuleError("no-wording") when the office's edition says nothing about this kind of document
    """
    on = at.date()
    loaded = editions.document_office(owner, on)
    said = loaded.body.kinds.get(kind)
    if said is None:
        raise RuleError(
            "no-wording",
            N_("“{title}”（{edition}）没有这一类文书的用语。请在标准中为它补上后再起草。"),
            title=loaded.title,
            edition=loaded.label,
        )
    calendar = editions.calendar(owner, on)
    due = deadline(at, parse_limit(said.reply_limit), calendar.calendar).due_at
    filled = {"{area}": name, "{short}": short_name(name), "{period}": period, "{due}": day_text(due.date())}

    def fill(text: str) -> str:
        # Not str.format: a stray brace in an office's text is no error of its reader.
        for mark, value in filled.items():
            text = text.replace(mark, value)
        return text

    return Wording(
        agency=fill(loaded.body.agency),
        title=fill(said.title),
        word=fill(said.word),
        addressed_to=fill(said.addressed_to),
        copies_to=fill(said.copies_to),
        printed_by=fill(loaded.body.printed_by),
        due=due,
        texts={key: fill(text) for key, text in said.texts.items()},
        editions=(str(loaded.edition_id), str(calendar.edition_id)),
    )
