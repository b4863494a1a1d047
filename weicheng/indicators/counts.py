"""Counts of cases by area, month and state, over the live table."""

from typing import Any

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth

from weicheng.cases.models import Case
from weicheng.places.actor import Actor
from weicheng.places.areas import names, within
from weicheng.rules.areas import Level
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import Period

_BELOW = {Level.CITY: Level.DISTRICT, Level.DISTRICT: Level.STREET, Level.STREET: Level.COMMUNITY}


def scoped(actor: Actor, area: str) -> QuerySet[Case]:
    """Return the cases in the area that the actor sees; "" is everything the actor sees."""
    cases = Case.objects.visible_to(actor)
    if not area:
        return cases
    condition = None
    for column, code in within(area):
        here = Q(**{column: code})
        condition = here if condition is None else condition | here
    return cases.filter(condition) if condition is not None else cases.none()


def counts_by(*, actor: Actor, area: str, period: Period, level: Level | None = None) -> list[dict[str, Any]]:
    """Return one row an area, month and state: {"area", "name", "month", "state", "count"}.

    area: "" for the actor's own; level: which children to group by, None for the level below
    Months are those of the day of filing. RuleError("no-area") where an actor without an area names none.
    """
    area = area or actor.area
    if not area:
        raise RuleError("no-area", N_("请指明要统计的区划。"))
    level = level or _BELOW.get(Level(len(area)), Level(len(area)))
    cases = scoped(actor, area)
    if actor.unit_id is None:
        cases = cases.filter(parent__isnull=True)  # a case that was split counts once
    rows = (
        cases.filter(opened_on__range=(period.start, period.end))
        .annotate(month=TruncMonth("opened_on"))
        .values(level.column, "month", "state")
        .annotate(count=Count("id"))
        .order_by(level.column, "month", "state")
    )
    found = [
        {
            "area": row[level.column] or area,
            "month": f"{row['month']:%Y-%m}",
            "state": row["state"],
            "count": row["count"],
        }
        for row in rows
    ]
    called = names(row["area"] for row in found)
    return [{**row, "name": called[row["area"]]} for row in found]
