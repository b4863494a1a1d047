"""The page 案件统计: the same rates as `weicheng casestats`, over counts of the live tables.

Four statements for the area and four for all its children, whatever their number; an area that took over another
costs four of its own, because it has records under the old code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from weicheng.cases.models import Case
from weicheng.cases.stats import DONE, HEADS, SLICES, bounds, query_of
from weicheng.indicators.casestats import book
from weicheng.indicators.counts import scoped
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import children, name_of, within
from weicheng.rules.areas import level_of
from weicheng.rules.casestats import DECIMALS, Sheet, sheet
from weicheng.rules.figures import Figure, Period, Ratio, Scope

COUNTS = (*HEADS, *DONE)


@dataclass(frozen=True)
class Line:
    """One area: its counts and rates as figures, each with where its records are listed."""

    area: str
    name: str
    sheet: Sheet
    counts: Mapping[str, Figure]
    rates: Mapping[str, Figure]
    below: bool = False


@dataclass(frozen=True)
class CaseTable:
    """What the page shows: the area, its children, the rates that can be said, and those that cannot with the reason."""

    area: str
    name: str
    period: Period
    as_of: datetime
    total: Line
    lines: Sequence[Line]
    rate_ids: Sequence[str]
    unsaid: Sequence[tuple[str, str]]


def case_table(*, actor: Actor, area: str, period: Period, as_of: datetime) -> CaseTable:
    """Return the statistics of an area and its children for a period; area "" is all a unit sees."""
    whole = _counted(_rows(actor, area), actor, period, as_of)
    below = children(area, today(as_of)) if area else []
    found = _below(actor, area, [child.pk for child in below], period, as_of)
    name = name_of(area) if area else actor.area_name
    total = _line(area, name, whole, period, as_of, actor)
    lines = [
        _line(child.pk, child.name, found[child.pk], period, as_of, actor, below=len(child.pk) < 12)
        for child in below
    ]
    said = [each for each in total.sheet.rates if each.ratio is not None]
    unsaid = [each for each in total.sheet.rates if each.ratio is None]
    return CaseTable(
        area, name, period, as_of, total, lines,
        [each.rate.id for each in said],
        [(each.rate.name, gettext(each.reason).format(**each.values)) for each in unsaid],
    )  # fmt: skip


def _rows(actor: Actor, area: str) -> QuerySet[Case]:
    return scoped(actor, area)


def _wholes(actor: Actor) -> Q:
    return Q(parent__isnull=True) if actor.unit_id is None else Q()


def _wanted(name: str, period: Period, as_of: datetime) -> dict[str, Count]:
    """Return the counts that one statement over one slice brings."""
    return {
        f"n_{key}": Count("pk", filter=head.parts[name](period, as_of))
        if head.parts[name](period, as_of)
        else Count("pk")
        for key, head in HEADS.items()
        if name in head.parts
    }


def _done_wanted(period: Period) -> tuple[Q, dict[str, Count]]:
    """Return which cases joined with their steps are read, and the counts of distinct ones among them."""
    start, after = bounds(period)
    moves = sorted({move.value for done in DONE.values() for move in done.moves})
    wanted = {
        f"n_{key}": Count(
            "pk", filter=Q(events__move__in=[move.value for move in done.moves]) & done.also, distinct=True
        )
        for key, done in DONE.items()
    }
    return Q(events__at__gte=start, events__at__lt=after, events__move__in=moves), wanted


def _counted(rows: QuerySet[Case], actor: Actor, period: Period, as_of: datetime) -> dict[str, int]:
    counts = dict.fromkeys(COUNTS, 0)
    for name, narrowed in SLICES.items():
        found = rows.filter(narrowed(period), _wholes(actor)).aggregate(**_wanted(name, period, as_of))
        for key, value in found.items():
            counts[key[2:]] += value
    in_period, wanted = _done_wanted(period)
    counts |= {key[2:]: value for key, value in rows.filter(in_period).aggregate(**wanted).items()}
    return counts


def _below(
    actor: Actor, area: str, codes: Sequence[str], period: Period, as_of: datetime
) -> dict[str, dict[str, int]]:
    plain = [code for code in codes if len(within(code)) == 1]
    found = {code: dict.fromkeys(COUNTS, 0) for code in plain}
    in_period, done = _done_wanted(period)
    for column in {level_of(code).column for code in plain}:
        rows = _rows(actor, area)
        grouped = [
            rows.filter(narrowed(period), _wholes(actor))
            .values(column)
            .annotate(**_wanted(name, period, as_of))
            for name, narrowed in SLICES.items()
        ]
        for statement in (*grouped, rows.filter(in_period).values(column).annotate(**done)):
            for row in statement.order_by():
                if row[column] in found:
                    for key, value in row.items():
                        if key != column:
                            found[row[column]][key[2:]] += value
    return {
        code: found[code] if code in found else _counted(_rows(actor, code), actor, period, as_of)
        for code in codes
    }


def _line(
    area: str,
    name: str,
    counts: Mapping[str, int],
    period: Period,
    as_of: datetime,
    actor: Actor,
    *,
    below: bool = False,
) -> Line:
    made = sheet(book(), period.label, counts)
    scope = Scope(area or actor.area, name)
    inside = (("area", area),) if area else ()
    titles = {each.id: each.name for each in book().counts}
    figures = {
        key: Figure(
            key, titles[key], HEADS[key].definition if key in HEADS else DONE[key].definition, scope, period, as_of,
            counts[key], "件", records=(("stat", query_of(key, period)), *inside),
        )
        for key in COUNTS
    }  # fmt: skip
    rates = {
        each.rate.id: Figure(
            each.rate.id, each.rate.name, each.rate.formula, scope, period, as_of,
            Ratio(each.ratio.numerator, each.ratio.denominator), "%", decimals=DECIMALS,
            records=(("stat", query_of(each.rate.plus, period)), *inside),
        )
        for each in made.rates
        if each.ratio is not None
    }  # fmt: skip
    return Line(area, name, made, figures, rates, below)


def list_url(figure: Figure) -> str:
    """Return where the records of a figure are listed."""
    return f"{reverse('cases')}?{figure.records_query()}"


def shown_count(figure: Figure) -> dict[str, Any]:
    """Return a count as a cell."""
    return {
        "title": gettext(figure.title), "text": figure.text(), "url": list_url(figure),
        "definition": gettext(figure.definition),
    }  # fmt: skip


def shown_rate(figure: Figure | None) -> dict[str, Any]:
    """Return a rate as a cell, with its two counts."""
    if figure is None or not isinstance(figure.value, Ratio):
        return {"title": "", "text": "", "unit": "", "url": "", "parts": ""}
    assessed = figure.quantity() is not None
    return {
        "title": gettext(figure.title),
        "text": figure.text() if assessed else gettext(figure.text()),
        "unit": "%" if assessed else "",
        "url": list_url(figure),
        "parts": f"{figure.value.numerator} / {figure.value.denominator}",
    }
