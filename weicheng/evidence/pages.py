"""Photos as pages show them and as forms send them, for the apps above."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.core.exceptions import ObjectDoesNotExist
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext

from weicheng.evidence import owners, storage
from weicheng.evidence.actions import NOWHERE, Attached, Capture, attach
from weicheng.evidence.models import Attachment, Purpose
from weicheng.places.actor import Actor
from weicheng.rules.captures import Times, judge_times

# Our working rule, no law: a phone's clock is right within minutes, and a day without signal is nothing odd.
TOLERANCE = timedelta(minutes=10)
LATE_AFTER = timedelta(days=1)

Owner = tuple[str, UUID]


@dataclass(frozen=True)
class Shown:
    """One attachment as a page shows it.

    remarks: sentences about its times
    used_label, used_url: an earlier use of the same photo, if the reader sees it
    """

    attachment: Attachment
    remarks: tuple[str, ...] = ()
    used_label: str = ""
    used_url: str = ""

    @property
    def url(self) -> str:
        return reverse("photo", args=[self.attachment.uid])

    @property
    def thumb_url(self) -> str:
        return self._file("thumb")

    @property
    def display_url(self) -> str:
        return self._file("display")

    @property
    def original_url(self) -> str:
        return self._file("original")

    @property
    def is_picture(self) -> bool:
        return self.attachment.stored.is_picture and self.attachment.stored.broken_at is None

    @property
    def voiding(self) -> Any:
        return getattr(self.attachment, "voiding", None)

    @property
    def purpose(self) -> str:
        return str(Purpose(self.attachment.purpose).label)

    @property
    def taken_at(self) -> datetime:
        """Return the best known moment of the shot: photo, satellites, phone, receipt, in this order."""
        row = self.attachment
        return row.photo_at or row.gps_at or row.device_at or row.at

    @property
    def alt(self) -> str:
        """Return what a reader who does not see the photo is told."""
        row = self.attachment
        words = gettext("{purpose}照片，{name}上传").format(
            purpose=self.purpose, name=row.by_name or gettext("未署名")
        )
        return f"{words}：{row.caption}" if row.caption else words

    def _file(self, variant: str) -> str:
        return reverse("file", args=[self.attachment.uid, variant])


@dataclass(frozen=True)
class PhotoSet:
    """The photos of one purpose."""

    purpose: str
    title: str
    photos: tuple[Shown, ...]


def photo_sets(of: Sequence[Owner], actor: Actor) -> list[PhotoSet]:
    """Return what stands at these owners, as this actor sees it, by purpose; void ones are left out.

    Two statements whatever the number; a third and one a label where a photo was used before.
    """
    wanted = Q(pk__in=[])
    for kind, uid in of:
        wanted |= Q(owner_kind=kind, owner_uid=uid)
    rows = Attachment.objects.visible_to(actor).filter(wanted).standing().select_related("stored")
    found = shown(list(rows), actor)
    return [
        PhotoSet(purpose.value, str(purpose.label), photos)
        for purpose in Purpose
        if (photos := tuple(one for one in found if one.attachment.purpose == purpose.value))
    ]


def shown(rows: Iterable[Attachment], actor: Actor) -> list[Shown]:
    """Return attachments with what is remarkable about them."""
    rows = list(rows)
    first_uses = {row.duplicate_of_id for row in rows if row.duplicate_of_id}
    seen = {}
    if first_uses:
        seen = {one.pk: one for one in Attachment.objects.visible_to(actor).filter(pk__in=first_uses)}
    found = []
    for row in rows:
        used = seen.get(row.duplicate_of_id or 0)
        found.append(
            Shown(
                row,
                remarks=remarks_on(row),
                used_label=owner_label(used) if used else "",
                used_url=reverse("photo", args=[used.uid]) if used else "",
            )
        )
    return found


def remarks_on(row: Attachment) -> tuple[str, ...]:
    """Return sentences about times that do not fit together; nothing is refused for them."""
    times = Times(device_at=row.device_at, photo_at=row.photo_at, gps_at=row.gps_at, received_at=row.at)
    found = judge_times(times, tolerance=TOLERANCE, late_after=LATE_AFTER)
    return tuple(remark.sentence(gettext) for remark in found)


def owner_label(row: Attachment) -> str:
    """Return the name of what an attachment hangs on; call it only for rows the reader sees."""
    kind = owners.kind_of(row.owner_kind)
    if row.waiting and (kind is None or kind.label is None):
        return gettext("尚未提交的记录")
    try:
        return kind.label(row.owner_uid) if kind and kind.label else row.filename
    except ObjectDoesNotExist:
        return gettext("尚未提交的记录")


def owner_url(row: Attachment) -> str:
    """Return the page of what an attachment hangs on, "" where there is none."""
    kind = owners.kind_of(row.owner_kind)
    return kind.url(row.owner_uid) if kind and kind.url else ""


def attach_uploaded(
    file: UploadedFile,
    *,
    owner_kind: str,
    owner_uid: UUID,
    purpose: str,
    by: Actor,
    at: datetime,
    uid: UUID | None = None,
    caption: str = "",
    capture: Capture = NOWHERE,
    sensitive: bool = False,
) -> Attached:
    """Attach one file of a form. Refuses like `attach`.

    uid: without one it follows from owner, purpose and content: a form sent twice gives one attachment
    """
    on_disk = getattr(file, "temporary_file_path", None)
    file.seek(0)
    source = Path(on_disk()) if on_disk else file.read()
    if uid is None:
        uid = uuid5(owner_uid, f"{by.key}/{purpose}/{storage.digest_of(source)}")
        # Declared void and then sent again is meant: it is a new attachment.
        if Attachment.objects.filter(uid=uid, voiding__isnull=False).exists():
            uid = uuid4()
    return attach(
        uid=uid,
        owner_kind=owner_kind,
        owner_uid=owner_uid,
        purpose=purpose,
        data=source if isinstance(source, bytes) else None,
        path=source if isinstance(source, Path) else None,
        filename=file.name or "",
        caption=caption,
        capture=capture,
        sensitive=sensitive,
        by=by,
        at=at,
    )


def save_photos(
    files: Iterable[UploadedFile],
    *,
    owner_kind: str,
    owner_uid: UUID,
    purpose: str,
    by: Actor,
    at: datetime,
    capture: Capture = NOWHERE,
) -> list[Attached]:
    """Attach each file of a form in turn.

    The first refusal ends it; those before it stay, unless the caller's transaction takes them back.
    """
    return [
        attach_uploaded(
            file, owner_kind=owner_kind, owner_uid=owner_uid, purpose=purpose, by=by, at=at, capture=capture
        )
        for file in files
    ]
