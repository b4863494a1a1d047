"""What the clock does to open cases: remind, call late, carry up; and recompute when a calendar is published."""

from datetime import datetime
from typing import Any

from django.db import transaction

from weicheng.cases import deadlines
from weicheng.cases.actions import follow_wholes, make_event, save_heads
from weicheng.cases.models import Case
from weicheng.journal.actions import SYSTEM, Note, record_all
from weicheng.journal.rows import insert_all
from weicheng.notices.effects import happened, once, once_each
from weicheng.places.actors import today
from weicheng.rules.areas import parent
from weicheng.rules.cases import Move, State, clock_moves, clock_plan
from weicheng.standards.models import Edition

BATCH = 200


def tick(now: datetime) -> int:
    """Do everything the clock has to do by `now`; return how many effects happened. Called by the worker."""
    done = recompute_published(now)
    while batch := _tick_batch(now):
        done += batch
    return done


@transaction.atomic
def _tick_batch(now: datetime) -> int:
    """Move up to BATCH due cases on; return how many were looked at. Each effect carries a unique key."""
    due = Case.objects.filter(next_at__isnull=False, next_at__lte=now).order_by("next_at")
    cases = list(due.select_for_update(of=("self",), skip_locked=True)[:BATCH])
    if not cases:
        return 0
    wanted: list[tuple[Case, Move, str]] = []
    for case in cases:
        moves, case.next_at = _plan(case, now)
        wanted += [(case, move, f"case:{case.pk}:{move}:{case.due_at:%Y%m%d%H%M%S}") for move in moves]
    new = once_each([key for _case, _move, key in wanted], now)
    events, entries = [], []
    for case, move, key in wanted:
        if key not in new:
            continue
        detail: dict[str, Any] = {"due_at": case.due_at}
        if move is Move.ESCALATE:
            case.desk = parent(case.desk) if len(case.desk) > 4 else case.desk
            detail["desk"] = case.desk
        case.version += 1
        events.append(make_event(case, case.version, move, State(case.state), detail, by=SYSTEM, at=now))
        entries.append(
            (Note(f"case.{move}", "case", str(case.uid), case.area, {"number": case.number}), SYSTEM)
        )
    save_heads(cases)
    insert_all(events)
    record_all(entries, at=now)
    return len(cases)


def _plan(case: Case, now: datetime) -> tuple[tuple[Move, ...], datetime | None]:
    if not (case.open and case.clock_from and case.warn_at and case.due_at and case.next_at):
        return (), None
    return clock_moves(clock_plan(case.clock_from, case.warn_at, case.due_at), since=case.next_at, now=now)


def recompute_published(now: datetime) -> int:
    """Recompute deadlines for each calendar edition that was published and not yet applied; return how many moved."""
    published = Edition.objects.filter(kind="calendar", state="published").only("pk", "owner").order_by("pk")
    by_key = {f"recompute:{edition.pk}": edition for edition in published}
    done = happened(by_key)
    return sum(_recompute(key, edition, now) for key, edition in by_key.items() if key not in done)


@transaction.atomic
def _recompute(key: str, edition: Edition, now: datetime) -> int:
    """Give every open case in the edition's area the deadline that the calendar now in force says.

    A deadline that was extended by hand stays. Old and new date are kept in the history.
    """
    if not once(key, now):
        return 0
    cases = Case.objects.select_for_update(of=("self",)).filter(
        open=True, extended=0, clock_from__isnull=False
    )
    if edition.owner:
        cases = cases.filter(area__startswith=edition.owner)  # once an edition, over open cases only
    changed, events, entries = [], [], []
    for case in cases.exclude(state=State.HANDED_IN.value).iterator(chunk_size=500):
        before = (case.due_at, case.due_provisional, case.next_at)
        assert case.clock_from is not None
        deadlines.restart_clock(case, case.clock_from, on=today(now)).put_on(case)
        if case.due_at == before[0]:
            case.next_at = before[2]
        elif case.warn_at is not None and case.due_at is not None:
            plan = clock_plan(case.clock_from, case.warn_at, case.due_at)
            case.next_at = next((moment for moment, _move in plan if moment > now), None)
            case.version += 1
            detail = {"due_before": before[0], "due_at": case.due_at, "edition": edition.pk}
            events.append(
                make_event(case, case.version, Move.RECOMPUTE, State(case.state), detail, by=SYSTEM, at=now)
            )
            entries.append(
                (Note("case.recompute", "case", str(case.uid), case.area, {"number": case.number}), SYSTEM)
            )
        changed.append(case)
    moved = [case for case in changed if case.parent_id is not None]
    wholes = [whole for whole, _event, _entry in follow_wholes(moved, {}, now)]
    save_heads([*changed, *wholes])
    insert_all(events)
    record_all(entries, at=now)
    return len(events)
