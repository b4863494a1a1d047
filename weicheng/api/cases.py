"""Cases by API: the list, one case with its history, its steps, and counts."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from ninja import File, Form, Query, Router, Schema, UploadedFile
from pydantic import AwareDatetime, Field

from weicheng.api.door import reply
from weicheng.api.findings import PhotoIn, store_photo
from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case, Event
from weicheng.cases.parts import moves_for
from weicheng.indicators.counts import counts_by
from weicheng.places.areas import within
from weicheng.places.http import HttpRequest
from weicheng.rules.areas import Level
from weicheng.rules.cases import OPEN_STATES, Move, State
from weicheng.rules.errors import N_, MissingError, RuleError
from weicheng.rules.figures import Period
from weicheng.ui import paging

router = Router(tags=["事项"])
counts = Router(tags=["统计"])

NEWEST_FIRST = paging.Ordering()


class ListIn(Schema):
    state: list[str] = Field(default_factory=list, description="状态，可多个；空为全部未结")
    area: str = Field(default="", max_length=15, description="限于某区划")
    after: int | None = Field(default=None, ge=0, description="上一页最后一行的 id")
    limit: int = Field(default=20, ge=1, le=200)


@router.get("", summary="事项列表，新的在前")
def index(request: HttpRequest, query: Query[ListIn]) -> HttpResponse:
    states = [_state(text) for text in query.state] or list(OPEN_STATES)
    rows: QuerySet[Case] = Case.objects.visible_to(request.actor)
    scopes = [rows]
    if query.area:
        scopes = [rows.filter(**{column: code}) for column, code in within(query.area)]
    branches = [scope.filter(state=state.value) for scope in scopes for state in states]
    cursor = paging.Cursor(query.after) if query.after is not None else None
    found = paging.page(branches, NEWEST_FIRST, limit=query.limit + 1, cursor=cursor, rows=_with_unit)
    more = len(found) > query.limit
    found = found[: query.limit]
    return reply({"cases": [_line(case) for case in found], "after": found[-1].pk if more else None})


def _with_unit(queryset: QuerySet[Case]) -> QuerySet[Case]:
    return queryset.select_related("responsible")


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise RuleError(
            "unknown-state",
            N_("不认识状态“{state}”。可用：{known}。"),
            state=text[:20],
            known="、".join(State),
        ) from None


def _line(case: Case) -> dict[str, Any]:
    return {
        "id": case.pk,
        "uid": case.uid,
        "number": case.number,
        "title": case.title,
        "state": case.state,
        "area": case.area,
        "address": case.address,
        "severity": case.severity,
        "unit": case.responsible.name if case.responsible else "",
        "occurred_on": case.occurred_on,
        "due_at": case.due_at,
        "version": case.version,
    }


def _case(request: HttpRequest, uid: UUID) -> Case:
    case = Case.objects.visible_to(request.actor).filter(uid=uid).select_related("responsible").first()
    if case is None:
        raise MissingError("no-case", N_("没有找到该事项，或您当前的岗位看不到它。请返回列表。"))
    return case


@router.get("/{uuid:uid}", summary="一个事项和它的全部步骤")
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    case = _case(request, uid)
    events = Event.objects.filter(case=case).order_by("number")
    visible = Case.objects.visible_to(request.actor)
    parts = _with_unit(visible.filter(parent=case).order_by("pk")) if case.pieces else []
    others = [pk for pk in (case.repeat_of_id, case.parent_id) if pk]
    seen = dict(visible.filter(pk__in=others).values_list("pk", "uid")) if others else {}
    return reply(
        _line(case)
        | {
            # A split has its own page and no step here: it needs a task for each unit.
            "moves": [move for move in moves_for(case, request.actor) if move is not Move.SPLIT],
            "repeats": case.repeats,
            "repeat_of": seen.get(case.repeat_of_id or 0),
            "part_of": seen.get(case.parent_id or 0),
            "parts": [_line(part) for part in parts],
            "steps": [
                {
                    "number": event.number,
                    "move": event.move,
                    "state": event.state,
                    "at": event.at,
                    "by": event.by_name,
                    "post": event.post_label,
                    "detail": event.detail,
                    "digest": event.digest,
                }
                for event in events
            ],
        }
    )


class StepIn(Schema):
    uid: UUID | None = Field(default=None, description="步骤编号，由客户端生成；重发不会重复办理")
    move: str
    note: str = Field(default="", max_length=100_000)
    unit: UUID | None = None
    until: AwareDatetime | None = None
    version: int | None = Field(default=None, description="您看到的版本；事项已变则拒绝")


@router.post("/{uuid:uid}/steps", summary="办理一步")
def step(request: HttpRequest, uid: UUID, payload: StepIn) -> HttpResponse:
    try:
        move = Move(payload.move)
    except ValueError:
        raise RuleError(
            "unknown-move", N_("不认识办理动作“{move}”。请查看接口文档。"), move=payload.move[:20]
        ) from None
    case = take_step(
        Step(
            uid, move, request.actor, payload.note, payload.unit, payload.until, payload.version, payload.uid
        ),
        at=timezone.now(),
    )
    return reply({"uid": case.uid, "state": case.state, "due_at": case.due_at, "version": case.version})


@router.post("/{uuid:uid}/photos", summary="附上整改后照片")
def add_photo(
    request: HttpRequest, uid: UUID, form: Form[PhotoIn], photo: File[UploadedFile]
) -> HttpResponse:
    _case(request, uid)
    return store_photo(request, "case", uid, "after", form, photo)


class CountsIn(Schema):
    area: str = Field(default="", max_length=15, description="空为本岗位辖区")
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")
    level: str = Field(default="", description="按哪一级分组：street、community；空为下一级")


@counts.get("", summary="按区划、月份、状态计数")
def count(request: HttpRequest, query: Query[CountsIn]) -> HttpResponse:
    today = timezone.localdate()
    period = Period.between(query.start or today.replace(month=1, day=1), query.end or today)
    level = None
    if query.level:
        names = {step.column: step for step in Level}
        if query.level not in names:
            raise RuleError(
                "unknown-level", N_("不认识层级“{level}”。可用：street、community。"), level=query.level[:20]
            )
        level = names[query.level]
    rows = counts_by(actor=request.actor, area=query.area, period=period, level=level)
    return reply({"from": period.start, "to": period.end, "counts": rows})
