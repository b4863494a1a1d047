"""Split a case to several units (多部门分办): each part is a case of its own, the whole only waits for them.

The whole stands for what was found and counts once among opened and closed; its parts stand for what units do.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from weicheng.cases import deadlines
from weicheng.cases.actions import desk_of, make_event, reaches, require_may_charge
from weicheng.cases.models import Case, Event, Link
from weicheng.cases.parts import parts_in
from weicheng.journal.actions import Note, record
from weicheng.journal.rows import insert_all
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.models import Unit
from weicheng.rules.cases import Move, State, next_state, require_split
from weicheng.rules.errors import N_, ConflictError, MissingError, RuleError


@dataclass(frozen=True)
class Piece:
    """One part: the unit charged with it, and what it has to do."""

    unit_uid: uuid.UUID
    task: str


@transaction.atomic
def split_case(
    *,
    case_uid: uuid.UUID,
    pieces: Sequence[Piece],
    by: Actor,
    at: datetime,
    note: str = "",
    base: int | None = None,
    uid: uuid.UUID | None = None,
) -> Case:
    """Split a case that waits for dispatch or acceptance; return the whole. One journal entry.

    base: the version the person saw; uid: identity of the step: sent twice it is done once
    RuleError("split-…") for pieces that make no sense, ForbiddenError("may-not-charge") naming the unit.
    """
    case = Case.objects.select_for_update(of=("self",)).filter(uid=case_uid).first()
    if case is None or not reaches(by, case):
        raise MissingError("no-case", N_("没有找到该事项，或您当前的岗位看不到它。请返回列表。"))
    given = [{"unit": piece.unit_uid, "task": piece.task.strip()} for piece in pieces]
    if uid is not None and (before := _done_before(case, uid)) is not None:
        same = [(str(one["unit"]), one["task"]) for one in given]
        if before.by_key != by.key or [(one["unit"], one["task"]) for one in before.detail["parts"]] != same:
            raise ConflictError(
                "step-conflict", N_("同一编号的办理已有不同内容的记录。请刷新页面，核对后重新办理。")
            )
        return case
    if case.parent_id is not None:
        raise RuleError("split-part", N_("分办件不能再拆分。请改派，或在原事项上办理。"))
    if case.pieces:
        raise RuleError("split-twice", N_("该事项已经拆分过。请在各分办件上办理。"))
    if base is not None and base != case.version:
        raise ConflictError(
            "case-changed",
            N_("您打开页面后，该事项已被他人办理（现为“{state}”）。请刷新后再办。"),
            state=case.state_label,
        )
    after = next_state(State(case.state), Move.SPLIT, parts_in(case, by))
    require_split([(str(piece.unit_uid), piece.task) for piece in pieces])
    units = _units(pieces, by)
    parts = _parts(case, pieces, units, at)
    case.state, case.pieces, case.responsible = after.value, len(parts), None
    # The whole has no clock of its own: its deadline is the last of its parts', and nothing is carried up for it.
    case.due_at = max((part.due_at for part in parts if part.due_at), default=None)
    case.clock_from = case.warn_at = case.next_at = case.extension_until = None
    case.limit, case.due_provisional = "", False
    case.version += 1
    case.save()
    insert_all(parts)
    detail: dict[str, Any] = {
        "parts": [{**one, "unit_name": unit.name} for one, unit in zip(given, units, strict=True)],
        "due_at": case.due_at,
    }
    if note.strip():
        detail["note"] = note.strip()
    if uid is not None:
        detail["uid"] = uid
    events = [make_event(case, case.version, Move.SPLIT, after, detail, by=by, at=at)]
    for part, piece, unit in zip(parts, pieces, units, strict=True):
        filed = {"due_at": part.due_at, "limit": part.limit, "whole": case.uid}
        sent = {"unit": unit.uid, "unit_name": unit.name, "note": piece.task.strip()}
        events.append(make_event(part, 1, Move.FILE, State.FILED, filed, by=by, at=at))
        events.append(make_event(part, 2, Move.DISPATCH, State.DISPATCHED, sent, by=by, at=at))
    insert_all(events)
    Link.objects.filter(case=case, revoked_at__isnull=True).update(revoked_at=at)
    record(
        Note(
            "case.split", "case", str(case.uid), case.area,
            {"number": case.number, "parts": [part.uid for part in parts]}, at,
        ),
        by=by,
        at=at,
    )  # fmt: skip
    return case


def _done_before(case: Case, uid: uuid.UUID) -> Event | None:
    events = Event.objects.filter(case=case, move=Move.SPLIT.value)
    return next((event for event in events if event.detail.get("uid") == str(uid)), None)


def _units(pieces: Sequence[Piece], by: Actor) -> list[Unit]:
    """Return the unit of each piece in order; RuleError("no-unit") for one that is closed or unknown."""
    rows = Unit.objects.filter(uid__in=[piece.unit_uid for piece in pieces]).prefetch_related("services")
    found = {unit.uid: unit for unit in rows}
    units = []
    for piece in pieces:
        unit = found.get(piece.unit_uid)
        if unit is None or unit.closed_on is not None:
            raise RuleError("no-unit", N_("没有找到该责任单位，或它已注销。请从单位列表中重新选择。"))
        require_may_charge(by, unit)
        units.append(unit)
    return units


def _parts(case: Case, pieces: Sequence[Piece], units: Sequence[Unit], at: datetime) -> list[Case]:
    made = []
    for number, (piece, unit) in enumerate(zip(pieces, units, strict=True), start=1):
        task = piece.task.strip()
        part = Case(
            # Made from the whole's identity, so that a second split of the same case cannot slip in beside it.
            uid=uuid.uuid5(case.uid, f"part:{number}"),
            state=State.DISPATCHED.value,
            title=f"{task}（{case.title}）"[:120],
            category=case.category,
            severity=case.severity,
            address=case.address,
            lon=case.lon,
            lat=case.lat,
            source_kind="split",
            occurred_on=case.occurred_on,
            opened_on=today(at),
            opened_at=at,
            filed_by_key=case.filed_by_key,
            filed_by_name=case.filed_by_name,
            filed_area=case.filed_area,
            responsible=unit,
            desk=desk_of(case.area),
            parent=case,
            place_key=case.place_key,
            linked_at=at,  # a part is no finding: it repeats nothing
            version=2,
        ).place_at(case.area)
        deadlines.start_clock(case.area, case.category, case.severity, at).put_on(part)
        made.append(part)
    return made
