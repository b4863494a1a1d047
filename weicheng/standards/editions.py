"""Read what is in force for a place on a day. The nearest owner above wins, then the newest edition.

How one edition is chosen: owners are asked from the nearest up (district, city, province, the whole country).
Of an owner's published editions of that kind and key, the one with the newest `in_force_from` not after the
day is taken; when it has ended by its own `in_force_to`, that owner has nothing on that day, and the next
owner is asked. An older edition does not come back to life when a newer one ends.

What is read is kept under the site's generation; a warm read costs a few microseconds and no statement.
"""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple, TypeVar, cast
from uuid import UUID

from django.utils.translation import gettext

from weicheng.journal.site import cached
from weicheng.rules import scoring
from weicheng.rules.deadlines import Limit, WorkCalendar, parse_limit
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.schemes import Scheme
from weicheng.standards import kinds
from weicheng.standards.models import Edition


@dataclass(frozen=True)
class Loaded:
    """A published edition, read: its head, and its body as the model of its kind."""

    edition_id: int
    uid: UUID
    kind: str
    key: str
    title: str
    label: str
    owner: str
    in_force_from: date
    in_force_to: date | None
    source: str
    confidence: kinds.Confidence
    digest: str
    body: kinds.Part


class Calendar(Loaded):
    body: kinds.Calendar

    @cached_property
    def calendar(self) -> WorkCalendar:
        """The calendar that deadlines are counted with; its `edition` is this edition's id as text."""
        return self.body.rule(str(self.edition_id))


class Severities(Loaded):
    body: kinds.SeverityScale

    def severity(self, code: str | None) -> kinds.Severity:
        """Return one severity, the scale's default for none; RuleError("unknown-severity")."""
        found = self.body.by_code.get(code or self.body.default)
        if found is None:
            raise RuleError(
                "unknown-severity",
                N_("没有等级“{code}”。可选的等级：{names}。"),
                code=str(code)[:20],
                names="、".join(each.name for each in self.body.severities),
            )
        return found


class Limits(Loaded):
    body: kinds.TimeLimits


class Categories(Loaded):
    body: kinds.CaseCategories

    def category(self, code: str) -> kinds.Category:
        """Return one category of matter; RuleError("unknown-category")."""
        found = self.body.by_code.get(code)
        if found is None:
            raise RuleError(
                "unknown-category",
                N_("“{title}”（{label}）中没有分类 {code}。请从分类列表中选择。"),
                title=self.title,
                label=self.label,
                code=code[:20],
            )
        return found


class Checklist(Loaded):
    body: kinds.CheckListBody

    @cached_property
    def rule(self) -> scoring.CheckList:
        """The list that scores are computed with; its `edition` is this edition's id as text."""
        return self.body.rule(str(self.edition_id))

    def item(self, number: str) -> kinds.CheckItem:
        """Return one line; RuleError("item-unknown")."""
        found = self.body.by_number.get(number)
        if found is None:
            raise RuleError(
                "item-unknown",
                N_("检查表“{edition}”中没有检查项 {number}。请从检查表中选择。"),
                edition=self.title,
                number=number[:20],
            )
        return found


class Clauses(Loaded):
    body: kinds.Clauses

    def clause(self, clause_id: str) -> kinds.Clause:
        """Return one chapter, item, indicator or veto; RuleError("unknown-clause")."""
        found = self.body.by_id.get(clause_id)
        if found is None:
            raise RuleError(
                "unknown-clause",
                N_("“{title}”（{label}）中没有条款 {clause}。请从条款列表中选择。"),
                title=self.title,
                label=self.label,
                clause=clause_id[:60],
            )
        return found


class SchemeEdition(Loaded):
    body: kinds.SchemeBody

    @cached_property
    def rule(self) -> Scheme:
        """The scheme that boards are scored with; its `edition` is this edition's id as text."""
        return self.body.rule(str(self.edition_id))


class UnitKinds(Loaded):
    body: kinds.UnitKinds

    def kind_of(self, code: str) -> kinds.UnitKind:
        """Return one kind of unit; RuleError("unknown-unit-kind")."""
        found = self.body.by_code.get(code)
        if found is None:
            raise RuleError(
                "unknown-unit-kind", N_("没有单位类型“{code}”。请从单位类型列表中选择。"), code=code[:20]
            )
        return found


class Repeats(Loaded):
    body: kinds.RepeatRuleBody


class DocumentLayout(Loaded):
    body: kinds.DocumentLayout


class DocumentOffice(Loaded):
    body: kinds.DocumentOffice


_READERS: dict[str, type[Loaded]] = {
    "calendar": Calendar,
    "severity-scale": Severities,
    "time-limits": Limits,
    "case-categories": Categories,
    "clauses": Clauses,
    "checklist": Checklist,
    "unit-kinds": UnitKinds,
    "scheme": SchemeEdition,
    "repeat-rule": Repeats,
    "document-layout": DocumentLayout,
    "document-office": DocumentOffice,
}

L = TypeVar("L", bound=Loaded)


class LimitOf(NamedTuple):
    """A limit as a text of a standard, and the ids of the editions that were asked."""

    text: str
    editions: tuple[int, ...]

    @property
    def limit(self) -> Limit:
        return parse_limit(self.text)


def in_force(kind: str, key: str, area: str, on: date) -> Loaded:
    """Return the edition in force; RuleError("no-edition") naming kind and day.

    area: code of the place that asks, "" for what holds everywhere; on: the day, in the site's zone
    """
    found = find_in_force(kind, key, area, on)
    if found is None:
        raise RuleError(
            "no-edition",
            N_("{day} 没有生效的“{kind}”（{key}）。请有权限的人员先发布该日生效的版本。"),
            kind=gettext(str(kinds.kind_of(kind).title)),
            key=key[:60],
            day=on,
        )
    return found


def find_in_force(kind: str, key: str, area: str, on: date) -> Loaded | None:
    """Return the edition in force, or None where nothing is."""
    timelines = cached(("editions", kind, key), lambda: _timelines(kind, key))
    for owner in (area[:6], area[:4], area[:2], ""):
        timeline = timelines.get(owner)
        if timeline is None:
            continue
        position = bisect_right(timeline.days, on) - 1
        if position >= 0 and on <= timeline.ends[position]:
            return by_id(timeline.ids[position])
    return None


def by_id(edition_id: int) -> Loaded:
    """Return a published edition by its id; RuleError("no-edition") when there is none."""
    return cached(("edition", edition_id), lambda: _load(edition_id))


def calendar(area: str, on: date) -> Calendar:
    """Return the work calendar in force; `.calendar` is what `rules.deadlines` counts with."""
    return cast(Calendar, in_force("calendar", "workdays", area, on))


def calendar_by_id(edition_id: int) -> Calendar:
    """Return the calendar that an earlier deadline was counted with."""
    return _of(Calendar, edition_id)


def severities(area: str, on: date) -> Severities:
    """Return the scale of severities in force."""
    return cast(Severities, in_force("severity-scale", "severity", area, on))


def categories(area: str, on: date) -> Categories:
    """Return the catalogue of case categories in force."""
    return cast(Categories, in_force("case-categories", "categories", area, on))


def categories_by_id(edition_id: int) -> Categories:
    """Return the catalogue that an earlier finding was filed under."""
    return _of(Categories, edition_id)


def limit_of(area: str, on: date, category: str, severity: str) -> LimitOf:
    """Return how long a finding of this category and severity may take, as (text, edition ids).

    A limit of the category in a time-limits edition in force overrides that of the severity. Both editions
    are named then, as both were asked. RuleError("unknown-severity"); the category is not checked.
    """
    scale = severities(area, on)
    own = scale.severity(severity).limit
    table = find_in_force("time-limits", "limits", area, on)
    if table is None:
        return LimitOf(own, (scale.edition_id,))
    entry = cast(Limits, table).body.by_category.get(category)
    special = entry.of(severity) if entry else None
    return LimitOf(special or own, (scale.edition_id, table.edition_id))


def checklist(key: str, area: str, on: date) -> Checklist:
    """Return the check list with this key in force."""
    return cast(Checklist, in_force("checklist", key, area, on))


def checklist_by_id(edition_id: int) -> Checklist:
    """Return the check list that an earlier visit used."""
    return _of(Checklist, edition_id)


def scheme(key: str, area: str, on: date) -> SchemeEdition:
    """Return the scheme of assessment with this key in force."""
    return cast(SchemeEdition, in_force("scheme", key, area, on))


def scheme_by_id(edition_id: int) -> SchemeEdition:
    """Return the scheme that an earlier board was scored under."""
    return _of(SchemeEdition, edition_id)


def schemes(area: str, on: date) -> list[SchemeEdition]:
    """Return every scheme of assessment in force for the area on the day, by title."""
    keys = cached(("keys", "scheme"), lambda: _keys("scheme"))
    found = (find_in_force("scheme", key, area, on) for key in keys)
    return sorted((cast(SchemeEdition, each) for each in found if each), key=lambda each: each.title)


def checklists(area: str, on: date) -> list[Checklist]:
    """Return every check list in force for the area on the day, by title."""
    keys = cached(("keys", "checklist"), lambda: _keys("checklist"))
    found = (find_in_force("checklist", key, area, on) for key in keys)
    return sorted((cast(Checklist, each) for each in found if each), key=lambda each: each.title)


def clauses(area: str, on: date, key: str = "hygienic-city") -> Clauses:
    """Return the clause tree of a standard in force: "hygienic-city" or "hygienic-town"."""
    return cast(Clauses, in_force("clauses", key, area, on))


def clause_homes(area: str) -> dict[str, Clauses]:
    """Return clause id -> the published edition to read it in, of whatever date.

    A check list may be cut from an edition that no longer holds. Of several that keep a clause, the nearest
    owner's newest is given.
    """
    return cached(("clause-homes", area[:6]), lambda: read_clause_homes(area))


def read_clause_homes(area: str) -> dict[str, Clauses]:
    """Return the same, read now: within the transaction that publishes a standard."""
    owners = ("", area[:2], area[:4], area[:6])
    rows = Edition.objects.published().filter(kind="clauses", owner__in=owners).defer("body")
    homes: dict[str, Clauses] = {}
    for row in sorted(rows, key=lambda row: (len(row.owner), row.in_force_from)):
        home = _of(Clauses, row.pk)
        homes.update(dict.fromkeys(home.body.by_id, home))
    return homes


def repeats(area: str, on: date) -> Repeats:
    """Return the rule in force for problems that come back to the same place."""
    return cast(Repeats, in_force("repeat-rule", "repeats", area, on))


def document_layout(area: str, on: date) -> DocumentLayout:
    """Return how documents of the area are set."""
    return cast(DocumentLayout, in_force("document-layout", "official", area, on))


def document_office(area: str, on: date) -> DocumentOffice:
    """Return who issues documents of the area, and the words it uses."""
    return cast(DocumentOffice, in_force("document-office", "office", area, on))


def unit_kinds(area: str, on: date) -> UnitKinds:
    """Return the kinds of units in force, each with its own fields."""
    return cast(UnitKinds, in_force("unit-kinds", "kinds", area, on))


def unit_kinds_or_none(area: str, on: date) -> tuple[kinds.UnitKind, ...]:
    """Return the kinds of units in force, none where no edition holds: what `places.kinds` asks for."""
    found = find_in_force("unit-kinds", "kinds", area, on)
    return cast(UnitKinds, found).body.kinds if found else ()


@dataclass(frozen=True)
class _Timeline:
    """The editions of one owner in the order of their first day; three lists of one length."""

    days: list[date]
    ends: list[date]
    ids: list[int]


def _timelines(kind: str, key: str) -> dict[str, _Timeline]:
    kinds.kind_of(kind)
    rows = Edition.objects.published().filter(kind=kind, key=key).order_by("in_force_from")
    timelines: dict[str, _Timeline] = {}
    for owner, begin, end, edition_id in rows.values_list("owner", "in_force_from", "in_force_to", "id"):
        timeline = timelines.setdefault(owner, _Timeline([], [], []))
        timeline.days.append(begin)
        timeline.ends.append(end or date.max)
        timeline.ids.append(edition_id)
    return timelines


def _keys(kind: str) -> list[str]:
    rows = Edition.objects.published().filter(kind=kind)
    return sorted(set(rows.values_list("key", flat=True)))


def _of(reader: type[L], edition_id: int) -> L:
    found = by_id(edition_id)
    if not isinstance(found, reader):
        raise _no_such(edition_id)
    return found


def _load(edition_id: int) -> Loaded:
    row = Edition.objects.published().filter(pk=edition_id).first()
    if row is None:
        raise _no_such(edition_id)
    return _READERS[row.kind](
        edition_id=row.pk,
        uid=row.uid,
        kind=row.kind,
        key=row.key,
        title=row.title,
        label=row.edition,
        owner=row.owner,
        in_force_from=row.in_force_from,
        in_force_to=row.in_force_to,
        source=row.source,
        confidence=kinds.Confidence(row.confidence),
        digest=row.digest,
        body=kinds.read_bytes(row.kind, bytes(row.body)),
    )


def _no_such(edition_id: int) -> RuleError:
    return RuleError(
        "no-edition", N_("没有编号为 {edition} 的已发布版本。请从标准列表中选择。"), edition=edition_id
    )
