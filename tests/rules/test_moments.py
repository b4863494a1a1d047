"""Moments without a zone are refused; one zone holds for the whole country."""

from datetime import UTC, datetime, timedelta

import pytest

from weicheng.rules.errors import RuleError
from weicheng.rules.moments import ZONE, require_aware

NOON = datetime(2026, 10, 12, 12, 0)


def test_a_moment_without_zone_is_refused_and_the_sentence_shows_how_to_write_it():
    with pytest.raises(RuleError) as refused:
        require_aware(NOON)
    assert refused.value.code == "naive-moment"
    assert "2026-10-12T12:00:00+08:00" in refused.value.sentence()


def test_moments_of_any_zone_and_unknown_moments_pass():
    require_aware(NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=ZONE), None)
    require_aware()


def test_one_naive_moment_among_aware_and_unknown_ones_is_found():
    with pytest.raises(RuleError):
        require_aware(None, NOON.replace(tzinfo=UTC), NOON)


def test_the_zone_is_eight_hours_ahead_the_whole_year():
    for month in (1, 7):
        assert datetime(2026, month, 1, tzinfo=ZONE).utcoffset() == timedelta(hours=8)
