"""Tell those who must hear of a step. The history is the outbox: what is not delivered yet is delivered once."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from weicheng.cases.models import Event
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.roles import Role
from weicheng.rules.cases import MOVE_LABELS, Move, State

BATCH = 200
_DESK_ROLES = (Role.CITY_OFFICER, Role.DISTRICT_OFFICER, Role.STREET, Role.COMMUNITY)
_VERIFY_ROLES = (*_DESK_ROLES, Role.INSPECTOR)


def deliver(now: datetime) -> int:
    """Turn undelivered steps into notices; return how many steps. Called by the worker every second."""
    done = 0
    while batch := _deliver_batch(now):
        done += batch
    return done


@transaction.atomic
def _deliver_batch(now: datetime) -> int:
    rows = (
        Event.objects.select_for_update(of=("self",), skip_locked=True).filter(delivered=False).order_by("id")
    )
    events = list(rows.select_related("case__responsible")[:BATCH])
    if not events:
        return 0
    notify_many([draft for event in events for draft in _drafts(event)], at=now)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(delivered=True)
    return len(events)


def _drafts(event: Event) -> Iterator[NoticeDraft]:
    """Yield one notice for each party that has something to do or to know after this step.

    In the language of the site, not of a reader: one notice has many.
    """
    case, move = event.case, Move(event.move)
    to_unit, to_desk, to_verifier, to_finder = _TOLD.get(move, (False, False, False, False))
    if move is Move.FILE and case.responsible_id is None:
        to_desk = True
    due = ""
    if case.due_at and State(case.state) in _RUNNING:
        ends = localtime(case.due_at)
        due = _("，期限{month}月{day}日 {time}").format(
            month=f"{ends:%m}", day=f"{ends:%d}", time=f"{ends:%H:%M}"
        )
    note = f"：{event.note}" if event.note else ""
    base: dict[str, Any] = {
        "kind": f"case.{move}",
        "title": _("{move}：{title}").format(move=_(MOVE_LABELS[move]), title=case.title)[:120],
        "body": f"{case.number} {case.address}{due}{note}"[:500],
        "url": case.url,
    }
    if to_unit and case.responsible_id:
        yield NoticeDraft(key=f"event:{event.pk}:unit", to_unit_id=case.responsible_id, **base)
    if to_desk and case.desk:
        yield NoticeDraft(key=f"event:{event.pk}:desk", to_area=case.desk, to_roles=_DESK_ROLES, **base)
    if to_verifier and case.filed_area:
        yield NoticeDraft(
            key=f"event:{event.pk}:verify", to_area=case.filed_area, to_roles=_VERIFY_ROLES, **base
        )
    if to_finder and case.filed_by_key.startswith("user:") and case.filed_by_key != event.by_key:
        yield NoticeDraft(key=f"event:{event.pk}:finder", to_user_id=int(case.filed_by_key[5:]), **base)


_RUNNING = (State.FILED, State.DISPATCHED, State.HANDLING, State.REWORK)

# move -> whether the unit, the desk, the verifiers of the filing area, and the finder hear of it
_TOLD = {
    Move.DISPATCH: (True, False, False, False),
    Move.DECLINE: (False, True, False, False),
    Move.ASK_EXTENSION: (False, True, False, False),
    Move.GRANT_EXTENSION: (True, False, False, False),
    Move.REFUSE_EXTENSION: (True, False, False, False),
    Move.HAND_IN: (False, True, True, False),
    Move.PASS: (True, False, False, True),
    Move.FAIL: (True, True, False, False),
    Move.CANCEL: (True, False, False, True),
    Move.WITHDRAW: (True, True, False, False),
    Move.REOPEN: (True, True, False, False),
    Move.SUPERVISE: (True, True, False, False),
    Move.REMIND: (True, False, False, False),
    Move.OVERDUE: (True, True, False, False),
    Move.ESCALATE: (True, True, False, False),
    Move.RECOMPUTE: (True, False, False, False),
    Move.SPLIT: (False, False, False, True),
    Move.PARTS_DONE: (False, True, False, True),
    Move.PARTS_CANCELLED: (False, True, False, True),
    Move.PART_REOPENED: (False, True, False, False),
}
