"""Answers of a visit's check list by API: up to a hundred, one verdict each. Sending again is always safe."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import Router, Schema
from pydantic import Field, ValidationError

from weicheng.api.door import reply
from weicheng.api.findings import misshapen
from weicheng.inspections.answers import BATCH_LIMIT, record_answers
from weicheng.inspections.drafts import AnswerIn, AnswerVerdict
from weicheng.inspections.models import Answer, Visit
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, RuleError

router = Router(tags=["检查"])


class AnswersIn(Schema):
    answers: list[dict[str, Any]] = Field(description="最多 100 项，逐项裁定")


@router.post("/{uuid:uid}/answers", summary="填写检查表，最多 100 项，逐项答复")
def answer(request: HttpRequest, uid: UUID, payload: AnswersIn) -> HttpResponse:
    if len(payload.answers) > BATCH_LIMIT:
        raise RuleError(
            "batch-too-large", N_("一次最多填写{limit}项，收到{count}项。请分几次发送。"),
            limit=BATCH_LIMIT, count=len(payload.answers),
        )  # fmt: skip
    told: list[dict[str, Any] | None] = []
    drafts: list[AnswerIn] = []
    for raw in payload.answers:
        try:
            drafts.append(AnswerIn.model_validate(raw))
            told.append(None)
        except ValidationError as error:
            told.append(misshapen(raw, error, AnswerVerdict))
    # Asked even for none, so that a foreign visit answers like one that is not there.
    done = iter(record_answers(uid, drafts, by=request.actor, at=timezone.now()))
    return reply({"verdicts": [verdict or next(done).verdict.model_dump() for verdict in told]})


@router.get("/{uuid:uid}/answers", summary="一次检查的答案")
def answers_of(request: HttpRequest, uid: UUID) -> HttpResponse:
    visit = Visit.objects.visible_to(request.actor).filter(uid=uid).first()
    if visit is None:
        raise Http404(gettext("没有找到这次检查，或您当前的岗位看不到它。"))
    rows = Answer.objects.filter(visit=visit).select_related("finding__case").order_by("id")
    return reply(
        {
            "visit": visit.uid,
            "answers": [
                {
                    "uid": row.uid,
                    "item": row.item,
                    "spot": row.spot,
                    "result": row.result,
                    "count": row.count,
                    "points": row.points,
                    "note": row.note,
                    "opinion": row.opinion,
                    "due_on": row.due_on,
                    "step": row.step,
                    "informed_at": row.informed_at,
                    "arrived_at": row.arrived_at,
                    "cleared_at": row.cleared_at,
                    "version": row.version,
                    "case": row.finding.case.uid if row.finding else None,
                }
                for row in rows
            ],
        }
    )
