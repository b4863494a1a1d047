"""Figures over the live tables: what is counted, said in one sentence, with the query that lists the records.

Later engines replace what is behind `figures`; its face stays.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from weicheng.indicators.counts import scoped
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of, names, within
from weicheng.rules.areas import level_of
from weicheng.rules.cases import OPEN_STATES, WAITING_STATES, State
from weicheng.rules.errors import N_
from weicheng.rules.figures import Figure, Period, Ratio, Scope


@dataclass(frozen=True)
class Measure:
    """One count over cases: the condition, and the same condition as a query of the case list.

    day: the column whose day lies in the period, "" for a count that stands at the moment
    whole: counts what was found: a case that was split counts once, its parts do not. Lateness is counted where
        the work is: at the parts. A unit sees parts only, so both are counted for it
    """

    id: str
    title: str
    definition: str
    condition: Callable[[datetime], Q]
    day: str
    query: tuple[tuple[str, str], ...]
    whole: bool = True

    def q(self, actor: Actor, as_of: datetime) -> Q:
        """Return the condition for this reader."""
        condition = self.condition(as_of)
        return condition & Q(parent__isnull=True) if self.whole and actor.unit_id is None else condition


_NOT_WITHDRAWN = Q(open=True) | Q(state=State.CLOSED.value)


def late_q(now: datetime) -> Q:
    """Open, not waiting for verification or for its parts, and past the deadline."""
    return Q(open=True, due_at__lt=now) & ~Q(state__in=[state.value for state in WAITING_STATES])


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
            late_q, "opened_on", (*(("state", s.value) for s in OPEN_STATES), ("overdue", "1")), whole=False,
        ),
        Measure(
            "open", N_("未结"), N_("此刻尚未结案的事项数；期内立案的。"),
            lambda _now: Q(open=True), "opened_on", tuple(("state", s.value) for s in OPEN_STATES),
        ),
    )
}  # fmt: skip


# What stands at this moment, whenever it was opened: no period narrows it.
STANDING = {
    measure.id: measure
    for measure in (
        Measure(
            "overdue_now", N_("超期未结"), N_("此刻未结、不在待核查、已过期限的事项数，不论何时立案。"),
            late_q, "", MEASURES["overdue"].query, whole=False,
        ),
        Measure(
            "open_now", N_("未结"), N_("此刻尚未结案的事项数，不论何时立案。"),
            lambda _now: Q(open=True), "", MEASURES["open"].query,
        ),
    )
}  # fmt: skip


def standing(*, actor: Actor, area: str, as_of: datetime) -> dict[str, Figure]:
    """Return the counts that stand at the moment, by id; one statement over open cases."""
    counted = (
        scoped(actor, area)
        .filter(open=True)
        .aggregate(
            **{measure.id: Count("pk", filter=measure.q(actor, as_of)) for measure in STANDING.values()}
        )
    )
    scope = Scope(area or actor.area, name_of(area) if area else actor.area_name)
    on = timezone.localtime(as_of).date()
    return {
        measure.id: Figure(
            measure.id, measure.title, measure.definition, scope, Period.between(on, on), as_of,
            counted[measure.id], "件", records=_records(measure, area, Period.between(on, on)),
        )
        for measure in STANDING.values()
    }  # fmt: skip


def figures(*, actor: Actor, area: str, period: Period, as_of: datetime) -> dict[str, Figure]:
    """Return every figure of cases for an area and period, by id; two statements.

    area: a code in the actor's reach, "" for all the actor sees. Ratios keep numerator and denominator.
    """
    rows = scoped(actor, area)
    values: dict[str, int] = {}
    for day, wanted in _by_day(actor, as_of):
        values |= rows.filter(**{f"{day}__range": (period.start, period.end)}).aggregate(**wanted)
    scope = Scope(area or actor.area, name_of(area) if area else actor.area_name)
    return _made(values, scope, area, period, as_of)


def figures_below(
    *, actor: Actor, area: str, areas: Sequence[str], period: Period, as_of: datetime
) -> dict[str, dict[str, Figure]]:
    """Return the figures of each of these areas, all children of `area`: code -> figures by id.

    Two statements for all areas whose records carry their own code; two more for each that took over another,
    because its figures include what was recorded under the old code.
    """
    plain = [code for code in areas if len(within(code)) == 1]
    found: dict[str, dict[str, int]] = {code: dict.fromkeys(MEASURES, 0) for code in plain}
    for column in {level_of(code).column for code in plain}:
        rows = scoped(actor, area)
        for day, wanted in _by_day(actor, as_of):
            counted = (
                rows.filter(**{f"{day}__range": (period.start, period.end)}).values(column).annotate(**wanted)
            )
            for row in counted.order_by():
                if row[column] in found:
                    found[row[column]] |= {key: row[key] for key in wanted}
    called = names(plain)
    made = {
        code: _made(values, Scope(code, called[code]), code, period, as_of) for code, values in found.items()
    }
    return {
        code: made.get(code) or figures(actor=actor, area=code, period=period, as_of=as_of) for code in areas
    }


def _by_day(actor: Actor, as_of: datetime) -> list[tuple[str, dict[str, Count]]]:
    """Return, for each day column, the counts that one statement over it brings."""
    return [
        (day, {m.id: Count("pk", filter=m.q(actor, as_of)) for m in MEASURES.values() if m.day == day})
        for day in ("opened_on", "closed_on")
    ]


def _made(
    values: Mapping[str, int], scope: Scope, area: str, period: Period, as_of: datetime
) -> dict[str, Figure]:
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
    within_area = (*((("whole", "1"),) if measure.whole else ()), *((("area", area),) if area else ()))
    days: tuple[tuple[str, str], ...] = ()
    if measure.day:
        days = ((f"{measure.day}_from", str(period.start)), (f"{measure.day}_to", str(period.end)))
    return (*measure.query, *within_area, *days)


# Which list shows the records of a figure that does not count cases, by the figure's id.
_LISTS = {"visits": "visits", "cards_open": "yellow_cards"}


def url_of(figure: Figure) -> str:
    """Return where the records of a figure are listed."""
    return f"{reverse(_LISTS.get(figure.id, 'cases'))}?{figure.records_query()}"


def shown(figure: Figure, *, note: str = "", tone: str = "") -> dict[str, Any]:
    """Return a figure as `ui/_figure.html` draws it, its words in the reader's language."""
    assessed = figure.quantity() is not None
    return {
        "id": figure.id,
        "title": gettext(figure.title),
        "text": figure.text() if assessed else gettext(figure.text()),
        "unit": figure.unit if assessed else "",
        "url": url_of(figure),
        "definition": gettext(figure.definition),
        "scope": figure.scope.name,
        "period": figure.period.label,
        "as_of": figure.as_of,
        "note": note or _parts(figure),
        "tone": tone,
    }


def _parts(figure: Figure) -> str:
    """Return "468 / 570" of a ratio, so that a rate never stands without its two counts."""
    if not isinstance(figure.value, Ratio):
        return ""
    return f"{figure.value.numerator} / {figure.value.denominator}"


def months_of(*, actor: Actor, area: str, period: Period) -> list[dict[str, int | str]]:
    """Return opened and closed of every month of the period, for charts: [{"month", "opened", "closed"}].

    Two statements. Each month also has "opened_url" and "closed_url", where its records are listed. A month in
    which nothing happened is there with zeros, so that a chart shows the gap.
    """
    rows = scoped(actor, area)
    wanted = (MEASURES["opened"], MEASURES["closed"])
    counts: Counter[tuple[str, str]] = Counter()
    for measure in wanted:
        counted = (
            rows.filter(
                measure.q(actor, timezone.now()), **{f"{measure.day}__range": (period.start, period.end)}
            )
            .values_list(measure.day)
            .annotate(count=Count("pk"))
            .order_by()
        )
        # By day, as the index has it: SQLite would ask Python for the month of every row.
        for day, count in counted:
            counts[f"{day:%Y-%m}", measure.id] += count
    found = []
    for month in _months(period):
        line: dict[str, int | str] = {"month": f"{month.start:%Y-%m}"}
        for measure in wanted:
            line[measure.id] = counts[f"{month.start:%Y-%m}", measure.id]
            line[f"{measure.id}_url"] = f"{reverse('cases')}?{urlencode(_records(measure, area, month))}"
        found.append(line)
    return found


def _months(period: Period) -> list[Period]:
    """Return the calendar months that a period touches, each cut to the period."""
    found, start = [], period.start
    while start <= period.end:
        month = Period.month(f"{start:%Y-%m}")
        found.append(Period.between(start, min(month.end, period.end)))
        start = month.end + timedelta(days=1)
    return found


def trend(
    months: Sequence[Mapping[str, int | str]], scores: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """Return what `indicators/_trend.html` draws: the months, and the same numbers for the chart.

    scores: month -> {"text", "url"} of a mean score, drawn beside them on a scale of its own; a month that has
        none is left open
    """
    series: list[dict[str, Any]] = [
        {"name": gettext("立案"), "values": [month["opened"] for month in months]},
        {"name": gettext("结案"), "values": [month["closed"] for month in months]},
    ]
    if scores:
        given = [scores.get(str(month["month"]), {}).get("text") for month in months]
        series.append({"name": gettext("平均得分"), "values": given, "scale": "right"})
    return {
        "months": [{**month, "score": (scores or {}).get(str(month["month"]))} for month in months],
        "scored": bool(scores),
        "chart": {"labels": [str(month["month"]) for month in months], "series": series},
    }
