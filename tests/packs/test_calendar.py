"""The country's work calendar of the base pack says what the State Council's notices say."""

from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
import pytest
import yaml

import weicheng

CALENDAR = yaml.safe_load(
    (Path(weicheng.__file__).parent / "packs" / "base" / "calendar-cn.yaml").read_text(encoding="utf-8")
)
BODY = CALENDAR["body"]
OFF, MAKE_UP = BODY["off_days"], BODY["make_up_days"]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 2, 16), "春节"),  # the Monday of New Year's Eve
        (date(2026, 4, 6), "清明节"),
        (date(2026, 9, 25), "中秋节"),
        (date(2026, 10, 1), "国庆节"),
        (date(2026, 10, 7), "国庆节"),
        (date(2020, 1, 31), "春节"),  # the holiday prolonged against the epidemic
        (date(2015, 9, 3), "抗战胜利70周年纪念日"),
    ],
)
def test_a_holiday_on_a_weekday_is_off(day, name):
    assert OFF[day] == name


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2026, 1, 4), "元旦"),
        (date(2026, 2, 14), "春节"),
        (date(2026, 2, 28), "春节"),
        (date(2026, 5, 9), "劳动节"),
        (date(2026, 9, 20), "国庆节"),
        (date(2026, 10, 10), "国庆节"),
    ],
)
def test_a_make_up_day_of_2026_is_worked(day, name):
    assert MAKE_UP[day] == name


def test_2026_has_no_other_make_up_day():
    assert len([day for day in MAKE_UP if day.year == 2026]) == 6


def test_only_what_a_plain_week_would_get_wrong_is_listed():
    assert [day for day in OFF if day.weekday() >= 5] == []
    assert [day for day in MAKE_UP if day.weekday() < 5] == []


def test_every_day_of_every_announced_year_agrees_with_the_library():
    years = BODY["announced_years"]
    assert years == list(range(2015, 2027))
    day, wrong = date(years[0], 1, 1), []
    while day.year <= years[-1]:
        worked = day in MAKE_UP or (day.weekday() < 5 and day not in OFF)
        if worked != chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []
    assert {day.year for day in [*OFF, *MAKE_UP]} == set(years)


def test_what_is_only_recalled_says_so():
    assert CALENDAR["confidence"] == "confirmed"
    assert BODY["hours_confidence"] == "recalled"
