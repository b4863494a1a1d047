"""The score of one object (a community, a street, a unit) under a scheme: every tenth of a point explained.

Several weighted sources, items with many modes, limits within limits, follow-ups, vetoes and bonuses.

Points are counted in millionths, in whole numbers, so that a sum never depends on the order of its parts and
full - Σ effects + Σ bonuses == total holds exactly. Published scales have at most three places, so nothing is
rounded; a rate such as 31 of 40 is, half-up, at the millionth of a point.

Source: the model in `domain/standards/inspection-practice.md` section 2; every number comes from an edition.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, lru_cache
from math import lcm
from types import MappingProxyType
from typing import Any, NamedTuple

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import Period, Ratio, exact, round_half_up
from weicheng.rules.ranking import RankRule
from weicheng.rules.schemes import (
    FollowUpKind,
    Group,
    Missing,
    Mode,
    Scheme,
    SchemeItem,
    Source,
    SourceKind,
)

# --- what goes in ----------------------------------------------------------------------------------

PLACES = 6
MICRO = 10**PLACES


class LineKind(StrEnum):
    """Why a line is on the sheet."""

    DEDUCTION = "deduction"  # a finding, a measure or given marks cost points
    FOLLOW_UP = "follow_up"  # what became of a finding costs besides
    MISSING = "missing"  # a source or a value that is not there
    PENALTY = "penalty"  # the place in the ranking costs points
    VETO = "veto"  # 一票否决
    BONUS = "bonus"  # adds points; every other kind takes them


class Hit(NamedTuple):
    """One finding that falls under an item of the scheme.

    source: key of the source it came from; record: what tells it from all others, and breaks ties of the day
    place: for per_place; level: of the finder ("city", "district", "street" …)
    times: how many of the kind were seen at once; repeats: how often the same was found there before
    points: what was chosen within a range
    follow_ups: what became of it, values of FollowUpKind
    """

    source: str
    item: str
    record: str
    occurred_on: date
    place: str = ""
    level: str = ""
    times: int = 1
    repeats: int = 0
    points: Decimal | None = None
    follow_ups: tuple[str, ...] = ()


class Marks(NamedTuple):
    """Marks given for a source; record: the entry or board they come from."""

    marks: Decimal
    record: str = ""
    on: date | None = None


class Measured(NamedTuple):
    """What was measured for an item: an amount, a rate in per cent, or a Ratio; None: not assessed."""

    value: Decimal | Ratio | None
    record: str = ""
    on: date | None = None


@dataclass(frozen=True)
class Given:
    """Everything about one object in one period.

    present: sources of findings that took place there; those with hits and those of `always` need no naming
    marks: by key of a source that is given; measured: by number of an item
    """

    hits: Sequence[Hit] = ()
    present: frozenset[str] = frozenset()
    marks: Mapping[str, Marks] = field(default_factory=dict)
    measured: Mapping[str, Measured] = field(default_factory=dict)


# --- what comes out ------------------------------------------------------------------------------------


class Loss(NamedTuple):
    """One line of a sheet; see the model of the same name in `assessments`.

    asked: what it costs by itself; lost: what was taken within the limits, on the scale of its source
    effect: what the total lost by it (for a bonus: gained)
    capped_by: "once", "place", "item", "group", "source" or "bonus", the first limit that took less; "" for none
    why: points, mode, level, factors, for the reader; the same mapping is shared by lines of equal cost
    ref: what the caller gave with the line, to find it again
    """

    kind: LineKind
    source: str
    item: str
    title: str
    record_kind: str
    record: str
    occurred_on: date | None
    place: str
    asked: Decimal
    lost: Decimal
    effect: Decimal
    capped_by: str
    why: Mapping[str, Any]
    ref: int = 0


class Asked(NamedTuple):
    """A line before the limits: what it costs by itself, in millionths of a point."""

    kind: LineKind
    source: str
    item: str
    title: str
    record_kind: str
    record: str
    occurred_on: date | None
    place: str
    micro: int
    why: Mapping[str, Any]
    ref: int = 0


@dataclass(frozen=True)
class SourceScore:
    """What one source came to.

    share: its part of the whole, 1 for all, after missing sources were dealt with; weight: as published, per cent
    score: full - lost, None when the source is missing; effect: what the total lost by it
    """

    key: str
    title: str
    kind: SourceKind
    weight: Decimal
    share: Fraction
    full: Decimal
    lost: Decimal
    effect: Decimal
    present: bool

    @property
    def score(self) -> Decimal | None:
        return self.full - self.lost if self.present else None


@dataclass(frozen=True)
class ItemScore:
    """What one item cost, or earned as a bonus, in one source.

    records: how many lines; capped: its limit took less than asked
    """

    kind: LineKind
    number: str
    title: str
    group: str
    source: str
    asked: Decimal
    lost: Decimal
    effect: Decimal
    records: int
    capped: bool


@dataclass(frozen=True)
class Remark:
    """A warning: code for tests, message with {named} places, values that fill them."""

    code: str
    message: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class SheetScore:
    """The score of one object.

    total: full - Σ effects + bonus, exactly, never below 0; assessed: False when no source took place at all
    grade: title of the band, "" when the scheme has none; vetoed: a veto took every mark or fixed the grade
    unscored: hits under items or sources that do not hold in the period
    """

    full: Decimal
    total: Decimal
    bonus: Decimal
    grade: str
    assessed: bool
    vetoed: bool
    losses: tuple[Loss, ...]
    sources: tuple[SourceScore, ...]
    items: tuple[ItemScore, ...]
    remarks: tuple[Remark, ...]
    unscored: int


# --- a scheme in one period ------------------------------------------------------------------------------


def _micro(value: Decimal | Fraction) -> int:
    """Return the points in millionths, half-up."""
    return int(exact(value) * MICRO + Fraction(1, 2)) if value >= 0 else -_micro(-value)


@lru_cache(maxsize=65_536)
def _points(micro: int) -> Decimal:
    return Decimal(micro).scaleb(-PLACES)


class _Cost(NamedTuple):
    """What a hit of one sort costs: by itself, and for what became of it, as (number, title, points, why)."""

    micro: int
    why: Mapping[str, Any]
    follow_ups: tuple[tuple[str, str, int, Mapping[str, Any]], ...]


class ActiveScheme:
    """A scheme as it holds in one period; made once and used for every object of a board."""

    def __init__(self, scheme: Scheme, period: Period) -> None:
        self.scheme, self.period = scheme, period
        self.groups = tuple(group for group in scheme.groups if group.window.holds(period))
        self.items: dict[str, SchemeItem] = {}
        self.group_of: dict[str, Group] = {}
        for group in self.groups:
            for item in group.items:
                if item.window.holds(period):
                    self.items[item.number], self.group_of[item.number] = item, group
        self.full = scheme.full or sum((group.value for group in self.groups if group.value), Decimal(0))
        self.sources = tuple(source for source in scheme.sources if not source.into)
        self.by_key = {source.key: source for source in self.sources}
        self._into = {
            source.key: source.into
            for source in scheme.sources
            if source.into and source.window.holds(period)
        }
        self._known = {source.key for source in scheme.sources}
        self.follow_ups = {rule.kind.value: rule for rule in scheme.follow_ups if rule.window.holds(period)}
        self.rank_rules: tuple[RankRule, ...] = tuple(
            rule for rule in scheme.rank_rules if rule.window.holds(period)
        )
        self._costs: dict[tuple[Any, ...], _Cost] = {}

    @cached_property
    def first_findings_source(self) -> str:
        """The source that measured items count in where they name none."""
        return next((source.key for source in self.sources if source.kind is SourceKind.FINDINGS), "")

    def full_of(self, source: Source) -> Decimal:
        """The marks of a source without losses, on its own scale."""
        return source.full or self.full

    def source_of(self, hit: Hit) -> Source | None:
        """Return the source a hit counts in, None where it counts in none in this period."""
        key = self._into.get(hit.source, hit.source)
        if key in self.by_key:
            return self.by_key[key]
        if key not in self._known:
            self.scheme.source(key)  # refuses it by name
        return None

    def shares(self, present: frozenset[str]) -> dict[str, Fraction]:
        """Return each source's part of the whole: 1 together, unless a missing one is let go at 0."""
        whole = [source for source in self.sources if source.key in present]
        spread = self.scheme.missing is Missing.RENORMALISE and bool(whole)
        counted = whole if spread else self.sources
        total = sum((Fraction(source.weight or 0) for source in counted), Fraction(0))
        chosen = {source.key for source in counted}
        return {
            source.key: Fraction(source.weight or 0) / total if source.key in chosen else Fraction(0)
            for source in self.sources
        }

    def limit(self, number: str, kind: LineKind) -> Decimal | None:
        """Return the most that the lines of an item, or of a kind of follow-up, cost together."""
        if kind is LineKind.FOLLOW_UP:
            return self.follow_ups[number.partition(":")[2]].cap
        return self.items[number].limit if number in self.items else None

    def cost(self, hit: Hit, item: SchemeItem) -> _Cost:
        """Return what a hit costs; hits of one sort are worked out once."""
        key = (item.number, hit.level, hit.times, hit.repeats, hit.points, hit.follow_ups)
        known = self._costs.get(key)
        if known is None:
            known = self._costs[key] = self._cost(hit, item)
        return known

    def _cost(self, hit: Hit, item: SchemeItem) -> _Cost:
        points, by_table = self._points_of(hit, item)
        why: dict[str, Any] = {"mode": item.mode.value, "points": points}
        factors: list[dict[str, Any]] = []
        if by_table:
            why["level"] = hit.level
        elif (factor := self.scheme.finder.get(hit.level)) is not None:
            factors.append({"name": "finder", "of": hit.level, "value": factor})
        if hit.repeats and self.scheme.repeats:
            nth = min(hit.repeats, len(self.scheme.repeats))
            factors.append({"name": "repeats", "of": hit.repeats, "value": self.scheme.repeats[nth - 1]})
        in_time = self.follow_ups.get(FollowUpKind.IN_TIME.value)
        if in_time is not None and in_time.give_back is not None and in_time.kind.value in hit.follow_ups:
            factors.append({"name": "in_time", "of": in_time.title, "value": 1 - in_time.give_back})
        if item.mode is Mode.BONUS:
            factors = []  # who found something praiseworthy, or how often, makes it no better
        cost = Fraction(points)
        if hit.times != 1 and item.mode in (Mode.PER_FINDING, Mode.RANGE, Mode.BONUS):
            cost *= hit.times
            why["times"] = hit.times
        for factor_part in factors:
            cost *= Fraction(factor_part["value"])
        if factors:
            why["factors"] = factors
        return _Cost(_micro(cost), MappingProxyType(why), self._besides(hit, item))

    def _points_of(self, hit: Hit, item: SchemeItem) -> tuple[Decimal, bool]:
        """Return (points, whether the table of levels gave them) before any factor."""
        if item.mode is Mode.VETO:
            return Decimal(0), False
        if item.mode is Mode.RANGE:
            minimum, maximum = item.minimum or Decimal(0), item.maximum or Decimal(0)
            chosen = minimum if hit.points is None else hit.points
            if not minimum <= chosen <= maximum:
                raise RuleError(
                    "range-bounds",
                    N_(
                        "考核项 {number} 每处扣 {minimum} 至 {maximum} 分，所选 {chosen} 分不在其中。请改选。"
                    ),
                    number=item.number,
                    minimum=minimum,
                    maximum=maximum,
                    chosen=chosen,
                )
            return chosen, False
        if hit.level in item.levels:
            return item.levels[hit.level], True
        if item.points is not None:
            return item.points, False
        return min(item.levels.values()), True  # a level the table does not name: what is best for the object

    def _besides(self, hit: Hit, item: SchemeItem) -> tuple[tuple[str, str, int, Mapping[str, Any]], ...]:
        found = []
        if item.mode is not Mode.BONUS:
            for name in sorted(set(hit.follow_ups)):
                rule = self.follow_ups.get(name)
                if rule is None or rule.kind is FollowUpKind.IN_TIME:
                    continue
                points = rule.levels.get(hit.level, rule.points)
                if points is None:
                    points = min(rule.levels.values())
                why = {"mode": "follow_up", "points": points, "item": item.number}
                found.append((rule.number, rule.title, _micro(points), MappingProxyType(why)))
        return tuple(found)


# --- scoring -----------------------------------------------------------------------------------------------


def score(active: ActiveScheme, given: Given) -> SheetScore:
    """Return the score of one object; the order of the hits changes nothing.

    RuleError: "item-unknown", "source-unknown" for what the scheme does not have, "range-bounds", "marks-range",
    "rate-range", "amount-negative" for values outside their bounds.
    """
    asked, unscored, seen = _of_hits(active, given.hits)
    remarks: list[Remark] = []
    present = set(given.present & active.by_key.keys()) | seen
    for source in active.sources:
        if source.kind is SourceKind.FINDINGS:
            if source.always:
                present.add(source.key)
        elif source.key in given.marks:
            present.add(source.key)
            asked += _of_marks(active, source, given.marks[source.key])
    asked += _of_measures(active, given, present, remarks)
    if unscored:
        remarks.append(
            Remark("unscored", N_("{count} 条问题不在本期适用的考核项中，没有扣分。"), {"count": unscored})
        )
    return share_out(active, asked, frozenset(present), remarks=remarks, unscored=unscored)


def _of_hits(active: ActiveScheme, hits: Iterable[Hit]) -> tuple[list[Asked], int, set[str]]:
    """Return the lines of the findings, how many count nowhere in this period, and the sources they came from."""
    asked: list[Asked] = []
    unscored = 0
    seen: set[str] = set()
    allowed: dict[tuple[str, str], tuple[SchemeItem, Source, LineKind] | None] = {}
    for hit in hits:
        pair = (hit.source, hit.item)
        if pair not in allowed:
            allowed[pair] = _placed(active, hit)
        placed = allowed[pair]
        if placed is None:
            unscored += 1
            continue
        item, source, kind = placed
        cost = active.cost(hit, item)
        seen.add(source.key)
        place = hit.place if item.mode is Mode.PER_PLACE else ""
        asked.append(
            Asked(
                kind, source.key, item.number, item.title, "finding", hit.record, hit.occurred_on, place,
                cost.micro, cost.why,
            )
        )  # fmt: skip
        for number, title, micro, why in cost.follow_ups:
            asked.append(
                Asked(
                    LineKind.FOLLOW_UP, source.key, number, title, "finding", hit.record,
                    hit.occurred_on, "", micro, why,
                )
            )  # fmt: skip
    return asked, unscored, seen


def _placed(active: ActiveScheme, hit: Hit) -> tuple[SchemeItem, Source, LineKind] | None:
    """Return where a hit counts: its item, its source, the kind of its line; None when nowhere in this period."""
    source = active.source_of(hit)
    if hit.item not in active.scheme.items:
        raise RuleError(
            "item-unknown",
            N_("检查表“{edition}”中没有检查项 {number}。请从检查表中选择。"),
            edition=active.scheme.edition,
            number=hit.item,
        )
    item = active.items.get(hit.item)
    if item is None or source is None or (item.sources and source.key not in item.sources):
        return None
    kind = {Mode.VETO: LineKind.VETO, Mode.BONUS: LineKind.BONUS}.get(item.mode, LineKind.DEDUCTION)
    return item, source, kind


def _of_marks(active: ActiveScheme, source: Source, marks: Marks) -> list[Asked]:
    """Return the line of a source whose marks were given; none when they are full."""
    full = active.full_of(source)
    if not 0 <= marks.marks <= full:
        raise RuleError(
            "marks-range",
            N_("“{title}”的得分 {marks} 不在 0 至 {full} 之间。请改正。"),
            title=source.title,
            marks=marks.marks,
            full=full,
        )
    micro = _micro(full - marks.marks)
    why = {"mode": "marks", "marks": marks.marks, "full": full}
    kind = "board" if source.kind is SourceKind.BOARDS else "entry"
    line = Asked(
        LineKind.DEDUCTION, source.key, "", source.title, kind, marks.record, marks.on, "", micro, why
    )
    return [line] if micro else []


def _of_measures(active: ActiveScheme, given: Given, present: set[str], remarks: list[Remark]) -> list[Asked]:
    """Return the lines of what was measured; an item without its value is remarked."""
    for number in given.measured:
        if number not in active.scheme.items:
            raise RuleError(
                "item-unknown",
                N_("检查表“{edition}”中没有检查项 {number}。请从检查表中选择。"),
                edition=active.scheme.edition,
                number=number,
            )
    home = {
        item.number: item.sources[0] if item.sources else active.first_findings_source
        for item in active.items.values()
        if item.mode in _MEASURES
    }
    present |= {key for number, key in home.items() if number in given.measured}
    lines: list[Asked] = []
    for number, source in home.items():
        item, found = active.items[number], given.measured.get(number)
        if source not in present or (found is None and item.mode is Mode.BONUS):
            continue
        if found is None or found.value is None or _is_nothing(found.value):
            lines += _not_measured(active, item, source, found, remarks)
            continue
        cost, why = _MEASURES[item.mode](item, found.value)
        if micro := _micro(cost):
            kind = LineKind.BONUS if item.mode is Mode.BONUS else LineKind.DEDUCTION
            lines.append(
                Asked(
                    kind, source, number, item.title, "entry" if found.record else "", found.record, found.on,
                    "", micro, {"mode": item.mode.value, **why},
                )
            )  # fmt: skip
    return lines


def _is_nothing(value: Decimal | Ratio) -> bool:
    return isinstance(value, Ratio) and value.quotient() is None


def _not_measured(
    active: ActiveScheme, item: SchemeItem, source: str, found: Measured | None, remarks: list[Remark]
) -> list[Asked]:
    named = {"title": item.title, "item": item.number}
    if found is not None or item.at_most or active.scheme.missing is Missing.RENORMALISE:
        # A rate of nothing is "not assessed": nobody loses marks because nothing happened, and a count of
        # what must not happen is nothing to lose marks by until somebody gives it.
        remarks.append(Remark("not-assessed", N_("“{title}”未评定，本项不扣分。"), named))
        return []
    remarks.append(Remark("not-entered", N_("“{title}”没有填报，按 0 分计。"), named))
    cost = _micro(item.limit or _of_nothing(item))
    why = {"mode": item.mode.value, "missing": True}
    return [Asked(LineKind.MISSING, source, item.number, item.title, "", "", None, "", cost, why)]


def _of_nothing(item: SchemeItem) -> Fraction:
    """What an item without a limit costs when nothing at all was reached."""
    if item.mode is Mode.GAP and not item.at_most:
        return _gap(item, Decimal(0))[0]
    return exact(item.points or 0)


def _require_amount(item: SchemeItem, value: Decimal | Ratio) -> Fraction:
    amount = value.quotient() if isinstance(value, Ratio) else exact(value)
    if amount is None or amount < 0:
        raise RuleError(
            "amount-negative",
            N_("“{title}”的数值 {value} 小于 0。请填写 0 或更大的数。"),
            title=item.title,
            value=value,
        )
    return amount


def _ratio(item: SchemeItem, value: Decimal | Ratio) -> tuple[Fraction, dict[str, Any]]:
    """The item earns its value times the rate."""
    rate = _require_amount(item, value) / 100
    if rate > 1:
        raise RuleError(
            "rate-range",
            N_("“{title}”的比率 {rate} % 大于 100 %。请改正。"),
            title=item.title,
            rate=round_half_up(rate * 100, 2),
        )
    shown: dict[str, Any] = {"value": item.value}
    if isinstance(value, Ratio):
        shown |= {"numerator": value.numerator, "denominator": value.denominator}
    else:
        shown["rate"] = value
    return Fraction(item.value or 0) * (1 - rate), shown


def _gap(item: SchemeItem, value: Decimal | Ratio) -> tuple[Fraction, dict[str, Any]]:
    """Each step short of the target costs; a part of a step its part."""
    measured, target = _require_amount(item, value), exact(item.target or 0)
    short = max(Fraction(0), measured - target if item.at_most else target - measured)
    cost = short / exact(item.step) * exact(item.points or 0)
    return cost, {**_measure(value), "target": item.target, "points": item.points, "step": item.step}


def _threshold(item: SchemeItem, value: Decimal | Ratio) -> tuple[Fraction, dict[str, Any]]:
    """Reached costs nothing, not reached costs the points."""
    measured, target = _require_amount(item, value), exact(item.target or 0)
    reached = measured <= target if item.at_most else measured >= target
    cost = Fraction(0) if reached else exact(item.points or 0)
    return cost, {**_measure(value), "target": item.target, "points": item.points}


def _bonus(item: SchemeItem, value: Decimal | Ratio) -> tuple[Fraction, dict[str, Any]]:
    """Each unit earns the points."""
    amount = _require_amount(item, value)
    return amount * exact(item.points or 0), {**_measure(value), "points": item.points}


def _measure(value: Decimal | Ratio) -> dict[str, Any]:
    if isinstance(value, Ratio):
        return {"numerator": value.numerator, "denominator": value.denominator}
    return {"measured": value}


_MEASURES: dict[Mode, Callable[[SchemeItem, Decimal | Ratio], tuple[Fraction, dict[str, Any]]]] = {
    Mode.RATIO: _ratio,
    Mode.GAP: _gap,
    Mode.THRESHOLD: _threshold,
    Mode.BONUS: _bonus,
}


# --- limits and weights ------------------------------------------------------------------------------------


def share_out(
    active: ActiveScheme,
    asked: Iterable[Asked],
    present: frozenset[str],
    *,
    remarks: Sequence[Remark] = (),
    unscored: int = 0,
) -> SheetScore:
    """Return the score that these lines make: limits used up in the order of day and record, then weighted.

    The same lines without some, or asking less, give the score after an appeal: that is all `score` adds to it.
    present: keys of the sources that took place; the others lose everything, or leave their weight to the rest
    """
    shares = active.shares(present)
    assessed = bool(present)
    remarks = [*remarks, *_missing_remarks(active, present, shares)]
    lines = [line for line in asked if line.source in present]
    lines += [
        Asked(
            LineKind.MISSING, source.key, "", source.title, "", "", None, "", _micro(active.full_of(source)),
            {"mode": "missing"},
        )
        for source in active.sources
        if source.key not in present and shares[source.key]
    ]  # fmt: skip
    order = {source.key: position for position, source in enumerate(active.sources)}
    # Undated lines are measures of the whole period: they come first.
    lines.sort(
        key=lambda line: (
            order[line.source], line.occurred_on or date.min, line.record, line.item, line.kind, line.micro,
        )
    )  # fmt: skip
    taken = _within_limits(active, lines)
    effects = _weighted(active, lines, taken, shares)
    full = _micro(active.full)
    bonus = sum(effect for line, effect in zip(lines, effects, strict=True) if line.kind is LineKind.BONUS)
    total = full + bonus - (sum(effects) - bonus)
    vetoes = [position for position, line in enumerate(lines) if line.kind is LineKind.VETO]
    if vetoes and not active.scheme.veto:
        first = vetoes[0]
        lines[first] = lines[first]._replace(micro=total)
        taken[first], effects[first], total = (total, ""), total, 0
    losses = tuple(
        Loss(
            line.kind, line.source, line.item, line.title, line.record_kind, line.record, line.occurred_on,
            line.place, _points(line.micro), _points(lost), _points(effect), capped_by, line.why, line.ref,
        )
        for line, (lost, capped_by), effect in zip(lines, taken, effects, strict=True)
    )  # fmt: skip
    return SheetScore(
        full=_points(full),
        total=_points(total),
        bonus=_points(bonus),
        grade=active.scheme.veto
        if vetoes and active.scheme.veto
        else grade_of(active.scheme, _points(total)),
        assessed=assessed,
        vetoed=bool(vetoes),
        losses=losses,
        sources=_source_scores(active, lines, taken, effects, shares, present),
        items=_item_scores(active, lines, taken, effects),
        remarks=tuple(remarks),
        unscored=unscored,
    )


def _missing_remarks(
    active: ActiveScheme, present: frozenset[str], shares: Mapping[str, Fraction]
) -> list[Remark]:
    found = []
    for source in active.sources:
        if source.key in present:
            continue
        message = (
            N_("“{title}”本期没有数据，按 0 分计，权重 {weight} %。")
            if shares[source.key]
            else N_("“{title}”本期没有数据，其权重 {weight} % 由其余来源分担。")
        )
        found.append(
            Remark(
                "missing-source",
                message,
                {"title": source.title, "source": source.key, "weight": source.weight},
            )
        )
    return found


def _within_limits(active: ActiveScheme, lines: Sequence[Asked]) -> list[tuple[int, str]]:
    """Return (points taken, the limit that took less) for each line, in order: 扣完为止.

    A limit holds what is left of it; a line takes what the tightest of its limits leaves. The limits lie within
    each other, so the order decides who pays and never how much is paid together.
    """
    cells: dict[tuple[str, ...], list[Any]] = {}  # (name, of what) -> [name, what is left]
    limits: dict[tuple[str, str], tuple[str, list[list[Any]]]] = {}
    taken: list[tuple[int, str]] = []
    for line in lines:
        sort = (line.source, line.item)
        if sort not in limits:
            found = [cells.setdefault(key, [key[0], whole]) for key, whole in _limits_of(active, line)]
            limits[sort] = _first_counts(active, line), found
        first, shared = limits[sort]
        if first:
            # What the first one costs, all of them cost together.
            key = (first, line.source, line.item, line.place)
            shared = [cells.setdefault(key, [first, line.micro]), *shared]
        lost, capped_by = line.micro, ""
        for cell in shared:
            if cell[1] < lost:
                lost, capped_by = cell[1], capped_by or cell[0]
        for cell in shared:
            cell[1] -= lost
        taken.append((lost, capped_by))
    return taken


def _first_counts(active: ActiveScheme, line: Asked) -> str:
    """Return "once" or "place" where only the first finding of the item, or of its place, costs; else ""."""
    if line.kind is not LineKind.DEDUCTION or line.item not in active.items:
        return ""
    return {Mode.ONCE: "once", Mode.PER_PLACE: "place"}.get(active.items[line.item].mode, "")


def _limits_of(active: ActiveScheme, line: Asked) -> Iterable[tuple[tuple[str, ...], int]]:
    """Yield the limits that lines of this sort share, the narrowest first: (their name, points)."""
    if line.kind is LineKind.VETO:
        yield ("veto", line.source, line.item), 0
        return
    own = active.limit(line.item, line.kind) if line.item else None
    if line.kind is LineKind.BONUS:
        if own is not None:
            yield ("item", "bonus", line.item), _micro(own)
        if active.scheme.bonus_cap is not None:
            yield ("bonus",), _micro(active.scheme.bonus_cap)
        return
    if own is not None:
        yield ("item", line.source, line.item), _micro(own)
    group = active.group_of.get(line.item)
    if group is not None and group.value is not None:
        yield ("group", line.source, group.number), _micro(group.value)
    yield ("source", line.source), _micro(active.full_of(active.by_key[line.source]))


def _weighted(
    active: ActiveScheme,
    lines: Sequence[Asked],
    taken: Sequence[tuple[int, str]],
    shares: Mapping[str, Fraction],
) -> list[int]:
    """Return what each line makes of the total, in millionths.

    Each is the step of a running sum that is rounded, not a rounded number of its own: so they add up to the
    rounded whole, and where the weights are decimals nothing is rounded at all.
    """
    weights = {
        source.key: shares[source.key] * exact(active.full) / exact(active.full_of(source))
        for source in active.sources
    }
    common = lcm(*(weight.denominator for weight in weights.values()), 1)
    times = {key: weight.numerator * (common // weight.denominator) for key, weight in weights.items()}
    running, before = 0, 0
    effects = []
    for line, (lost, _capped) in zip(lines, taken, strict=True):
        if line.kind is LineKind.BONUS:
            effects.append(lost)
            continue
        running += lost * times[line.source]
        after = (2 * running + common) // (2 * common)
        effects.append(after - before)
        before = after
    return effects


def _source_scores(
    active: ActiveScheme,
    lines: Sequence[Asked],
    taken: Sequence[tuple[int, str]],
    effects: Sequence[int],
    shares: Mapping[str, Fraction],
    present: frozenset[str],
) -> tuple[SourceScore, ...]:
    lost = dict.fromkeys(active.by_key, 0)
    effect = dict.fromkeys(active.by_key, 0)
    for line, (points, _capped), weighted in zip(lines, taken, effects, strict=True):
        if line.kind in (LineKind.BONUS, LineKind.VETO):
            continue
        lost[line.source] += points
        effect[line.source] += weighted
    return tuple(
        SourceScore(
            source.key, source.title, source.kind, source.weight or Decimal(0), shares[source.key],
            active.full_of(source), _points(lost[source.key]), _points(effect[source.key]),
            source.key in present,
        )
        for source in active.sources
    )  # fmt: skip


def _item_scores(
    active: ActiveScheme,
    lines: Sequence[Asked],
    taken: Sequence[tuple[int, str]],
    effects: Sequence[int],
) -> tuple[ItemScore, ...]:
    sums: dict[tuple[str, str], list[Any]] = {}
    for line, (lost, capped), effect in zip(lines, taken, effects, strict=True):
        sort = (line.source, line.item)
        entry = sums.get(sort)
        if entry is None:
            entry = sums[sort] = [line.kind, line.title, 0, 0, 0, 0, False]
        entry[2] += line.micro
        entry[3] += lost
        entry[4] += effect
        entry[5] += 1
        if capped:
            entry[6] = True
    place = {number: position for position, number in enumerate(active.scheme.items)}
    sources = {key: position for position, key in enumerate(active.by_key)}
    ordered = sorted(
        sums.items(), key=lambda pair: (sources[pair[0][0]], place.get(pair[0][1], len(place)), pair[0])
    )
    return tuple(
        ItemScore(
            kind,
            number, title, active.group_of[number].title if number in active.group_of else "", source,
            _points(asked), _points(lost), _points(effect), records, capped,
        )
        for (source, number), (kind, title, asked, lost, effect, records, capped) in ordered
    )  # fmt: skip


def grade_of(scheme: Scheme, total: Decimal) -> str:
    """Return the title of the band the total falls in, the lowest for less than every band; "" without bands.

    The total is judged as printed: nobody is told 90.00 and that 90 was missed.
    """
    printed = round_half_up(total, scheme.decimals)
    for grade in scheme.grades:
        if printed >= grade.minimum:
            return grade.title
    return scheme.grades[-1].title if scheme.grades else ""


# --- what ranks make of a total ------------------------------------------------------------------------------


def after_ranks(
    total: Decimal, points: Iterable[tuple[RankRule, Decimal]]
) -> tuple[Decimal, tuple[Loss, ...]]:
    """Return the total after rewards and penalties for ranks, and a line for each; never below zero.

    Rewards first: a penalty takes at most what is there.
    """
    lines = []
    for rule, given in sorted(points, key=lambda pair: (not pair[0].bonus, pair[0].key)):
        taken = given if rule.bonus else min(given, total)
        total += taken if rule.bonus else -taken
        why = {"mode": "rank", "rule": rule.key, "by": rule.by, "ties": rule.ties.value, "points": given}
        kind = LineKind.BONUS if rule.bonus else LineKind.PENALTY
        lines.append(
            Loss(
                kind, "", f"rank:{rule.key}", rule.title, "rank", rule.key, None, "", given, taken, taken,
                "" if taken == given else "total", why,
            )
        )  # fmt: skip
    return total, tuple(lines)
