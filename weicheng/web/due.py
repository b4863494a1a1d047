"""How long until a deadline, in the words of an office: 还剩3小时, 已超期2天."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Unit = Literal["day", "hour", "minute"]

SOON = timedelta(hours=24)  # from here on a deadline is told in orange


@dataclass(frozen=True)
class Remaining:
    """What is left, or how much is over.

    late: the deadline has passed; the deadline itself is still in time
    amount, unit: whole days from 48 hours on, whole hours from one hour on, minutes below; at least 1
    soon: less than a day is left
    """

    late: bool
    amount: int
    unit: Unit
    soon: bool = False


def remaining(due_at: datetime, now: datetime) -> Remaining:
    """Return the time between now and the deadline, rounded down, so that nothing promises too much."""
    late = now > due_at
    between = now - due_at if late else due_at - now
    minutes = int(between.total_seconds() // 60)
    soon = not late and between < SOON
    if minutes >= 48 * 60:
        return Remaining(late, minutes // (24 * 60), "day", soon)
    if minutes >= 60:
        return Remaining(late, minutes // 60, "hour", soon)
    return Remaining(late, max(1, minutes), "minute", soon)
