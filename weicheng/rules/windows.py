"""When a rule holds: from a period on, or in certain months only."""

from dataclasses import dataclass
from datetime import date

from weicheng.rules.figures import Period


@dataclass(frozen=True)
class Window:
    """When a rule holds (systems STD-6, STD-7, STD-9: "from the fourth quarter", "in the third quarter").

    since: the first day of the first period it holds in; a period that began earlier does not have the rule
    months: it holds in periods that touch one of these months (1 to 12); empty for all
    """

    since: date | None = None
    months: frozenset[int] = frozenset()

    def holds(self, period: Period) -> bool:
        """Does the rule hold in this period?"""
        if self.since is not None and period.start < self.since:
            return False
        if not self.months:
            return True
        first = period.start.year * 12 + period.start.month - 1
        last = period.end.year * 12 + period.end.month - 1
        return any(month % 12 + 1 in self.months for month in range(first, last + 1))


ALWAYS = Window()
