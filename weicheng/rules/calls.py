"""Which places a leader should ask about today (今天最该过问的地方), and in which order.

Each reason counts as a share of the worst that it can be: so forty late cases weigh as much as the deepest fall in
a ranking, and a place that is in trouble in every respect stands before one that is bad in one. The shares are
added up; among equals the one that has waited longest comes first, then the code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction


class Why(StrEnum):
    OVERDUE = "overdue"  # 超期: open cases past their deadline
    FALL = "fall"  # 名次下降: places lost in the newest published ranking
    SPOTS = "spots"  # 重点地段: problems that keep coming back
    CARDS = "cards"  # 黄牌: warnings that are not lifted


@dataclass(frozen=True)
class Reason:
    """One reason: how much of it there is, of the most there can be.

    amount: a count above zero; most: of the worst place, or the lowest rank there is; never below `amount`
    """

    why: Why
    amount: int
    most: int

    @property
    def share(self) -> Fraction:
        return Fraction(self.amount, self.most)


@dataclass(frozen=True)
class Trouble:
    """A place with its reasons. waited_days: whole days since its oldest late case was due."""

    area: str
    reasons: tuple[Reason, ...]
    waited_days: int = 0

    @property
    def weight(self) -> Fraction:
        return sum((reason.share for reason in self.reasons), Fraction(0))


def worst(troubles: Iterable[Trouble], most: int) -> list[Trouble]:
    """Return the places to ask about first, at most so many; a place without a reason is not among them."""
    told = [one for one in troubles if one.reasons]
    return sorted(told, key=lambda one: (-one.weight, -one.waited_days, one.area))[:most]
