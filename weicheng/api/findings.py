"""Findings by API: one, up to fifty, with photos. Sending again is always safe."""

from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import File, Form, Router, Schema, UploadedFile
from pydantic import AwareDatetime, Field, ValidationError

from weicheng.api.door import reply
from weicheng.evidence.actions import Capture as PhotoCapture
from weicheng.evidence.actions import attach
from weicheng.inspections.actions import (
    BATCH_LIMIT,
    Capture,
    Recorded,
    record_finding,
    record_findings,
    record_visit,
)
from weicheng.inspections.drafts import FindingIn, Verdict, VisitIn
from weicheng.inspections.models import Finding
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, RuleError

router = Router(tags=["问题"])
visits = Router(tags=["检查"])


def _told(recorded: Recorded) -> dict[str, Any]:
    return recorded.verdict.model_dump()


@router.post("", summary="上报一个问题")
def create(request: HttpRequest, payload: FindingIn) -> HttpResponse:
    recorded = record_finding(payload, by=request.actor, at=timezone.now())
    return reply(_told(recorded), 201 if recorded.verdict.status == "created" else 200)


class BatchIn(Schema):
    findings: list[dict[str, Any]] = Field(description="最多 50 个，逐个裁定")


@router.post("/batch", summary="上报最多 50 个问题，逐个答复")
def create_many(request: HttpRequest, payload: BatchIn) -> HttpResponse:
    if len(payload.findings) > BATCH_LIMIT:
        raise RuleError(
            "batch-too-large", N_("一次最多上报{limit}个问题，收到{count}个。请分几次发送。"),
            limit=BATCH_LIMIT, count=len(payload.findings),
        )  # fmt: skip
    now = timezone.now()
    told: list[dict[str, Any] | None] = []
    captures: list[Capture] = []
    for raw in payload.findings:
        try:
            captures.append(Capture(FindingIn.model_validate(raw), request.actor, now))
            told.append(None)
        except ValidationError as error:
            told.append(misshapen(raw, error))
    done = iter(record_findings(captures)) if captures else iter(())
    return reply({"verdicts": [verdict or _told(next(done)) for verdict in told]})


def misshapen(
    raw: dict[str, Any], error: ValidationError, verdict: type[Verdict] = Verdict
) -> dict[str, Any]:
    """Return the verdict on one row of a batch that could not be read."""
    from weicheng.api.main import shape_sentence

    places = {".".join(str(part) for part in problem["loc"]): problem["msg"] for problem in error.errors()}
    try:
        uid = UUID(str(raw.get("uid")))
    except ValueError:
        uid = UUID(int=0)
    return verdict(uid=uid, status="refused", code="shape", sentence=shape_sentence(places)).model_dump()


@router.get("/{uuid:uid}", summary="一个问题")
def detail(request: HttpRequest, uid: UUID) -> HttpResponse:
    finding = Finding.objects.visible_to(request.actor).filter(uid=uid).select_related("case").first()
    if finding is None:
        raise Http404(gettext("没有找到该问题，或您当前的岗位看不到它。"))
    return reply(
        {
            "uid": finding.uid,
            "case": finding.case.uid,
            "number": finding.case.number,
            "state": finding.case.state,
            "area": finding.area,
            "category": finding.category,
            "severity": finding.severity,
            "note": finding.note,
            "occurred_on": finding.occurred_on,
            "found_at": finding.found_at,
            "received_at": finding.received_at,
            "due_at": finding.case.due_at,
        }
    )


class PhotoIn(Schema):
    uid: UUID
    device_at: AwareDatetime | None = None
    lon: Decimal | None = Field(default=None, ge=-180, le=180)
    lat: Decimal | None = Field(default=None, ge=-90, le=90)
    accuracy_m: Decimal | None = Field(default=None, ge=0)
    gps_at: AwareDatetime | None = None


@router.post("/{uuid:uid}/photos", summary="附上现场照片")
def add_photo(
    request: HttpRequest, uid: UUID, form: Form[PhotoIn], photo: File[UploadedFile]
) -> HttpResponse:
    return store_photo(request, "finding", uid, "before", form, photo)


def store_photo(
    request: HttpRequest, owner_kind: str, owner_uid: UUID, purpose: str, form: PhotoIn, photo: UploadedFile
) -> HttpResponse:
    """Attach one photo to its owner; the same photo uid again is the same photo."""
    # A large upload is already a file on the disk; it is handed on as such and never read whole.
    on_disk = Path(photo.temporary_file_path()) if hasattr(photo, "temporary_file_path") else None
    attached = attach(
        uid=form.uid,
        owner_kind=owner_kind,
        owner_uid=owner_uid,
        purpose=purpose,
        data=None if on_disk else photo.read(),
        path=on_disk,
        filename=photo.name or "",
        capture=PhotoCapture(form.device_at, form.gps_at, form.lon, form.lat, form.accuracy_m),
        by=request.actor,
        at=timezone.now(),
    )
    photo_row = attached.attachment
    return reply(
        {
            "uid": photo_row.uid,
            "status": "created" if attached.created else "exists",
            "sha256": photo_row.stored.sha256,
            "photo_at": photo_row.photo_at,
            "received_at": photo_row.received_at,
            "used_before": bool(attached.duplicates),
        },
        201 if attached.created else 200,
    )


@visits.post("", summary="上报一次检查")
def create_visit(request: HttpRequest, payload: VisitIn) -> HttpResponse:
    visit, created = record_visit(payload, by=request.actor, at=timezone.now())
    return reply(
        {"uid": visit.uid, "number": visit.number, "status": "created" if created else "exists"},
        201 if created else 200,
    )
