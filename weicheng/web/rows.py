"""What the pages above cases share: rows of cases, and counts that are bounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.cases.models import Case
from weicheng.cases.parts import moves_for
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.cases import MOVE_LABELS, Move

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class CaseRow:
    """A case as a line: what, where, who, until when, and the one move that is the reader's to make.

    move, move_url: label and address of that move, "" where the reader only looks
    """

    case: Case
    place: str
    unit: str
    move: str = ""
    move_url: str = ""


# What is offered with one click, the most pressing first.
_OFFERED = (
    Move.GRANT_EXTENSION, Move.PASS, Move.HAND_IN, Move.ACCEPT, Move.DISPATCH,
)  # fmt: skip


def case_rows(cases: Iterable[Case], actor: Actor) -> list[CaseRow]:
    """Return the lines of cases whose `responsible` is loaded."""
    rows = []
    for case in cases:
        move = next((one for one in _OFFERED if one in moves_for(case, actor)), None)
        # A unit that has not accepted yet hands in or accepts: accepting is what comes first.
        if move is Move.HAND_IN and case.state == "dispatched":
            move = Move.ACCEPT
        rows.append(
            CaseRow(
                case,
                name_of(case.community or case.street or case.area),
                case.responsible.name if case.responsible else "",
                _move_words(move) if move else "",
                f"{case.url}#move-{move.value}" if move else "",
            )
        )
    return rows


def _move_words(move: Move) -> str:
    if move is Move.GRANT_EXTENSION:
        return _("答复延期")
    if move is Move.PASS:
        return _("核查")
    return _(MOVE_LABELS[move])


def counts_of(sources: Sequence[QuerySet], most: int) -> list[int]:
    """Return how many rows each queryset has, counted no further than `most`, in one statement."""
    parts, params = [], []
    for number, rows in enumerate(sources):
        try:
            sql, values = rows.order_by()[:most].values_list("pk").query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT {number} AS place, COUNT(*) AS found FROM ({sql}) AS branch_{number}")  # noqa: S608 - compiled by Django
        params += values
    found = [0] * len(sources)
    if parts:
        with connections[sources[0].db].cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), params)
            for place, count in cursor.fetchall():
                found[place] = count
    return found


def cases_url(pairs: Pairs) -> str:
    """Return the address of the case list narrowed by these filters."""
    return f"{reverse('cases')}?{urlencode(pairs)}"
