"""What is said about a capture's four times, withdrawal, and days that have not come."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.captures import RemarkCode, Times, judge_times, may_withdraw, occurred_on_allowed
from weicheng.rules.errors import RuleError

NINE = datetime(2026, 10, 8, 9, 0, tzinfo=timezone(timedelta(hours=8)))
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
TOLERANCE = 5 * MINUTE

FUTURE, OLDER, LATE, APART = RemarkCode


def remarks(device, photo, gps, received, **settings):
    """Times as minutes after nine; None for not known."""
    moments = [
        None if minutes is None else NINE + minutes * MINUTE for minutes in (device, photo, gps, received)
    ]
    return judge_times(Times(*moments), tolerance=TOLERANCE, **settings)


def codes(*times, **settings):
    return [remark.code for remark in remarks(*times, **settings)]


@pytest.mark.parametrize(
    ("device", "photo", "gps", "received", "said"),
    [
        (0, 0, 0, 0, []),
        (0, None, None, 0, []),
        (None, None, None, 0, []),
        (None, -60, None, 0, []),  # nothing to compare the photo with
        # the phone is ahead of the server
        (5, None, None, 0, []),
        (6, None, None, 0, [FUTURE]),
        # the photo is older than the finding
        (0, -5, 0, 0, []),
        (0, -6, 0, 0, [OLDER]),
        # the record was long on its way
        (0, 0, 0, 5, []),
        (0, 0, 0, 6, [LATE]),
        # satellites and phone
        (0, None, 5, 0, []),
        (0, None, 6, 0, [APART]),
        (0, None, -5, 0, []),
        (0, None, -6, 0, [APART]),
        # a photo younger than its finding
        (0, 5, None, 5, []),
        (0, 6, None, 0, [APART]),
        (None, 6, 0, 0, [APART]),
        (None, -60, 0, 0, []),  # older than the position is no disagreement
        # several at once, in one order
        (60, 0, 0, 0, [FUTURE, OLDER, APART]),
        (0, -60, 60, 60, [OLDER, LATE, APART]),
    ],
)
def test_each_disagreement_beyond_the_tolerance_is_said(device, photo, gps, received, said):
    assert codes(device, photo, gps, received) == said


def test_one_second_beyond_the_tolerance_is_said():
    for step, said in ((timedelta(0), []), (SECOND, [LATE])):
        times = Times(NINE, None, None, NINE + TOLERANCE + step)
        assert [remark.code for remark in judge_times(times, tolerance=TOLERANCE)] == said


@pytest.mark.parametrize(("received", "said"), [(60, []), (61, [LATE])])
def test_how_long_a_record_may_travel_is_a_setting_of_its_own(received, said):
    assert codes(0, 0, 0, received, late_after=60 * MINUTE) == said


def test_lateness_may_be_forbidden_altogether():
    assert codes(0, 0, 0, 1, late_after=timedelta(0)) == [LATE]


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        ((7, None, None, 0), "手机时间比服务器收到的时间快 7 分钟，请校准手机时间。"),
        ((0, -61, None, 0), "照片比发现问题的时间早 61 分钟，请核对是否为当时所拍。"),
        ((0, None, None, 90), "记录在发现 90 分钟后才收到，可能是离线后补传。"),
        ((0, 8, -9, 0), "手机、照片和卫星定位的时间最多相差 17 分钟，请核对手机时间。"),  # photo 8, gps -9
    ],
)
def test_a_remark_says_how_many_minutes(times, sentence):
    (remark,) = remarks(*times)
    assert remark.sentence() == sentence
    assert remark.sentence(lambda message: "{minutes} min").endswith(" min")


def test_minutes_are_rounded_down():
    (remark,) = judge_times(Times(NINE, None, None, NINE + 7 * MINUTE - SECOND), tolerance=TOLERANCE)
    assert remark.values == {"minutes": 6}


def test_zones_do_not_matter():
    assert (
        judge_times(Times(NINE, NINE.astimezone(UTC), NINE, NINE.astimezone(UTC)), tolerance=TOLERANCE) == ()
    )


@pytest.mark.parametrize("place", range(4))
def test_a_time_without_zone_is_refused(place):
    moments = [NINE] * 4
    moments[place] = datetime(2026, 10, 8, 9)
    with pytest.raises(RuleError, match="naive-moment"):
        Times(*moments)


_minutes = st.none() | st.integers(-5000, 5000)


@given(_minutes, _minutes, _minutes, st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_moving_all_clocks_together_changes_nothing(device, photo, gps, received, shift):
    def moved(minutes):
        return None if minutes is None else minutes + shift

    assert remarks(device, photo, gps, received) == remarks(
        moved(device), moved(photo), moved(gps), received + shift
    )


@pytest.mark.parametrize(
    ("after", "may"),
    [
        (timedelta(0), True),
        (10 * MINUTE - SECOND, True),
        (10 * MINUTE, True),
        (10 * MINUTE + SECOND, False),
        (-SECOND, False),  # the server's clock was set back
    ],
)
def test_a_finding_may_be_withdrawn_until_the_window_closes(after, may):
    assert may_withdraw(NINE, NINE + after, 10 * MINUTE) is may


def test_a_window_is_not_judged_by_moments_without_zone():
    naive = datetime(2026, 10, 8, 9)
    for created_at, now in ((naive, NINE), (NINE, naive), (naive, naive)):
        with pytest.raises(RuleError, match="naive-moment"):
            may_withdraw(created_at, now, 10 * MINUTE)


@pytest.mark.parametrize("occurred_on", [date(2026, 10, 8), date(2026, 10, 7), date(2020, 1, 1)])
def test_today_and_any_day_before_may_be_claimed(occurred_on):
    occurred_on_allowed(occurred_on, date(2026, 10, 8))


def test_a_day_that_has_not_come_is_refused():
    with pytest.raises(RuleError) as caught:
        occurred_on_allowed(date(2026, 10, 9), date(2026, 10, 8))
    assert caught.value.code == "occurred-in-future"
    assert caught.value.sentence() == "发生日期 2026-10-09 晚于今天 2026-10-08。请改为今天或之前的日期。"
