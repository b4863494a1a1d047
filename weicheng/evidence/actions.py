"""What may happen to files: attach and declare void. Parts are put together in `uploads`.

The bytes are on the disk, synced, before the transaction that names them begins: a sync takes milliseconds,
and the database's only writer must not wait for a disk that it does not use.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from weicheng.evidence import documents, owners, photos, storage
from weicheng.evidence.models import Attachment, Purpose, StoredFile, Voiding
from weicheng.journal import actions as journal
from weicheng.journal.actions import Note
from weicheng.journal.rows import insert_all
from weicheng.places.actor import Actor
from weicheng.rules.coordinates import Datum, datum_of, require_coordinates
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.moments import require_aware

PHOTOS_PER_OWNER = 20


@dataclass(frozen=True)
class Attached:
    """What became of an attempt to attach.

    created: False when the same capture had arrived before
    duplicates: earlier uses of the same bytes elsewhere that the sender sees, the first one at most
    """

    attachment: Attachment
    created: bool
    duplicates: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Capture:
    """Where and when the device says a file was captured; nothing of it is believed, all of it is kept.

    device_at, gps_at: aware moments; lon, lat: degrees in `datum`; accuracy_m: radius in metres
    """

    device_at: datetime | None = None
    gps_at: datetime | None = None
    lon: Decimal | None = None
    lat: Decimal | None = None
    accuracy_m: Decimal | None = None
    datum: str = Datum.WGS84.value

    def checked(self) -> "Capture":
        """Return it as the columns hold it.

        RuleError("naive-moment" | "coordinate-out-of-range" | "datum")
        """
        require_aware(self.device_at, self.gps_at)
        if self.lon is None or self.lat is None:
            return Capture(device_at=self.device_at, gps_at=self.gps_at, datum="")
        require_coordinates(float(self.lon), float(self.lat))
        datum = datum_of(self.datum)
        accuracy = self.accuracy_m
        if accuracy is not None:
            # A phone without any idea says millions of metres; the column holds ten thousand kilometres.
            accuracy = min(max(Decimal(str(accuracy)), Decimal(0)), Decimal("9999999")).quantize(
                Decimal("0.1")
            )
        return Capture(
            device_at=self.device_at,
            gps_at=self.gps_at,
            lon=Decimal(str(self.lon)).quantize(Decimal("0.0000001")),
            lat=Decimal(str(self.lat)).quantize(Decimal("0.0000001")),
            accuracy_m=accuracy,
            datum=datum.value,
        )


NOWHERE = Capture()


# --- attach --------------------------------------------------------------------------------------


def attach(
    *,
    uid: UUID,
    owner_kind: str,
    owner_uid: UUID,
    purpose: str,
    by: Actor,
    at: datetime,
    data: bytes | None = None,
    path: Path | None = None,
    filename: str = "",
    caption: str = "",
    capture: Capture = NOWHERE,
    sensitive: bool = False,
) -> Attached:
    """Keep a file byte for byte and hang it on its owner; idempotent by `uid`.

    data or path: the content; a file at `path` is copied and never read whole into memory
    sensitive: sealed on disk, shown to few, each reading journalled

    Refused before anything is written: ConflictError("photo-conflict") for the same uid with other content,
    MissingError for an owner that is foreign or absent and cannot be waited for,
    RuleError("too-many-photos"), and what `photos.inspect`, `documents.media_type` and `Capture.checked`
    refuse.
    At most 20 stand at one owner; two senders in the same millisecond may bring it to 21.
    """
    source = data if path is None else path
    if source is None:
        raise ValueError("attach needs data or path")
    filename = clean_name(filename)
    photos.require_size(source, filename)
    draft = _Draft(
        uid=uid,
        owner_kind=owner_kind,
        owner_uid=owner_uid,
        purpose=known_purpose(purpose),
        source=source,
        sha256=storage.digest_of(source),
        filename=filename,
        caption=caption.strip()[:200],
        capture=capture.checked(),
        sensitive=sensitive,
    )
    for attempt in (1, 2):
        # The uid, or the same bytes, may be on their way in another request. Whoever is second fails on the
        # unique constraint and finds, looking again, what the first has committed.
        try:
            return _attach(draft, by, at)
        except IntegrityError:
            if attempt == 2:
                raise
    raise AssertionError("unreachable")


@dataclass(frozen=True)
class _Draft:
    """What `attach` was given, cleaned."""

    uid: UUID
    owner_kind: str
    owner_uid: UUID
    purpose: str
    source: storage.Source
    sha256: str
    filename: str
    caption: str
    capture: Capture
    sensitive: bool


def _attach(draft: _Draft, by: Actor, at: datetime) -> Attached:
    here = Q(owner_kind=draft.owner_kind, owner_uid=draft.owner_uid, voiding__isnull=True)
    known = list(Attachment.objects.filter(Q(uid=draft.uid) | here).select_related("stored"))
    for row in known:
        if row.uid == draft.uid:
            _require_same(row, draft, by)
            return Attached(row, created=False, duplicates=seen_duplicates(row, by))
    area, waiting = judge_owner(draft.owner_kind, draft.owner_uid, draft.purpose, by)
    # A stranger's waiting photo must not fill up somebody else's twenty.
    if sum(1 for row in known if not row.waiting or row.by_key == by.key) >= PHOTOS_PER_OWNER:
        raise RuleError(
            "too-many-photos",
            N_("这里已有 {count} 个附件，达到上限。请先作废不需要的照片，再上传新的。"),
            count=PHOTOS_PER_OWNER,
        )
    picture, media_type = _look(draft)
    stored = earlier = None
    if not draft.sensitive:
        stored = StoredFile.objects.filter(sha256=draft.sha256, sensitive=False).first()
    if stored is None:
        stored = _write(draft, media_type, picture, at)
    else:
        earlier = _earlier_use(stored, draft)
    row = _row(draft, stored, picture, by=by, at=at, area=area, waiting=waiting, earlier=earlier)
    detail = {
        "owner": f"{draft.owner_kind}:{draft.owner_uid}",
        "purpose": draft.purpose,
        "size": stored.size,
        "digest": row.digest,
    }
    note = Note("attachment.add", "attachment", str(draft.uid), area, detail)
    with transaction.atomic():
        if stored.pk is None:
            insert_all([stored])
            row.stored = stored
        insert_all([row])
        journal.record(note, by=by, at=at)
    return Attached(row, created=True, duplicates=seen_duplicates(row, by))


def _row(
    draft: _Draft,
    stored: StoredFile,
    picture: photos.Picture | None,
    *,
    by: Actor,
    at: datetime,
    area: str,
    waiting: bool,
    earlier: Attachment | None,
) -> Attachment:
    filename = draft.filename or f"{draft.uid.hex[:8]}{documents.SUFFIXES[stored.media_type]}"
    if draft.sensitive:
        # A scan's name often says whose it is ("张某身份证.jpg"), and names are not sealed: it is dropped.
        filename = f"{draft.uid.hex[:8]}{documents.SUFFIXES[stored.media_type]}"
    row = Attachment(
        uid=draft.uid,
        at=at,
        owner_kind=draft.owner_kind,
        owner_uid=draft.owner_uid,
        purpose=draft.purpose,
        stored=stored,
        filename=filename,
        caption=draft.caption,
        device_at=draft.capture.device_at,
        photo_at=picture.photo_at if picture else None,
        photo_zone_assumed=bool(picture and picture.zone_assumed),
        gps_at=draft.capture.gps_at or (picture.gps_at if picture else None),
        photo_lon=picture.lon if picture else None,
        photo_lat=picture.lat if picture else None,
        lon=draft.capture.lon,
        lat=draft.capture.lat,
        datum=draft.capture.datum,
        accuracy_m=draft.capture.accuracy_m,
        by_key=by.key,
        by_name=by.name,
        post_id=by.post_id,
        area=area,
        waiting=waiting,
        duplicate_of=earlier,
    )
    row.body = _body(row, draft.sha256)
    row.digest = digest(row.body)
    return row


def known_purpose(purpose: str) -> str:
    """Return the purpose, or refuse what is none: RuleError("purpose")."""
    if purpose not in Purpose.values:
        raise RuleError(
            "purpose",
            N_("附件用途“{purpose}”无法识别。请写 before、after 或 document。"),
            purpose=purpose[:20],
        )
    return str(purpose)


def clean_name(filename: str) -> str:
    """Return the last part of a file's name without control characters, at most 120 characters."""
    name = (
        "".join(letter for letter in filename if letter.isprintable()).replace("\\", "/").rsplit("/", 1)[-1]
    )
    name = name.strip(". ")
    return name if len(name) <= 120 else name[:100] + name[-20:]


def _require_same(row: Attachment, draft: _Draft, by: Actor) -> None:
    known = (row.owner_kind, row.owner_uid, row.purpose, row.stored.sha256, row.by_key)
    if known != (draft.owner_kind, draft.owner_uid, draft.purpose, draft.sha256, by.key):
        raise photo_conflict()


def photo_conflict() -> ConflictError:
    """Return the refusal of a uid that is known with other content; a person must see it."""
    return ConflictError(
        "photo-conflict",
        N_("这个编号的照片已经上传过，内容与这次不同。请删除待传的这张，重新拍照或选择后再传。"),
    )


def judge_owner(owner_kind: str, owner_uid: UUID, purpose: str, by: Actor) -> tuple[str, bool]:
    """Return (area code for the journal, does the file wait for its owner); refuses like `attach`."""
    kind = owners.kind_of(owner_kind)
    if kind is None or not by.key:
        raise MissingError(
            "no-owner", N_("没有找到要附照片的事项，或您当前的岗位看不到它。请返回上一页重试。")
        )
    try:
        return kind.may_attach(by, owner_uid, purpose) or by.area, False
    except MissingError:
        if not kind.may_wait:
            raise
        return by.area, True


def _look(draft: _Draft) -> tuple[photos.Picture | None, str]:
    try:
        picture = photos.inspect(draft.source, draft.filename)
    except RuleError as error:
        # Material may be more than a photo; what looks like a photo is still judged as one.
        if draft.purpose != Purpose.DOCUMENT or error.code not in {"disguised", "not-an-image"}:
            raise
        return None, documents.media_type(draft.source, draft.filename)
    return picture, picture.media_type


def _earlier_use(stored: StoredFile, draft: _Draft) -> Attachment | None:
    """Return the first use of these bytes at another owner, or at this one for another purpose."""
    elsewhere = ~Q(owner_uid=draft.owner_uid) | ~Q(purpose=draft.purpose)
    return Attachment.objects.filter(elsewhere, stored=stored).order_by("id").first()


def seen_duplicates(row: Attachment, by: Actor) -> tuple[Attachment, ...]:
    """Return the first earlier use of the same bytes, if this actor sees it."""
    if row.duplicate_of_id is None:
        return ()
    return tuple(Attachment.objects.visible_to(by).filter(pk=row.duplicate_of_id))


def _write(draft: _Draft, media_type: str, picture: photos.Picture | None, at: datetime) -> StoredFile:
    """Put the bytes on the disk and return their row, not yet saved."""
    stored = StoredFile(
        sha256=draft.sha256,
        size=storage.size_of(draft.source),
        media_type=media_type,
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        sensitive=draft.sensitive,
        received_at=at,
        # A document has no pixels to check.
        checked_at=None if picture else at,
    )
    if draft.sensitive:
        key, stored.sealed_key, stored.wrapped_key = storage.new_key()
        storage.put(draft.source, storage.sealed_path(stored.uid), key=key)
    else:
        storage.put(draft.source, storage.original_path(draft.sha256))
    return stored


_BODY = (
    "uid",
    "owner_kind",
    "owner_uid",
    "purpose",
    "filename",
    "caption",
    "device_at",
    "photo_at",
    "photo_zone_assumed",
    "gps_at",
    "photo_lon",
    "photo_lat",
    "lon",
    "lat",
    "datum",
    "accuracy_m",
    "by_key",
    "post_id",
    "area",
    "waiting",
)


def _body(row: Attachment, sha256: str) -> bytes:
    """Return the exact bytes that the attachment's digest covers; the file is in it by its own digest."""
    return canonical(
        {**{name: getattr(row, name) for name in _BODY}, "received_at": row.at, "sha256": sha256}
    )


# --- declare void --------------------------------------------------------------------------------


@transaction.atomic
def void_attachment(*, uid: UUID, reason: str, by: Actor, at: datetime) -> Voiding:
    """Declare an attachment void: it no longer counts or shows in lists, and stays readable with the reason.

    MissingError("no-photo"), RuleError("need-reason")
    ForbiddenError("not-sender"): only who sent it takes it back
    """
    row = Attachment.objects.visible_to(by).filter(uid=uid).first()
    if row is None:
        raise MissingError("no-photo", N_("没有找到这张照片，或您当前的岗位看不到它。请返回上一页。"))
    if row.by_key != by.key:
        raise ForbiddenError(
            "not-sender", N_("这张照片由{name}上传，只能由本人作废。请联系上传人。"), name=row.by_name
        )
    reason = reason.strip()
    if not reason:
        raise RuleError("need-reason", N_("作废照片要写明原因。请填写原因，例如“传错照片”。"))
    found = Voiding.objects.filter(attachment=row).first()
    if found is not None:
        return found
    body = canonical({"attachment": row.uid, "reason": reason[:200], "by": by.key, "at": at})
    voiding = Voiding(
        attachment=row,
        reason=reason[:200],
        by_key=by.key,
        by_name=by.name,
        at=at,
        body=body,
        digest=digest(body),
    )
    voiding.save(force_insert=True)
    journal.record(
        Note(
            verb="attachment.void",
            object_kind="attachment",
            object_key=str(uid),
            area=row.area,
            detail={"owner": f"{row.owner_kind}:{row.owner_uid}"},
        ),
        by=by,
        at=at,
    )
    return voiding
