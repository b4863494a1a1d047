"""What stands in the body of an edition: one model for each kind. Unknown fields are refused.

A number may carry its own source and confidence; where it does not, those of the edition hold. What is only
recalled is shown as such and never as law (design 5.3).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from weicheng.rules.deadlines import WorkCalendar, parse_limit
from weicheng.rules.digests import canonical
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.ranking import BY_TOTAL, End, RankRule, Ties
from weicheng.rules.repeats import LONGEST_DAYS, RepeatRule
from weicheng.rules.schemes import (
    FollowUp,
    FollowUpKind,
    Grade,
    Missing,
    Mode,
    Scheme,
    SchemeItem,
    Source,
    SourceKind,
)
from weicheng.rules.schemes import Group as ItemGroup
from weicheng.rules.scoring import CheckList, Item
from weicheng.rules.windows import Window


class Confidence(StrEnum):
    """How far a number can be relied on."""

    CONFIRMED = "confirmed"  # a public source states it
    NAME_CONFIRMED = "name_confirmed"  # the item is confirmed, its number is from memory
    INFERRED = "inferred"  # follows from data in a source
    RECALLED = "recalled"  # from memory only
    LOCAL = "local"  # the owner's own rule

    @property
    def label(self) -> Promise:
        return _LABELS[self]


_LABELS = {
    Confidence.CONFIRMED: gettext_lazy("有公开来源"),
    Confidence.NAME_CONFIRMED: gettext_lazy("名称有来源，数值凭记忆"),
    Confidence.INFERRED: gettext_lazy("由资料推得"),
    Confidence.RECALLED: gettext_lazy("仅凭记忆，可修改"),
    Confidence.LOCAL: gettext_lazy("本地规定"),
}

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
CategoryCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")]
ClauseId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,11}-[a-z0-9_-]{1,40}$")]
Points = Annotated[Decimal, Field(gt=0, max_digits=8, decimal_places=3)]


def _limit_text(text: str) -> str:
    parse_limit(text)
    return text


def _ruled(check: Any) -> Any:
    """Let a rule's refusal be reported at its place in the body, as any other mistake there."""

    def checked(value: Any) -> Any:
        try:
            return check(value)
        except RuleError as error:
            raise ValueError(error.sentence(_)) from error

    return checked


LimitText = Annotated[str, AfterValidator(_ruled(_limit_text))]

_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")


def _clock(value: Any) -> Any:
    # YAML reads an unquoted 09:00 as the number 540, which would quietly become nine minutes past midnight.
    if isinstance(value, time) or (isinstance(value, str) and _CLOCK.fullmatch(value)):
        return value.zfill(5) if isinstance(value, str) else value
    raise ValueError(_('时刻请加引号，写成 "08:30" 的样子'))


Clock = Annotated[time, BeforeValidator(_clock)]


class Part(BaseModel):
    """A part of a body: closed to unknown fields and unchangeable, as it is shared by every request."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Part):
    """A part that may say where its numbers come from."""

    source: Annotated[str, StringConstraints(max_length=300)] = ""
    confidence: Confidence | None = None


def _once(values: Iterable[str], what: str) -> None:
    twice = [value for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError(_("{what} {value} 出现了多次，请只保留一个").format(what=what, value=twice[0]))


# --- work calendar -------------------------------------------------------------------------------


class Calendar(Part):
    """Days off and make-up days (调休上班) of the announced years, and office hours.

    off_days: days off that a plain Monday-to-Friday week would work; make_up_days: days worked in exchange
    """

    announced_years: tuple[Annotated[int, Field(ge=1949, le=2200)], ...]
    hours: tuple[tuple[Clock, Clock], ...]
    hours_confidence: Confidence | None = None
    off_days: dict[date, Text]
    make_up_days: dict[date, Text]
    year_sources: dict[int, Text] = {}

    @model_validator(mode="after")
    def _is_a_calendar(self) -> Self:
        _ruled(self.rule)(_("本版"))
        announced = set(self.announced_years)
        for day in sorted({*self.off_days, *self.make_up_days}):
            if day.year not in announced:
                message = _("{day} 所在的 {year} 年未列入已公布年份（announced_years）")
                raise ValueError(message.format(day=day, year=day.year))
        return self

    def rule(self, edition: str) -> WorkCalendar:
        """Return the calendar that deadlines are counted with; `edition` names it in every result."""
        return WorkCalendar(
            edition=edition,
            hours=self.hours,
            off_days=self.off_days,
            make_up_days=self.make_up_days,
            announced_years=frozenset(self.announced_years),
        )


# --- severities and time limits ------------------------------------------------------------------


class Severity(Sourced):
    """A degree of a finding; `limit` is how long its rectification may take, as a text of a standard.

    stated: the range in the words of the source, where `limit` is our choice within it
    """

    code: Code
    name: Text
    limit: LimitText
    stated: str = ""
    typical: str = ""


class SeverityScale(Part):
    """Degrees from light to heavy; `default` is offered where a category names none."""

    default: Code
    severities: tuple[Severity, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_a_scale(self) -> Self:
        _once((severity.code for severity in self.severities), _("等级代码"))
        if self.default not in self.by_code:
            raise ValueError(_("默认等级 {code} 不在等级表中").format(code=self.default))
        return self

    @cached_property
    def by_code(self) -> dict[str, Severity]:
        return {severity.code: severity for severity in self.severities}


class CategoryLimit(Sourced):
    """The limits of one category.

    limits: as the source lists them, one for each filing condition. One alone overrides the severity's limit;
    several do not, as the source does not say in our words which holds when: `severities` says it.
    severities: limit by code of severity
    """

    category: CategoryCode
    name: str = ""
    limits: tuple[LimitText, ...] = ()
    severities: dict[Code, LimitText] = {}

    def of(self, severity: str) -> str | None:
        """Return the limit that overrides the severity's own, or None."""
        if severity in self.severities:
            return self.severities[severity]
        return self.limits[0] if len(self.limits) == 1 else None


class TimeLimits(Part):
    """Limits by category, lying over those of the severity scale."""

    limits: tuple[CategoryLimit, ...]

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        _once((limit.category for limit in self.limits), _("分类代码"))
        return self

    @cached_property
    def by_category(self) -> dict[str, CategoryLimit]:
        return {limit.category: limit for limit in self.limits}


# --- case categories -----------------------------------------------------------------------------


class Category(Sourced):
    """A kind of thing (component) or a kind of matter that a case is about.

    aliases: codes of older catalogues, "01-10"; common: offered first to a hygienic-city inspector
    severity: the degree offered, editable by the recorder; synonyms: what people type instead
    """

    code: CategoryCode
    name: Text
    aliases: tuple[str, ...] = ()
    common: bool = False
    severity: Code | None = None
    severity_confidence: Confidence | None = None
    synonyms: tuple[str, ...] = ()

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Everything by which people look for it, case folded."""
        return tuple(word.casefold() for word in (self.code, self.name, *self.aliases, *self.synonyms))


class CategoryClass(Part):
    """A big class; its code opens the codes of its items."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    name: Text
    items: tuple[Category, ...]

    @model_validator(mode="after")
    def _holds_its_own(self) -> Self:
        for item in self.items:
            if not item.code.startswith(self.code):
                message = _("分类 {item} 不属于大类 {code}")
                raise ValueError(message.format(item=item.code, code=self.code))
        return self


class CaseCategories(Part):
    """The catalogue: components (部件) are things, matters (事项) are what a case is filed under.

    The two share codes: 03001 is the component 公共厕所 and the matter 公共厕所异常.
    """

    components: tuple[CategoryClass, ...] = ()
    matters: tuple[CategoryClass, ...]

    @model_validator(mode="after")
    def _is_a_catalogue(self) -> Self:
        for classes in (self.components, self.matters):
            _once((item.code for part in classes for item in part.items), _("分类代码"))
        return self

    @cached_property
    def by_code(self) -> dict[str, Category]:
        """Matters by code: what a case may be filed under."""
        return {item.code: item for part in self.matters for item in part.items}

    @cached_property
    def components_by_code(self) -> dict[str, Category]:
        return {item.code: item for part in self.components for item in part.items}

    @cached_property
    def common(self) -> tuple[Category, ...]:
        return tuple(item for item in self.by_code.values() if item.common)

    @cached_property
    def by_alias(self) -> dict[str, Category]:
        return {alias: item for item in self.by_code.values() for alias in item.aliases}

    def search(self, text: str, limit: int = 20) -> list[Category]:
        """Return matters whose code, name, older code or synonym has the text; common ones first."""
        wanted = text.strip().casefold()
        if not wanted:
            return list(self.common[:limit])
        found = [item for item in self.by_code.values() if any(wanted in word for word in item.words)]
        return sorted(found, key=lambda item: (not item.common, item.code))[:limit]


# --- clauses -------------------------------------------------------------------------------------


class Clause(Sourced):
    """Anything of a standard that can be pointed at.

    id: permanent and the same in every edition that keeps the clause, "c21-n33"
    confidence: always its own; doubt: what about it is uncertain, in words; source: letters of `sources`
    """

    id: ClauseId
    confidence: Confidence
    doubt: str = ""

    @property
    def is_law(self) -> bool:
        """May a verdict rest on this clause alone? Not on what is from memory, inferred or in doubt."""
        return self.confidence is Confidence.CONFIRMED and not self.doubt


class Chapter(Clause):
    number: Text | None = None
    title: Text


class ClauseItem(Clause):
    """A text item of a chapter.

    number: as printed; None where no source shows it. theme: a word that editions share, ours, for comparing
    threshold: numbers as the text of the source gives them; definition: what a term of it means
    """

    chapter: ClauseId
    number: Text | None = None
    number_confidence: Confidence | None = None
    theme: Text
    topic: Text
    requirement: str = ""
    threshold: str = ""
    definition: str = ""
    indicators: tuple[ClauseId, ...] = ()


class Op(StrEnum):
    """How a value is compared with its target."""

    GE = "ge"
    GT = "gt"
    LE = "le"
    LT = "lt"
    EQ = "eq"
    TREND = "trend"  # moves the right way over the last years
    NOT_ABOVE_MEAN = "not_above_mean"  # latest year not above the mean of the window
    GE_PLAN = "ge_plan"  # not below the value of the local plan
    GE_LEVEL = "ge_level"  # a grade or a better one
    GE_REF = "ge_ref"  # not below a reference given in words
    LIMITS = "limits"  # each part has a limit of its own


_SIGNS = {Op.GE: "≥", Op.GT: ">", Op.LE: "≤", Op.LT: "<", Op.EQ: "="}


class Indicator(Clause):
    """A row of the table of indicators.

    value: for signs, a number in `unit`; state: for levels and yes/no, a word. alt: what passes instead
    series: years of history the reporting form asks for; window_years: of a mean
    sign_confidence: where the number is known but its ≥ or ≤ is not; county: what differs for counties
    """

    number: int
    number_confidence: Confidence | None = None
    name: Text
    op: Op
    value: Decimal | None = None
    state: str = ""
    unit: str = ""
    alt: str = ""
    trend: Literal["up", "down", ""] = ""
    each_year: bool = False
    series: Annotated[int, Field(ge=1, le=20)] | None = None
    window_years: Annotated[int, Field(ge=1, le=20)] | None = None
    target: str = ""
    reference: str = ""
    parts: tuple[Text, ...] = ()
    limits: dict[str, Decimal] = {}
    codes: dict[str, str] = {}
    per: str = ""
    county: str = ""
    note: str = ""
    sign_confidence: Confidence | None = None

    @model_validator(mode="after")
    def _says_its_target(self) -> Self:
        if self.op in _SIGNS and (self.value is None) == (not self.state):
            raise ValueError(_("指标 {id}：请写数值（value）或文字（state）之一").format(id=self.id))
        if self.op is Op.TREND and not self.trend:
            raise ValueError(_("指标 {id}：请写方向（trend: up 或 down）").format(id=self.id))
        return self

    @property
    def is_law(self) -> bool:
        return super().is_law and self.sign_confidence in (None, Confidence.CONFIRMED)

    @property
    def words(self) -> str:
        """Return what is asked in one phrase: "≥ 90 %，或持续提升"."""
        said = [self._asked()]
        if self.alt:
            said.append(_("或{alt}").format(alt=self.alt))
        return "，".join(said)

    def _asked(self) -> str:
        if self.op in _SIGNS:
            value = self.state if self.value is None else f"{self.value.normalize():f}"
            return f"{_SIGNS[self.op]} {value} {self.unit}".strip()
        years = self.series or self.window_years or 0
        if self.op is Op.TREND:
            way = _("持续下降") if self.trend == "down" else _("持续提升")
            return _("{way}（近 {years} 年）").format(way=way, years=years) if years else way
        if self.op is Op.NOT_ABOVE_MEAN:
            return _("最近一年不高于近 {years} 年平均").format(years=years)
        if self.op is Op.GE_PLAN:
            return _("不低于当地规划值")
        if self.op is Op.GE_LEVEL:
            return _("达到 {level} 级").format(level=self.state)
        if self.op is Op.GE_REF:
            return _("不低于{reference}").format(reference=self.reference)
        limited = [part for part in self.parts if part in self.limits]
        limits = "、".join(f"{part} ≤ {self.limits[part].normalize():f}" for part in limited)
        return f"{self.target}（{limits} {self.unit}）" if limits else self.target


class Veto(Clause):
    """A condition without which nothing else counts (必备条件，一票否决)."""

    number: int
    title: Text


class ReviewStep(Sourced):
    """A step of the review, as the standard's procedure gives it."""

    title: Text
    who: str = ""
    detail: str = ""


class Clauses(Part):
    """A standard as a tree: chapters, their items, the indicators items point at, and what vetoes.

    sources: letter -> where it can be looked up; rules: how values are judged, in words
    """

    sources: dict[str, Text]
    note: str = ""
    chapters: tuple[Chapter, ...] = Field(min_length=1)
    items: tuple[ClauseItem, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    vetoes: tuple[Veto, ...] = ()
    rules: tuple[Text, ...] = ()
    steps: tuple[ReviewStep, ...] = ()

    @model_validator(mode="after")
    def _is_a_tree(self) -> Self:
        _once((clause.id for clause in self.all), _("条款编号"))
        chapters = {chapter.id for chapter in self.chapters}
        indicators = {indicator.id for indicator in self.indicators}
        for item in self.items:
            if item.chapter not in chapters:
                raise ValueError(
                    _("条款 {id} 所在的章 {chapter} 不存在").format(id=item.id, chapter=item.chapter)
                )
            for wanted in item.indicators:
                if wanted not in indicators:
                    raise ValueError(_("条款 {id} 的指标 {wanted} 不存在").format(id=item.id, wanted=wanted))
        for part in (*self.all, *self.steps):
            for letter in part.source.split():
                if letter not in self.sources:
                    raise ValueError(_("来源 {letter} 不在来源表（sources）中").format(letter=letter))
        return self

    @property
    def all(self) -> tuple[Clause, ...]:
        return (*self.chapters, *self.items, *self.indicators, *self.vetoes)

    @cached_property
    def by_id(self) -> dict[str, Clause]:
        return {clause.id: clause for clause in self.all}

    def sources_of(self, clause: Sourced) -> list[str]:
        """Return where a clause can be looked up, in full."""
        return [self.sources[letter] for letter in clause.source.split()]

    def items_of(self, chapter: Chapter) -> tuple[ClauseItem, ...]:
        return tuple(item for item in self.items if item.chapter == chapter.id)

    def indicators_of(self, clause: ClauseItem) -> tuple[Indicator, ...]:
        return tuple(each for each in self.indicators if each.id in clause.indicators)

    @cached_property
    def loose(self) -> tuple[Indicator, ...]:
        """Indicators that no item is known to name."""
        named = {wanted for item in self.items for wanted in item.indicators}
        return tuple(each for each in self.indicators if each.id not in named)


# --- check list ----------------------------------------------------------------------------------


class CheckStep(StrEnum):
    """What follows a violation that is not put right at once, one after the other (发现问题后的处置步骤)."""

    DISSUADE = "dissuade"  # 当场劝阻
    ORDER = "order"  # 责令限期改正
    REPORT = "report"  # 报告执法部门
    SUPPORT = "support"  # 配合执法

    @property
    def label(self) -> Promise:
        return _STEPS[self]


_STEPS = {
    CheckStep.DISSUADE: gettext_lazy("劝阻"),
    CheckStep.ORDER: gettext_lazy("责令改正"),
    CheckStep.REPORT: gettext_lazy("报告执法部门"),
    CheckStep.SUPPORT: gettext_lazy("配合执法"),
}


class CheckItem(Sourced):
    """One line of a check list; category: the case category offered for a finding of this line.

    most: where the inspector chooses what a line costs, from `points` to this; None where `points` is fixed

    section: the heading it stands under; clauses: ids of the clauses it is cut from
    requirement: what is asked, in words; evidence: what proves it; steps: those of the list unless given here
    """

    number: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    title: Text
    points: Points
    mode: Literal["per_finding", "once"] = "per_finding"
    cap: Points | None = None
    most: Points | None = None
    category: CategoryCode | None = None
    category_confidence: Confidence | None = None
    # None, not empty: an edition published before these were asked keeps its bytes, and so its digest.
    section: Text | None = None
    clauses: tuple[ClauseId, ...] | None = None
    requirement: Text | None = None
    requirement_confidence: Confidence | None = None
    evidence: Text | None = None
    steps: tuple[CheckStep, ...] | None = None

    @model_validator(mode="after")
    def _has_a_range_that_is_one(self) -> Self:
        if self.most is not None and (self.points is None or self.most <= self.points):
            raise ValueError(_("检查项 {number}：most 应大于 points").format(number=self.number))
        return self


class CheckListBody(Part):
    """A check list with its deductions; full: the marks of a place without findings."""

    full: Points
    full_confidence: Confidence | None = None
    note: str = ""
    steps: tuple[CheckStep, ...] | None = None
    items: tuple[CheckItem, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_a_check_list(self) -> Self:
        _ruled(self.rule)(_("本版"))
        return self

    def rule(self, edition: str) -> CheckList:
        """Return the list that scores are computed with; `edition` names it in every score."""
        return CheckList(
            edition=edition,
            full=self.full,
            items=tuple(Item(i.number, i.title, i.points, i.mode, i.cap) for i in self.items),
        )

    @cached_property
    def by_number(self) -> dict[str, CheckItem]:
        return {item.number: item for item in self.items}

    @cached_property
    def by_section(self) -> list[tuple[str, tuple[CheckItem, ...]]]:
        """Return (heading, its lines) in the order of the list; "" heads lines that have none."""
        headings = dict.fromkeys(item.section or "" for item in self.items)
        return [(head, tuple(i for i in self.items if (i.section or "") == head)) for head in headings]

    def steps_of(self, item: CheckItem) -> tuple[CheckStep, ...]:
        """Return what follows a violation of this line, in order; empty where the list says nothing."""
        return item.steps or self.steps or ()


# --- schemes of assessment -----------------------------------------------------------------------

SourceKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]
ItemNumber = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,20}$")]
Month = Annotated[int, Field(ge=1, le=12)]
Factor = Annotated[Decimal, Field(ge=0, max_digits=6, decimal_places=3)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=10, decimal_places=4)]
RoundKind = Literal[
    "routine", "daily", "weekly", "monthly", "quarterly", "unannounced", "mock", "joint", "leader", "expert",
    "ledger", "special", "shop_front", "unit_check", "road",
]  # fmt: skip
FinderLevel = Annotated[str, StringConstraints(pattern=r"^(province|city|district|street|community|unit)$")]


class Dated(Sourced):
    """A rule that may hold from a period on, or in some months only (STD-6, STD-9)."""

    since: date | None = None
    months: tuple[Month, ...] = ()

    @property
    def window(self) -> Window:
        return Window(self.since, frozenset(self.months))


class SchemeSource(Dated):
    """Where findings or marks come from; `rules.schemes.Source` says what the rest means.

    rounds: kinds of inspection rounds whose findings count here; a finding outside any round is "routine"
    severities: only findings of these degrees count (STD-6: serious problems); empty for all
    boards: for a source of the kind "boards": it is the mean of the published boards of these parts of the period
    """

    key: SourceKey
    title: Text
    weight: Annotated[Decimal, Field(gt=0, le=100, max_digits=6, decimal_places=3)] | None = None
    kind: SourceKind = SourceKind.FINDINGS
    into: str = ""
    full: Points | None = None
    always: bool = False
    rounds: tuple[RoundKind, ...] = ()
    severities: tuple[Code, ...] = ()
    boards: Literal["", "month", "quarter", "half"] = ""

    @model_validator(mode="after")
    def _names_its_boards(self) -> Self:
        if (self.kind is SourceKind.BOARDS) != bool(self.boards):
            raise ValueError(
                _("来源“{title}”：取已公布考评平均分的，须写明 boards，其余不写").format(title=self.title)
            )
        return self

    def rule(self) -> Source:
        return Source(
            self.key, self.title, self.weight, self.kind, self.into, self.full, self.always, self.window
        )


class SchemeLine(Dated):
    """One item; `rules.schemes.SchemeItem` says what the rest means.

    checklists: by key of a check list, the numbers of its items that fall under this one
    categories: case categories that fall under it; rest: it takes every finding that falls under no other
    measure: key of a rate that the system counts by itself: on_time_rate, closed_rate
    """

    number: ItemNumber
    title: Text
    mode: Mode = Mode.PER_FINDING
    points: Points | None = None
    levels: dict[FinderLevel, Points] = {}
    minimum: Points | None = None
    maximum: Points | None = None
    value: Points | None = None
    cap: Points | None = None
    target: Amount | None = None
    step: Points = Decimal(1)
    at_most: bool = False
    unit: Annotated[str, StringConstraints(max_length=12)] = ""
    sources: tuple[SourceKey, ...] = ()
    checklists: dict[str, tuple[str, ...]] = {}
    categories: tuple[CategoryCode, ...] = ()
    rest: bool = False
    measure: Literal["", "on_time_rate", "closed_rate"] = ""

    def rule(self) -> SchemeItem:
        return SchemeItem(
            self.number, self.title, self.mode, self.points, dict(self.levels), self.minimum, self.maximum,
            self.value, self.cap, self.target, self.step, self.at_most, self.sources, self.window,
        )  # fmt: skip


class SchemeGroup(Dated):
    """A 大项; value: the most its items can cost together."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    title: Text
    value: Points | None = None
    items: tuple[SchemeLine, ...] = Field(min_length=1)

    def rule(self) -> ItemGroup:
        items = tuple(item.rule() for item in self.items)
        return ItemGroup(self.number, self.title, items, self.value, self.window)


class SchemeFollowUp(Dated):
    kind: FollowUpKind
    title: Text
    points: Points | None = None
    levels: dict[FinderLevel, Points] = {}
    cap: Points | None = None
    give_back: Annotated[Decimal, Field(gt=0, le=1, max_digits=4, decimal_places=3)] | None = None

    def rule(self) -> FollowUp:
        return FollowUp(
            self.kind, self.title, self.points, dict(self.levels), self.cap, self.give_back, self.window
        )


class SchemeGrade(Sourced):
    title: Text
    minimum: Amount

    def rule(self) -> Grade:
        return Grade(self.title, self.minimum)


class SchemeMeasure(Sourced):
    """A number that people give for each object and by which ranks may be rewarded or punished (STD-7)."""

    key: SourceKey
    title: Text
    unit: Annotated[str, StringConstraints(max_length=12)] = ""


class SchemeRanks(Dated):
    """Points for the first or last places; ties and small groups as `rules.ranking.RankRule` says."""

    key: SourceKey
    title: Text
    points: tuple[Annotated[Decimal, Field(ge=0, max_digits=8, decimal_places=3)], ...] = Field(min_length=1)
    end: End = End.BOTTOM
    bonus: bool = False
    by: SourceKey = BY_TOTAL
    ties: Ties = Ties.MILD
    min_group: Annotated[int, Field(ge=0, le=1000)] = 0

    def rule(self) -> RankRule:
        return RankRule(
            self.key, self.title, self.points, self.end, self.bonus, self.by, self.ties, self.min_group,
            self.window,
        )  # fmt: skip


class SchemeRankGroup(Part):
    """A class of objects that are ranked among themselves; areas: codes of objects, or of areas above them."""

    code: SourceKey
    title: Text
    areas: tuple[Annotated[str, StringConstraints(pattern=r"^[0-9]{2,15}$")], ...] = Field(min_length=1)


class SchemeBody(Part):
    """A scheme of assessment (考核办法).

    levels: what it may score; unit_kinds: which units, for the level "unit"; empty for all
    full: the marks without losses; left out for the sum of the groups in force
    rank_groups: objects in none of them are ranked together
    appeal_days: working days, from the day after a score is confirmed, in which a line may be appealed against
    """

    levels: tuple[Literal["street", "community", "unit"], ...] = Field(min_length=1)
    unit_kinds: tuple[Code, ...] = ()
    full: Points | None = None
    full_confidence: Confidence | None = None
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    decimals: Annotated[int, Field(ge=0, le=4)] = 2
    missing: Missing = Missing.ZERO
    sources: tuple[SchemeSource, ...] = Field(min_length=1)
    groups: tuple[SchemeGroup, ...] = ()
    finder: dict[FinderLevel, Factor] = {}
    repeats: tuple[Factor, ...] = ()
    factors_confidence: Confidence | None = None
    follow_ups: tuple[SchemeFollowUp, ...] = ()
    veto: Annotated[str, StringConstraints(max_length=40)] = ""
    bonus_cap: Points | None = None
    grades: tuple[SchemeGrade, ...] = ()
    measures: tuple[SchemeMeasure, ...] = ()
    ranks: tuple[SchemeRanks, ...] = ()
    rank_groups: tuple[SchemeRankGroup, ...] = ()
    appeal_days: Annotated[int, Field(ge=0, le=60)] = 3
    appeal_confidence: Confidence | None = None

    @model_validator(mode="after")
    def _is_a_scheme(self) -> Self:
        _ruled(self.rule)(_("本版"))
        _once((group.number for group in self.groups), _("大项"))
        _once((measure.key for measure in self.measures), _("指标"))
        _once((rule.key for rule in self.ranks), _("名次奖惩"))
        _once((group.code for group in self.rank_groups), _("分组"))
        _once((code for group in self.rank_groups for code in group.areas), _("分组中的区划"))
        _once((kind for source in self.sources for kind in source.rounds), _("检查类型"))
        _once((code for item in self.items.values() for code in item.categories), _("分类代码"))
        _once(
            (f"{key} {number}" for item in self.items.values() for key, all_ in item.checklists.items() for number in all_),
            _("检查表项目"),
        )  # fmt: skip
        if sum(1 for item in self.items.values() if item.rest) > 1:
            raise ValueError(_("只能有一个考核项收纳其余问题（rest）"))
        known = {BY_TOTAL, *(measure.key for measure in self.measures)}
        for rule in self.ranks:
            if rule.by not in known:
                raise ValueError(
                    _("名次奖惩“{title}”所依据的 {by} 不在指标（measures）中").format(
                        title=rule.title, by=rule.by
                    )
                )
        return self

    def rule(self, edition: str) -> Scheme:
        """Return the scheme that boards are scored with; `edition` names it in every score."""
        return Scheme(
            edition=edition,
            sources=tuple(source.rule() for source in self.sources),
            groups=tuple(group.rule() for group in self.groups),
            full=self.full,
            grades=tuple(grade.rule() for grade in self.grades),
            finder=dict(self.finder),
            repeats=self.repeats,
            follow_ups=tuple(follow_up.rule() for follow_up in self.follow_ups),
            missing=self.missing,
            veto=self.veto,
            bonus_cap=self.bonus_cap,
            rank_rules=tuple(rule.rule() for rule in self.ranks),
            decimals=self.decimals,
        )

    @cached_property
    def items(self) -> dict[str, SchemeLine]:
        """Every item by number; a number that is there twice is refused by the rule."""
        return {item.number: item for group in self.groups for item in group.items}

    @cached_property
    def categories(self) -> frozenset[str]:
        """Every case category that it names."""
        return frozenset(code for item in self.items.values() for code in item.categories)


# --- unit kinds ----------------------------------------------------------------------------------


class UnitField(Part):
    """A field of a kind of unit; kind: text, integer, decimal, choice, date or yesno."""

    id: Code
    title: Text
    kind: Literal["text", "integer", "decimal", "choice", "date", "yesno"] = "text"
    unit: str = ""
    required: bool = False
    choices: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _has_choices_when_it_asks(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise ValueError(_("字段 {field}：选择类字段须列出选项，其他字段不列").format(field=self.id))
        return self


class UnitKind(Sourced):
    code: Code
    name: Text
    fields: tuple[UnitField, ...] = ()

    @model_validator(mode="after")
    def _names_fields_once(self) -> Self:
        _once((field.id for field in self.fields), _("字段"))
        return self


class UnitKinds(Part):
    """The kinds of units and the fields each kind has of its own."""

    kinds: tuple[UnitKind, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_kinds_once(self) -> Self:
        _once((kind.code for kind in self.kinds), _("单位类型"))
        return self

    @cached_property
    def by_code(self) -> dict[str, UnitKind]:
        return {kind.code: kind for kind in self.kinds}


# --- documents -----------------------------------------------------------------------------------


Millimetres = Annotated[Decimal, Field(gt=0, le=500, max_digits=6, decimal_places=2)]
PointSize = Annotated[Decimal, Field(gt=0, le=200, max_digits=6, decimal_places=2)]
Colour = Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{6}$")]


class Face(Sourced):
    """A typeface and its size; fallback: the name taken where the first is not installed."""

    font: Text
    fallback: Text
    size_pt: PointSize


_FACES = {
    "masthead": gettext_lazy("发文机关标志"),
    "title": gettext_lazy("标题"),
    "body": gettext_lazy("正文"),
    "level_one": gettext_lazy("第一层标题"),
    "level_two": gettext_lazy("第二层标题"),
    "table": gettext_lazy("表格"),
    "imprint": gettext_lazy("版记"),
    "page_number": gettext_lazy("页码"),
}
_PLACES = {
    "reason": gettext_lazy("缘由（第一段）"),
    "requirements": gettext_lazy("要求"),
    "consequence": gettext_lazy("逾期后果"),
}


class DocumentLayout(Part):
    """How a document is set: paper, margins, grid, faces.

    pitch_pt: exact height of a line; spacing_pt: added between characters, so that `characters` fit a line
    masthead_top_mm: from the top of the text area to the top of the 发文机关标志; rule_gap_mm: from the 发文字号 to
    the red line; page_gap_mm: from the bottom of the text area to the page number
    date_right: characters right of the date; page_side: characters beside the page number
    """

    paper_mm: tuple[Millimetres, Millimetres]
    top_mm: Millimetres
    bottom_mm: Millimetres
    left_mm: Millimetres
    right_mm: Millimetres
    lines: Annotated[int, Field(ge=1, le=100)]
    characters: Annotated[int, Field(ge=1, le=100)]
    pitch_pt: PointSize
    spacing_pt: Annotated[Decimal, Field(ge=-5, le=5, max_digits=4, decimal_places=2)]
    masthead_top_mm: Millimetres
    rule_gap_mm: Millimetres
    page_gap_mm: Millimetres
    date_right: Annotated[int, Field(ge=0, le=20)]
    page_side: Annotated[int, Field(ge=0, le=20)]
    red: Colour
    heavy_rule_mm: Millimetres
    light_rule_mm: Millimetres
    body: Face
    title: Face
    level_one: Face
    level_two: Face
    masthead: Face
    page_number: Face
    imprint: Face
    table: Face
    confidences: dict[Code, Confidence] = {}

    @model_validator(mode="after")
    def _fits_the_paper(self) -> Self:
        width, height = self.paper_mm
        if self.left_mm + self.right_mm >= width or self.top_mm + self.bottom_mm >= height:
            raise ValueError(_("页边距之和超过纸张大小，请改小"))
        return self

    @property
    def text_mm(self) -> tuple[Decimal, Decimal]:
        """Width and height of the text area (版心)."""
        width, height = self.paper_mm
        return width - self.left_mm - self.right_mm, height - self.top_mm - self.bottom_mm

    @property
    def faces(self) -> list[tuple[Promise, Face]]:
        """Every face with what it is used for."""
        return [(title, getattr(self, name)) for name, title in _FACES.items()]


class DocumentKindText(Part):
    """What an office says of its own in one kind of document; {area}, {short}, {period} and {due} are filled in.

    word: 机关代字; title: heading of the document; texts: the places for own words, by name
    reply_limit: how long the answer may take, as a text of a standard
    """

    word: Text
    title: Text
    addressed_to: str = ""
    copies_to: str = ""
    reply_limit: LimitText
    texts: dict[Code, Annotated[str, StringConstraints(max_length=2000)]] = {}

    @property
    def named_texts(self) -> list[tuple[Promise | str, str]]:
        """The own words, each with what its place is called."""
        return [(place_title(key), text) for key, text in self.texts.items()]


def place_title(key: str) -> Promise | str:
    """Return what a place for own words is called; the key itself for an office's own."""
    return _PLACES.get(key, key)


class DocumentOffice(Part):
    """Who issues, and the words it uses: its name in red, and one entry for each kind of document."""

    agency: Text
    printed_by: Text
    kinds: dict[Code, DocumentKindText] = Field(min_length=1)


# --- problems that come back ---------------------------------------------------------------------


class RepeatRuleBody(Part):
    """When a finding repeats one before, and when a place where it does is a hot spot; see `rules.repeats`."""

    days: Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
    from_days: Annotated[int, Field(ge=0, le=LONGEST_DAYS)]
    radius_m: Annotated[Decimal, Field(gt=0, le=2000)]
    unit_radius_m: Annotated[Decimal, Field(gt=0, le=20000)] | None = None
    vague: tuple[Text, ...] = ()
    address_least: Annotated[int, Field(ge=1, le=40)]
    threshold: Annotated[int, Field(ge=1, le=1000)]
    window_days: Annotated[int, Field(ge=1, le=366)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_days > self.days:
            raise ValueError(_("最少天数大于最多天数，请调换。"))
        return self

    @cached_property
    def rule(self) -> RepeatRule:
        return RepeatRule(**{name: getattr(self, name) for name in RepeatRule.__dataclass_fields__})


# --- all kinds -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """A kind of dated thing: its name for people, its model, and the key used where there is but one."""

    title: Promise
    model: type[Part]
    key: str


KINDS: Mapping[str, Kind] = {
    "calendar": Kind(gettext_lazy("工作日历"), Calendar, "workdays"),
    "severity-scale": Kind(gettext_lazy("问题等级"), SeverityScale, "severity"),
    "case-categories": Kind(gettext_lazy("问题分类"), CaseCategories, "categories"),
    "time-limits": Kind(gettext_lazy("处置时限"), TimeLimits, "limits"),
    "clauses": Kind(gettext_lazy("标准条款"), Clauses, ""),
    "checklist": Kind(gettext_lazy("检查表"), CheckListBody, ""),
    "unit-kinds": Kind(gettext_lazy("单位类型"), UnitKinds, "kinds"),
    "scheme": Kind(gettext_lazy("考核办法"), SchemeBody, ""),
    "repeat-rule": Kind(gettext_lazy("反复问题规则"), RepeatRuleBody, "repeats"),
    "document-layout": Kind(gettext_lazy("公文版式"), DocumentLayout, "official"),
    "document-office": Kind(gettext_lazy("发文机关与用语"), DocumentOffice, "office"),
}


def kind_of(code: str) -> Kind:
    """Return the kind; RuleError("unknown-kind") naming those there are."""
    if code not in KINDS:
        raise RuleError(
            "unknown-kind",
            N_("没有“{kind}”这一类标准。可用的类别：{kinds}。"),
            kind=code[:40],
            kinds="、".join(KINDS),
        )
    return KINDS[code]


def read_body(kind: str, given: Any) -> Part:
    """Return the body as its kind's model; RuleError("edition-body") naming at most five wrong places."""
    model = kind_of(kind).model
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise problems_error(error, str(kind_of(kind).title)) from error


def read_bytes(kind: str, body: bytes) -> Part:
    """Return a stored body as its kind's model."""
    return kind_of(kind).model.model_validate_json(body)


def body_bytes(body: Part) -> bytes:
    """Return the one spelling of a body as it is stored and sealed.

    Defaults are written out, so that a later change of a default in code does not change an old edition.
    """
    return canonical(body.model_dump(mode="json", exclude_none=True))


def problems_error(error: ValidationError, what: str) -> RuleError:
    """Return one sentence for people from what pydantic found wrong."""
    problems = [_problem(detail) for detail in error.errors()[:5]]
    return RuleError(
        "edition-body",
        N_("“{what}”的内容有 {count} 处不合要求：{problems}。请改正后重试。"),
        what=what,
        count=error.error_count(),
        problems="；".join(problems),
    )


def _problem(detail: Any) -> str:
    reasons = {
        "missing": _("缺少此项"),
        "extra_forbidden": _("没有这个字段，请检查拼写"),
        "string_type": _("应为文字，数字代码请加引号"),
        "greater_than": _("应大于 0"),
        "enum": _("不是允许的取值"),
        "literal_error": _("不是允许的取值"),
    }
    where = " → ".join(str(step + 1) if isinstance(step, int) else str(step) for step in detail["loc"])
    if detail["type"] == "value_error":
        reason = str(detail["ctx"]["error"]).rstrip("。")
    else:
        reason = reasons.get(detail["type"]) or _("“{value}”无法识别").format(value=str(detail["input"])[:30])
    return f"{where}：{reason}" if where else reason
