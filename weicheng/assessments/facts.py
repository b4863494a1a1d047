"""What a board is scored from: findings and their cases, visits, typed values, boards of the parts of the period.

Read in a few statements for a whole board, whatever it holds. A record counts in the period of its
`occurred_on` when it was here at the board's `as_of`; what came later is listed by `late_records`, not counted.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Max, Q, QuerySet

from weicheng.assessments.boards import ScoredObject, objects_of
from weicheng.assessments.models import Board, Entry, Loss, Sheet
from weicheng.cases.models import Case
from weicheng.inspections.models import FindingVersion, Visit
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import within
from weicheng.rules.areas import Level
from weicheng.rules.cases import State
from weicheng.rules.composition import Part, mean_marks
from weicheng.rules.errors import N_
from weicheng.rules.figures import Ratio
from weicheng.rules.schemes import FollowUpKind, Mode, SchemeItem, SourceKind
from weicheng.rules.sheets import ActiveScheme, Given, Hit, Marks, Measured, Remark
from weicheng.standards import editions
from weicheng.standards.editions import SchemeEdition
from weicheng.standards.kinds import SchemeBody, SchemeSource

ROUTINE = "routine"  # what a finding without a visit comes from
LATE_LIMIT = 500  # of each kind: more is told by the case list
_PERIODS = {
    "month": re.compile(r"[0-9]{4}-[0-9]{2}"),
    "quarter": re.compile(r"[0-9]{4}-Q[1-4]"),
    "half": re.compile(r"[0-9]{4}-H[12]"),
}
_LEVEL_NAMES = {int(level): level.name.lower() for level in Level}


@dataclass(frozen=True)
class Facts:
    """Everything a board is scored from, by code of the object.

    records: findings that were read; remarks: what the whole board should know
    measures: typed numbers for ranks, key -> code -> value
    """

    given: dict[str, Given]
    records: int = 0
    remarks: tuple[Remark, ...] = ()
    measures: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class LateRecord:
    """A record of the period that a frozen sheet does not show, or shows as it was.

    kind: "arrived" after the moment of computing, "cancelled" or "changed" since; code: of the object it falls to
    """

    kind: str
    finding_uid: UUID
    case_uid: UUID
    code: str
    occurred_on: date
    at: datetime
    title: str

    @property
    def label(self) -> str:
        return {"arrived": N_("补报"), "cancelled": N_("已撤销"), "changed": N_("已更正")}[self.kind]


def latest_entries(board: Board) -> dict[tuple[str, str], Decimal]:
    """Return the value that holds of everything typed for a board, by (code of the object, key)."""
    rows = Entry.objects.filter(board_id=board.beside_id or board.pk).order_by("number")
    return {(code, key): value for code, key, value in rows.values_list("code", "key", "value")}


def gather(
    board: Board,
    scheme: SchemeEdition,
    active: ActiveScheme,
    objects: Sequence[ScoredObject],
    as_of: datetime,
) -> Facts:
    """Return the facts of a board at a moment; the statements do not grow with the records."""
    entries = latest_entries(board)
    homes = Homes(board, objects)
    router = _Router(scheme.body, active)
    hits, records, astray = _hits(board, homes, router, active, entries, as_of)
    present = _present(board, homes, router, as_of)
    measured = _measured(board, homes, scheme.body, active, entries)
    marks = _marks(board, scheme.body, active, entries)
    given = {
        each.code: Given(
            hits=hits.get(each.code, ()),
            present=frozenset(present.get(each.code, ())),
            marks=marks.get(each.code, {}),
            measured=measured.get(each.code, {}),
        )
        for each in objects
    }
    measures: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for (code, key), value in entries.items():
        if key.startswith("measure:"):
            measures[key.removeprefix("measure:")][code] = value
    remarks = [
        Remark("astray", _ASTRAY[why], {"count": count, "kind": _kind_title(kind)})
        for (why, kind), count in sorted(astray.items())
    ]
    counts = {code: len(found) for code, found in hits.items()}
    return Facts(given, records, tuple(remarks), measures, counts)


# --- where a record falls ------------------------------------------------------------------------------


class Homes:
    """Which object a record falls to: by its place, predecessors included, or by the unit charged."""

    def __init__(self, board: Board, objects: Sequence[ScoredObject]) -> None:
        self.by_unit = {each.unit_id: each.code for each in objects if each.unit_id is not None}
        self.is_units = board.level == Board.Level.UNIT
        self.codes = [each.code for each in objects]
        self._homes = {} if self.is_units else {each.code: each.code for each in objects}
        for each in () if self.is_units else objects:
            for _column, old in within(each.code)[1:]:
                self._homes[old] = each.code

    def of(self, area: str, unit_id: int | None) -> str | None:
        """Return the code of the object, None when the record falls to none of the board."""
        if self.is_units:
            return None if unit_id is None else self.by_unit.get(unit_id)
        # The longest code first: a community that moved away falls to its new street, whatever its old code.
        for length in (Level.COMMUNITY, Level.STREET):
            found = self._homes.get(area[:length]) if len(area) >= length else None
            if found is not None:
                return found
        return None


def _scoped(board: Board, rows: QuerySet) -> Iterable[QuerySet]:
    """Yield the rows of the board's area, predecessors included, one equality each."""
    for column, code in within(board.area):
        yield rows.filter(**{column: code})


def _flag(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())


class _Router:
    """Which source and which item of the scheme a finding falls under."""

    def __init__(self, body: SchemeBody, active: ActiveScheme) -> None:
        self.sources: dict[str, SchemeSource] = {}
        for source in body.sources:
            for kind in source.rounds or ((ROUTINE,) if source.key == ROUTINE else ()):
                self.sources[kind] = source
        self._by_line: dict[tuple[str, str], str] = {}
        self._by_category: dict[str, str] = {}
        self._rest: str | None = None
        for number in active.items:
            line = body.items[number]
            for key, items in line.checklists.items():
                self._by_line |= {(key, item): number for item in items}
            self._by_category |= dict.fromkeys(line.categories, number)
            self._rest = number if line.rest else self._rest
        self._keys: dict[int, str] = {}
        self._known: dict[tuple[Any, ...], tuple[str, str] | _Astray] = {}

    def route(
        self, kind: str | None, edition: int | None, item: str, category: str, severity: str
    ) -> "tuple[str, str] | _Astray":
        """Return (source, item) of a finding, or why the scheme has no place for it."""
        sort = (kind, edition, item, category, severity)
        if sort not in self._known:
            self._known[sort] = self._route(kind or ROUTINE, edition, item, category, severity)
        return self._known[sort]

    def _route(
        self, kind: str, edition: int | None, item: str, category: str, severity: str
    ) -> "tuple[str, str] | _Astray":
        source = self.sources.get(kind)
        if source is None:
            return _Astray("source", kind)
        if source.severities and severity not in source.severities:
            return _Astray("severity", kind)
        number = None
        if edition is not None and item:
            if edition not in self._keys:
                self._keys[edition] = editions.checklist_by_id(edition).key
            number = self._by_line.get((self._keys[edition], item))
        number = number or self._by_category.get(category) or self._rest
        return _Astray("item", "") if number is None else (source.key, number)


@dataclass(frozen=True)
class _Astray:
    """Why a finding is charged nowhere; kind: of the visit it came from, where that is the reason."""

    why: str
    kind: str


_ASTRAY = {
    "source": N_("“{kind}”中的 {count} 条问题没有扣分：考核办法没有把它列为计分来源。"),
    "severity": N_("“{kind}”中的 {count} 条问题没有扣分：考核办法只计较重的问题。"),
    "item": N_("{count} 条问题没有扣分：考核办法没有与其类别对应的考核项。"),
}


def _kind_title(kind: str) -> str:
    return str(Visit.Kind(kind).label) if kind else ""


# --- findings ----------------------------------------------------------------------------------------------


def _hits(
    board: Board,
    homes: Homes,
    router: _Router,
    active: ActiveScheme,
    entries: Mapping[tuple[str, str], Decimal],
    as_of: datetime,
) -> tuple[dict[str, list[Hit]], int, Counter[tuple[str, str]]]:
    """Return the findings that count by object, how many were read, and those charged nowhere, by the reason."""
    chosen = {key: value for (_code, key), value in entries.items() if key.startswith("item:") and "@" in key}
    ranged = {number: item for number, item in active.items.items() if item.mode is Mode.RANGE}
    hits: dict[str, list[Hit]] = defaultdict(list)
    read = 0
    astray: Counter[tuple[str, str]] = Counter()
    follow_ups: dict[tuple[bool, bool, int, bool], tuple[str, ...]] = {}
    became_of = {} if homes.is_units else _became_of_parts(board, as_of)
    wanted = [_counted(board, as_of)]
    if homes.is_units:
        wanted.append(_counted(board, as_of, parts=True))
    for rows in (some for each in wanted for some in _scoped(board, each)):
        for (
            uid, area, unit_id, occurred_on, filed_area, pieces, repeats, rework, place_key, address, late, in_time,
            supervised, kind, edition, item, category, severity, count, points,
        ) in rows.iterator(chunk_size=5000):  # fmt: skip
            code = homes.of(area, unit_id)
            if code is None:
                continue
            read += 1
            routed = router.route(kind, edition, item, category, severity)
            if isinstance(routed, _Astray):
                astray[routed.why, routed.kind] += 1
                continue
            source, number = routed
            record = str(uid)
            became = (late, in_time, min(rework, 2), supervised)
            if pieces:
                became = became_of.get(uid, (False, False, 0, supervised))
            if became not in follow_ups:
                follow_ups[became] = _follow_ups(*became)
            points = _chosen(ranged.get(number), chosen.get(f"item:{number}@{record}"), points)
            hits[code].append(
                Hit(
                    source, number, record, occurred_on, _place(place_key, address) or record, _LEVEL_NAMES.get(len(filed_area), "unit"),
                    count, repeats, points, follow_ups[became],
                )
            )  # fmt: skip
    return hits, read, astray


def _chosen(item: SchemeItem | None, typed: Decimal | None, answered: Decimal | None) -> Decimal | None:
    """Return the points chosen within the range of an item; None where nothing was chosen, or nothing is to choose.

    typed: by the officer, judged by the rule as it stands; answered: at the visit, within the range of its check list
    """
    if item is None or typed is not None or answered is None:
        return None if item is None else typed
    # The check list's range need not be the scheme's: the nearest that the scheme allows holds.
    return min(max(answered, item.minimum or Decimal(0)), item.maximum or Decimal(0))


def _place(key: str | None, address: str) -> str:
    """Return what "the same place" means for an item that costs once a place: the unit, else the address as written."""
    return key if key is not None and key.startswith("u:") else address


def _counted(board: Board, as_of: datetime, *, parts: bool = False) -> QuerySet:
    """Return the findings of the period that were here at the moment and stand, as plain values.

    parts: the parts of split cases instead, each with the finding of its whole, as units are charged with them
    """
    to = "parent__" if parts else ""
    return (
        _standing(board, as_of)
        .filter(**{f"{to}finding__isnull": False})
        .values_list(
            f"{to}uid", "area", "responsible_id", "occurred_on", "filed_area", "pieces", f"{to}repeats", "rework",
            "place_key", "address", "is_late", "in_time", "supervised", f"{to}finding__visit__kind",
            f"{to}finding__visit__checklist_edition", f"{to}finding__item", f"{to}finding__category",
            f"{to}finding__severity", f"{to}finding__count", f"{to}finding__answer__points",
        )
        .order_by()
    )  # fmt: skip


def _standing(board: Board, as_of: datetime) -> QuerySet:
    """Return the cases of the period, parts included, that were here at the moment and are not cancelled."""
    late = Q(open=True, due_at__lt=as_of) & ~Q(state=State.HANDED_IN.value)
    late |= Q(state=State.CLOSED.value, on_time=False)
    return (
        Case.objects.filter(
            # The index is by the day of filing, which is never before the day of occurring.
            opened_on__range=(board.period_start, today(as_of)),
            occurred_on__range=(board.period_start, board.period_end),
            opened_at__lte=as_of,
        )
        .exclude(state=State.CANCELLED.value)
        .annotate(
            is_late=_flag(late),
            in_time=_flag(Q(state=State.CLOSED.value, on_time=True, rework=0)),
            supervised=_flag(Q(supervised_at__isnull=False)),
        )
    )


def _became_of_parts(board: Board, as_of: datetime) -> dict[UUID, tuple[bool, bool, int, bool]]:
    """Return (late, in time, rework, supervised) of each whole that was split: what is done, its parts did.

    Late when one of them is, in time when all were, as often sent back as the worst of them.
    """
    found: dict[UUID, tuple[bool, bool, int, bool]] = {}
    for rows in _scoped(board, _standing(board, as_of).filter(parent__isnull=False).order_by()):
        for uid, *part, seen in rows.values_list(
            "parent__uid", "is_late", "in_time", "rework", "supervised", "parent__supervised_at"
        ):
            late, in_time, rework, supervised = part
            one = (late, in_time, min(rework, 2), supervised or seen is not None)
            before = found.get(uid, (False, True, 0, False))
            found[uid] = (
                before[0] or one[0],
                before[1] and one[1],
                max(before[2], one[2]),
                before[3] or one[3],
            )
    return found


def _follow_ups(late: bool, in_time: bool, rework: int, supervised: bool) -> tuple[str, ...]:
    """Return what became of a finding; the heavier notice stands for the lighter one."""
    notice = {0: None, 1: FollowUpKind.SECOND_NOTICE, 2: FollowUpKind.THIRD_NOTICE}[rework]
    named = (
        (late, FollowUpKind.LATE),
        (in_time, FollowUpKind.IN_TIME),
        (notice is not None, notice),
        (supervised, FollowUpKind.SUPERVISED),
    )
    return tuple(kind.value for holds, kind in named if holds and kind is not None)


def _present(board: Board, homes: Homes, router: _Router, as_of: datetime) -> dict[str, set[str]]:
    """Return the sources that took place at each object: there was a visit of their kind, found anything or not."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = (
        Visit.objects.filter(
            visited_on__range=(board.period_start, board.period_end), started_at__lte=as_of, hidden=False
        )
        .values_list("area", "unit_id", "kind")
        .order_by()
        .distinct()
    )
    for part in _scoped(board, rows):
        for area, unit_id, kind in part:
            code, source = homes.of(area, unit_id), router.sources.get(kind)
            if code is not None and source is not None:
                found[code].add(source.into or source.key)
    return found


# --- values -----------------------------------------------------------------------------------------------


def _measured(
    board: Board,
    homes: Homes,
    body: SchemeBody,
    active: ActiveScheme,
    entries: Mapping[tuple[str, str], Decimal],
) -> dict[str, dict[str, Measured]]:
    """Return typed and counted values of items by object."""
    found: dict[str, dict[str, Measured]] = defaultdict(dict)
    for (code, key), value in entries.items():
        number = key.removeprefix("item:")
        if key.startswith("item:") and "@" not in key and number in active.items:
            found[code][number] = Measured(value, key)
    for number in active.items:
        measure = body.items[number].measure
        if measure:
            for code, ratio in _MEASURES[measure](board, homes).items():
                found[code][number] = Measured(ratio)
    return found


def _closed_on_time(board: Board, homes: Homes) -> dict[str, Ratio]:
    """按期结案率: of the cases closed in the period, those handed in by their deadline."""
    period = (board.period_start, board.period_end)
    rows = Case.objects.filter(_asked_of(homes), state=State.CLOSED.value, closed_on__range=period)
    return _rates(board, homes, rows, Q(on_time=True))


def _closed(board: Board, homes: Homes) -> dict[str, Ratio]:
    """结案率: of the cases that occurred in the period and stand, those that are closed."""
    period = (board.period_start, board.period_end)
    rows = Case.objects.filter(_asked_of(homes), opened_on__gte=board.period_start, occurred_on__range=period)
    return _rates(board, homes, rows.exclude(state=State.CANCELLED.value), Q(state=State.CLOSED.value))


def _asked_of(homes: Homes) -> Q:
    """An area answers for what was found there, wholes; a unit for what it was charged with, parts of wholes too."""
    if not homes.is_units:
        return Q(finding__isnull=False)
    return Q(finding__isnull=False, pieces=0) | Q(parent__isnull=False)


def _rates(board: Board, homes: Homes, rows: QuerySet, condition: Q) -> dict[str, Ratio]:
    parts: Counter[str] = Counter()
    wholes: Counter[str] = Counter()
    for some in _scoped(board, rows):
        counted = some.values("area", "responsible_id").annotate(
            whole=Count("pk"), part=Count("pk", filter=condition)
        )
        for row in counted.order_by():
            code = homes.of(row["area"], row["responsible_id"])
            if code is not None:
                parts[code] += row["part"]
                wholes[code] += row["whole"]
    return {code: Ratio(parts[code], wholes[code]) for code in homes.codes}


_MEASURES: dict[str, Callable[[Board, Homes], dict[str, Ratio]]] = {
    "on_time_rate": _closed_on_time,
    "closed_rate": _closed,
}


def _marks(
    board: Board, body: SchemeBody, active: ActiveScheme, entries: Mapping[tuple[str, str], Decimal]
) -> dict[str, dict[str, Marks]]:
    """Return the marks of sources that are given: typed, or the mean of published boards."""
    found: dict[str, dict[str, Marks]] = defaultdict(dict)
    for source in body.sources:
        if source.kind is SourceKind.GIVEN:
            key = f"source:{source.key}"
            for (code, name), value in entries.items():
                if name == key:
                    found[code][source.key] = Marks(value, key)
        elif source.kind is SourceKind.BOARDS:
            full = active.full_of(active.by_key[source.key])
            for code, parts in _parts(board, source.boards).items():
                mean = mean_marks(parts, full)
                if mean is not None:
                    found[code][source.key] = Marks(mean, "、".join(part.label for part in parts)[:60])
    return found


def _parts(board: Board, sort: str) -> dict[str, list[Part]]:
    """Return the published totals of the parts of a board's period, by code of the object, in order of time."""
    boards = Board.objects.filter(
        area=board.area,
        level=board.level,
        state=Board.State.PUBLISHED.value,
        beside__isnull=True,
        period_start__gte=board.period_start,
        period_end__lte=board.period_end,
    ).order_by("period_start", "id")
    fitting = {one.pk: one.period_label for one in boards if _PERIODS[sort].fullmatch(one.period)}
    found: dict[str, list[Part]] = defaultdict(list)
    rows = Sheet.objects.filter(board__in=fitting).order_by("board__period_start", "board_id")
    for board_id, code, total, full in rows.values_list("board_id", "code", "total", "full"):
        found[code].append(Part(fitting[board_id], total, full))
    return found


# --- what came later ------------------------------------------------------------------------------------


def late_records(board: Board, actor: Actor | None = None) -> list[LateRecord]:
    """Return the records of the period that arrived, were cancelled or were changed after the board was computed.

    actor: only those the reader sees; None for all. Four statements, and one more for each area taken over.
    """
    if board.as_of is None:
        return []
    homes = Homes(board, objects_of(board))
    base = Case.objects.all() if actor is None else Case.objects.visible_to(actor)
    base = base.filter(
        opened_on__gte=board.period_start,
        occurred_on__range=(board.period_start, board.period_end),
        finding__isnull=False,
    )
    found: list[LateRecord] = []
    for rows in _scoped(board, base):
        arrived = rows.filter(opened_at__gt=board.as_of).exclude(state=State.CANCELLED.value)
        found += _late("arrived", homes, arrived.annotate(moment=F("opened_at")))
        gone = rows.filter(state=State.CANCELLED.value, opened_at__lte=board.as_of)
        gone = gone.annotate(moment=Max("events__at")).filter(moment__gt=board.as_of)
        found += _late("cancelled", homes, gone)
        newer = FindingVersion.objects.filter(number__gt=1, at__gt=board.as_of).values("finding_id")
        changed = rows.filter(opened_at__lte=board.as_of, finding__in=newer)
        changed = changed.exclude(state=State.CANCELLED.value).annotate(moment=Max("finding__versions__at"))
        found += _late("changed", homes, changed)
    charged = set(
        Loss.objects.filter(
            sheet__board=board, record__in=[str(one.finding_uid) for one in found if one.kind == "cancelled"]
        ).values_list("record", flat=True)
    )
    found = [one for one in found if one.kind != "cancelled" or str(one.finding_uid) in charged]
    return sorted(found, key=lambda one: (one.code, one.occurred_on, one.kind, str(one.finding_uid)))


def _late(kind: str, homes: Homes, rows: QuerySet) -> list[LateRecord]:
    found = []
    for uid, area, unit_id, occurred_on, moment, title in rows.values_list(
        "uid", "area", "responsible_id", "occurred_on", "moment", "title"
    )[:LATE_LIMIT]:
        code = homes.of(area, unit_id)
        if code is not None:
            found.append(LateRecord(kind, uid, uid, code, occurred_on, moment, title))
    return found
