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
from weicheng.rules.scoring import CheckList, Item


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


# --- check list ----------------------------------------------------------------------------------


class CheckItem(Sourced):
    """One line of a check list; category: the case category offered for a finding of this line."""

    number: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    title: Text
    points: Points
    mode: Literal["per_finding", "once"] = "per_finding"
    cap: Points | None = None
    category: CategoryCode | None = None
    category_confidence: Confidence | None = None


class CheckListBody(Part):
    """A check list with its deductions; full: the marks of a place without findings."""

    full: Points
    full_confidence: Confidence | None = None
    note: str = ""
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
    "checklist": Kind(gettext_lazy("检查表"), CheckListBody, ""),
    "unit-kinds": Kind(gettext_lazy("单位类型"), UnitKinds, "kinds"),
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
