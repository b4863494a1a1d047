"""The published rankings of a month, as a bulletin prints them."""

from decimal import Decimal

from django.urls import reverse

from weicheng.assessments import ranking
from weicheng.documents.bulletin import NAMED, Ranking, RankLine
from weicheng.rules.figures import Period, round_half_up

# Levels that are ranked, and how the text calls them.
_LEVELS = (("street", "街道"), ("community", "社区"), ("unit", "单位"))


def published(area: str, period: Period) -> tuple[tuple[Ranking, ...], list[str]]:
    """Return the rankings of each level, and the codes of the areas that came last in their group."""
    made, worst = [], []
    for level, title in _LEVELS:
        board = ranking.published_board(area, period, level)
        if board is None:
            continue
        rows = ranking.rows(board)
        made.append(Ranking(title, tuple(map(_line, rows))))
        for group in dict.fromkeys(row.group for row in rows):
            last = [row.code for row in rows if row.group == group and row.code.isdigit()]
            worst += last[-NAMED:] if len(last) > NAMED else last[-1:]
    return tuple(made), worst


def _line(row: ranking.RankRow) -> RankLine:
    return RankLine(
        name=row.name,
        group=row.group_title,
        total=_points(row.total),
        rank=row.rank,
        change=ranking.rank_change(row),
        before=_points(row.previous_total) if row.previous_total is not None else "",
        worst=tuple((title, _points(lost)) for title, lost in row.worst),
        path=reverse("assessments:sheet", args=[row.sheet_uid]),
    )


def _points(value: Decimal) -> str:
    """Return points as a ranking prints them: half-up, two places."""
    return format(round_half_up(value, 2), "f")
