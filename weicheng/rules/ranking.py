"""Ranks inside a group, and what a rank costs or earns.

Ranks are competition ranks (1, 2, 2, 4): who shares a place shares its number, and as many places are left out.

Source: `domain/standards/inspection-practice.md` section 2.8 (ranks inside the class), example 4 (points for
the first ranks); system STD-7 (the last three lose 10, 5 and 3 points). What STD-7 leaves open, ties and small
groups, is decided in `docs/decisions/0003-ties-and-small-groups.md` and stated in each edition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import round_half_up
from weicheng.rules.windows import ALWAYS, Window

BY_TOTAL = "total"
PLACES = 6  # of points, as everywhere in scoring


class Ties(StrEnum):
    """What those get who share places: of the points of the places they share …"""

    MILD = "mild"  # … what is best for them
    STRICT = "strict"  # … what is worst for them
    MEAN = "mean"  # … the mean


class End(StrEnum):
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True)
class RankRule:
    """Points for the first or last places of a group.

    by: BY_TOTAL, or the key of a measure that people enter (STD-7: visits to households)
    end: from which end the places are counted; points: for the first, second … place from that end
    bonus: the points are added; otherwise taken away
    min_group: the smallest group it is applied to; 0 for the default, twice as many as places with points
    window: when it holds; judged by the caller
    """

    key: str
    title: str
    points: tuple[Decimal, ...]
    end: End = End.BOTTOM
    bonus: bool = False
    by: str = BY_TOTAL
    ties: Ties = Ties.MILD
    min_group: int = 0
    window: Window = ALWAYS

    def __post_init__(self) -> None:
        if not self.points or any(points < 0 for points in self.points) or not any(self.points):
            raise RuleError(
                "rank-points",
                N_("名次奖惩“{title}”应列出各名次的分值，不小于 0，且不能全为 0。请改正。"),
                title=self.title,
            )

    @property
    def smallest_group(self) -> int:
        """The smallest group it is applied to."""
        return self.min_group or 2 * sum(1 for points in self.points if points)


def competition_ranks(values: Mapping[str, Decimal]) -> dict[str, int]:
    """Return name -> rank, the highest value first; equal values share the rank: 1, 2, 2, 4."""
    ordered = sorted(values.values(), reverse=True)
    first: dict[Decimal, int] = {}
    for position, value in enumerate(ordered, start=1):
        first.setdefault(value, position)
    return {name: first[value] for name, value in values.items()}


def rank_points(rule: RankRule, values: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Return name -> points of the rule for one group; those without points are left out.

    values: what the group is ranked by, the higher the better. A group smaller than `smallest_group` gets
    nothing, as the middle of a small group would be at one of its ends.
    """
    if len(values) < rule.smallest_group:
        return {}
    ordered = sorted(values.values(), reverse=rule.end is End.TOP)
    places: dict[Decimal, list[Decimal]] = {}
    for position, value in enumerate(ordered):
        points = rule.points[position] if position < len(rule.points) else Decimal(0)
        places.setdefault(value, []).append(points)
    shared = {value: _shared(rule, points) for value, points in places.items()}
    return {name: shared[value] for name, value in values.items() if shared[value]}


def _shared(rule: RankRule, points: list[Decimal]) -> Decimal:
    if rule.ties is Ties.MEAN:
        return round_half_up(Fraction(sum(points, Decimal(0))) / len(points), PLACES)
    best_is_most = rule.bonus
    return max(points) if best_is_most == (rule.ties is Ties.MILD) else min(points)
