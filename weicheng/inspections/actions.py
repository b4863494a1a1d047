"""The verbs of inspection: record visits, record findings. Many are as easy as one."""

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext

from weicheng.cases.actions import NOTE_LIMIT, NewCase, file_cases, require_may_charge
from weicheng.cases.deadlines import require_day
from weicheng.cases.models import Case
from weicheng.inspections.drafts import COORDINATE_PLACES, FindingIn, PointIn, Verdict, VisitIn
from weicheng.inspections.models import Finding, FindingVersion, Visit
from weicheng.journal.actions import Note, Who, record, record_all
from weicheng.journal.rows import insert_all, new_row
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import open_area
from weicheng.places.models import Unit
from weicheng.rules.captures import occurred_on_allowed
from weicheng.rules.coordinates import Datum, datum_of, require_coordinates, to_cgcs2000
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, RuleError
from weicheng.standards import editions

BATCH_LIMIT = 50  # findings in one request; the phone sends a day's work in a few
ADDRESS_LIMIT = 200


@dataclass(frozen=True)
class Capture:
    """A finding with who captured it and when it reached us; the demo and imports carry many of each.

    visit, unit: those the draft names, where the caller holds them already; else they are read
    """

    draft: FindingIn
    by: Actor
    at: datetime
    visit: Visit | None = None
    unit: Unit | None = None


@dataclass(frozen=True)
class Recorded:
    """One finding's verdict with the rows behind it, where there are any."""

    verdict: Verdict
    finding: Finding | None = None
    case: Case | None = None
    error: RuleError | None = None


def record_finding(draft: FindingIn, *, by: Actor, at: datetime) -> Recorded:
    """Record one finding and open its case; a refusal is raised. Sent again, it is the same one finding."""
    recorded = record_findings([Capture(draft, by, at)])[0]
    if recorded.error is not None:
        raise recorded.error
    return recorded


def record_findings(captures: Sequence[Capture]) -> list[Recorded]:
    """Record many findings, each with its case, each judged by itself; one verdict for each, in order.

    Two requests with the same finding may both find it absent; the second insert then fails as a whole and
    is judged again, when the first is there to be found.
    """
    if not captures:
        return []
    with _in_turn():
        try:
            return _record_findings(captures)
        except IntegrityError:
            return _record_findings(captures)


_turn = threading.Lock()


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let one thread of this process record at a time where the database takes one writer anyway.

    SQLite makes the others wait by sleeping, longer each time, and whoever wakes first wins: with eight clients
    one in twenty waited half a second. A thread that already holds the database's lock never asks for this one.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with _turn:
        yield


@transaction.atomic
def _record_findings(captures: Sequence[Capture]) -> list[Recorded]:
    known = _known([capture.draft.uid for capture in captures])
    units = {capture.unit.uid: capture.unit for capture in captures if capture.unit}
    unit_uids = {capture.draft.unit for capture in captures if capture.draft.unit} - units.keys()
    if unit_uids:
        units |= _units(unit_uids)
    if units:
        _prefetch_services(units, captures)
    visits = {capture.visit.uid: capture.visit for capture in captures if capture.visit}
    visit_uids = {capture.draft.visit for capture in captures if capture.draft.visit} - visits.keys()
    if visit_uids:
        visits |= {visit.uid: visit for visit in Visit.objects.filter(uid__in=visit_uids)}

    results: list[Recorded | None] = []
    new: list[tuple[int, Capture, Finding, bytes, NewCase]] = []
    seen: dict[UUID, int] = {}
    for position, capture in enumerate(captures):
        draft, body = capture.draft, canonical(capture.draft.model_dump())
        try:
            if draft.uid in known:
                results.append(_as_before(known[draft.uid], capture, digest(body)))
                continue
            if draft.uid in seen:  # twice in one request: the same content is the same finding
                _require_same(digest(body), new[seen[draft.uid]][2].digest)
                results.append(None)
                continue
            if draft.visit in visits and visits[draft.visit].hidden:
                # A case would tell the inspected side; `rounds.publish_round` opens the visit first.
                raise RuleError(
                    "visit-hidden", N_("暗访公布前不能单独立案。请在检查表上作答，公布时一并立案。")
                )
            finding, opens = _judge(capture, units, visits)
        except RuleError as error:
            results.append(_refused(draft.uid, error))
            continue
        finding.digest = digest(body)
        seen[draft.uid] = len(new)
        new.append((position, capture, finding, body, opens))
        results.append(None)

    cases = file_cases([opens for _p, _c, _f, _b, opens in new])
    made: dict[UUID, Recorded] = {}
    for (_position, _capture, finding, _body, _opens), case in zip(new, cases, strict=True):
        finding.case = case
    insert_all([finding for _p, _c, finding, _b, _o in new])
    insert_all(
        [
            new_row(
                FindingVersion, finding_id=finding.pk, at=capture.at, body=body, digest=finding.digest,
                by_key=capture.by.key, by_name=capture.by.name,
            )
            for _p, capture, finding, body, _o in new
        ]
    )  # fmt: skip
    if new:
        record_all(
            [
                (Note("finding.record", "finding", str(finding.uid), finding.area,
                      {"case": finding.case.uid, "digest": finding.digest}, capture.at), capture.by)
                for _p, capture, finding, _b, _o in new
            ],
            at=captures[0].at,
        )  # fmt: skip
    for _position, _capture, finding, _body, _opens in new:
        made[finding.uid] = Recorded(_verdict(finding, "created"), finding, finding.case)
    return [result or made[capture.draft.uid] for result, capture in zip(results, captures, strict=True)]


def _known(uids: Sequence[UUID]) -> dict[UUID, Finding]:
    """Return the findings that are here already, by uid, with their cases."""
    # Nearly always there is none, so that alone is asked first, in plain SQL: to compile the seventy columns of a
    # finding with its case took longer than to insert them.
    sql = f"SELECT uid FROM inspections_finding WHERE uid IN ({', '.join(['%s'] * len(uids))})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_prepared(uid) for uid in uids])
        found = [UUID(str(uid)) for (uid,) in cursor.fetchall()]
    if not found:
        return {}
    return {row.uid: row for row in Finding.objects.filter(uid__in=found).select_related("case")}


def _units(uids: Collection[UUID]) -> dict[UUID, Unit]:
    """Return the units by uid with the few columns that are looked at here; the others are read when asked for."""
    # In the order of the model's columns, as `from_db` wants them.
    names = [one.attname for one in Unit._meta.concrete_fields if one.attname in _UNIT_COLUMNS]
    sql = f"SELECT {', '.join(names)} FROM places_unit WHERE uid IN ({', '.join(['%s'] * len(uids))})"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [_prepared(uid) for uid in uids])
        rows = cursor.fetchall()
    units = [Unit.from_db(connection.alias, names, row) for row in rows]
    for unit in units:
        unit.uid = UUID(str(unit.uid))
    return {unit.uid: unit for unit in units}


_UNIT_COLUMNS = {"id", "uid", "name", "area", "closed_on"}


def _prepared(uid: UUID) -> str | UUID:
    """Return an identity as its column holds it: SQLite has no type for one."""
    return uid if connection.features.has_native_uuid_field else uid.hex


def _prefetch_services(units: Mapping[UUID, Unit], captures: Sequence[Capture]) -> None:
    """Read the areas that units serve only where a unit lies outside the area of somebody who names it."""
    far = [
        unit
        for capture in captures
        if capture.draft.unit and (unit := units.get(capture.draft.unit))
        and not (capture.by.area and unit.area.startswith(capture.by.area))
    ]  # fmt: skip
    if far:
        prefetch_related_objects(far, "services")


def _judge(
    capture: Capture, units: Mapping[UUID, Unit], visits: Mapping[UUID, Visit]
) -> tuple[Finding, NewCase]:
    """Return the finding and the case it opens, or raise the first thing that is wrong with it."""
    draft, by, at = capture.draft, capture.by, capture.at
    if not by.powers.records:
        raise ForbiddenError("may-not-record", N_("您当前的岗位不能上报问题。请切换到督查或辖区岗位。"))
    now_on = today(at)
    occurred_on = draft.occurred_on or (today(draft.device_at) if draft.device_at else now_on)
    occurred_on_allowed(occurred_on, now_on)
    area = open_area(draft.area, occurred_on)
    if len(area.code) < 9:
        raise RuleError(
            "area-too-wide", N_("{name}范围太大，问题应落到街道或社区。请选择街道或社区。"), name=area.name
        )
    if not by.covers(area.code):
        raise ForbiddenError(
            "foreign-area", N_("{name}不在您岗位的辖区内。请选择辖区内的社区，或切换岗位。"), name=area.name
        )
    if draft.due_on is not None:
        require_day(draft.due_on, at)
    _require_length(N_("情况说明"), draft.note, NOTE_LIMIT)
    _require_length(N_("地点"), draft.address, ADDRESS_LIMIT)
    catalogue = editions.categories(area.code, occurred_on)
    category = catalogue.category(draft.category)
    severity = editions.severities(area.code, occurred_on).severity(draft.severity or category.severity)
    visit = _visit_of(draft, visits, by)
    unit = _unit_of(draft, units)
    if unit is not None:
        require_may_charge(by, unit)
    lon, lat = _point(draft.point)
    finding = new_row(
        Finding,
        uid=draft.uid,
        visit_id=visit.pk if visit else None,
        area=area.code,
        category=category.code,
        severity=severity.code,
        item=draft.item,
        count=draft.count,
        note=draft.note,
        occurred_on=occurred_on,
        found_at=draft.device_at or at,
        device_at=draft.device_at,
        gps_at=draft.point.at if draft.point else None,
        received_at=at,
        lon=lon,
        lat=lat,
        accuracy_m=_decimal(draft.point.accuracy_m, "0.1") if draft.point else None,
        datum=Datum.CGCS2000.value if draft.point else "",
        by_key=by.key,
        by_name=by.name,
        editions=str(catalogue.edition_id),
    )
    opens = NewCase(
        uid=draft.uid,  # one finding, one case: they share the identity made at capture
        title=category.name,
        area=area.code,
        category=category.code,
        severity=severity.code,
        occurred_on=occurred_on,
        at=at,
        by=by,
        due_on=draft.due_on,
        unit=unit,
        address=draft.address or (visit.place if visit else ""),
        lon=lon,
        lat=lat,
    )
    return finding, opens


def require_recordable(capture: Capture) -> None:
    """Raise what `record_findings` would refuse this capture for; nothing is written.

    The capture holds its visit and its unit, if it names any.
    """
    units = {capture.unit.uid: capture.unit} if capture.unit else {}
    visits = {capture.visit.uid: capture.visit} if capture.visit else {}
    if units:
        _prefetch_services(units, [capture])
    _judge(capture, units, visits)


def _visit_of(draft: FindingIn, visits: Mapping[UUID, Visit], by: Actor) -> Visit | None:
    if draft.visit is None:
        if draft.item:
            raise RuleError(
                "item-without-visit", N_("检查表项目须随一次检查上报。请先开始检查，或去掉项目编号。")
            )
        return None
    visit = visits.get(draft.visit)
    if visit is None or not by.covers(visit.area):
        raise RuleError("no-visit", N_("没有找到这次检查。请先上传检查，再上传其中的问题。"))
    if draft.item:
        if visit.checklist_edition is None:
            raise RuleError("item-without-list", N_("这次检查没有使用检查表。请去掉项目编号。"))
        editions.checklist_by_id(visit.checklist_edition).item(draft.item)  # refuses an unknown number
    return visit


def _unit_of(draft: FindingIn, units: Mapping[UUID, Unit]) -> Unit | None:
    if draft.unit is None:
        return None
    unit = units.get(draft.unit)
    if unit is None or unit.closed_on is not None:
        raise RuleError("no-unit", N_("没有找到该责任单位，或它已注销。请从单位列表中重新选择。"))
    return unit


def _point(point: PointIn | None) -> tuple[Decimal | None, Decimal | None]:
    if point is None:
        return None, None
    given_lon, given_lat = float(point.lon), float(point.lat)
    require_coordinates(given_lon, given_lat)
    lon, lat = to_cgcs2000(given_lon, given_lat, datum_of(point.datum))
    return _decimal(lon, str(COORDINATE_PLACES)), _decimal(lat, str(COORDINATE_PLACES))


def _decimal(value: float | Decimal | None, places: str) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal(places))


def _require_length(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise RuleError(
            "text-too-long", N_("“{name}”共{length}字，超过{limit}字。请精简，或作为附件上传。"),
            name=gettext(name), length=len(text), limit=limit,
        )  # fmt: skip


def _require_same(sent: str, stored: str) -> None:
    if sent != stored:
        raise ConflictError(
            "finding-conflict",
            N_("编号相同的问题已有不同内容的记录，没有覆盖。请打开原记录核对；若确是另一问题，请重新上报。"),
        )


def _as_before(finding: Finding, capture: Capture, sent: str) -> Recorded:
    """Judge a finding that is already here: the same from the same sender, or a conflict for anybody else."""
    if finding.by_key != capture.by.key:
        # A foreign identity answers like a conflict, and says nothing of what it holds.
        raise ConflictError("finding-conflict", N_("该编号已被使用。请重新上报。"))
    _require_same(sent, finding.digest)
    return Recorded(_verdict(finding, "exists"), finding, finding.case)


def _verdict(finding: Finding, status: str) -> Verdict:
    case = finding.case
    return Verdict(uid=finding.uid, status=status, case=case.uid, number=case.number, due_at=case.due_at)


def _refused(uid: UUID, error: RuleError) -> Recorded:
    status = "conflict" if isinstance(error, ConflictError) else "refused"
    return Recorded(
        Verdict(uid=uid, status=status, code=error.code, sentence=error.sentence(gettext)), error=error
    )


@dataclass(frozen=True)
class Beginning:
    """A visit with who makes it and when; the demo and imports carry many of each.

    part: columns that the round it is part of fills, see `rounds.begin_visits`
    """

    draft: VisitIn
    by: Actor
    at: datetime
    part: Mapping[str, Any] = field(default_factory=dict)


def record_visit(draft: VisitIn, *, by: Actor, at: datetime) -> tuple[Visit, bool]:
    """Record one visit; return it and whether it is new. Sent again it is the same; other content is a conflict."""
    return record_visits([Beginning(draft, by, at)])[0]


@transaction.atomic
def record_visits(begun: Sequence[Beginning]) -> list[tuple[Visit, bool]]:
    """Record many visits, as `record_visit` one; what is refused is raised, and none of them is recorded."""
    uids = [one.draft.uid for one in begun]
    known = {
        visit.uid: visit for visit in Visit.objects.select_for_update().filter(uid__in=uids).order_by("pk")
    }
    told: list[tuple[Visit, bool]] = []
    notes: list[tuple[Note, Who]] = []
    for one in begun:
        sent = digest(canonical(one.draft.model_dump()))
        there = known.get(one.draft.uid)
        if there is not None:
            if there.by_key != one.by.key or there.body_digest != sent:
                raise ConflictError(
                    "visit-conflict", N_("编号相同的检查已有不同内容的记录，没有覆盖。请打开原记录核对。")
                )
            told.append((there, False))
            continue
        visit = known[one.draft.uid] = _judge_visit(one.draft, one.by, one.at)
        visit.body_digest = sent
        for name, value in one.part.items():
            setattr(visit, name, value)
        told.append((visit, True))
        notes.append(
            (Note("visit.record", "visit", str(visit.uid), visit.area, {"digest": sent}, one.at), one.by)
        )
    insert_all([visit for visit, new in told if new])
    record_all(notes, at=begun[0].at)
    return told


def _judge_visit(draft: VisitIn, by: Actor, at: datetime) -> Visit:
    if not by.powers.records:
        raise ForbiddenError("may-not-record", N_("您当前的岗位不能上报问题。请切换到督查或辖区岗位。"))
    visited_on: date = draft.visited_on or today(at)
    occurred_on_allowed(visited_on, today(at))
    area = open_area(draft.area, visited_on)
    if not by.covers(area.code):
        raise ForbiddenError(
            "foreign-area", N_("{name}不在您岗位的辖区内。请选择辖区内的社区，或切换岗位。"), name=area.name
        )
    if draft.kind not in Visit.Kind.values:
        raise RuleError("visit-kind", N_("不认识检查类型“{kind}”。请从列表中选择。"), kind=draft.kind[:20])
    unit = None
    if draft.unit is not None:
        unit = Unit.objects.visible_to(by).filter(uid=draft.unit).first()
        if unit is None:
            raise RuleError("no-unit", N_("没有找到该责任单位，或它已注销。请从单位列表中重新选择。"))
    checklist = editions.checklist(draft.checklist, area.code, visited_on) if draft.checklist else None
    return Visit(
        uid=draft.uid,
        kind=draft.kind,
        unit=unit,
        place=draft.place or (unit.name if unit else area.name),
        checklist_edition=checklist.edition_id if checklist else None,
        visited_on=visited_on,
        started_at=draft.started_at or at,
        leader=draft.leader,
        participants=draft.participants,
        note=draft.note,
        by_key=by.key,
        by_name=by.name,
        post_id=by.post_id,
    ).place_at(area.code)


@transaction.atomic
def end_visit(*, visit: Visit, by: Actor, at: datetime) -> Visit:
    """Say that the visit is over; only who began it may."""
    visit = Visit.objects.select_for_update().get(pk=visit.pk)
    if visit.by_key != by.key:
        raise ForbiddenError("not-yours", N_("只有本次检查的检查人可以结束检查。"))
    if visit.ended_at is None:
        visit.ended_at = at
        visit.save(update_fields=["ended_at"])
        record(Note("visit.end", "visit", str(visit.uid), visit.area, {}), by=by, at=at)
    return visit
