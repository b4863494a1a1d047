"""Figures over the live tables: what is counted, said in one sentence, with the query that lists the records.

Later engines replace what is behind `figures`; its face stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth
from django.urls import reverse

from weicheng.indicators.counts import scoped
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.cases import OPEN_STATES, State
from weicheng.rules.errors import N_
from weicheng.rules.figures import Figure, Period, Ratio, Scope


@dataclass(frozen=True)
class Measure:
    """One count over cases: the condition, and the same condition as a query of the case list.

    day: the column whose day lies in the period, "" for a count that stands at the moment
    """

    id: str
    title: str
    definition: str
    condition: Callable[[datetime], Q]
    day: str
    query: tuple[tuple[str, str], ...]


_NOT_WITHDRAWN = Q(open=True) | Q(state=State.CLOSED.value)


def late_q(now: datetime) -> Q:
    """Open, not waiting for verification, and past the deadline."""
    return Q(open=True, due_at__lt=now) & ~Q(state=State.HANDED_IN.value)


_LIVE = tuple(("state", state.value) for state in (*OPEN_STATES, State.CLOSED))

MEASURES = {
    measure.id: measure
    for measure in (
        Measure(
            "opened", N_("立案"), N_("期内立案的事项数，不含已撤销的。"),
            lambda _now: _NOT_WITHDRAWN, "opened_on", _LIVE,
        ),
        Measure(
            "closed", N_("结案"), N_("期内核查通过而结案的事项数，不论何时立案。"),
            lambda _now: Q(state=State.CLOSED.value), "closed_on", (("state", "closed"),),
        ),
        Measure(
            "closed_on_time", N_("按期结案"),
            N_("期内结案、且最后一次上报整改不晚于期限的事项数。"),
            lambda _now: Q(state=State.CLOSED.value, on_time=True), "closed_on",
            (("state", "closed"), ("on_time", "1")),
        ),
        Measure(
            "overdue", N_("超期未结"),
            N_("此刻未结、不在待核查、已过期限的事项数；期内立案的。"),
            late_q, "opened_on", tuple(("state", s.value) for s in OPEN_STATES) + (("overdue", "1"),),
        ),
        Measure(
            "open", N_("未结"), N_("此刻尚未结案的事项数；期内立案的。"),
            lambda _now: Q(open=True), "opened_on", tuple(("state", s.value) for s in OPEN_STATES),
        ),
    )
}  # fmt: skip


def figures(*, actor: Actor, area: str, period: Period, as_of: datetime) -> dict[str, Figure]:
    """Return every figure of cases for an area and period, by id; two statements.

    area: a code in the actor's reach, "" for all the actor sees. Ratios keep numerator and denominator.
    """
    rows = scoped(actor, area)
    values: dict[str, int] = {}
    for day in ("opened_on", "closed_on"):
        wanted = {m.id: Count("pk", filter=m.condition(as_of)) for m in MEASURES.values() if m.day == day}
        values |= rows.filter(**{f"{day}__range": (period.start, period.end)}).aggregate(**wanted)
    scope = Scope(area or actor.area, name_of(area) if area else actor.area_name)
    made = {
        measure.id: Figure(
            measure.id, measure.title, measure.definition, scope, period, as_of, values[measure.id], "件",
            records=_records(measure, area, period),
        )
        for measure in MEASURES.values()
    }  # fmt: skip
    made["on_time_rate"] = Figure(
        "on_time_rate", N_("按期结案率"), N_("期内按期结案数 ÷ 期内结案数；没有结案时为未评定。"), scope, period, as_of,
        Ratio(values["closed_on_time"], values["closed"]), "%", decimals=1,
        records=_records(MEASURES["closed"], area, period),
    )  # fmt: skip
    return made


def _records(measure: Measure, area: str, period: Period) -> tuple[tuple[str, str], ...]:
    within_area = (("area", area),) if area else ()
    days = ((f"{measure.day}_from", str(period.start)), (f"{measure.day}_to", str(period.end)))
    return (*measure.query, *within_area, *days)


def url_of(figure: Figure) -> str:
    """Return where the records of a figure are listed."""
    return f"{reverse('cases')}?{figure.records_query()}"


def months_of(*, actor: Actor, area: str, period: Period) -> list[dict[str, int | str]]:
    """Return opened and closed per month of the period, for charts: [{"month", "opened", "closed"}]."""
    rows = scoped(actor, area)
    months: dict[str, dict[str, int | str]] = {}
    for measure in (MEASURES["opened"], MEASURES["closed"]):
        counted = (
            rows.filter(
                measure.condition(as_of), **{f"{measure.day}__range": (period.start, period.end)}
            )
            .annotate(month=TruncMonth(measure.day))
            .values("month")
            .annotate(count=Count("pk"))
        )
        for row in counted:
            month = f"{row['month']:%Y-%m}"
            months.setdefault(month, {"month": month, "opened": 0, "closed": 0})[measure.id] = row["count"]
    return [months[month] for month in sorted(months)]
