"""A scheme of assessment (考核办法) as data: sources with weights, a tree of items, follow-ups, ranks, grades.

It is the shape of what `rules.scoring` scores with. A scheme that makes no sense is refused when it is made, so
that a published edition can always be scored with.

Source: the model in `domain/standards/inspection-practice.md` section 2; every number comes from an edition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.ranking import RankRule
from weicheng.rules.windows import ALWAYS, Window

HUNDRED = Decimal(100)


class Mode(StrEnum):
    """How an item costs points."""

    PER_FINDING = "per_finding"  # 每处: every finding costs
    ONCE = "once"  # 每项: the item costs once, however many findings
    PER_PLACE = "per_place"  # 每地点: a place costs once, however many findings there
    RANGE = "range"  # 幅度: every finding costs what was chosen within two bounds
    RATIO = "ratio"  # 比率: the item earns its value times a rate
    GAP = "gap"  # 差额: each unit short of a target costs
    THRESHOLD = "threshold"  # 达标: reached or not
    VETO = "veto"  # 一票否决
    BONUS = "bonus"  # 加分


# What findings cost, and what is measured; a bonus may be either.
FOUND = frozenset({Mode.PER_FINDING, Mode.ONCE, Mode.PER_PLACE, Mode.RANGE, Mode.VETO, Mode.BONUS})
MEASURED = frozenset({Mode.RATIO, Mode.GAP, Mode.THRESHOLD, Mode.BONUS})


class SourceKind(StrEnum):
    FINDINGS = "findings"  # scored with the items, from what inspections found
    GIVEN = "given"  # marks that people give: ledgers, satisfaction
    BOARDS = "boards"  # the mean of the boards of the parts of the period


class Missing(StrEnum):
    """What becomes of the weight of a source that has no data in the period."""

    ZERO = "zero"  # it scores 0, and a warning says so
    RENORMALISE = "renormalise"  # the others share its weight


class FollowUpKind(StrEnum):
    """What became of a finding after it was found, and costs or gives back points."""

    LATE = "late"  # 未按期整改: closed after its deadline, or open past it
    SECOND_NOTICE = "second_notice"  # 两次通报: rectification was refused once
    THIRD_NOTICE = "third_notice"  # 三次通报: refused twice or more
    SUPERVISED = "supervised"  # 被督办
    IN_TIME = "in_time"  # 按期整改: gives back a share


@dataclass(frozen=True)
class Source:
    """Where findings or marks come from, and their weight in the total.

    key: its name in records: "routine", "quarterly", "unannounced", "ledger"
    weight: per cent; None for a source that counts into another
    into: the source in whose score its findings count (STD-6: patrols count in the quarter's check)
    full: the marks that are given, for GIVEN and BOARDS; None for the scheme's full marks
    always: it takes place everywhere at any time, so that no finding means full marks and not a missing source
    """

    key: str
    title: str
    weight: Decimal | None = None
    kind: SourceKind = SourceKind.FINDINGS
    into: str = ""
    full: Decimal | None = None
    always: bool = False
    window: Window = ALWAYS


@dataclass(frozen=True)
class SchemeItem:
    """One line of a scheme (扣分点).

    points: what one finding, one unit short, or not reaching the target costs; or what one unit of a bonus earns
    levels: points by level of the finder, in place of `points` (a table instead of a factor)
    minimum, maximum: the bounds of a range; a finding without a chosen value costs the minimum
    value: the marks the item holds; the most it can cost unless `cap` says less
    target, step: for gap and threshold; each `step` short costs `points`, a part of a step its part
    at_most: the target is a limit that must not be exceeded
    sources: keys of the sources it is used in; empty for all that have findings
    """

    number: str
    title: str
    mode: Mode
    points: Decimal | None = None
    levels: Mapping[str, Decimal] = field(default_factory=dict)
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    value: Decimal | None = None
    cap: Decimal | None = None
    target: Decimal | None = None
    step: Decimal = Decimal(1)
    at_most: bool = False
    sources: tuple[str, ...] = ()
    window: Window = ALWAYS

    def __post_init__(self) -> None:
        needed = {
            Mode.RANGE: ("minimum", "maximum"),
            Mode.RATIO: ("value",),
            Mode.GAP: ("points", "target"),
            Mode.THRESHOLD: ("points", "target"),
            Mode.VETO: (),
        }.get(self.mode, () if self.levels else ("points",))
        lacking = [name for name in needed if getattr(self, name) is None]
        if lacking:
            raise RuleError(
                "item-needs",
                N_("考核项 {number}（{mode}）缺少 {names}。请补上。"),
                number=self.number,
                mode=self.mode.value,
                names="、".join(lacking),
            )
        numbers = [
            self.points,
            self.minimum,
            self.maximum,
            self.value,
            self.cap,
            self.step,
            *self.levels.values(),
        ]
        if any(number is not None and number <= 0 for number in numbers):
            raise RuleError(
                "item-points",
                N_("检查项 {number} 的扣分或扣分上限不大于 0。请填写大于 0 的分值。"),
                number=self.number,
            )
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise RuleError(
                "item-range",
                N_("考核项 {number} 的下限 {minimum} 大于上限 {maximum}。请调换。"),
                number=self.number,
                minimum=self.minimum,
                maximum=self.maximum,
            )

    @property
    def limit(self) -> Decimal | None:
        """The most it can cost or earn: its cap, else its value (扣完为止), else None."""
        return self.value if self.cap is None else self.cap


@dataclass(frozen=True)
class Group:
    """A 大项: items under one head; value: the most they can cost together."""

    number: str
    title: str
    items: tuple[SchemeItem, ...]
    value: Decimal | None = None
    window: Window = ALWAYS


@dataclass(frozen=True)
class FollowUp:
    """What a finding costs besides, or gets back, for what became of it.

    points, levels: as of an item, for every kind but IN_TIME; cap: the most all of this kind cost an object
    give_back: the share of the finding's own points that a correction in time gives back, above 0, at most 1
    """

    kind: FollowUpKind
    title: str
    points: Decimal | None = None
    levels: Mapping[str, Decimal] = field(default_factory=dict)
    cap: Decimal | None = None
    give_back: Decimal | None = None
    window: Window = ALWAYS

    def __post_init__(self) -> None:
        gives = self.kind is FollowUpKind.IN_TIME
        numbers = (self.points, self.cap, *self.levels.values())
        wrong = any(number is not None and number <= 0 for number in numbers)
        if gives:
            wrong = self.give_back is None or not 0 < self.give_back <= 1 or any(numbers)
        elif self.give_back is not None or (self.points is None and not self.levels):
            wrong = True
        if wrong:
            raise RuleError(
                "follow-up",
                N_(
                    "后续扣分“{title}”的分值不对：按期整改写返还比例（大于 0、不超过 1），其余写大于 0 的扣分。"
                ),
                title=self.title,
            )

    @property
    def number(self) -> str:
        """How its lines are named among the items."""
        return f"follow:{self.kind.value}"


@dataclass(frozen=True)
class Grade:
    """A band of grades; minimum: the marks from which on it is reached."""

    title: str
    minimum: Decimal


@dataclass(frozen=True)
class Scheme:
    """One edition of a scheme of assessment.

    full: the marks without losses; None for the sum of the groups in force, which may differ by season
    finder: factor by level of the finder, 1 where a level is not named
    repeats: factor for the first, second … repeat at the same place; the last holds for all further ones
    veto: the grade that a veto fixes; "" when it takes every mark
    bonus_cap: the most all bonuses together add
    decimals: places to which totals are printed and compared when ranks are given
    """

    edition: str
    sources: tuple[Source, ...]
    groups: tuple[Group, ...] = ()
    full: Decimal | None = None
    grades: tuple[Grade, ...] = ()
    finder: Mapping[str, Decimal] = field(default_factory=dict)
    repeats: tuple[Decimal, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    missing: Missing = Missing.ZERO
    veto: str = ""
    bonus_cap: Decimal | None = None
    rank_rules: tuple[RankRule, ...] = ()
    decimals: int = 2

    def __post_init__(self) -> None:
        _once(
            (source.key for source in self.sources),
            "source-twice",
            N_("来源“{what}”出现了多次。请只保留一个。"),
        )
        _once(
            (item.number for group in self.groups for item in group.items),
            "item-twice",
            N_("考核项 {what} 出现了多次。请改为不同的编号。"),
        )
        self._require_weights()
        self._require_full()
        keys = {
            source.key for source in self.sources if source.kind is SourceKind.FINDINGS and not source.into
        }
        named = [key for group in self.groups for item in group.items for key in item.sources]
        named += [source.into for source in self.sources if source.into]
        for key in named:
            if key not in keys:
                raise RuleError(
                    "source-unknown", N_("考核办法没有以检查问题计分的来源“{key}”。请从来源中选择。"), key=key
                )
        minima = [grade.minimum for grade in self.grades]
        if minima != sorted(set(minima), reverse=True):
            raise RuleError("grade-order", N_("等次应从高到低排列，分数线不能相同。请调整。"))
        if any(factor < 0 for factor in (*self.finder.values(), *self.repeats)):
            raise RuleError("factor-negative", N_("系数不能小于 0。请改正。"))

    def _require_weights(self) -> None:
        for source in self.sources:
            if (source.weight is None) == (not source.into) or (
                source.weight is not None and source.weight <= 0
            ):
                raise RuleError(
                    "source-weight",
                    N_("来源“{title}”应有大于 0 的权重，或写明计入哪个来源，二者取一。"),
                    title=source.title,
                )
        total = sum((source.weight for source in self.sources if source.weight is not None), Decimal(0))
        if total != HUNDRED:
            raise RuleError(
                "weights-sum",
                N_("各来源的权重合计 {total} %，应正好为 100 %。请调整权重。"),
                total=format(total.normalize(), "f"),
            )

    def _require_full(self) -> None:
        values = [group.value for group in self.groups]
        if self.full is None:
            if not values or None in values:
                raise RuleError(
                    "scheme-full", N_("没有写满分时，每个大项都要写分值。请填写满分或各大项分值。")
                )
            return
        if self.full <= 0:
            raise RuleError("scheme-full", N_("没有写满分时，每个大项都要写分值。请填写满分或各大项分值。"))
        known = [value for value in values if value is not None]
        if known and len(known) == len(values) and sum(known) != self.full:
            raise RuleError(
                "values-sum",
                N_("各大项分值合计 {total}，与满分 {full} 不符。请调整，或不写满分。"),
                total=sum(known),
                full=self.full,
            )

    @cached_property
    def items(self) -> dict[str, SchemeItem]:
        """Every item by number, whatever the season."""
        return {item.number: item for group in self.groups for item in group.items}

    def source(self, key: str) -> Source:
        """Return one source; RuleError("source-unknown")."""
        for source in self.sources:
            if source.key == key:
                return source
        raise RuleError(
            "source-unknown", N_("考核办法没有以检查问题计分的来源“{key}”。请从来源中选择。"), key=key
        )


def _once(values: Iterable[str], code: str, message: str) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise RuleError(code, message, what=value)
        seen.add(value)
