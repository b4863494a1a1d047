"""A year of a work calendar as twelve months to look at, and the same in words."""

import calendar as gregorian
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.utils.translation import gettext as _

from weicheng.standards.kinds import Calendar

_WEEKDAYS = "一二三四五六日"


@dataclass(frozen=True)
class Day:
    """One cell. mark: "休", "班" or "" for a plain day; tone: off, work, weekend or plain; why: in words."""

    number: int
    mark: str
    tone: str
    why: str


@dataclass(frozen=True)
class Year:
    """announced: its holidays have been published; otherwise every day of it is provisional."""

    number: int
    announced: bool
    months: list[tuple[str, list[list[Day | None]]]]
    words: list[str]
    working_days: int
    source: str


def year_of(body: Calendar, number: int) -> Year:
    """Return the year as the calendar has it."""
    rule = body.rule("")
    first, last = date(number, 1, 1), date(number, 12, 31)
    months = []
    for month in range(1, 13):
        weeks = gregorian.Calendar().monthdatescalendar(number, month)
        rows = [[_day(rule, day) if day.month == month else None for day in week] for week in weeks]
        months.append((_("{month}月").format(month=month), rows))
    days = (first + timedelta(days=step) for step in range((last - first).days + 1))
    return Year(
        number=number,
        announced=number in body.announced_years,
        months=months,
        words=_in_words(body, number),
        working_days=sum(rule.is_working_day(day) for day in days),
        source=body.year_sources.get(number, ""),
    )


def _day(rule: Any, day: date) -> Day:
    why = rule.reason(day)
    if day in rule.make_up_days:
        return Day(day.day, _("班"), "work", why)
    if day in rule.off_days:
        return Day(day.day, _("休"), "off", why)
    return Day(day.day, "", "plain" if day.weekday() < 5 else "weekend", why)


def _in_words(body: Calendar, number: int) -> list[str]:
    """Return one line for each holiday: the days off of the working week, and the days worked in exchange."""
    off: dict[str, list[date]] = {}
    work: dict[str, list[date]] = {}
    for days, named in ((body.off_days, off), (body.make_up_days, work)):
        for day, name in sorted(days.items()):
            if day.year == number:
                named.setdefault(name, []).append(day)
    lines = []
    for name in dict.fromkeys([*off, *work]):
        parts = []
        if off.get(name):
            parts.append(_("{days} 放假").format(days="、".join(_spoken(day) for day in off[name])))
        if work.get(name):
            parts.append(_("{days} 上班").format(days="、".join(_spoken(day) for day in work[name])))
        lines.append(f"{name}：{'；'.join(parts)}")
    return lines


def _spoken(day: date) -> str:
    return _("{month}月{day}日（周{weekday}）").format(
        month=day.month, day=day.day, weekday=_WEEKDAYS[day.weekday()]
    )
