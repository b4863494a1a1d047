"""Make the catalogues of messages in weicheng/locale from the code and the templates; compile them.

usage: python tools/catalogues.py [--check]

The message in the code is Simplified Chinese. zh_Hans lists every message and translates none; zh_Hant is
converted by OpenCC, led by the words and sentences in weicheng/locale/zh_Hant.yaml; en is written by hand in its
django.po, and what is written there is kept as long as the message stands in the code. The same tree gives the
same bytes: no date, no line number, sorted by message. With --check nothing is written; the exit code is 1 when
a file is out of date or an English translation is missing.
"""

import io
import re
import sys
import warnings
from collections import Counter
from functools import cache
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation import TranslatorCommentWarning
from django.utils.translation.template import templatize
from opencc import OpenCC

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "weicheng"
LOCALE = PACKAGE / "locale"
CORRECTIONS = LOCALE / "zh_Hant.yaml"
LANGUAGES = ("zh_Hans", "zh_Hant", "en")
PLURALS = {
    "zh_Hans": "nplurals=1; plural=0;",
    "zh_Hant": "nplurals=1; plural=0;",
    "en": "nplurals=2; plural=(n != 1);",
}
# Function name -> which argument is the message; None: the first. (1, "c") is the context.
MARKERS = {
    "_": None,
    "N_": None,
    "_now": None,  # gettext, where `_` is the lazy one
    "lazy": None,  # gettext_lazy, where `_` is the other
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
# Places that are filled in, and tags: a translation must have exactly those of its message.
_PLACES = re.compile(r"\{\w*(?:[.!:][^{}]*)?\}|%\(\w+\)[sd]|%[sd%]|</?[a-zA-Z][^<>]*>")
_QUOTES = str.maketrans("“”", "「」")
_FIRST_PRIVATE = 0xE000  # code points that no text uses: stand for a kept word while OpenCC converts the rest

Found = dict[
    tuple[str | None, str | tuple[str, str]], set[str]
]  # (context, message) -> the files it stands in


class Plain(Catalog):
    """A catalogue whose head says only what a reader of the file needs: no dates, no versions of tools."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:  # type: ignore[override]
        return [
            ("Project-Id-Version", "weicheng"),
            ("Language", self.locale_identifier or ""),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", PLURALS[self.locale_identifier or ""]),
        ]


@cache
def opencc() -> OpenCC:
    return OpenCC("s2twp")


def messages() -> Found:
    """Return every message of the package's code and templates."""
    found: Found = {}
    for path in sorted(PACKAGE.rglob("*")):
        if "migrations" in path.parts or "vendor" in path.parts:
            continue
        if path.suffix == ".py":
            code = path.read_bytes()
        elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
            code = _as_python(path)
        else:
            continue
        for _line, said, _comments, context in extract("python", io.BytesIO(code), keywords=MARKERS):
            key = said if isinstance(said, str) else (said[0], said[1])
            found.setdefault((context, key), set()).add(path.relative_to(ROOT).as_posix())
    return found


def _as_python(path: Path) -> bytes:
    """Return a template as calls of gettext between fillings, without indents: Python's tokenizer minds them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TranslatorCommentWarning)
        text = templatize(path.read_text(encoding="utf-8"), origin=path.name)
    return "\n".join(line.strip() for line in text.splitlines()).encode()


def po_path(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "django.po"


def read(language: str) -> Catalog:
    """Return the catalogue as it stands on disk; an empty one when there is none."""
    path = po_path(language)
    if not path.exists():
        return Plain(locale=language, fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=language, ignore_obsolete=True)


def fresh(language: str, found: Found, old: Catalog) -> Catalog:
    """Return the catalogue of a language: the messages of the tree with their translations."""
    catalog = Plain(locale=language, fuzzy=False)
    catalog.header_comment = f"# Messages of weicheng in {language}. Made by tools/catalogues.py."
    for (context, said), files in found.items():
        kept = old.get(said if isinstance(said, str) else said[0], context)
        catalog.add(
            said,
            _translation(language, said, kept),
            locations=[(file, 0) for file in sorted(files)],
            context=context,
        )
    return catalog


def _translation(language: str, said: str | tuple[str, str], kept: Message | None) -> str | tuple[str, ...]:
    plural = not isinstance(said, str)
    if language == "zh_Hant":
        converted = traditional(said[0] if plural else said)
        return (converted,) if plural else converted
    if language == "en" and kept is not None and isinstance(kept.string, str) != plural:
        return kept.string
    return ("",) * (2 if language == "en" else 1) if plural else ""


@cache
def corrections() -> dict[str, dict[str, str]]:
    """Return the words that OpenCC would turn into computing terms, and whole sentences put right by hand."""
    given = yaml.safe_load(CORRECTIONS.read_text(encoding="utf-8")) if CORRECTIONS.exists() else {}
    return {"words": given.get("words") or {}, "messages": given.get("messages") or {}}


@cache
def _protected() -> re.Pattern[str]:
    """Return what OpenCC must not see: the corrected words, the longest first, then places and tags."""
    words = sorted(corrections()["words"], key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, words), _PLACES.pattern]))


def traditional(text: str) -> str:
    """Return Simplified Chinese in Traditional characters with Taiwan's words, places and tags untouched."""
    if text in corrections()["messages"]:
        return corrections()["messages"][text]
    kept: list[str] = []
    words = corrections()["words"]

    def keep(match: re.Match[str]) -> str:
        kept.append(words.get(match[0], match[0]))
        return chr(_FIRST_PRIVATE + len(kept) - 1)

    text = _protected().sub(keep, text)
    text = opencc().convert(text).translate(_QUOTES)
    for number, word in enumerate(kept):
        text = text.replace(chr(_FIRST_PRIVATE + number), word)
    return text


def places(text: str) -> Counter[str]:
    """Return the places and tags of a message, counted."""
    return Counter(_PLACES.findall(text))


def untranslated(catalog: Catalog) -> list[str]:
    """Return the messages without a translation."""
    return [
        said if isinstance(said, str) else said[0]
        for said, string in ((message.id, message.string) for message in catalog if message.id)
        if not string or (not isinstance(string, str) and not all(string))
    ]


def mismatched(catalog: Catalog) -> list[str]:
    """Return the messages whose translation has other places or tags than the message."""
    wrong = []
    for message in catalog:
        if not message.id:
            continue
        said = (message.id,) if isinstance(message.id, str) else message.id
        told = (message.string,) if isinstance(message.string, str) else message.string
        asked = places(said[0])
        # An English singular may say "one" instead of the number.
        for number, text in enumerate(told):
            loose = len(told) == 2 and number == 0
            if text and not (places(text) <= asked if loose else places(text) == asked):
                wrong.append(said[0])
                break
    return wrong


def as_po(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_po(file, catalog, width=0, sort_output=True, include_lineno=False)
    return file.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main(arguments: list[str]) -> int:
    if not settings.configured:
        settings.configure(USE_I18N=True)  # what Django's template lexer asks for
    found = messages()
    stale, missing = [], []
    for language in LANGUAGES:
        catalog = fresh(language, found, read(language))
        if wrong := mismatched(catalog):
            print(f"{language}: places or tags differ from the message in: {'; '.join(wrong)}")
            return 1
        lacking = [] if language == "zh_Hans" else untranslated(catalog)
        missing += lacking if language == "en" else []
        print(f"{language}: {len(found)} messages, {len(lacking)} untranslated")
        for path, made in (
            (po_path(language), as_po(catalog)),
            (po_path(language).with_suffix(".mo"), as_mo(catalog)),
        ):
            if path.exists() and path.read_bytes() == made:
                continue
            stale.append(path.relative_to(ROOT).as_posix())
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(made)
    for text in missing[:20]:
        print(f"  no English yet: {text}")
    if "--check" not in arguments:
        return 0
    if stale:
        print(f"out of date: {', '.join(stale)}. Run: python tools/catalogues.py")
    return 1 if stale or missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
