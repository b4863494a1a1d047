"""The published ranking, for bulletins and leaders: a few statements for a whole board."""

import json
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from weicheng.assessments.boards import DEFAULT_SCHEME
from weicheng.assessments.models import Board, Sheet
from weicheng.places.actor import Actor
from weicheng.rules.areas import ancestors
from weicheng.rules.figures import Period, Ratio
from weicheng.rules.sheets import LineKind

WORST = 3  # items named as the reasons of a place
RECENT = 20  # boards among which the newest is looked for: several may end on one day


@dataclass(frozen=True)
class RankRow:
    """One object of a ranking; worst: the items that took most of its total, dearest first, with their effect."""

    code: str
    name: str
    group: str
    group_title: str
    total: Decimal
    rank: int | None
    group_size: int
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
            sheet.code, sheet.name, sheet.group, sheet.group_title, sheet.total, sheet.rank, sheet.group_size,
            sheet.previous_rank,
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


def newest_board(actor: Actor) -> Board | None:
    """Return the published board of areas that an office looks at first, or None.

    The own area's before those above it; of these the one that ends last, and of these the shortest period, so
    that a month's stands before the year's that ends with it.
    """
    codes = ancestors(actor.area) if actor.area else ()
    boards = Board.objects.visible_to(actor).filter(
        area__in=codes,
        level__in=(Board.Level.STREET.value, Board.Level.COMMUNITY.value),
        state=Board.State.PUBLISHED.value,
        beside__isnull=True,
    )
    recent = boards.order_by("-period_end", "-period_start", "-id")[:RECENT]
    return min(
        recent,
        key=lambda one: (
            codes.index(one.area), -one.period_end.toordinal(), -one.period_start.toordinal(),
            one.scheme_key != DEFAULT_SCHEME, one.level != Board.Level.STREET, -one.pk,
        ),
        default=None,
    )  # fmt: skip


def monthly_means(board: Board, actor: Actor, period: Period) -> dict[str, tuple[Ratio, UUID]]:
    """Return month -> (mean of the totals that the reader's area has on it, the board), in one statement.

    The published boards of whole months like this one: of the same area, level and scheme. Who was not assessed
    does not count, and a month without a board is not there.
    """
    rows = (
        Sheet.objects.filter(
            actor.reach_q(Sheet),
            rank__isnull=False,
            board__area=board.area,
            board__level=board.level,
            board__scheme_key=board.scheme_key,
            board__state=Board.State.PUBLISHED.value,
            board__beside__isnull=True,
            board__period_start__gte=period.start,
            board__period_end__lte=period.end,
        )
        .order_by("board_id", "id")
        .values_list("board__period_start", "board__period_end", "board__uid", "total")
    )
    totals: dict[tuple[str, UUID], list[Decimal]] = {}
    for start, end, uid, total in rows:
        if (month := Period.month(f"{start:%Y-%m}")).start == start and month.end == end:
            totals.setdefault((f"{start:%Y-%m}", uid), []).append(total)
    return {
        month: (Ratio(sum(found, Decimal(0)), len(found), per=1), uid)
        for (month, uid), found in totals.items()
    }
