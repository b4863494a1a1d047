"""Photos on the pages of cases and findings: hang on what a form brought, show what is there."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.core.files.uploadedfile import UploadedFile
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from weicheng.evidence.actions import Capture, attach
from weicheng.evidence.models import Attachment, Purpose
from weicheng.places.actor import Actor
from weicheng.ui.forms import Place

# What `attach` refuses about a picture itself: told at the photo field and not above the form.
PROBLEMS = frozenset(
    {"need-photo", "not-an-image", "too-large", "too-many-pixels", "disguised", "truncated", "empty", "broken",
     "too-many-photos", "not-supported", "empty-file"}
)  # fmt: skip


def attach_uploaded(
    file: UploadedFile,
    *,
    owner_kind: str,
    owner_uid: UUID,
    purpose: str,
    by: Actor,
    at: datetime,
    device_at: datetime | None = None,
    place: Place | None = None,
) -> None:
    """Hang one file of a form on its owner. A large one lies on the disk already and is not read into memory."""
    on_disk = Path(file.temporary_file_path()) if hasattr(file, "temporary_file_path") else None
    capture = Capture(device_at=device_at)
    if place is not None:
        capture = Capture(
            device_at=device_at,
            lon=Decimal(str(place.lon)),
            lat=Decimal(str(place.lat)),
            accuracy_m=Decimal(str(place.accuracy_m)) if place.accuracy_m is not None else None,
            datum=place.datum,
        )
    attach(
        uid=uuid4(),
        owner_kind=owner_kind,
        owner_uid=owner_uid,
        purpose=purpose,
        data=None if on_disk else file.read(),
        path=on_disk,
        filename=file.name or "",
        capture=capture,
        by=by,
        at=at,
    )


def photo_sets(owner_uid: UUID, actor: Actor) -> list[dict[str, Any]]:
    """Return the photos of a case and its finding (they share their uid) by purpose, as `_photo_grid` draws them."""
    rows = (
        Attachment.objects.visible_to(actor)
        .filter(owner_uid=owner_uid, owner_kind__in=("finding", "case"))
        .standing()
        .select_related("stored", "duplicate_of")
        .order_by("id")[:60]
    )
    sets: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        sets.setdefault(row.purpose, []).append(_photo(row, actor))
    return [
        {"title": Purpose(purpose).label, "photos": sets[purpose]} for purpose in Purpose if purpose in sets
    ]


def _photo(row: Attachment, actor: Actor) -> dict[str, Any]:
    taken = row.photo_at or row.device_at
    said = _("拍摄 {taken}") if taken else _("收到 {received}")
    shown: dict[str, Any] = {
        "url": _file(row, "display" if row.stored.is_picture else "original"),
        "thumb_url": _file(row, "thumb"),
        "caption": said.format(taken=_clock(taken), received=_clock(row.at)),
    }
    if row.duplicate_of_id:
        shown["flag"] = _("此照片曾用于其他事项")
        earlier = row.duplicate_of
        if earlier is not None and Attachment.objects.visible_to(actor).filter(pk=earlier.pk).exists():
            shown["flag_url"] = reverse("case", args=[earlier.owner_uid])
    return shown


def _file(row: Attachment, variant: str) -> str:
    return reverse("file", args=[row.uid, variant])


def _clock(moment: datetime | None) -> str:
    return f"{localtime(moment):%m-%d %H:%M}" if moment else ""
