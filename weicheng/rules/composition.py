"""A year's marks out of those of its parts: the mean of its months, its half-years, its year-end check.

The mean is one source of a scheme (kind "boards"); the weights, and what is done when a part is missing, are
those of any source. So the year's sheet explains itself like a month's.

Source: `domain/standards/inspection-practice.md` section 2.7 and example 3 (12 months 40 %, half-year 25 %,
year-end 35 %).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from weicheng.rules.figures import round_half_up

PLACES = 6  # of points, as everywhere in scoring


@dataclass(frozen=True)
class Part:
    """The marks of one part of a period, out of its full marks."""

    label: str
    total: Decimal
    full: Decimal


def mean_marks(parts: Sequence[Part], full: Decimal) -> Decimal | None:
    """Return the mean of the parts on a scale of `full`, half-up at the millionth; None when there is none.

    A month of a 1000-point scheme counts as much as one of 100: each part is taken as a share of its own full
    marks. Parts that are missing are the caller's to tell: the mean is of those that are there.
    """
    counted = [part for part in parts if part.full > 0]
    if not counted:
        return None
    shares = sum((Fraction(part.total) / Fraction(part.full) for part in counted), Fraction(0))
    return min(full, round_half_up(shares / len(counted) * Fraction(full), PLACES))
