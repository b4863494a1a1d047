"""The published ranking, for bulletins and leaders: a few statements for a whole board."""

import json
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from weicheng.assessments.boards import DEFAULT_SCHEME
from weicheng.assessments.models import Board, Sheet
from weicheng.rules.figures import Period
from weicheng.rules.sheets import LineKind

WORST = 3  # items named as the reasons of a place


@dataclass(frozen=True)
class RankRow:
    """One object of a ranking; worst: the items that took most of its total, dearest first, with their effect."""

    code: str
    name: str
    group: str
    group_title: str
    total: Decimal
    rank: int | None
    previous_rank: int | None
    previous_total: Decimal | None
    grade: str
    worst: tuple[tuple[str, Decimal], ...]
    sheet_uid: UUID


def published_board(area: str, period: Period, level: str) -> Board | None:
    """Return the published board of an area, period and level, or None; that of the default scheme first."""
    boards = Board.objects.filter(
        area=area,
        level=level,
        period_start=period.start,
        period_end=period.end,
        state=Board.State.PUBLISHED.value,
        beside__isnull=True,
    )
    return min(boards, key=lambda one: (one.scheme_key != DEFAULT_SCHEME, -one.pk), default=None)


def rows(board: Board) -> list[RankRow]:
    """Return the ranking by group, rank and code; who was not assessed stands last in the group."""
    found = [
        RankRow(
            sheet.code, sheet.name, sheet.group, sheet.group_title, sheet.total, sheet.rank, sheet.previous_rank,
            sheet.previous_total, sheet.grade, worst_of(sheet.summary), sheet.uid,
        )
        for sheet in Sheet.objects.filter(board=board)
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row.group, row.rank is None, row.rank or 0, row.code))


def worst_of(summary: str) -> tuple[tuple[str, Decimal], ...]:
    """Return the items that took most of a total, from the summary of its sheet."""
    lost: dict[str, Decimal] = {}
    for item in json.loads(summary).get("items", []):
        if item["kind"] != LineKind.BONUS.value and Decimal(item["effect"]) > 0:
            lost[item["title"]] = lost.get(item["title"], Decimal(0)) + Decimal(item["effect"])
    ordered = sorted(lost.items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple(ordered[:WORST])


def rank_change(row: RankRow) -> int | None:
    """Return the places gained since the period before, negative when lost; None where there is none."""
    if row.rank is None or row.previous_rank is None:
        return None
    return row.previous_rank - row.rank
