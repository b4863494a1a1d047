"""A figure is an object: value, definition, scope, period, as-of, unit, and the query that lists its records.

It prints the same on a page, in Word and in JSON, so no two places can round it differently. A ratio is kept
as two numbers until it is printed, and a ratio of nothing is "not assessed", never 0 % or 100 %.

Source: design 5.7 and 5.8; the case rates (处置率, 按期结案率 …) of GB/T 30428 are quotients of two counts.
"""

import calendar
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.moments import require_aware

NOT_ASSESSED = N_("未评定")


def exact(value: int | Decimal | Fraction) -> Fraction:
    """Return the value without any rounding.

    TypeError: a float or bool, which is no exact number. ValueError: a Decimal that is no number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, Fraction)):
        raise TypeError(f"{value!r} is not exact; give an int, a Decimal or a Fraction")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not a number")
    return Fraction(value)


def round_half_up(value: int | Decimal | Fraction, decimals: int) -> Decimal:
    """Return the value with exactly `decimals` places; a half goes away from zero (四舍五入).

    Exact for any size: it is worked out in whole numbers, so nothing is rounded twice.

    The errors of `exact`; ValueError for negative `decimals`.
    """
    if decimals < 0:
        raise ValueError(f"decimals is {decimals}; give 0 or more")
    shifted = exact(value) * 10**decimals
    magnitude = int(abs(shifted) + Fraction(1, 2))
    # No minus before a zero: a reader would look for the loss.
    sign = 1 if shifted < 0 and magnitude else 0
    return Decimal((sign, tuple(int(digit) for digit in str(magnitude)), -decimals))


@dataclass(frozen=True)
class Ratio:
    """A part of a whole, kept as two numbers.

    numerator, denominator: counts or Decimals; a denominator of 0 means "not assessed"
    per: 100 for per cent, 1000 for per mille or per kilometre of metres, 1 for a plain mean
    """

    numerator: int | Decimal
    denominator: int | Decimal
    per: int = 100

    def __post_init__(self) -> None:
        exact(self.numerator)
        if exact(self.denominator) < 0:
            raise ValueError(f"the denominator is {self.denominator}; give 0 or more")

    def quotient(self) -> Fraction | None:
        """Return numerator x per / denominator without rounding; None when the denominator is 0."""
        if not self.denominator:
            return None
        return exact(self.numerator) * self.per / exact(self.denominator)


# --- periods ---------------------------------------------------------------------------------------------

_QUARTERS = ("第一季度", "第二季度", "第三季度", "第四季度")
_HALVES = ("上半年", "下半年")
# Before this nothing was recorded; beyond it a year is a slip of the hand.
_FIRST_YEAR, _LAST_YEAR = 1900, 2999


@dataclass(frozen=True)
class Period:
    """A run of days, both ends included.

    label: how it is called in Chinese, for example "2026年10月"

    RuleError("period-order") when the end lies before the start.
    """

    start: date
    end: date
    label: str

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise RuleError(
                "period-order",
                N_("时段的结束日期 {end} 早于开始日期 {start}。请调换或重新选择。"),
                start=self.start,
                end=self.end,
            )

    @classmethod
    def month(cls, text: str) -> "Period":
        """Return the month written as "2026-10"; RuleError("period-unreadable") for anything else."""
        found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", text)
        if found is None or not 1 <= int(found[2]) <= 12:
            raise _unreadable(text)
        return cls._months(int(found[1]), int(found[2]), 1)

    @classmethod
    def year(cls, year: int) -> "Period":
        """Return a whole year."""
        return cls._months(year, 1, 12)

    @classmethod
    def half_year(cls, year: int, half: int) -> "Period":
        """Return half 1 (January to June) or 2 of a year."""
        if half not in (1, 2):
            raise _unreadable(f"{year}-{half}")
        return cls._months(year, half * 6 - 5, 6)

    @classmethod
    def quarter(cls, year: int, quarter: int) -> "Period":
        """Return quarter 1 (January to March) to 4 of a year."""
        if quarter not in (1, 2, 3, 4):
            raise _unreadable(f"{year}-{quarter}")
        return cls._months(year, quarter * 3 - 2, 3)

    @classmethod
    def between(cls, start: date, end: date) -> "Period":
        """Return the days from start to end; whole months, quarters and years get their usual name."""
        return cls(start, end, _label(start, end))

    @classmethod
    def _months(cls, year: int, month: int, count: int) -> "Period":
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise _unreadable(str(year))
        return cls.between(date(year, month, 1), _month_end(year, month + count - 1))

    def contains(self, day: date) -> bool:
        """Does the day lie in the period, its first and last day included?"""
        return self.start <= day <= self.end

    def previous(self) -> "Period":
        """Return the period of the same kind just before: the month before a month, 9 days before 9 days."""
        months = _whole_months(self.start, self.end)
        if not months:
            return Period.between(
                self.start - (self.end - self.start) - timedelta(days=1), self.start - timedelta(days=1)
            )
        year, month = divmod(self.start.year * 12 + self.start.month - 1 - months, 12)
        return Period.between(date(year, month + 1, 1), self.start - timedelta(days=1))

    def same_last_year(self) -> "Period":
        """Return the same days a year earlier; whole months stay whole, 29 February becomes the 28th."""
        end = _year_before(self.end)
        if _whole_months(self.start, self.end):
            end = _month_end(end.year, end.month)
        return Period.between(_year_before(self.start), end)


def _unreadable(text: str) -> RuleError:
    return RuleError(
        "period-unreadable",
        N_("时段“{text}”无法识别。月份请写成 2026-10，年份请写成 2026，季度为 1 至 4，半年为 1 或 2。"),
        text=text[:40],
    )


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _year_before(day: date) -> date:
    year = day.year - 1
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def _whole_months(start: date, end: date) -> int:
    """Return how many calendar months the days fill exactly; 0 when they do not."""
    if start.day != 1 or end != _month_end(end.year, end.month):
        return 0
    return (end.year - start.year) * 12 + end.month - start.month + 1


def _label(start: date, end: date) -> str:
    months, year = _whole_months(start, end), f"{start.year}年"
    if months == 12 and start.month == 1:
        return year
    if months == 6 and start.month in (1, 7):
        return year + _HALVES[start.month // 7]
    if months == 3 and start.month in (1, 4, 7, 10):
        return year + _QUARTERS[start.month // 3]
    if months == 1:
        return f"{year}{start.month}月"
    first = f"{year}{start.month}月{start.day}日"
    if start == end:
        return first
    last = f"{end.month}月{end.day}日"
    return f"{first}至{last}" if start.year == end.year else f"{first}至{end.year}年{last}"


# --- figures ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """Whose figure it is: an area's code and its name."""

    area: str
    name: str


@dataclass(frozen=True)
class Figure:
    """One number with everything that is needed to check it.

    id, title: the indicator's id and Chinese name; definition: one sentence that says what was counted
    as_of: the moment at which it was counted, with its zone
    value: a count, an exact amount, a Ratio, or None for "not assessed"
    unit: as printed behind the value ("件", "%"); decimals: places when printed
    records: the query of the list that shows its records, as (name, value) pairs in order
    editions: ids of the standards and calendars that were used

    RuleError("naive-moment") for an as-of without zone; the errors of `exact` and `round_half_up`.
    """

    id: str
    title: str
    definition: str
    scope: Scope
    period: Period
    as_of: datetime
    value: int | Decimal | Ratio | None
    unit: str
    decimals: int = 0
    records: tuple[tuple[str, str], ...] = ()
    editions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        require_aware(self.as_of)
        self.text()  # a value that cannot be printed is refused where the figure is made, not on a page

    def quantity(self) -> Fraction | None:
        """Return the exact number behind the figure; None when it is not assessed."""
        if isinstance(self.value, Ratio):
            return self.value.quotient()
        return None if self.value is None else exact(self.value)

    def text(self) -> str:
        """Return the number as it is printed everywhere: half-up, fixed places, or "未评定"."""
        quantity = self.quantity()
        return NOT_ASSESSED if quantity is None else format(round_half_up(quantity, self.decimals), "f")

    def with_unit(self) -> str:
        """Return the text followed by its unit; "not assessed" has none."""
        return self.text() if self.quantity() is None else self.text() + self.unit

    def records_query(self) -> str:
        """Return the query of the list of its records as it stands behind the "?" of a URL."""
        return urlencode(self.records)

    def as_json(self) -> dict[str, Any]:
        """Return the figure for JSON: exact numbers as int or text, never as float.

        `value` is the number as an int or text, for a ratio its printed text, or null when not assessed;
        a ratio also has `numerator`, `denominator` and `per`.
        """
        numbers: dict[str, Any]
        if isinstance(self.value, Ratio):
            numbers = {
                "value": None if self.quantity() is None else self.text(),
                "numerator": _json_number(self.value.numerator),
                "denominator": _json_number(self.value.denominator),
                "per": self.value.per,
            }
        else:
            numbers = {"value": None if self.value is None else _json_number(self.value)}
        return {
            "id": self.id,
            "title": self.title,
            "definition": self.definition,
            "scope": {"area": self.scope.area, "name": self.scope.name},
            "period": {
                "start": self.period.start.isoformat(),
                "end": self.period.end.isoformat(),
                "label": self.period.label,
            },
            "as_of": self.as_of.isoformat(),
            **numbers,
            "text": self.text(),
            "unit": self.unit,
            "decimals": self.decimals,
            "records": self.records_query(),
            "editions": list(self.editions),
        }

    def same_value(self, other: "Figure") -> bool:
        """Do both say the same, before any rounding?

        The unit must agree. Two ratios must agree in both numbers: 1 of 2 and 50 of 100 are other facts.
        """
        if self.unit != other.unit:
            return False
        if isinstance(self.value, Ratio) and isinstance(other.value, Ratio):
            return self.value == other.value
        return self.quantity() == other.quantity()


def _json_number(number: int | Decimal) -> int | str:
    return number if isinstance(number, int) else format(number, "f")
