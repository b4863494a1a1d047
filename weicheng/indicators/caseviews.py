"""The page 案件统计: an area and a period, its rates each with two counts, its children beside each other."""

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
from weicheng.indicators.casepage import COUNTS, CaseTable, Line, case_table, shown_count, shown_rate
from weicheng.indicators.casestats import book
from weicheng.indicators.tables import area_of
from weicheng.places.actors import today
from weicheng.places.areas import children, name_of
from weicheng.places.decorators import power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import RuleError
from weicheng.ui.columns import Column
from weicheng.ui.exports import csv_response, xlsx_response

# Counts in the table of areas; the others stand in the file and in the first table.
COLUMNS = ("open_start", "registered", "should_close", "closed", "open_end")
RATES = ("close_rate", "timely_close_rate", "accurate_dispatch_rate", "rework_rate", "repeat_rate")


@power_required("sees_cases")
def case_stats(request: HttpRequest) -> HttpResponseBase:
    """Case statistics of an area and period; `?export=xlsx|csv` gives the same as a file."""
    actor, now = request.actor, timezone.now()
    on = today(now)
    area = area_of(actor, request.GET.get("area", ""))
    problem = ""
    given = [request.GET.get(name, "").strip()[:40] for name in ("period", "from", "to")]
    try:
        text, period = periods.read(given[0], given[1], given[2], on)
    except RuleError as error:
        problem = error.sentence(_)
        text, period = periods.read("", "", "", on)
    made = case_table(actor=actor, area=area, period=period, as_of=now)
    if request.GET.get("export") in ("xlsx", "csv"):
        return _file(request.GET["export"], made)
    query = f"period={text}" if text else f"from={period.start}&to={period.end}"
    context: dict[str, Any] = {
        "table": made,
        "problem": problem,
        "running": period.end > on,
        "period_text": text,
        "offers": periods.offers(on),
        "areas": [(child.pk, child.name) for child in children(actor.area, on)] if actor.area else [],
        "own_area": (actor.area, actor.area_name),
        "crumbs": [(code, name_of(code)) for code in _above(actor.area, area)],
        "query": query,
        "rates": [shown_rate(made.total.rates[key]) | {"formula": made.total.rates[key].definition}
                  for key in made.rate_ids],
        "counts": [shown_count(made.total.counts[key]) for key in COUNTS],
        "heads": [*(made.total.counts[key].title for key in COLUMNS), *_rate_names()],
        "lines": [_cells(line) for line in (made.total, *made.lines)],
        "notes": book().notes,
        "source": book().source,
        "export_url": f"{reverse('case_stats')}?area={area}&{query}&export=",
    }  # fmt: skip
    return render(request, "indicators/casestats.html", context, status=422 if problem else 200)


def _above(top: str, area: str) -> list[str]:
    return [area[:length] for length in (2, 4, 6, 9, 12, 15) if top and len(top) <= length < len(area)]


def _rate_names() -> list[str]:
    named = {each.id: each.name for each in book().rates}
    return [named[key] for key in RATES]


def _cells(line: Line) -> dict[str, Any]:
    return {
        "area": line.area,
        "name": line.name,
        "below": line.below,
        "counts": [shown_count(line.counts[key]) for key in COLUMNS],
        "rates": [shown_rate(line.rates.get(key)) for key in RATES],
    }


def _file(kind: str, made: CaseTable) -> HttpResponseBase:
    """Return all counts and rates of every area as a sheet; a rate stands beside its counts."""
    title = _("案件统计_{area}_{period}").format(area=made.name, period=made.period.label)
    total = made.total
    columns = [
        Column("area", _("区划代码"), lambda line: line.area),
        Column("name", _("区划"), lambda line: line.name),
        *[Column(key, _(total.counts[key].title), partial(_count, key=key), kind="number") for key in COUNTS],
        *[
            Column(
                key,
                _("{title}（%）").format(title=total.rates[key].title),
                partial(_rate, key=key),
                kind="number",
            )
            for key in made.rate_ids
        ],
    ]
    said = [f"{_(total.counts[key].title)}：{_(total.counts[key].definition)}" for key in COUNTS]
    said += [f"{total.rates[key].title} = {total.rates[key].definition}" for key in made.rate_ids]
    said += [f"{name}：{reason}" for name, reason in made.unsaid]
    said.append(
        _("时段 {start} 至 {end}，截至 {as_of}。").format(
            start=made.period.start,
            end=made.period.end,
            as_of=f"{timezone.localtime(made.as_of):%Y-%m-%d %H:%M}",
        )
    )

    def chunks() -> Iterator[Sequence[Line]]:
        yield [total, *made.lines]

    if kind == "csv":
        return csv_response(title, columns, chunks(), said)
    return xlsx_response(title, _("案件统计"), columns, chunks(), said)


def _count(line: Line, key: str) -> int:
    return int(line.counts[key].value)  # type: ignore[arg-type]


def _rate(line: Line, key: str) -> Any:
    figure = line.rates[key]
    return Decimal(figure.text()) if figure.quantity() is not None else _(figure.text())
