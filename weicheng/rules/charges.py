"""Who is in charge of an area (领导包抓、干部联络、科室承包): spans of days that may not overlap, and the days between.

Source: ORG-6, ORG-7, ORG-8 of the field's systems: leaders take charge of sub-districts, each sub-district has
exactly one named contact at any time, sections contract one community each.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from weicheng.rules.areas import Level

_DAY = timedelta(days=1)


class ChargeKind(StrEnum):
    LEADER = "leader"  # 领导包抓: a leader answers for the progress of an area
    LIAISON = "liaison"  # 干部联络: the one contact of a sub-district
    SECTION = "section"  # 科室承包: an office section works in a community until old problems are solved


# Over which levels of areas each kind may be set.
LEVELS = {
    ChargeKind.LEADER: frozenset({Level.DISTRICT, Level.STREET, Level.COMMUNITY}),
    ChargeKind.LIAISON: frozenset({Level.STREET}),
    ChargeKind.SECTION: frozenset({Level.COMMUNITY}),
}

# Of these an area has at most one at a time.
ONE_AT_A_TIME = frozenset({ChargeKind.LIAISON})


@dataclass(frozen=True)
class Span:
    """Days in charge, both held; end: None for no end yet."""

    begin: date
    end: date | None
    who: str = ""

    def holds(self, day: date) -> bool:
        return self.begin <= day and (self.end is None or day <= self.end)


def overlapping(spans: Iterable[Span], wanted: Span) -> Span | None:
    """Return the earliest span that shares a day with the wanted one, or None."""
    shared = (
        span
        for span in spans
        if (wanted.end is None or span.begin <= wanted.end) and (span.end is None or wanted.begin <= span.end)
    )
    return min(shared, key=lambda span: (span.begin, span.who), default=None)


def gaps(spans: Iterable[Span], begin: date, end: date) -> list[tuple[date, date]]:
    """Return the stretches of days from begin to end, both counted, on which nobody is in charge."""
    found = []
    free_from = begin
    for span in sorted(spans, key=lambda span: span.begin):
        if span.begin > end or free_from > end:
            break
        if span.begin > free_from:
            found.append((free_from, span.begin - _DAY))
        if span.end is None:
            return found
        free_from = max(free_from, span.end + _DAY)
    if free_from <= end:
        found.append((free_from, end))
    return found
