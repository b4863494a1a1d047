"""What the pages above cases share: rows of cases, and counts that are bounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.cases.lists import is_late
from weicheng.cases.models import Case
from weicheng.cases.parts import moves_for
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.cases import MOVE_LABELS, Move, State

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


def case_rows(cases: Iterable[Case], actor: Actor) -> list[CaseRow]:
    """Return the lines of cases whose `responsible` is loaded."""
    rows = []
    for case in cases:
        move = _offered(case, actor)
        rows.append(
            CaseRow(
                case,
                _place(case),
                # A unit knows its own name.
                case.responsible.name if case.responsible and actor.unit_id is None else "",
                _words(move) if move else "",
                f"{case.url}#move-{move.value}" if move else "",
            )
        )
    return rows


def _offered(case: Case, actor: Actor) -> Move | None:
    """Return the move that is the reader's to make next, None where there is none to press for."""
    moves = moves_for(case, actor)
    state = State(case.state)
    wanted = (
        (Move.GRANT_EXTENSION, True),
        (Move.PASS, True),
        (Move.ACCEPT, True),  # a unit that has not accepted yet may hand in too, but accepting comes first
        (Move.HAND_IN, True),
        # Charging another unit is possible later as well, but then it is a correction and not what is due.
        (Move.DISPATCH, state is State.FILED),
        (Move.SUPERVISE, is_late(case) and case.supervised_at is None),
    )
    return next((move for move, due in wanted if due and move in moves), None)


def _words(move: Move) -> str:
    if move is Move.GRANT_EXTENSION:
        return _("答复延期")
    if move is Move.PASS:
        return _("核查")
    return _(MOVE_LABELS[move])


_OFFICES = ("居民委员会", "村民委员会", "居委会", "村委会")


def _place(case: Case) -> str:
    """Return the community as one says it, "" where the address begins with it anyway."""
    name = name_of(case.community or case.street or case.area)
    # The statistics list names the committee of a community: 民富园社区居委会.
    said = next((name.removesuffix(office) for office in _OFFICES if name.endswith(office)), name) or name
    return "" if case.address.startswith(said) else said


def counts_of(sources: Sequence[QuerySet], most: int) -> list[int]:
    """Return how many rows each queryset has, counted no further than `most`, in one statement."""
    parts: list[str] = []
    params: list[Any] = []
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
