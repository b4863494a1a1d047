"""A deadline in words."""

from datetime import UTC, datetime, timedelta

import pytest

from weicheng.web.due import remaining
from weicheng.web.templatetags.web import words

DUE = datetime(2026, 10, 12, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(days=3, hours=5), "还剩3天"),
        (timedelta(days=2), "还剩2天"),
        (timedelta(hours=47, minutes=59), "还剩47小时"),  # below two days hours are told: a day is too coarse
        (timedelta(hours=3, minutes=59), "还剩3小时"),  # rounded down: nothing promises too much
        (timedelta(minutes=59), "还剩59分钟"),
        (timedelta(seconds=5), "还剩1分钟"),
        (timedelta(0), "还剩1分钟"),  # the deadline itself is still in time
        (timedelta(seconds=-5), "已超期1分钟"),
        (timedelta(hours=-5), "已超期5小时"),
        (timedelta(days=-2, hours=-3), "已超期2天"),
    ],
)
def test_the_time_left_is_told_as_an_office_says_it(before, said):
    assert words(remaining(DUE, DUE - before)) == said


def test_the_last_day_is_told_apart():
    assert remaining(DUE, DUE - timedelta(hours=23)).soon
    assert not remaining(DUE, DUE - timedelta(hours=25)).soon
    assert not remaining(DUE, DUE + timedelta(hours=1)).soon
