"""Deadlines: the arithmetic of every kind of counting, with the days and the moments written out beside it.

The calendar is National Day 2026 as an example: 1 to 7 October off, Saturday 10 October worked.
October 2026: Thu 1, Fri 2, Sat 3 … Thu 8, Fri 9, Sat 10, Sun 11, Mon 12. 30 September is a Wednesday.
Office hours 08:30-12:00 and 14:00-17:30: 3.5 + 3.5 = 7 hours a day.
"""

import time as clock
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.deadlines import (
    Counting,
    Limit,
    WorkCalendar,
    deadline,
    is_overdue,
    parse_limit,
    was_on_time,
)
from weicheng.rules.errors import RuleError
from weicheng.rules.moments import ZONE

CALENDAR = WorkCalendar(
    edition="office-2026",
    hours=((time(8, 30), time(12)), (time(14), time(17, 30))),
    off_days={date(2026, 10, day): "国庆节" for day in range(1, 8)},
    make_up_days={date(2026, 10, 10): "国庆节"},
    announced_years=frozenset({2026}),
)
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    """ "09-30 10:00" in 2026, or "2027-01-04 17:30", in Shanghai."""
    return datetime.fromisoformat(text if len(text) > 14 else f"2026-{text}").replace(tzinfo=ZONE)


def days_of(result):
    return [
        (f"{step.day:%m-%d}", str(step.counted.normalize()), str(step.left.normalize()), step.reason)
        for step in result.steps
    ]


# --- reading a limit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "counting"),
    [
        ("2紧急工作时", "2", Counting.URGENT_HOUR),
        ("1紧急工作时制止", "1", Counting.URGENT_HOUR),  # the city table's own wording
        ("1紧急工作日", "1", Counting.URGENT_DAY),
        ("2工作时", "2", Counting.WORK_HOUR),
        ("2工作小时", "2", Counting.WORK_HOUR),
        ("4小时", "4", Counting.WORK_HOUR),
        ("0.5小时", "0.5", Counting.WORK_HOUR),
        ("3工作日", "3", Counting.WORK_DAY),
        ("3个工作日", "3", Counting.WORK_DAY),
        ("3个工作日内", "3", Counting.WORK_DAY),
        ("３个工作日之内", "3", Counting.WORK_DAY),  # full-width digit
        ("15天", "15", Counting.NATURAL_DAY),
        ("１５天", "15", Counting.NATURAL_DAY),
        ("15日", "15", Counting.NATURAL_DAY),
        ("15个自然日", "15", Counting.NATURAL_DAY),
        (" 15 天 ", "15", Counting.NATURAL_DAY),
        ("1．5天", "1.5", Counting.NATURAL_DAY),  # full-width point
    ],
)
def test_the_wording_of_a_limit_decides_how_it_is_counted(text, amount, counting):
    assert parse_limit(text) == Limit(Decimal(amount), counting)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "天",
        "3",
        "三天",
        "-3天",
        "3 days",
        "3周",
        "约3天",
        "3天左右",
        "1,5天",
        "3.天",
        ".5天",
        "2紧急小时",
        "1天2小时",
    ],
)
def test_a_text_that_is_no_limit_is_refused_with_examples(text):
    with pytest.raises(RuleError) as caught:
        parse_limit(text)
    assert caught.value.code == "limit-unreadable"
    assert f"时限“{text}”无法识别" in caught.value.sentence()


def test_a_refused_limit_quotes_at_most_forty_characters():
    with pytest.raises(RuleError) as caught:
        parse_limit("x" * 41)
    assert caught.value.values["text"] == "x" * 40


@pytest.mark.parametrize(
    ("amount", "counting", "code"),
    [
        ("0", Counting.NATURAL_DAY, "limit-out-of-range"),
        ("-1", Counting.WORK_HOUR, "limit-out-of-range"),
        ("NaN", Counting.WORK_HOUR, "limit-out-of-range"),
        ("Infinity", Counting.WORK_HOUR, "limit-out-of-range"),
        ("3661", Counting.WORK_DAY, "limit-out-of-range"),
        ("3660.01", Counting.NATURAL_DAY, "limit-out-of-range"),
        ("3661", Counting.URGENT_DAY, "limit-out-of-range"),
        ("87840.01", Counting.URGENT_HOUR, "limit-out-of-range"),  # 3660 x 24 = 87840
        ("87841", Counting.WORK_HOUR, "limit-out-of-range"),
        ("0.125", Counting.URGENT_HOUR, "limit-too-fine"),
        ("1.5", Counting.WORK_DAY, "limit-not-whole"),
    ],
)
def test_an_absurd_amount_is_refused(amount, counting, code):
    with pytest.raises(RuleError) as caught:
        Limit(Decimal(amount), counting)
    assert caught.value.code == code
    assert str(Decimal(amount)) in caught.value.sentence()


@pytest.mark.parametrize(
    ("amount", "counting", "largest"),
    [("3661", Counting.NATURAL_DAY, 3660), ("87841", Counting.URGENT_HOUR, 87840)],
)
def test_a_too_large_amount_is_told_the_largest(amount, counting, largest):
    with pytest.raises(RuleError) as caught:
        Limit(Decimal(amount), counting)
    assert caught.value.values["largest"] == largest


@pytest.mark.parametrize(
    ("amount", "counting"),
    [
        ("0.01", Counting.URGENT_HOUR),
        ("3660", Counting.WORK_DAY),
        ("3660", Counting.NATURAL_DAY),
        ("3660", Counting.URGENT_DAY),
        ("87840", Counting.URGENT_HOUR),
        ("87840", Counting.WORK_HOUR),
        ("2.0", Counting.WORK_DAY),
    ],
)
def test_an_amount_at_the_edge_is_accepted(amount, counting):
    assert Limit(Decimal(amount), counting).amount == Decimal(amount)


# --- the calendar ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "working", "reason"),
    [
        (date(2026, 9, 30), True, "工作日"),
        (date(2026, 10, 1), False, "国庆节"),
        (date(2026, 10, 3), False, "国庆节"),  # a Saturday inside the holiday is told as the holiday
        (date(2026, 10, 7), False, "国庆节"),
        (date(2026, 10, 8), True, "工作日"),
        (date(2026, 10, 9), True, "工作日"),  # Friday
        (date(2026, 10, 10), True, "调休上班（国庆节）"),
        (date(2026, 10, 11), False, "周日"),
        (date(2026, 10, 12), True, "工作日"),  # Monday
        (date(2026, 10, 17), False, "周六"),
    ],
)
def test_each_day_says_whether_it_is_worked_and_why(day, working, reason):
    assert CALENDAR.is_working_day(day) is working
    assert CALENDAR.reason(day) == reason


def test_a_year_is_announced_or_not():
    assert CALENDAR.is_announced(date(2026, 12, 31))
    assert not CALENDAR.is_announced(date(2027, 1, 1))


def test_a_working_day_has_seven_office_hours():
    assert CALENDAR.day_length == timedelta(hours=7)


@pytest.mark.parametrize(
    "hours",
    [
        (),
        ((time(9), time(9)),),
        ((time(12), time(9)),),
        ((time(9), time(12)), (time(11, 59), time(17))),
        ((time(14), time(17)), (time(9), time(12))),
    ],
)
def test_office_hours_must_be_in_order_and_apart(hours):
    with pytest.raises(RuleError) as caught:
        replace(CALENDAR, hours=hours)
    assert caught.value.code == "calendar-hours"
    assert "office-2026" in caught.value.sentence()


def test_office_hours_may_touch():
    touching = replace(CALENDAR, hours=((time(9), time(12)), (time(12), time(13))))
    assert touching.day_length == timedelta(hours=4)
    # 11:00 + 1.5 h = 12:30, as nothing lies between
    assert deadline(at("10-08 11:00"), parse_limit("1.5小时"), touching).due_at == at("10-08 12:30")


@pytest.mark.parametrize(
    "hours", [((time(9), time(16)),), ((time(8), time(10)), (time(11), time(13)), (time(14), time(17)))]
)
def test_a_limit_in_days_ends_with_the_last_hour_of_the_office_however_the_day_is_parted(hours):
    result = deadline(at("10-12 09:30"), parse_limit("1工作日"), replace(CALENDAR, hours=hours))
    assert result.due_at.timetz() == hours[-1][1].replace(tzinfo=ZONE)


def test_office_hours_keep_their_seconds():
    odd = replace(CALENDAR, hours=((time(9, 0, 1, 2), time(9, 59, 59, 5)),))
    assert odd.day_length == timedelta(minutes=59, seconds=58, microseconds=3)


def test_a_day_cannot_be_off_and_worked():
    with pytest.raises(RuleError) as caught:
        replace(CALENDAR, make_up_days={date(2026, 10, 7): "国庆节"})
    assert caught.value.code == "calendar-day-twice"
    assert "2026-10-07" in caught.value.sentence()
    assert "office-2026" in caught.value.sentence()


# --- counting --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "limit", "due", "warn"),
    [
        # Urgent hours run on: 22:30 + 2 h; two thirds of 2 h = 1 h 20 min
        ("10-01 22:30", "2紧急工作时", "10-02 00:30", "10-01 23:50"),
        ("10-01 22:00", "2紧急工作时", "10-02 00:00", "10-01 23:20"),
        ("10-01 00:00", "3紧急工作时", "10-01 03:00", "10-01 02:00"),
        # Urgent and natural days: n x 24 h; two thirds of 72 h = 48 h, of 24 h = 16 h, of 36 h = 24 h
        ("09-30 10:00", "1紧急工作日", "10-01 10:00", "10-01 02:00"),
        ("09-30 10:00", "3天", "10-03 10:00", "10-02 10:00"),
        ("09-30 18:00", "1.5天", "10-02 06:00", "10-01 18:00"),
        ("09-30 00:00", "1天", "10-01 00:00", "09-30 16:00"),
        # Office hours, 7 a day; the start is inside, before, in the lunch break, after, on a day off
        ("09-30 09:00", "3小时", "09-30 12:00", "09-30 11:00"),  # ends with the span, not at 14:00
        ("09-30 07:00", "3小时", "09-30 11:30", "09-30 10:30"),  # from 08:30
        ("09-30 11:00", "3小时", "09-30 16:00", "09-30 15:00"),  # 1 h, break, 2 h
        ("09-30 12:00", "3小时", "09-30 17:00", "09-30 16:00"),  # the break begins: from 14:00
        ("09-30 13:00", "3小时", "09-30 17:00", "09-30 16:00"),
        ("09-30 16:30", "3小时", "10-08 10:30", "10-08 09:30"),  # 1 h, holiday, 2 h from 08:30
        ("09-30 16:30", "1小时", "09-30 17:30", "09-30 17:10"),  # 40 min warn
        ("09-30 17:30", "3小时", "10-08 11:30", "10-08 10:30"),  # office just closed
        ("09-30 20:00", "3小时", "10-08 11:30", "10-08 10:30"),
        ("10-03 09:00", "3小时", "10-08 11:30", "10-08 10:30"),
        ("10-09 16:30", "4工作时", "10-10 11:30", "10-10 10:10"),  # the make-up Saturday is worked
        ("10-10 15:30", "4工作时", "10-12 10:30", "10-12 09:10"),  # 2 h, Sunday, 2 h; warn 2 h 40 min
        ("10-08 08:30", "7工作时", "10-08 17:30", "10-08 15:10"),  # 4 h 40: 3.5 h, then 1 h 10 from 14:00
        ("10-08 08:30", "10.5工作时", "10-09 12:00", "10-08 17:30"),  # two thirds = 7 h = the day's end
        # Working days: the start day is not counted; due with the last office hour
        ("10-08 09:00", "1个工作日", "10-09 17:30", "10-09 15:10"),  # 2/3 x 7 h = 4 h 40 of the day
        ("10-08 23:59", "1个工作日", "10-09 17:30", "10-09 15:10"),
        ("10-08 00:00", "1个工作日", "10-09 17:30", "10-09 15:10"),
        ("09-30 09:00", "1个工作日", "10-08 17:30", "10-08 15:10"),
        ("10-03 09:00", "1个工作日", "10-08 17:30", "10-08 15:10"),  # from a day off: day one is the 8th
        ("09-30 09:00", "3个工作日", "10-10 17:30", "10-09 17:30"),  # two of three days = end of the 9th
        ("10-09 09:00", "2个工作日", "10-12 17:30", "10-12 10:50"),  # 4/3 days = Sat, then 2 h 20 of Monday
        ("09-30 09:00", "4个工作日", "10-12 17:30", "10-10 15:10"),  # 8/3 days: two, then 4 h 40 of the third
    ],
)
def test_a_limit_ends_and_warns_at(start, limit, due, warn):
    result = deadline(at(start), parse_limit(limit), CALENDAR)
    assert result.due_at == at(due)
    assert result.warn_at == at(warn)
    assert not result.provisional
    assert result.calendar_edition == "office-2026"


@pytest.mark.parametrize(
    ("start", "limit", "days"),
    [
        (
            "09-30 16:30",
            "3小时",
            [
                ("09-30", "1", "2", "工作日"),
                *[(f"10-0{day}", "0", "2", "国庆节") for day in range(1, 8)],
                ("10-08", "2", "0", "工作日"),
            ],
        ),
        (
            "10-09 17:30",
            "8小时",
            [
                ("10-09", "0", "8", "当日工作时间已过"),
                ("10-10", "7", "1", "调休上班（国庆节）"),
                ("10-11", "0", "1", "周日"),
                ("10-12", "1", "0", "工作日"),
            ],
        ),
        ("10-11 18:00", "1小时", [("10-11", "0", "1", "周日"), ("10-12", "1", "0", "工作日")]),
        (
            "10-08 17:10",  # 20 min, then 40 min: thirds of an hour are shown to four places and still add up
            "1小时",
            [("10-08", "0.3333", "0.6667", "工作日"), ("10-09", "0.6667", "0", "工作日")],
        ),
        (
            "10-09 09:00",
            "2个工作日",
            [
                ("10-09", "0", "2", "开始当日不计"),
                ("10-10", "1", "1", "调休上班（国庆节）"),
                ("10-11", "0", "1", "周日"),
                ("10-12", "1", "0", "工作日"),
            ],
        ),
        (
            "10-16 09:00",
            "1个工作日",
            [
                ("10-16", "0", "1", "开始当日不计"),
                ("10-17", "0", "1", "周六"),
                ("10-18", "0", "1", "周日"),
                ("10-19", "1", "0", "工作日"),
            ],
        ),
        (
            "10-01 22:30",
            "26紧急工作时",
            [
                ("10-01", "1.5", "24.5", "不分昼夜节假日连续计时"),
                ("10-02", "24", "0.5", "不分昼夜节假日连续计时"),
                ("10-03", "0.5", "0", "不分昼夜节假日连续计时"),
            ],
        ),
        # midnight belongs to the next day, of which nothing is used
        ("10-01 22:00", "2紧急工作时", [("10-01", "2", "0", "不分昼夜节假日连续计时")]),
        (
            "10-01 00:00",
            "25紧急工作时",
            [("10-01", "24", "1", "不分昼夜节假日连续计时"), ("10-02", "1", "0", "不分昼夜节假日连续计时")],
        ),
        (
            "09-30 10:00",
            "2天",
            [
                ("09-30", "0", "2", "起算当日"),
                ("10-01", "1", "1", "自然日连续计算"),
                ("10-02", "1", "0", "自然日连续计算"),
            ],
        ),
        (
            "09-30 18:00",  # one day is full on the 1st at 18:00, the half on the 2nd at 06:00
            "1.5天",
            [
                ("09-30", "0", "1.5", "起算当日"),
                ("10-01", "1", "0.5", "自然日连续计算"),
                ("10-02", "0.5", "0", "自然日连续计算"),
            ],
        ),
        ("09-30 08:00", "0.5天", [("09-30", "0.5", "0", "起算当日")]),
        (
            "09-30 10:00",
            "1紧急工作日",
            [("09-30", "0", "1", "起算当日"), ("10-01", "1", "0", "自然日连续计算")],
        ),
    ],
)
def test_a_deadline_explains_every_day_it_touches(start, limit, days):
    assert days_of(deadline(at(start), parse_limit(limit), CALENDAR)) == days


def test_whole_hours_are_shown_without_an_exponent():
    result = deadline(at("10-01 14:00"), parse_limit("30紧急工作时"), CALENDAR)
    assert [str(step.left) for step in result.steps] == ["20", "0"]
    assert [str(step.counted) for step in result.steps] == ["10", "20"]


@pytest.mark.parametrize(
    ("start", "limit", "provisional"),
    [
        ("2026-12-30 09:00", "1个工作日", False),  # due Thursday 31 December
        ("2026-12-31 09:00", "1个工作日", True),  # due 1 January, not yet announced
        ("2026-12-31 16:30", "1小时", False),
        ("2026-12-31 16:31", "1小时", True),
        ("2027-01-04 09:00", "1小时", True),
        ("2026-12-31 09:00", "3天", False),  # asks no calendar: no notice can move it
        ("2026-12-31 23:00", "2紧急工作时", False),
        ("2026-12-31 09:00", "1紧急工作日", False),
    ],
)
def test_a_day_in_a_year_not_announced_makes_it_provisional(start, limit, provisional):
    assert deadline(at(start), parse_limit(limit), CALENDAR).provisional is provisional


def test_the_day_is_read_in_shanghai_whatever_zone_the_moment_is_told_in():
    told_in_utc = datetime(2026, 10, 8, 16, 30, tzinfo=UTC)  # already 9 October 00:30 in Shanghai
    result = deadline(told_in_utc, parse_limit("1个工作日"), CALENDAR)
    assert result.due_at == at("10-10 17:30")
    assert result.due_at.utcoffset() == timedelta(hours=8)
    assert result.steps[0].day == date(2026, 10, 9)


def test_a_moment_without_zone_is_refused():
    with pytest.raises(RuleError) as caught:
        deadline(datetime(2026, 10, 8, 9), parse_limit("1天"), CALENDAR)
    assert caught.value.code == "naive-moment"
    assert "2026-10-08T09:00:00+08:00" in caught.value.sentence()


@pytest.mark.parametrize("limit", ["1小时", "1个工作日"])
def test_a_calendar_without_working_days_is_refused_instead_of_walked_for_ever(limit):
    start = at("10-08 09:00")
    off = {start.date() + timedelta(days=n): "停工" for n in range(9000)}
    with pytest.raises(RuleError) as caught:
        deadline(start, parse_limit(limit), replace(CALENDAR, off_days=off, make_up_days={}))
    assert caught.value.code == "deadline-out-of-reach"
    assert "2026-10-08" in caught.value.sentence()


@pytest.mark.parametrize("limit", ["1小时", "1个工作日"])
@pytest.mark.parametrize(("gap", "reached"), [(7320, True), (7321, False)])
def test_the_walk_ends_after_twenty_years(limit, gap, reached):
    start = at("10-08 18:00")
    off = {start.date() + timedelta(days=n): "停工" for n in range(9000)}
    worked = start.date() + timedelta(days=gap)
    del off[worked]
    calendar = replace(CALENDAR, off_days=off, make_up_days={worked: "复工"})
    if reached:
        assert deadline(start, parse_limit(limit), calendar).due_at.date() == worked
    else:
        with pytest.raises(RuleError, match="deadline-out-of-reach"):
            deadline(start, parse_limit(limit), calendar)


@pytest.mark.parametrize("limit", ["2天", "48紧急工作时", "2个工作日", "24小时"])
def test_the_end_of_all_dates_is_told_in_words(limit):
    with pytest.raises(RuleError, match="deadline-out-of-reach"):
        deadline(datetime(9999, 12, 31, 9, tzinfo=ZONE), parse_limit(limit), CALENDAR)


def test_fifteen_days_cost_well_under_a_millisecond():
    start, limit = at("09-30 09:00"), parse_limit("15个工作日")
    best = []
    for _ in range(5):
        began = clock.perf_counter()
        for _ in range(100):
            deadline(start, limit, CALENDAR)
        best.append((clock.perf_counter() - began) / 100)
    # Measured 0.15 ms on a busy two-core machine; stepping by minutes would take 10 ms.
    assert min(best) < 0.001


# --- on time ---------------------------------------------------------------------------------------------

DUE = at("10-09 17:30")


@pytest.mark.parametrize(
    ("closed_at", "now", "overdue"),
    [
        (None, DUE - SECOND, False),
        (None, DUE, False),
        (None, DUE + SECOND, True),
        (DUE, DUE + timedelta(days=9), False),  # closed in time stays in time
        (DUE + SECOND, DUE + timedelta(days=9), True),
        (DUE - SECOND, DUE - timedelta(days=1), False),
        (DUE + SECOND, DUE - timedelta(days=1), True),
    ],
)
def test_open_is_judged_by_now_and_closed_by_its_closing(closed_at, now, overdue):
    assert is_overdue(DUE, closed_at, now) is overdue


@pytest.mark.parametrize(("late_by", "on_time"), [(-SECOND, True), (timedelta(0), True), (SECOND, False)])
def test_the_due_moment_itself_is_on_time(late_by, on_time):
    assert was_on_time(DUE, DUE + late_by) is on_time


def test_lateness_is_not_judged_by_moments_without_zone():
    naive = datetime(2026, 10, 9)
    for question in (
        lambda: is_overdue(naive, None, DUE),
        lambda: is_overdue(DUE, naive, DUE),
        lambda: is_overdue(DUE, None, naive),
        lambda: was_on_time(naive, DUE),
        lambda: was_on_time(DUE, naive),
    ):
        with pytest.raises(RuleError, match="naive-moment"):
            question()


# --- for any start and limit -----------------------------------------------------------------------------

_starts = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZONE))
_limits = st.one_of(
    st.builds(
        lambda amount, counting: Limit(Decimal(amount) / 100, counting),
        st.integers(1, 20000),
        st.sampled_from([c for c in Counting if c is not Counting.WORK_DAY]),
    ),
    st.builds(lambda amount: Limit(Decimal(amount), Counting.WORK_DAY), st.integers(1, 60)),
)


@given(_starts, _limits)
def test_the_days_add_up_to_the_limit_without_a_hole(start, limit):
    result = deadline(start, limit, CALENDAR)
    days = [step.day for step in result.steps]
    assert sum(step.counted for step in result.steps) == limit.amount
    assert result.steps[-1].left == 0
    assert all(step.counted >= 0 for step in result.steps)
    assert days == [start.date() + timedelta(days=n) for n in range(len(days))]
    assert start < result.warn_at <= result.due_at
    assert days[-1] in (result.due_at.date(), result.due_at.date() - timedelta(days=1))


@given(_starts, _starts, _limits)
def test_who_starts_later_is_never_due_earlier(one, other, limit):
    first, second = sorted((one, other))
    assert deadline(first, limit, CALENDAR).due_at <= deadline(second, limit, CALENDAR).due_at


@given(_starts, st.integers(1, 200))
def test_more_office_hours_are_due_strictly_later_and_always_inside_the_office(start, hours):
    shorter = deadline(start, Limit(Decimal(hours), Counting.WORK_HOUR), CALENDAR)
    longer = deadline(start, Limit(Decimal(hours + 1), Counting.WORK_HOUR), CALENDAR)
    assert shorter.due_at < longer.due_at
    assert CALENDAR.is_working_day(shorter.due_at.date())
    assert any(begin < shorter.due_at.time() <= end for begin, end in CALENDAR.hours)
