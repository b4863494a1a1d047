"""What cases give to the layers below: files hang on them, and open work goes over when a post ends."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse

from weicheng.cases.actions import make_event
from weicheng.cases.models import Case
from weicheng.cases.parts import parts_in
from weicheng.evidence import owners
from weicheng.journal.actions import Note, record_all
from weicheng.journal.rows import insert_all
from weicheng.places import handover
from weicheng.places.actor import Actor
from weicheng.places.models import Post, Unit
from weicheng.rules.cases import Move, Part, State
from weicheng.rules.errors import N_, ForbiddenError, MissingError


def connect() -> None:
    """Register with the layers below; called once when the app is ready."""
    owners.register(
        "case",
        visible=visible,
        may_attach=may_attach,
        label=lambda uid: Case.objects.get(uid=uid).title,
        url=lambda uid: reverse("case", args=[uid]),
    )
    handover.register("本人上报、尚未办结的事项", carry_over, count_open)
    handover.register_merge("未办结事项", follow_merge)


def visible(actor: Actor) -> QuerySet[Case]:
    return Case.objects.visible_to(actor)


def may_attach(actor: Actor, uid: UUID, purpose: str) -> str:
    """Files of a case come from those who play a part in it while it is open; return its area."""
    case = Case.objects.visible_to(actor).filter(uid=uid).first()
    if case is None:
        raise MissingError("no-case", N_("没有找到该事项，或您当前的岗位看不到它。请返回列表。"))
    if not case.open:
        raise ForbiddenError("case-over", N_("事项已办结，不能再添加照片。如有新情况，请重新立案。"))
    if not parts_in(case, actor) & {Part.HANDLER, Part.DISPATCHER, Part.VERIFIER}:
        raise ForbiddenError("may-not-attach", N_("您当前的岗位不能为该事项添加照片。请切换岗位。"))
    return case.area


def count_open(post: Post) -> int:
    """Return how many open cases the holder of this post has filed in its area."""
    return _filed_by(post).count()


def _filed_by(post: Post) -> QuerySet[Case]:
    cases = Case.objects.filter(filed_by_key=f"user:{post.user_id}", open=True)
    return cases.none() if post.unit_id else cases.filter(filed_area=post.area)


def carry_over(from_post: Post, to_post: Post, by: Actor, at: datetime) -> int:
    """Make the successor the one who hears of the open cases that the predecessor filed.

    Cases belong to areas and units, so dispatch, rectification and verification need no hand-over: the
    successor's post reaches them. What is personal is being the finder.
    """
    cases = list(_filed_by(from_post).select_for_update(of=("self",)))
    details = []
    for case in cases:
        before, case.filed_by_key = case.filed_by_key, f"user:{to_post.user_id}"
        case.filed_by_name = to_post.user.name
        note = f"工作移交：{from_post.user.name} → {to_post.user.name}"
        details.append({"from": before, "to": case.filed_by_key, "note": note})
    _note_all(cases, details, "case.handover", ["filed_by_key", "filed_by_name"], by, at)
    return len(cases)


def follow_merge(unit: Unit, into: Unit, by: Actor, at: datetime) -> int:
    """Charge the heir with the open cases of a unit that was merged; deadlines stay as they are."""
    cases = list(Case.objects.filter(responsible=unit, open=True).select_for_update(of=("self",)))
    for case in cases:
        case.responsible = into
    detail = {"unit": into.uid, "unit_name": into.name, "note": f"{unit.name}并入{into.name}，由其继续办理"}
    _note_all(cases, [detail] * len(cases), "case.follow", ["responsible"], by, at)
    return len(cases)


def _note_all(
    cases: list[Case], details: list[dict[str, Any]], verb: str, fields: list[str], by: Actor, at: datetime
) -> None:
    """Write changed heads with a note in each history; three statements for each 200."""
    events, entries = [], []
    for case, detail in zip(cases, details, strict=True):
        case.version += 1
        events.append(make_event(case, case.version, Move.NOTE, State(case.state), detail, by=by, at=at))
        entries.append((Note(verb, "case", str(case.uid), case.area, {"number": case.number}), by))
    Case.objects.bulk_update(cases, [*fields, "version"], batch_size=200)
    insert_all(events)
    record_all(entries, at=at)
