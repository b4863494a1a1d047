"""The ranking of a board as a page shows it and as a sheet exports it: groups, places, changes, and the why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Q
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.assessments.boards import scheme_of
from weicheng.assessments.models import Board, Sheet
from weicheng.assessments.templatetags.assessments import points
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.areas import Level
from weicheng.rules.figures import round_half_up
from weicheng.rules.schemes import Mode
from weicheng.ui.columns import Column
from weicheng.ui.exports import csv_response, xlsx_response

WORST = 3  # items that are named as the why behind a place
SHOWN = 200  # lines of one page; a board of all units of a district has thousands


@dataclass(frozen=True)
class Why:
    """One item that cost this object much; effect: what it took of the total."""

    title: str
    effect: Decimal
    url: str


@dataclass(frozen=True)
class Line:
    """One object in the ranking; other: the same object on the board that is compared with."""

    sheet: Sheet
    own: bool
    change: tuple[str, str, str]
    scores: Sequence[dict[str, Any]]
    worst: Sequence[Why]
    other: Sheet | None = None

    @property
    def place(self) -> str:
        """Where the object lies, below the board's own area: names alone repeat within a district."""
        return place_of(self.sheet)


@dataclass(frozen=True)
class GroupTable:
    """The objects that are ranked among each other; size: how many there are, shown here or not."""

    title: str
    size: int
    lines: list[Line]


@dataclass(frozen=True)
class Ranking:
    """A page of a ranking; sources: (key, title) of the columns."""

    groups: list[GroupTable]
    sources: list[tuple[str, str]]
    count: int
    page: int
    pages: int

    @property
    def earlier(self) -> int:
        return self.page - 1 if self.page > 1 else 0

    @property
    def later(self) -> int:
        return self.page + 1 if self.page < self.pages else 0


def change_of(sheet: Sheet) -> tuple[str, str, str]:
    """Return (sign, words, tone) of the change of rank: the sign for eyes, the words for ears and sheets."""
    change = sheet.rank_change
    if change is None:
        return ("", _("无上期名次"), "grey")
    if change > 0:
        return (f"▲{change}", _("上升 {places} 名").format(places=change), "green")
    if change < 0:
        return (f"▼{-change}", _("下降 {places} 名").format(places=-change), "red")
    return ("—", _("名次持平"), "grey")


def bonus_items(board: Board) -> frozenset[str]:
    """Return the numbers of items that add points: their effect is no loss."""
    return frozenset(
        number for number, item in scheme_of(board).rule.items.items() if item.mode is Mode.BONUS
    )


def worst_of(sheet: Sheet, bonuses: frozenset[str], most: int = WORST) -> list[Why]:
    """Return the items that took most of the total, the largest first."""
    costly = sorted(
        (
            (Decimal(item["effect"]), item)
            for item in sheet.items
            if Decimal(item["effect"]) > 0 and item["number"] not in bonuses
        ),
        key=lambda pair: (-pair[0], pair[1]["number"]),
    )
    return [
        Why(item["title"], effect, f"{sheet.url}#{anchor(item['source'], item['number'])}")
        for effect, item in costly[:most]
    ]


def anchor(source: str, number: str) -> str:
    """Return the id under which an item stands on its score sheet."""
    return f"i-{source}-{number}".replace(" ", "-")


def ranking(board: Board, actor: Actor, *, page: int = 1, beside: Board | None = None) -> Ranking:
    """Return a page of the ranking, by group and rank; two or three statements."""
    rows = Sheet.objects.visible_to(actor).filter(board=board).order_by("group", "rank", "code")
    count = rows.count()
    pages = max(1, -(-count // SHOWN))
    page = min(max(page, 1), pages)
    sheets = list(rows[(page - 1) * SHOWN : page * SHOWN])
    others: dict[str, Sheet] = {}
    if beside is not None:
        found = Sheet.objects.visible_to(actor).filter(board=beside, code__in=[one.code for one in sheets])
        others = {one.code: one for one in found}
    sources: dict[str, str] = {}
    groups: dict[str, GroupTable] = {}
    bonuses = bonus_items(board)
    for sheet in sheets:
        parts = sheet.sources
        sources.update({part["key"]: part["title"] for part in parts})
        group = groups.setdefault(sheet.group, GroupTable(sheet.group_title, sheet.group_size, []))
        line = Line(
            sheet,
            is_mine(sheet, actor),
            change_of(sheet),
            parts,
            worst_of(sheet, bonuses),
            others.get(sheet.code),
        )
        group.lines.append(line)
    return Ranking(list(groups.values()), list(sources.items()), count, page, pages)


def place_of(sheet: Sheet) -> str:
    """Return the street of a community, the community of a unit; "" for an area right below the board's."""
    code = sheet.area if sheet.unit_id is not None else sheet.area[: Level.STREET]
    return name_of(code) if code != sheet.area or sheet.unit_id is not None else ""


def is_mine(sheet: Sheet, actor: Actor) -> bool:
    """Is this the line of the reader's own office or unit, to be marked in the table?"""
    if actor.unit_id is not None:
        return sheet.unit_id == actor.unit_id
    return sheet.area == actor.area and sheet.unit_id is None


def own_sheets(board: Board, actor: Actor) -> list[Sheet]:
    """Return the reader's own sheets on the board: above a long table one's own place comes first."""
    own = Q(unit_id=actor.unit_id) if actor.unit_id is not None else Q(area=actor.area, unit__isnull=True)
    return list(Sheet.objects.visible_to(actor).filter(own, board=board)[:3])


# --- the file ----------------------------------------------------------------------------------------


def ranking_file(kind: str, board: Board, actor: Actor) -> HttpResponseBase:
    """Return the whole ranking as xlsx or csv: scores stay numbers, and the last lines say how they came about."""
    rows = Sheet.objects.visible_to(actor).filter(board=board).order_by("group", "rank", "code")
    sheets = list(rows)
    sources: dict[str, str] = {}
    for sheet in sheets:
        sources.update({part["key"]: part["title"] for part in sheet.sources})
    scheme = scheme_of(board)
    places = scheme.rule.decimals
    columns = [
        Column("group", _("分组"), lambda sheet: sheet.group_title),
        Column("rank", _("名次"), kind="number"),
        Column("change", _("名次变化"), lambda sheet: change_of(sheet)[1]),
        Column("code", _("代码")),
        Column("name", _("对象")),
        Column("place", _("所在"), place_of),
        Column("total", _("总分"), partial(_total, places=places), kind="number"),
        Column("previous_total", _("上期总分"), partial(_previous, places=places), kind="number"),
        Column("grade", _("等次")),
        *[Column(f"source-{key}", title, partial(_scored, key=key, places=places), kind="number") for key, title in sources.items()],
        Column("records", _("问题数"), kind="number"),
        Column("worst", _("主要扣分"), partial(_worst_words, bonuses=bonus_items(board))),
    ]  # fmt: skip
    said = [
        _("{scheme}（{label}），来源：{source}。").format(scheme=scheme.title, label=scheme.label, source=scheme.source),
        _("时段 {start} 至 {end}，记录截至 {as_of}；{state}。").format(
            start=board.period_start,
            end=board.period_end,
            as_of=f"{timezone.localtime(board.as_of):%Y-%m-%d %H:%M}" if board.as_of else "—",
            state=board.get_state_display(),
        ),
    ]  # fmt: skip

    def chunks() -> Iterator[Sequence[Sheet]]:
        yield sheets

    if kind == "csv":
        return csv_response(board.title, columns, chunks(), said)
    return xlsx_response(board.title, _("排名"), columns, chunks(), said)


def _total(sheet: Sheet, places: int) -> Decimal | str:
    return round_half_up(sheet.total, places) if sheet.assessed else _("未评定")


def _previous(sheet: Sheet, places: int) -> Decimal | None:
    return None if sheet.previous_total is None else round_half_up(sheet.previous_total, places)


def _scored(sheet: Sheet, key: str, places: int) -> Decimal | str:
    part = next((part for part in sheet.sources if part["key"] == key), None)
    if part is None or part["score"] is None:
        return _("未评定")
    return round_half_up(Decimal(part["score"]), places)


def _worst_words(sheet: Sheet, bonuses: frozenset[str]) -> str:
    return "；".join(f"{why.title} −{points(why.effect)}" for why in worst_of(sheet, bonuses))
