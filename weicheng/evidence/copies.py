"""Original and derived copies of a stored file: open, derive, check."""

from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from weicheng.evidence import photos, storage
from weicheng.evidence.models import StoredFile
from weicheng.rules.errors import N_, RuleError

VARIANTS = ("display", "thumb")


def _key(stored: StoredFile) -> bytes | None:
    """Return the key of a sealed file; RuleError("sealed") when it was erased."""
    if not stored.sensitive:
        return None
    return storage.open_key(stored.sealed_key or b"", stored.wrapped_key or b"")


def original_path(stored: StoredFile) -> Path:
    """Return where the original lies; sealed content lies there sealed."""
    return storage.sealed_path(stored.uid) if stored.sensitive else storage.original_path(stored.sha256)


def open_original(stored: StoredFile) -> Iterator[bytes]:
    """Return the original, byte for byte as received, in chunks. RuleError("file-lost" | "sealed")."""
    try:
        return storage.read(original_path(stored), key=_key(stored))
    except FileNotFoundError:
        raise RuleError("file-lost", N_("这个文件的原件不在存储中。请管理员从备份中恢复文件目录。")) from None


def open_copy(stored: StoredFile, variant: str, *, at: datetime) -> Iterator[bytes]:
    """Return the display copy or the thumbnail, made now if it is not there. RuleError("photo-broken").

    at: written as the moment the pixels were checked, the first time
    """
    try:
        return storage.read(storage.derived_path(stored.uid, variant), key=_key(stored))
    except FileNotFoundError:
        derive(stored, at=at)
        return storage.read(storage.derived_path(stored.uid, variant), key=_key(stored))


def derive(stored: StoredFile, *, at: datetime) -> None:
    """Make both copies of a picture from its original; whatever is lost under FILES/derived comes back so.

    Two requests may do it at once: both write the same and the later rename wins. RuleError("photo-broken")
    for pixels that cannot be decoded; the file is flagged, its original stays to be downloaded.
    """
    key = _key(stored)
    if not stored.is_picture or stored.broken_at is not None:
        raise _broken()
    try:
        made = photos.copies(
            BytesIO(b"".join(open_original(stored))) if key else original_path(stored),
        )
    except FileNotFoundError:
        raise RuleError("file-lost", N_("这个文件的原件不在存储中。请管理员从备份中恢复文件目录。")) from None
    except photos.BrokenPictureError:
        StoredFile.objects.filter(pk=stored.pk).update(checked_at=at, broken_at=at)
        raise _broken() from None
    for variant, content in made.items():
        storage.put(content, storage.derived_path(stored.uid, variant), key=key)
    if stored.checked_at is None:
        StoredFile.objects.filter(pk=stored.pk).update(checked_at=at)


def _broken() -> RuleError:
    return RuleError("photo-broken", N_("这张照片已损坏，无法显示。可以下载原件查看，或请上传人重新上传。"))


def check_new(*, at: datetime, most: int = 100) -> int:
    """Decode pictures that nobody has looked at yet, oldest first; return how many were handled.

    Called by the worker between jobs. Safe to be killed and to run twice: the row is marked after the copies.
    """
    waiting = list(StoredFile.objects.unchecked().order_by("id")[:most])
    for stored in waiting:
        try:
            derive(stored, at=at)
        except RuleError as error:
            if error.code != "photo-broken":
                # Lost or erased: marked as looked at, `check_digests` is what reports it.
                StoredFile.objects.filter(pk=stored.pk).update(checked_at=at)
    return len(waiting)


def check_digest(stored: StoredFile) -> bool:
    """Are the stored bytes still those that were received? False also when they are gone or do not open."""
    hasher = sha256()
    try:
        for chunk in open_original(stored):
            hasher.update(chunk)
    except RuleError:
        return False
    return hasher.hexdigest() == stored.sha256


def check_digests() -> Iterator[StoredFile]:
    """Return every stored file whose bytes are not what was received; reads the whole store."""
    for stored in StoredFile.objects.order_by("id").iterator(chunk_size=500):
        if not check_digest(stored):
            yield stored
