#!/usr/bin/env python3
"""Write the country's work calendar of the base pack from the chinesecalendar library.

    python tools/seed_calendar.py

A year is written only when the library knows it; a later year is a new edition, made by running this again
with LAST changed, or by an officer who uploads the notice's days.
"""

from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

import chinese_calendar

FIRST, LAST = 2015, 2026
OUT = Path(__file__).resolve().parent.parent / "weicheng" / "packs" / "base" / "calendar-cn.yaml"
NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "National Day": "国庆节",
    "Mid-autumn Festival": "中秋节",
    "Anti-Fascist 70th Day": "抗战胜利70周年纪念日",
}
HEAD = """\
# Written by tools/seed_calendar.py; change it there.
kind: calendar
key: workdays
owner: ""  # "" = the whole country; the nearest area above wins
title: 全国工作日历（含调休）
source: 国务院办公厅关于{first}—{last}年部分节假日安排的通知（历年），据 chinesecalendar {version}（MIT）整理
confidence: confirmed
in_force_from: {first}-01-01
body:
  announced_years: [{years}]
  hours: [["09:00", "12:00"], ["13:30", "17:30"]]
  hours_confidence: recalled  # office hours differ by city: editable
"""


def special_days(first: int, last: int) -> tuple[dict[date, str], dict[date, str]]:
    """Return the weekdays that are off and the weekend days that are worked, each with the holiday's name."""
    off: dict[date, str] = {}
    make_up: dict[date, str] = {}
    day = date(first, 1, 1)
    while day <= date(last, 12, 31):
        weekday = day.weekday() < 5
        worked = chinese_calendar.is_workday(day)  # raises NotImplementedError for a year not yet announced
        if weekday and not worked:
            off[day] = NAMES[chinese_calendar.get_holiday_detail(day)[1]]
        elif worked and not weekday:
            make_up[day] = NAMES[chinese_calendar.constants.workdays[day]]
        day += timedelta(days=1)
    return off, make_up


def section(title: str, comment: str, days: dict[date, str]) -> str:
    """Return one mapping of the body, a day on each line."""
    return f"  {title}:  # {comment}\n" + "".join(f"    {day}: {name}\n" for day, name in days.items())


def text() -> str:
    """Return the whole file."""
    off, make_up = special_days(FIRST, LAST)
    head = HEAD.format(
        first=FIRST,
        last=LAST,
        version=version("chinesecalendar"),
        years=", ".join(str(year) for year in range(FIRST, LAST + 1)),
    )
    return (
        head
        + section("off_days", "Monday to Friday, and yet off", off)
        + section(
            "make_up_days",
            "Saturday or Sunday, and yet worked, in exchange for a day of that holiday",
            make_up,
        )
    )


if __name__ == "__main__":
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(text(), encoding="utf-8")
