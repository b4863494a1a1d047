"""A case that was split follows its parts: it closes with the last of them and opens again with any of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from weicheng.cases.models import Case
from weicheng.places.actors import today
from weicheng.rules.cases import Move, State, whole_state

_MOVES = {
    State.CLOSED: Move.PARTS_DONE,
    State.CANCELLED: Move.PARTS_CANCELLED,
    State.SPLIT: Move.PART_REOPENED,
}


@dataclass(frozen=True)
class Followed:
    """A whole whose head has changed with its parts; move: the step it made by that, None for a new deadline only."""

    case: Case
    move: Move | None
    detail: dict[str, Any]


def follow(parts: Iterable[Case], known: Mapping[int, Case], at: datetime) -> list[Followed]:
    """Bring the wholes of these changed parts up to date; the caller saves heads and history. Two statements.

    known: cases of the same transaction by id, locked and perhaps changed already
    The wholes are locked before their parts are read: of two parts that end at one moment, the second to come
    waits here and then sees the first.
    """
    changed = {part.pk: part for part in parts if part.parent_id is not None}
    if not changed:
        return []
    wanted = {part.parent_id for part in changed.values() if part.parent_id is not None}
    wholes = [
        known.get(whole.pk, whole)
        for whole in Case.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk")
    ]
    siblings: dict[int, list[Case]] = {}
    for part in Case.objects.filter(parent_id__in=wanted).order_by("pk"):
        part = changed.get(part.pk) or known.get(part.pk) or part
        if part.parent_id is not None:
            siblings.setdefault(part.parent_id, []).append(part)
    return [found for whole in wholes if (found := _follow_one(whole, siblings[whole.pk], at))]


def _follow_one(whole: Case, parts: list[Case], at: datetime) -> Followed | None:
    before, due_before = State(whole.state), whole.due_at
    after = whole_state(State(part.state) for part in parts)
    standing = [part for part in parts if part.state != State.CANCELLED.value]
    whole.due_at = max((part.due_at for part in standing if part.due_at), default=whole.due_at)
    if after is before:
        return Followed(whole, None, {}) if whole.due_at != due_before else None
    whole.state, whole.open = after.value, after is State.SPLIT
    if after is State.SPLIT:
        whole.closed_at = whole.closed_on = whole.on_time = whole.handed_in_at = None
    else:
        whole.closed_at, whole.closed_on = at, today(at)
    if after is State.CLOSED:
        whole.handed_in_at = max((part.handed_in_at for part in standing if part.handed_in_at), default=None)
        whole.on_time = all(part.on_time for part in standing)
    if State.CANCELLED in (before, after):
        whole.linked_at = None  # it counts as a finding again, or no more
    return Followed(whole, _MOVES[after], {"on_time": whole.on_time} if after is State.CLOSED else {})
