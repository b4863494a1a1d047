"""The calendar of inspection (督查日历): a month of rounds and visits, of what the reader sees."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count

from weicheng.inspections.models import Round, Visit
from weicheng.places.actor import Actor
from weicheng.rules.figures import Period

MOST_ROUNDS = 300  # of one month; beyond it the list of rounds is the better page
SHOWN = 4  # rounds of a day that are named


@dataclass
class Day:
    """One day. rounds: that run on it; visits: how many were begun; inside: belongs to the month shown."""

    on: date
    inside: bool
    rounds: list[Round] = field(default_factory=list)
    visits: int = 0

    @property
    def shown(self) -> list[Round]:
        return self.rounds[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.rounds) - SHOWN)


def month_of(actor: Actor, period: Period) -> list[list[Day]]:
    """Return the weeks of a month, Monday first, filled up to whole weeks; two statements."""
    first = period.start - timedelta(days=period.start.weekday())
    last = period.end + timedelta(days=6 - period.end.weekday())
    days = [
        Day(first + timedelta(days=n), period.contains(first + timedelta(days=n)))
        for n in range((last - first).days + 1)
    ]
    rounds = Round.objects.visible_to(actor).filter(starts_on__lte=last, ends_on__gte=first)
    for round in rounds.order_by("starts_on", "pk")[:MOST_ROUNDS]:
        start, end = max(round.starts_on, first), min(round.ends_on, last)
        for day in days[(start - first).days : (end - first).days + 1]:
            day.rounds.append(round)
    counted = (
        Visit.objects.visible_to(actor)
        .filter(visited_on__range=(first, last))
        .values_list("visited_on")
        .annotate(n=Count("pk"))
        .order_by("visited_on")
    )
    for on, count in counted:
        days[(on - first).days].visits = count
    return [days[n : n + 7] for n in range(0, len(days), 7)]
