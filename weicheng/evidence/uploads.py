"""Files that come in parts of at most WEICHENG_UPLOAD_PART_KB: begun, sent in any order, resumed, finished.

    begin_upload → put_part × n, in any order, any of them again → finish_upload, which attaches

Killed anywhere, client or server, the upload goes on where it was: each part is on the disk before its row,
and finishing twice gives the same attachment, because the upload's uid becomes the attachment's. Parts are
transport: the journal is told once, by `attach`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime

from weicheng.evidence import actions, photos, storage
from weicheng.evidence.actions import NOWHERE, Attached, Capture
from weicheng.evidence.models import Attachment, Upload, UploadPart
from weicheng.places.actor import Actor
from weicheng.rules.digests import canonical
from weicheng.rules.errors import N_, ConflictError, MissingError, RuleError

OPEN_UPLOADS_PER_SENDER = 50
KEPT = timedelta(days=7)
# Refusals that no further try can heal: the bytes themselves are wrong, so the upload is given up.
_HOPELESS = {
    "disguised",
    "document-format",
    "empty",
    "heic",
    "image-format",
    "not-an-image",
    "too-large",
    "too-many-pixels",
    "truncated",
}


@dataclass(frozen=True)
class Status:
    """How far an upload is.

    size: bytes of the whole; part_size: bytes of each part but the last; part_count: numbered from 0
    have: numbers of the parts that are here; finished: it is attached
    """

    uid: UUID
    size: int
    part_size: int
    part_count: int
    have: tuple[int, ...]
    finished: bool

    @property
    def missing(self) -> tuple[int, ...]:
        return tuple(number for number in range(self.part_count) if number not in set(self.have))


def begin_upload(
    *,
    uid: UUID,
    owner_kind: str,
    owner_uid: UUID,
    purpose: str,
    filename: str,
    size: int,
    by: Actor,
    at: datetime,
    sha256: str = "",
    caption: str = "",
    capture: Capture = NOWHERE,
    sensitive: bool = False,
) -> Status:
    """Announce a file of `size` bytes; again with the same particulars tells how far it is.

    sha256: lower-case hex when the client knows it; then the whole is compared with it at the end
    RuleError("empty" | "too-large" | "too-many-uploads" | "digest-form"), ConflictError("upload-conflict"),
    and what `attach` refuses about owner, purpose and capture: nobody sends fifty megabytes in vain.
    """
    filename = actions.clean_name(filename)
    if size <= 0:
        raise RuleError("empty", N_("文件“{filename}”是空的。请重新拍照或重新选择。"), filename=filename)
    photos.require_length(size, filename)
    sha256 = sha256.strip().lower()
    if sha256 and (len(sha256) != 64 or set(sha256) - set("0123456789abcdef")):
        raise RuleError("digest-form", N_("文件校验值应为 64 位十六进制的 SHA-256。请更正，或不填写校验值。"))
    announced = Upload(
        uid=uid,
        owner_kind=owner_kind,
        owner_uid=owner_uid,
        purpose=actions.known_purpose(purpose),
        filename=filename,
        size=size,
        part_size=settings.UPLOAD_PART_KB * 1024,
        sha256=sha256,
        sensitive=sensitive,
        particulars=_pack(caption, capture.checked()),
        by_key=by.key,
        begun_at=at,
    )
    known = _known(announced)
    if known is not None:
        return known
    actions.judge_owner(owner_kind, owner_uid, purpose, by)
    if Upload.objects.visible_to(by).filter(finished_at=None).count() >= OPEN_UPLOADS_PER_SENDER:
        raise RuleError(
            "too-many-uploads",
            N_("您有 {count} 个文件还没有传完。请先等它们传完，或稍后再试。"),
            count=OPEN_UPLOADS_PER_SENDER,
        )
    if sensitive:
        _key, announced.sealed_key, announced.wrapped_key = storage.new_key()
    try:
        with transaction.atomic():
            announced.save(force_insert=True)
    except IntegrityError:
        # The same announcement arrived twice at once; the first has been committed.
        known = _known(announced)
        if known is None:
            raise
        return known
    return _status(announced, ())


_PARTICULARS = ("owner_kind", "owner_uid", "purpose", "filename", "size", "sha256", "sensitive", "by_key")


def _known(announced: Upload) -> Status | None:
    """Return how far the upload with this uid is; ConflictError when it is about something else."""
    known = Upload.objects.filter(uid=announced.uid).first()
    if known is not None:
        if any(getattr(known, name) != getattr(announced, name) for name in _PARTICULARS):
            raise ConflictError(
                "upload-conflict",
                N_("这个编号已用于上传另一个文件。请删除待传的这张，重新选择后再传。"),
            )
        return _status(known)
    attached = Attachment.objects.filter(uid=announced.uid).select_related("stored").first()
    if attached is None:
        return None
    # Sent whole, or swept since: the attachment alone says what was sent under this uid.
    same = ("owner_kind", "owner_uid", "purpose", "by_key")
    if attached.stored.size != announced.size or any(
        getattr(attached, name) != getattr(announced, name) for name in same
    ):
        raise actions.photo_conflict()
    announced.finished_at = attached.at
    return _status(announced, ())


def put_part(*, uid: UUID, number: int, data: bytes, by: Actor, at: datetime) -> Status:
    """Keep one part; the same part again changes nothing.

    RuleError("part-number" | "part-size")
    ConflictError("part-conflict"): other content under the same number
    """
    upload = _mine(uid, by)
    if upload.finished_at is not None:
        return _status(upload)
    if not 0 <= number < upload.part_count:
        raise RuleError(
            "part-number",
            N_("没有第 {number} 段：这个文件只有 {count} 段，从 0 编号。请重新查询上传进度。"),
            number=number,
            count=upload.part_count,
        )
    wanted = min(upload.part_size, upload.size - number * upload.part_size)
    if len(data) != wanted:
        raise RuleError(
            "part-size",
            N_("第 {number} 段应有 {wanted} 字节，收到 {got} 字节。请重传这一段。"),
            number=number,
            wanted=wanted,
            got=len(data),
        )
    sha256 = storage.digest_of(data)
    if not _has_same(upload, number, sha256):
        storage.put_part(upload.uid, _name(number, sha256), data, key=_key_of(upload))
        try:
            with transaction.atomic():
                UploadPart.objects.create(upload=upload, number=number, size=len(data), sha256=sha256)
        except IntegrityError:
            # Sent twice at once, or the upload was finished or swept meanwhile.
            if not _has_same(_mine(uid, by), number, sha256):
                raise
    return _status(upload)


def _has_same(upload: Upload, number: int, sha256: str) -> bool:
    known = upload.parts.filter(number=number).first()
    if known is None:
        return False
    if known.sha256 != sha256:
        raise ConflictError(
            "part-conflict",
            N_("第 {number} 段已经收到过，内容与这次不同。请放弃这次上传，重新选择文件。"),
            number=number,
        )
    return True


def upload_status(*, uid: UUID, by: Actor) -> Status:
    """Return how far the sender's own upload is. MissingError("no-upload")"""
    return _status(_mine(uid, by))


def finish_upload(*, uid: UUID, by: Actor, at: datetime) -> Attached:
    """Put the parts together, compare, attach. Finishing twice gives the same attachment.

    RuleError("parts-missing"): `numbers` says which, the upload goes on
    RuleError("digest-mismatch"): the parts are dropped, all have to be sent again
    and what `attach` refuses; an upload whose bytes can never be accepted is given up
    """
    upload = _mine(uid, by)
    done = Attachment.objects.filter(uid=uid, by_key=by.key).select_related("stored").first()
    if done is not None:
        _close(upload, at)
        return Attached(done, created=False, duplicates=actions.seen_duplicates(done, by))
    with _joined(upload) as whole:
        if upload.sha256 and storage.digest_of(whole) != upload.sha256:
            _forget_parts(upload)
            raise RuleError(
                "digest-mismatch",
                N_("文件“{filename}”在传输中出错，收到的内容与原文件不一致。请重新上传。"),
                filename=upload.filename,
            )
        content: dict[str, Any] = {"path": whole} if isinstance(whole, Path) else {"data": whole}
        try:
            attached = actions.attach(
                uid=upload.uid,
                owner_kind=upload.owner_kind,
                owner_uid=upload.owner_uid,
                purpose=upload.purpose,
                filename=upload.filename,
                sensitive=upload.sensitive,
                by=by,
                at=at,
                **content,
                **_unpack(upload.particulars),
            )
        except RuleError as error:
            if error.code in _HOPELESS:
                storage.drop_parts(upload.uid)
                upload.delete()
            raise
    _close(upload, at)
    return attached


@contextmanager
def _joined(upload: Upload) -> Iterator[storage.Source]:
    """Give the whole content; a draft file is removed afterwards."""
    parts = {part.number: part for part in upload.parts.all()}
    # A restored backup has rows of parts whose files it has not: they are asked for again.
    lost = [
        part.pk
        for part in parts.values()
        if not storage.has_part(upload.uid, _name(part.number, part.sha256))
    ]
    if lost:
        UploadPart.objects.filter(pk__in=lost).delete()
    missing = [n for n in range(upload.part_count) if n not in parts or parts[n].pk in lost]
    if missing:
        raise RuleError(
            "parts-missing",
            N_("文件“{filename}”还有 {count} 段没有传到。请继续上传。"),
            filename=upload.filename,
            count=len(missing),
            numbers=missing,
        )
    names = [_name(n, parts[n].sha256) for n in range(upload.part_count)]
    whole = storage.join_parts(upload.uid, names, key=_key_of(upload))
    try:
        yield whole
    finally:
        if isinstance(whole, Path):
            whole.unlink(missing_ok=True)


def _close(upload: Upload, at: datetime) -> None:
    """Mark it finished, then drop the parts: killed between the two, the sweep drops them."""
    Upload.objects.filter(pk=upload.pk, finished_at=None).update(finished_at=at)
    _forget_parts(upload)


def _forget_parts(upload: Upload) -> None:
    upload.parts.all().delete()
    storage.drop_parts(upload.uid)


def sweep_uploads(*, at: datetime) -> int:
    """Remove uploads begun more than seven days ago, finished or given up; return how many.

    What was attached stays: the attachment answers for its uid from then on.
    """
    old = list(Upload.objects.filter(begun_at__lt=at - KEPT).order_by("id")[:1000])
    for upload in old:
        upload.delete()
        storage.drop_parts(upload.uid)
    return len(old)


def _mine(uid: UUID, by: Actor) -> Upload:
    found = Upload.objects.visible_to(by).filter(uid=uid).first()
    if found is None:
        raise MissingError("no-upload", N_("没有找到这次上传，可能已超过保留时间。请重新选择文件上传。"))
    return found


def _status(upload: Upload, have: tuple[int, ...] | None = None) -> Status:
    finished = upload.finished_at is not None
    if have is None:
        have = () if finished else tuple(upload.parts.order_by("number").values_list("number", flat=True))
    if finished:
        have = tuple(range(upload.part_count))
    return Status(upload.uid, upload.size, upload.part_size, upload.part_count, have, finished)


def _name(number: int, sha256: str) -> str:
    return f"{number}-{sha256[:16]}"


def _key_of(upload: Upload) -> bytes | None:
    if not upload.sensitive:
        return None
    return storage.open_key(upload.sealed_key or b"", upload.wrapped_key or b"")


def _pack(caption: str, capture: Capture) -> str:
    return canonical({"caption": caption.strip()[:200], **vars(capture)}).decode()


def _unpack(particulars: str) -> dict[str, Any]:
    said = json.loads(particulars)
    for name in ("device_at", "gps_at"):
        said[name] = parse_datetime(said[name]) if said[name] else None
    for name in ("lon", "lat", "accuracy_m"):
        said[name] = Decimal(said[name]) if said[name] is not None else None
    caption = said.pop("caption")
    return {"caption": caption, "capture": Capture(**said)}
