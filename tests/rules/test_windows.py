"""From which period on, and in which months, a rule holds."""

from datetime import date

import pytest

from weicheng.rules.figures import Period
from weicheng.rules.windows import ALWAYS, Window


@pytest.mark.parametrize(
    ("window", "period", "holds"),
    [
        (ALWAYS, Period.month("2026-10"), True),
        (Window(since=date(2026, 10, 1)), Period.month("2026-10"), True),
        (Window(since=date(2026, 10, 1)), Period.month("2026-09"), False),
        (Window(since=date(2026, 10, 1)), Period.quarter(2026, 4), True),
        (Window(since=date(2026, 10, 1)), Period.quarter(2026, 3), False),
        (Window(since=date(2026, 10, 1)), Period.year(2026), False),  # began before the rule did
        (Window(since=date(2026, 10, 1)), Period.year(2027), True),
        (Window(months=frozenset({7, 8, 9})), Period.quarter(2026, 3), True),
        (Window(months=frozenset({7, 8, 9})), Period.quarter(2026, 2), False),
        (Window(months=frozenset({7, 8, 9})), Period.quarter(2026, 4), False),
        (Window(months=frozenset({7})), Period.month("2026-07"), True),
        (Window(months=frozenset({7})), Period.month("2026-08"), False),
        (Window(months=frozenset({4})), Period.year(2026), True),
        (Window(months=frozenset({1})), Period(date(2026, 12, 15), date(2027, 1, 3), "跨年"), True),
        (Window(months=frozenset({11})), Period(date(2026, 12, 15), date(2027, 1, 3), "跨年"), False),
        (Window(date(2026, 1, 1), frozenset({4})), Period.month("2025-04"), False),
    ],
)
def test_a_rule_may_begin_with_a_period_or_hold_in_some_months(window, period, holds):
    assert window.holds(period) is holds
