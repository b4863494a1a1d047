"""The page of figures as data: an area and its children, each figure with what it was before."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext

from weicheng.indicators.figures import figures, figures_below, shown
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import children, name_of
from weicheng.rules.areas import is_within, level_of
from weicheng.rules.errors import N_, MissingError, RuleError
from weicheng.rules.figures import Figure, Period, round_half_up

COLUMNS = ("opened", "closed", "closed_on_time", "on_time_rate", "open", "overdue")


@dataclass(frozen=True)
class Line:
    """One area of the table: its figures in the order of COLUMNS, as `shown` gives them."""

    area: str
    name: str
    cells: Sequence[dict[str, Any]]
    figures: dict[str, Figure]
    below: bool = False  # has it children of its own to go down to?


@dataclass
class Table:
    """What the page shows.

    head: (id, title, definition) of each column; total: the area itself; lines: its children
    rest: records of the area that lie in none of the lines (recorded above them, or in an area now closed), by
        figure id; they have no list of their own, the total's list shows them among the others
    """

    area: str
    name: str
    period: Period
    as_of: datetime
    head: list[tuple[str, str, str]]
    total: Line
    lines: list[Line]
    rest: dict[str, int] = field(default_factory=dict)

    @property
    def has_rest(self) -> bool:
        return any(self.rest.values())

    @property
    def rest_cells(self) -> list[str]:
        return [str(self.rest[key]) if key in self.rest else "" for key in COLUMNS]


def area_of(actor: Actor, wanted: str) -> str:
    """Return the area to count in: the wanted one if the actor reaches it, the own one for ""; "" at a unit.

    MissingError("no-area-here"): foreign and absent are told alike.
    """
    if not wanted:
        return actor.area
    try:
        level_of(wanted)
        known = name_of(wanted) != wanted
    except RuleError:
        known = False
    if not known or not actor.covers(wanted):
        raise MissingError("no-area-here", N_("没有找到该区划，或它不在您岗位的辖区内。请从列表中选择。"))
    return wanted


def table(*, actor: Actor, area: str, period: Period, as_of: datetime) -> Table:
    """Return the figures of an area and of its children; four statements, the names of areas aside."""
    whole = figures(actor=actor, area=area, period=period, as_of=as_of)
    below = children(area, today(as_of)) if area else []
    codes = [child.pk for child in below]
    found = figures_below(actor=actor, area=area, areas=codes, period=period, as_of=as_of) if codes else {}
    lines = [
        Line(child.pk, child.name, _cells(found[child.pk]), found[child.pk], below=len(child.pk) < 12)
        for child in below
    ]
    rest = {
        key: int(figure.value) - sum(int(found[code][key].value) for code in codes)  # type: ignore[arg-type, misc]
        for key, figure in whole.items()
        if codes and isinstance(figure.value, int)
    }
    name = name_of(area) if area else actor.area_name
    return Table(
        area,
        name,
        period,
        as_of,
        [(key, gettext(whole[key].title), gettext(whole[key].definition)) for key in COLUMNS],
        Line(area, name, _cells(whole), whole),
        lines,
        rest,
    )


def _cells(found: dict[str, Figure]) -> list[dict[str, Any]]:
    return [shown(found[key]) for key in COLUMNS]


def compared(
    *, actor: Actor, area: str, period: Period, as_of: datetime, now: dict[str, Figure]
) -> list[dict]:
    """Return the figures of the area as cards, each with the period before and the same one a year ago.

    What stands at this moment (未结, 超期) has no past to be compared with: it is counted as it is now.
    """
    before = figures(actor=actor, area=area, period=period.previous(), as_of=as_of)
    year = figures(actor=actor, area=area, period=period.same_last_year(), as_of=as_of)
    cards = []
    for key in ("opened", "closed", "on_time_rate", "overdue"):
        card = shown(now[key])
        card["tone"] = "red" if key == "overdue" and now[key].value else ""
        if key != "overdue":
            card["changes"] = [
                (gettext("上期"), before[key].with_unit(), change(now[key], before[key])),
                (gettext("去年同期"), year[key].with_unit(), change(now[key], year[key])),
            ]
        cards.append(card)
    return cards


def change(now: Figure, before: Figure) -> str:
    """Return how much more or less it is: a signed count, percentage points of a rate; "" if not comparable."""
    new, old = now.quantity(), before.quantity()
    if new is None or old is None:
        return ""
    # From the printed numbers, so that a reader who subtracts finds the same.
    difference = Fraction(now.text()) - Fraction(before.text())
    if difference == 0:
        return gettext("持平")
    written = f"{round_half_up(difference, now.decimals):+f}"
    if now.unit == "%":
        return gettext("{points} 个百分点").format(points=written)
    return written


def within_reach(actor: Actor, code: str) -> bool:
    """Is the area inside the actor's own, so that one may go up to it?"""
    return bool(actor.area and code and is_within(code, actor.area))
