"""The page of figures: an area, a period, its children beside each other, every number a link to its records."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.indicators import periods
from weicheng.indicators.figures import months_of, trend
from weicheng.indicators.tables import COLUMNS, Line, Table, area_of, compared, table, within_reach
from weicheng.places.actors import today
from weicheng.places.areas import children, name_of
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.areas import parent
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period
from weicheng.ui.columns import Column
from weicheng.ui.exports import csv_response, xlsx_response


@power_required("sees_cases")
def figures(request: HttpRequest) -> HttpResponseBase:
    """Figures of an area and period; `?export=xlsx|csv` gives the same as a file."""
    actor, now = request.actor, timezone.now()
    on = today(now)
    area = area_of(actor, request.GET.get("area", ""))
    problem = ""
    given = {name: request.GET.get(name, "").strip()[:40] for name in ("period", "from", "to")}
    try:
        text, period = periods.read(given["period"], given["from"], given["to"], on)
    except RuleError as error:
        problem = error.sentence(_)
        text, period = periods.read("", "", "", on)
    made = table(actor=actor, area=area, period=period, as_of=now)
    if request.GET.get("export") in ("xlsx", "csv"):
        return _file(request.GET["export"], made)
    context: dict[str, Any] = {
        "table": made,
        "cards": compared(actor=actor, area=area, period=period, as_of=now, now=made.total.figures),
        "columns": COLUMNS,
        "problem": problem,
        "running": period.end > on,
        "period_text": text,
        "offers": periods.offers(on),
        "areas": [(child.pk, child.name) for child in children(actor.area, on)] if actor.area else [],
        "own_area": (actor.area, actor.area_name),
        "crumbs": _crumbs(actor.area, area),
        "up": parent(area) if area and area != actor.area and within_reach(actor, parent(area)) else "",
        "query": _query(text, period),
        "trend_url": f"{reverse('figures_trend')}?area={area}&{_query(text, period)}",
        "export_url": f"{reverse('figures')}?area={area}&{_query(text, period)}&export=",
    }
    return render(request, "indicators/figures.html", context, status=422 if problem else 200)


def _query(text: str, period: Period) -> str:
    return f"period={text}" if text else f"from={period.start}&to={period.end}"


def _crumbs(top: str, area: str) -> list[tuple[str, str]]:
    """Return (code, name) from the actor's area down to the one above the shown."""
    steps = [area[:n] for n in (2, 4, 6, 9, 12) if len(top) <= n < len(area)]
    return [(code, name_of(code)) for code in steps] if top else []


@actor_required
def figures_trend(request: HttpRequest) -> HttpResponseBase:
    """The months up to the end of the period, loaded after the first paint."""
    actor = request.actor
    area = area_of(actor, request.GET.get("area", ""))
    on = today(timezone.now())
    given = [request.GET.get(name, "").strip()[:40] for name in ("period", "from", "to")]
    period = periods.year_up_to(periods.read(given[0], given[1], given[2], on)[1])
    months = months_of(actor=actor, area=area, period=period) if actor.powers.sees_cases else []
    return render(request, "indicators/_trend.html", trend(months))


def _file(kind: str, made: Table) -> HttpResponseBase:
    """Return the table as a sheet: numbers stay numbers, "not assessed" stays words."""
    title = _("指标_{area}_{period}").format(area=made.name, period=made.period.label)
    columns = [
        Column("area", _("区划代码"), lambda line: line.area),
        Column("name", _("区划"), lambda line: line.name),
        *[
            Column(
                key,
                _("{title}（%）").format(title=head) if key == "on_time_rate" else head,
                partial(_cell, key=key),
                kind="number",
            )
            for key, head, _definition in made.head
        ],
    ]
    lines: Sequence[Line] = [made.total, *made.lines]
    said = [_("{title}：{definition}").format(title=head, definition=text) for _key, head, text in made.head]
    said.append(
        _("时段 {start} 至 {end}，截至 {as_of}。").format(
            start=made.period.start,
            end=made.period.end,
            as_of=f"{timezone.localtime(made.as_of):%Y-%m-%d %H:%M}",
        )
    )

    def chunks() -> Iterator[Sequence[Line]]:
        yield lines

    if kind == "csv":
        return csv_response(title, columns, chunks(), said)
    return xlsx_response(title, _("指标"), columns, chunks(), said)


def _cell(line: Line, key: str) -> Any:
    figure = line.figures[key]
    return Decimal(figure.text()) if figure.quantity() is not None else _(figure.text())
