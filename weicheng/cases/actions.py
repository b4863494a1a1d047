"""The verbs of the closed loop. Each takes many cases as easily as one: a batch is not a second code path."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from weicheng.cases import deadlines, wholes
from weicheng.cases.models import Case, Event, Link
from weicheng.cases.parts import parts_in
from weicheng.evidence.models import Attachment, Purpose
from weicheng.journal.actions import SYSTEM, Note, Who, record, record_all
from weicheng.journal.rows import insert_all, new_row
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.models import Unit
from weicheng.rules.captures import may_withdraw
from weicheng.rules.cases import (
    MOVE_LABELS,
    Move,
    Part,
    State,
    clock_plan,
    may_charge,
    next_state,
    require_needs,
    require_other_person,
    runs_clock,
)
from weicheng.rules.deadlines import was_on_time
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.repeats import place_key

NOTE_LIMIT = 1000  # characters; longer texts belong in an attached document
WITHDRAW_WINDOW = timedelta(minutes=10)
HEAD_FIELDS = (
    "state", "open", "responsible", "desk", "limit", "clock_from", "calendar_edition", "limit_editions", "due_at",
    "warn_at", "next_at", "due_provisional", "extension_until", "extended", "handlers", "handed_in_at", "rework",
    "closed_at", "closed_on", "on_time", "supervised_at", "pieces", "linked_at", "version",
)  # fmt: skip


# --- opening ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewCase:
    """What opens a case; judged by the caller, who knows the source (area open and in reach, date, category).

    unit: the unit charged at once, or None: the case then waits for its dispatcher
    due_on: the last day in time where an officer has ordered one; None counts from the limit in force
    """

    uid: uuid.UUID
    title: str
    area: str
    category: str
    severity: str
    occurred_on: Any
    at: datetime
    by: Actor
    unit: Unit | None = None
    due_on: date | None = None
    address: str = ""
    lon: Decimal | None = None
    lat: Decimal | None = None
    source_kind: str = "finding"


def file_cases(drafts: Sequence[NewCase]) -> list[Case]:
    """Open one case a draft, and charge its unit where one is given; two statements for any number.

    The caller writes the journal entry (one verb, one entry) and holds the transaction.
    """
    cases, histories = [], []
    clocks: dict[tuple[str, str, str, datetime], deadlines.Running] = {}
    for draft in drafts:
        # A batch asks the same again and again; no edition has an owner below the district.
        key = (draft.area[:6], draft.category, draft.severity, draft.at)
        clock = clocks.get(key) or clocks.setdefault(
            key, deadlines.start_clock(draft.area, draft.category, draft.severity, draft.at)
        )
        case = new_row(
            Case,
            uid=draft.uid,
            state=State.DISPATCHED.value if draft.unit else State.FILED.value,
            title=draft.title,
            category=draft.category,
            severity=draft.severity,
            address=draft.address,
            lon=draft.lon,
            lat=draft.lat,
            source_kind=draft.source_kind,
            occurred_on=draft.occurred_on,
            opened_on=today(draft.at),
            opened_at=draft.at,
            filed_by_key=draft.by.key,
            filed_by_name=draft.by.name,
            filed_area=draft.by.area,
            desk=desk_of(draft.area),
            place_key=place_key(draft.unit.pk if draft.unit else None, draft.area),
        ).place_at(draft.area)
        clock.put_on(case)
        if draft.due_on is not None:
            deadlines.order_day(case, draft.due_on, draft.at)
        history: list[tuple[Move, State, dict[str, Any]]] = [
            (Move.FILE, State.FILED, {"due_at": case.due_at, "limit": case.limit})
        ]
        if draft.unit is not None:
            require_may_charge(draft.by, draft.unit)
            case.responsible = draft.unit
            history.append(
                (Move.DISPATCH, State.DISPATCHED, {"unit": draft.unit.uid, "unit_name": draft.unit.name})
            )
        case.version = len(history)
        cases.append(case)
        histories.append(history)
    insert_all(cases)
    insert_all(
        [
            make_event(case, number, move, state, detail, by=draft.by, at=draft.at)
            for draft, case, history in zip(drafts, cases, histories, strict=True)
            for number, (move, state, detail) in enumerate(history, start=1)
        ]
    )
    return cases


def desk_of(area: str) -> str:
    """Return the area whose officers act first on a case here: the sub-district where there is one."""
    return area[:9] if len(area) >= 9 else area


def require_may_charge(by: Actor, unit: Unit) -> None:
    """ForbiddenError("may-not-charge") unless the unit is in the dispatcher's area or serves it."""
    if may_charge(by.area, unit.area, ()):
        return  # it lies in the dispatcher's area, as nearly every unit does: no need to read what it serves
    serves = [service.area for service in unit.services.all()]
    if not may_charge(by.area, unit.area, serves):
        raise ForbiddenError(
            "may-not-charge",
            N_("{unit}不在{area}的派遣范围内。请改派本辖区单位，或报上级派遣。"),
            unit=unit.name,
            area=by.area_name or by.name,
        )


def make_event(
    case: Case, number: int, move: Move, state: State, detail: Mapping[str, Any], *, by: Who, at: datetime
) -> Event:
    """Return one step of a case's history with its exact bytes and their digest; the caller inserts it."""
    body = canonical(
        {
            "case": case.uid,
            "number": number,
            "move": move.value,
            "state": state.value,
            "by": by.key,
            "post": by.post_id,
            "at": at,
            "detail": dict(detail),
        }
    )
    return new_row(
        Event,
        case_id=case.pk,
        number=number,
        move=move.value,
        state=state.value,
        by_key=by.key,
        by_name=by.name,
        post_id=by.post_id,
        post_label=by.post_label,
        at=at,
        body=body,
        digest=digest(body),
    )


# --- stepping --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One move somebody wants to make on one case.

    base: the version the person saw; another one means the case has moved on meanwhile. None does not ask
    uid: identity of the step, made by the client: sent twice it is done once
    """

    case_uid: uuid.UUID
    move: Move
    by: Actor
    note: str = ""
    unit_uid: uuid.UUID | None = None
    until: datetime | None = None
    base: int | None = None
    uid: uuid.UUID | None = None
    at: datetime | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of one step: the case as it is now, or the refusal; `again` when it had been done before."""

    step: Step
    case: Case | None = None
    error: RuleError | None = None
    again: bool = False


def take_step(step: Step, *, at: datetime) -> Case:
    """Make one move; the refusal is raised. See `take_steps`."""
    outcome = take_steps([step], at=at)[0]
    if outcome.error is not None:
        raise outcome.error
    assert outcome.case is not None
    return outcome.case


@transaction.atomic
def take_steps(steps: Sequence[Step], *, at: datetime) -> list[Outcome]:
    """Make many moves, each judged by itself; what one row is refused does not stop the others.

    Statements do not grow with the rows: read the heads under lock, units, photos, then write heads, events
    and journal. A case named twice in one batch takes its steps in the order given.
    """
    wanted = {step.case_uid for step in steps}
    locked = Case.objects.select_for_update(of=("self",)).filter(uid__in=wanted).order_by("pk")
    cases = {case.uid: case for case in locked}
    unit_uids = {step.unit_uid for step in steps if step.unit_uid}
    units: dict[uuid.UUID, Unit] = {}
    if unit_uids:
        units = {
            unit.uid: unit for unit in Unit.objects.filter(uid__in=unit_uids).prefetch_related("services")
        }
    photos = _after_photos([step for step in steps if step.move is Move.HAND_IN])
    done_before = _done_before([step for step in steps if step.uid])
    outcomes: list[Outcome] = []
    changed: dict[int, Case] = {}
    events: list[Event] = []
    entries: list[tuple[Note, Who]] = []
    for step in steps:
        case = cases.get(step.case_uid)
        moment = step.at or at
        try:
            before = done_before.get((case.pk, str(step.uid))) if case else None
            if before is not None and before.by_key == step.by.key:
                # Asked before reach: a unit that declined no longer reaches the case, and may send it again.
                _require_same_step(before, step)
                outcomes.append(Outcome(step, case, again=True))
                continue
            if case is None or not reaches(step.by, case):
                raise MissingError("no-case", N_("没有找到该事项，或您当前的岗位看不到它。请返回列表。"))
            if before is not None:
                _require_same_step(before, step)
            detail = _move(case, step, moment, units, photos)
        except RuleError as error:
            outcomes.append(Outcome(step, error=error))
            continue
        case.version += 1
        event = make_event(case, case.version, step.move, State(case.state), detail, by=step.by, at=moment)
        events.append(event)
        if step.uid is not None:
            done_before[case.pk, str(step.uid)] = event
        entries.append(
            (
                Note(f"case.{step.move}", "case", str(case.uid), case.area, {"number": case.number}, moment),
                step.by,
            )
        )
        changed[case.pk] = case
        outcomes.append(Outcome(step, case))
    for whole, step_of_it, entry in follow_wholes(
        changed.values(), {case.pk: case for case in cases.values()}, at
    ):
        changed[whole.pk] = whole
        if step_of_it is not None and entry is not None:
            events.append(step_of_it)
            entries.append((entry, SYSTEM))
    save_heads(changed.values())
    insert_all(events)
    record_all(entries, at=at)
    return outcomes


def follow_wholes(
    parts: Iterable[Case], known: Mapping[int, Case], at: datetime
) -> list[tuple[Case, Event | None, Note | None]]:
    """Return the wholes that changed with these parts, each with its step and entry where it made one."""
    found: list[tuple[Case, Event | None, Note | None]] = []
    for one in wholes.follow(parts, known, at):
        if one.move is None:
            found.append((one.case, None, None))
            continue
        one.case.version += 1
        event = make_event(
            one.case, one.case.version, one.move, State(one.case.state), one.detail, by=SYSTEM, at=at
        )
        entry = Note(
            f"case.{one.move}", "case", str(one.case.uid), one.case.area, {"number": one.case.number}, at
        )
        found.append((one.case, event, entry))
    return found


def save_heads(cases: Iterable[Case]) -> None:
    """Write the open fields of changed heads: one plain UPDATE for one, one statement for many."""
    rows = list(cases)
    if len(rows) == 1:
        rows[0].save(update_fields=HEAD_FIELDS)
    elif rows:
        # An upsert of rows that are there: Django's bulk_update builds one CASE for each field and row, which
        # costs twenty times as much.
        Case.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["id"], update_fields=HEAD_FIELDS, batch_size=500
        )


def reaches(actor: Actor, case: Case) -> bool:
    """May the actor see this loaded case? The same answer as `visible_to`, without asking the database."""
    if actor.case_uid:
        return actor.case_uid == str(case.uid)
    if not actor.powers.sees_cases:
        return False
    if actor.unit_id is not None:
        return case.responsible_id == actor.unit_id
    return any(getattr(case, column, None) == code for column, code in actor.reach)


def _move(
    case: Case,
    step: Step,
    at: datetime,
    units: Mapping[uuid.UUID, Unit],
    photos: Mapping[uuid.UUID, list[datetime]],
) -> dict[str, Any]:
    """Judge one step and put its effect on the head; return the particulars for the history."""
    if step.base is not None and step.base != case.version:
        raise ConflictError(
            "case-changed",
            N_("您打开页面后，该事项已被他人办理（现为“{state}”）。请刷新后再办。"),
            state=case.state_label,
        )
    if len(step.note) > NOTE_LIMIT:
        raise RuleError(
            "note-too-long",
            N_("说明共{length}字，超过{limit}字。请精简，或作为附件上传。"),
            length=len(step.note),
            limit=NOTE_LIMIT,
        )
    if step.move is Move.WITHDRAW and case.filed_by_key != step.by.key:
        raise ForbiddenError("not-yours", N_("只能撤回本人上报的问题。请联系上报人或派遣人员。"))
    after = next_state(State(case.state), step.move, parts_in(case, step.by))
    if step.move is Move.SPLIT:
        raise RuleError("split-needs-parts", N_("拆分需要逐一写明各单位的任务。请在事项页面点“拆分”办理。"))
    if step.move is Move.REOPEN and case.pieces:
        raise RuleError("split-reopen", N_("该事项由各分办件组成。请在需要返工的分办件上重新立案。"))
    if step.move is Move.WITHDRAW and case.parent_id is not None:
        raise RuleError("part-withdraw", N_("分办件不能撤回。请由派遣人员撤销并写明理由。"))
    since = case.clock_from or case.opened_at
    given = {
        name
        for name, value in (("note", step.note.strip()), ("unit", step.unit_uid), ("until", step.until))
        if value
    }
    if any(moment >= since for moment in photos.get(case.uid, [])):
        given.add("photo")
    require_needs(step.move, given)
    effect = EFFECTS.get(step.move)
    detail: dict[str, Any] = {"note": step.note.strip()} if step.note.strip() else {}
    if step.uid is not None:
        detail["uid"] = step.uid
    before_due = case.due_at
    if effect is not None:
        detail |= effect(case, step, at, units)
    case.state = after.value
    case.open = after not in (State.CLOSED, State.CANCELLED)
    if not runs_clock(after):
        case.next_at = None
    if case.due_at != before_due:
        detail |= {"due_before": before_due, "due_at": case.due_at}
    return detail


Effect = Callable[[Case, Step, datetime, Mapping[uuid.UUID, Unit]], dict[str, Any]]


def _dispatch(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    unit = units.get(step.unit_uid) if step.unit_uid else None
    if unit is not None and unit.merged_into_id:
        unit = Unit.objects.prefetch_related("services").get(pk=unit.merged_into_id)
    if unit is None or unit.closed_on is not None:
        raise RuleError("no-unit", N_("没有找到该责任单位，或它已注销。请从单位列表中重新选择。"))
    require_may_charge(step.by, unit)
    case.responsible = unit
    deadlines.start_clock(case.area, case.category, case.severity, at).put_on(case)
    return {"unit": unit.uid, "unit_name": unit.name, "limit": case.limit}


def _decline(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    unit, case.responsible = case.responsible, None
    return {"unit": unit.uid, "unit_name": unit.name} if unit else {}


def _ask_extension(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    assert step.until is not None  # require_needs has asked for it
    if case.extension_until is not None:
        raise RuleError("extension-pending", N_("已有一份延期申请在等待答复。请先等待派遣人员答复。"))
    if case.due_at is not None and step.until <= case.due_at:
        raise RuleError(
            "extension-too-early", N_("申请的期限不晚于现在的期限。请选择更晚的时间，或直接按期办理。")
        )
    if step.until > at + timedelta(days=366):
        raise RuleError(
            "extension-too-late", N_("一次最多延期一年。请选择较近的时间，或请派遣人员列为专项。")
        )
    case.extension_until = step.until
    return {"until": step.until}


def _grant_extension(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    if case.extension_until is None:
        raise RuleError("no-extension", N_("没有待答复的延期申请。请刷新页面。"))
    case.due_at, case.extension_until = case.extension_until, None
    case.extended += 1
    start = case.clock_from or at
    # The warning keeps its share of the longer time: one third before the new deadline.
    case.warn_at = start + (case.due_at - start) * 2 / 3
    case.due_provisional = False
    case.next_at = next(
        (moment for moment, _m in clock_plan(start, case.warn_at, case.due_at) if moment > at), None
    )
    return {}


def _refuse_extension(
    case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]
) -> dict[str, Any]:
    if case.extension_until is None:
        raise RuleError("no-extension", N_("没有待答复的延期申请。请刷新页面。"))
    refused, case.extension_until = case.extension_until, None
    return {"until": refused}


def _hand_in(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    case.handed_in_at = at
    case.extension_until = None
    if step.by.key not in case.handler_keys:
        case.handlers = f"{case.handlers} {step.by.key}".strip()
    return {}


def _pass(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    require_other_person(case.handler_keys, step.by.key)
    case.closed_at, case.closed_on = at, today(at)
    case.on_time = bool(case.due_at and case.handed_in_at and was_on_time(case.due_at, case.handed_in_at))
    return {"on_time": case.on_time}


def _fail(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    require_other_person(case.handler_keys, step.by.key)
    case.rework += 1
    case.handed_in_at = None
    deadlines.restart_clock(case, at).put_on(case)
    return {}


def _end(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    if step.move is Move.WITHDRAW and not may_withdraw(case.opened_at, at, WITHDRAW_WINDOW):
        raise RuleError(
            "too-late-to-withdraw", N_("上报已超过十分钟，不能撤回。请由派遣人员撤销并写明理由。")
        )
    case.closed_at, case.closed_on, case.extension_until = at, today(at), None
    case.linked_at = None  # what is cancelled repeats nothing, and nothing repeats it
    return {}


def _reopen(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    case.closed_at = case.closed_on = case.on_time = case.handed_in_at = None
    if State(case.state) is State.CLOSED:
        case.rework += 1
    else:
        case.responsible = None
        case.linked_at = None
    deadlines.restart_clock(case, at).put_on(case)
    return {}


def _supervise(case: Case, step: Step, at: datetime, units: Mapping[uuid.UUID, Unit]) -> dict[str, Any]:
    case.supervised_at = at
    return {"level": step.by.area}


EFFECTS: dict[Move, Effect] = {
    Move.DISPATCH: _dispatch,
    Move.DECLINE: _decline,
    Move.ASK_EXTENSION: _ask_extension,
    Move.GRANT_EXTENSION: _grant_extension,
    Move.REFUSE_EXTENSION: _refuse_extension,
    Move.HAND_IN: _hand_in,
    Move.PASS: _pass,
    Move.FAIL: _fail,
    Move.CANCEL: _end,
    Move.WITHDRAW: _end,
    Move.REOPEN: _reopen,
    Move.SUPERVISE: _supervise,
}


def _after_photos(steps: Sequence[Step]) -> dict[uuid.UUID, list[datetime]]:
    """Return when after-photos of these cases were received: a hand-in needs one of the present round."""
    if not steps:
        return {}
    found: dict[uuid.UUID, list[datetime]] = {}
    rows = Attachment.objects.standing().filter(
        owner_kind="case", owner_uid__in=[step.case_uid for step in steps], purpose=Purpose.AFTER
    )
    for owner, received in rows.values_list("owner_uid", "at"):
        found.setdefault(owner, []).append(received)
    return found


def _done_before(steps: Sequence[Step]) -> dict[tuple[int, str], Event]:
    if not steps:
        return {}
    events = Event.objects.filter(case__uid__in=[step.case_uid for step in steps])
    return {(event.case_id, event.detail["uid"]): event for event in events if "uid" in event.detail}


def _require_same_step(event: Event, step: Step) -> None:
    same = event.move == step.move.value and event.by_key == step.by.key and event.note == step.note.strip()
    if not same:
        raise ConflictError(
            "step-conflict", N_("同一编号的办理已有不同内容的记录。请刷新页面，核对后重新办理。")
        )


# --- links for units without an account ------------------------------------------------------------


@transaction.atomic
def make_link(*, case: Case, by: Actor, at: datetime) -> Link:
    """Make a link with which the charged unit acts on this one case until it expires.

    ForbiddenError("case-part") unless the actor dispatches here; RuleError when no unit is charged.
    """
    case = Case.objects.select_for_update(of=("self",)).select_related("responsible").get(pk=case.pk)
    if Part.DISPATCHER not in parts_in(case, by) and case.filed_by_key != by.key:
        raise ForbiddenError(
            "case-part",
            N_("您当前的岗位不能对该事项做“{move}”。请切换岗位，或请有权限的人员办理。"),
            move=MOVE_LABELS[Move.DISPATCH],
        )
    if case.responsible is None or not case.open:
        raise RuleError(
            "link-without-unit", N_("事项尚未派遣或已办结，不能生成办理链接。请先派遣到责任单位。")
        )
    link = Link.objects.create(
        case=case,
        unit=case.responsible,
        made_by_key=by.key,
        made_at=at,
        expires_at=at + timedelta(days=settings.CASE_LINK_DAYS),
    )
    record(
        Note("case.link", "case", str(case.uid), case.area, {"link": link.uid, "until": link.expires_at}),
        by=by,
        at=at,
    )
    return link


@transaction.atomic
def revoke_link(*, link: Link, by: Actor, at: datetime) -> Link:
    """Make a link useless from now on."""
    if link.revoked_at is None:
        link.revoked_at = at
        link.save(update_fields=["revoked_at"])
        record(
            Note("case.unlink", "case", str(link.case.uid), link.case.area, {"link": link.uid}), by=by, at=at
        )
    return link
