"""Spans in charge: what overlaps, and the days on which nobody is."""

from datetime import date

import pytest

from weicheng.rules.charges import Span, gaps, overlapping


def on(day: int) -> date:
    return date(2026, 11, day)


def span(begin: int, end: int | None, who: str = "") -> Span:
    return Span(on(begin), on(end) if end else None, who)


@pytest.mark.parametrize(
    ("spans", "wanted", "other"),
    [
        ([], span(1, None), None),
        ([span(1, 10, "甲")], span(11, None), None),  # the day after
        ([span(1, 10, "甲")], span(10, None), "甲"),  # both days are held
        ([span(10, None, "甲")], span(1, 9), None),
        ([span(10, None, "甲")], span(1, 10), "甲"),
        ([span(10, None, "甲")], span(1, None), "甲"),
        ([span(20, None, "乙"), span(5, 9, "甲")], span(1, None), "甲"),  # the earlier is named
        ([span(5, 5, "甲")], span(5, 5), "甲"),
    ],
)
def test_two_may_not_hold_the_same_day(spans, wanted, other):
    found = overlapping(spans, wanted)
    assert (found.who if found else None) == other


@pytest.mark.parametrize(
    ("spans", "free"),
    [
        ([], [(1, 30)]),
        ([span(1, None)], []),
        ([span(1, 30)], []),
        ([span(1, 10), span(11, None)], []),  # hand-over without a day between
        ([span(1, 10), span(13, None)], [(11, 12)]),
        ([span(13, 20), span(1, 10)], [(11, 12), (21, 30)]),  # in any order
        ([span(5, 25), span(8, 9)], [(1, 4), (26, 30)]),  # one within another
        ([span(30, None)], [(1, 29)]),
        ([span(1, 29)], [(30, 30)]),  # the last day alone
        ([span(1, 29), span(30, 30)], []),
        ([Span(date(2026, 12, 5), None, "")], [(1, 30)]),  # begins after the last day
    ],
)
def test_the_days_on_which_nobody_is_in_charge(spans, free):
    assert gaps(spans, on(1), on(30)) == [(on(begin), on(end)) for begin, end in free]


def test_a_span_holds_both_its_days():
    held = span(5, 9)
    assert [held.holds(on(day)) for day in (4, 5, 9, 10)] == [False, True, True, False]
    assert span(5, None).holds(date(2099, 1, 1))
