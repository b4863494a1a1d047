"""Which parts a person plays in one case: from the post, from being charged, from having found it."""

from weicheng.cases.models import Case
from weicheng.places.actor import Actor
from weicheng.rules.cases import Move, Part, State, moves_from


def parts_in(case: Case, actor: Actor) -> frozenset[Part]:
    """Return the parts the actor plays in this case; empty for somebody who only reads."""
    if actor.case_uid:
        return frozenset({Part.HANDLER}) if actor.case_uid == str(case.uid) else frozenset()
    parts: set[Part] = set()
    if actor.unit_id is not None:
        if actor.unit_id == case.responsible_id:
            parts |= actor.powers.parts
    elif actor.covers(case.area):
        parts |= actor.powers.parts
    if case.filed_by_key == actor.key and actor.powers.records:
        parts.add(Part.FINDER)
    return frozenset(parts)


def moves_for(case: Case, actor: Actor) -> tuple[Move, ...]:
    """Return the moves to offer on the page: what the table allows, less what the particulars rule out."""
    moves = moves_from(State(case.state), parts_in(case, actor))
    own_work = actor.key in case.handler_keys
    hidden = {Move.PASS, Move.FAIL} if own_work else set()
    if case.extension_until is None:
        hidden |= {Move.GRANT_EXTENSION, Move.REFUSE_EXTENSION}
    else:
        hidden |= {Move.ASK_EXTENSION}
    if case.pieces:
        hidden |= {Move.REOPEN}  # its parts are reopened
    if case.parent_id is not None:
        hidden |= {Move.SPLIT, Move.WITHDRAW}
    return tuple(move for move in moves if move not in hidden)
