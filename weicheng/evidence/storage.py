"""Bytes on disk: originals as received, parts of uploads on their way, copies that may be thrown away.

    FILES/ab/cdef…              an original, named by its SHA-256
    FILES/sealed/ab/ab12…       an original with personal content, sealed, named by a random uid
    FILES/uploads/<uid>/…       parts of an upload that is not finished
    FILES/derived/…             display copies and thumbnails; delete them at will
    FILES/tmp/                  half-written files; a killed process leaves its own here

A file is written to tmp, synced, renamed and its folder synced before the row that names it is committed. So
a file without a row may happen, is harmless and is swept; a row without a file never happens. The folder is
not served by anything: files are read through `evidence.views` alone.

A sealed file is named by a uid and never shared: under its digest, whoever holds a copy of a scan could ask
whether we hold it too.
"""

import mmap
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from weicheng.journal.sealing import Stored, seal_bytes, unseal_bytes
from weicheng.rules.errors import N_, RuleError

CHUNK = 1024 * 1024
Source = bytes | Path
Buffer = bytes | mmap.mmap

# --- reading what came in ------------------------------------------------------------------------


def size_of(source: Source) -> int:
    """Return the length in bytes, without reading a file."""
    return source.stat().st_size if isinstance(source, Path) else len(source)


@contextmanager
def mapped(source: Source) -> Iterator[Buffer]:
    """Give the content as something to slice and search; a file is mapped, so it never fills the memory."""
    if isinstance(source, bytes) or size_of(source) == 0:
        yield source if isinstance(source, bytes) else b""
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        yield view


def digest_of(source: Source) -> str:
    """Return the SHA-256 of the content, lower-case hex."""
    if isinstance(source, bytes):
        return sha256(source).hexdigest()
    hasher = sha256()
    for chunk in _chunks(source):
        hasher.update(chunk)
    return hasher.hexdigest()


def _chunks(source: Source) -> Iterator[bytes]:
    if isinstance(source, bytes):
        for start in range(0, len(source), CHUNK):
            yield source[start : start + CHUNK]
        return
    with source.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


# --- where things lie ----------------------------------------------------------------------------


def original_path(digest: str) -> Path:
    """Return where an original of this SHA-256 lies."""
    return Path(settings.FILES) / digest[:2] / digest[2:]


def sealed_path(uid: UUID) -> Path:
    """Return where the sealed original of this uid lies."""
    return Path(settings.FILES) / "sealed" / uid.hex[:2] / uid.hex


def upload_folder(uid: UUID) -> Path:
    """Return the folder of an unfinished upload's parts."""
    return Path(settings.FILES) / "uploads" / uid.hex


def derived_path(uid: UUID, variant: str) -> Path:
    """Return where a derived copy of the stored file with this uid lies."""
    return Path(settings.FILES) / "derived" / uid.hex[:2] / f"{uid.hex}-{variant}"


# --- writing -------------------------------------------------------------------------------------


def put(source: Source, target: Path, *, key: bytes | None = None) -> None:
    """Write the content to `target` so that it is whole or absent, whatever happens meanwhile.

    key: seals it on the way. An existing file is replaced: see `_sweep_file` for why it is written anew.
    """
    draft = draft_path()
    try:
        with draft.open("xb") as file:
            os.chmod(file.fileno(), 0o600)
            chunks = _chunks(source)
            for chunk in _sealed(chunks, key) if key else chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        _folder(target.parent)
        os.replace(draft, target)
        _sync(target.parent)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def draft_path() -> Path:
    """Return a fresh name in the folder of half-written files, on the same disk as everything else."""
    folder = Path(settings.FILES) / "tmp"
    _folder(folder)
    return folder / f"{os.getpid()}-{secrets.token_hex(8)}"


def _folder(path: Path) -> None:
    """Make the folder and make its name last: a synced file in a folder that was lost is lost too."""
    if path.is_dir():
        return
    _folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# --- sealing -------------------------------------------------------------------------------------
# A sealed file is 7 random bytes, then chunks of 1 MiB, each AES-256-GCM under the file's own key. The nonce
# holds the chunk's number and whether it is the last: chunks cannot be swapped, dropped or cut off unseen.


def new_key() -> tuple[bytes, bytes, bytes]:
    """Return (key, the key sealed, the wrapped key of that seal); the last two are what is stored.

    Two steps, so that the site's rotation and erasure treat `wrapped_key` like that of any sealed record.
    """
    key = AESGCM.generate_key(256)
    sealed, wrapped = seal_bytes(key)
    return key, sealed, wrapped


def open_key(sealed: Stored, wrapped: Stored) -> bytes:
    """Return a file's key; RuleError("sealed") when it was destroyed or belongs to another site."""
    return unseal_bytes(bytes(sealed), bytes(wrapped))


def _sealed(chunks: Iterator[bytes], key: bytes) -> Iterator[bytes]:
    cipher, prefix = AESGCM(key), os.urandom(7)
    yield prefix
    held = next(chunks, b"")
    number = 0
    for chunk in chunks:
        yield cipher.encrypt(_nonce(prefix, number, last=False), held, None)
        held, number = chunk, number + 1
    yield cipher.encrypt(_nonce(prefix, number, last=True), held, None)


def _unsealed(file: IO[bytes], key: bytes) -> Iterator[bytes]:
    cipher, prefix = AESGCM(key), file.read(7)
    held = file.read(CHUNK + 16)
    number = 0
    try:
        while following := file.read(CHUNK + 16):
            yield cipher.decrypt(_nonce(prefix, number, last=False), held, None)
            held, number = following, number + 1
        yield cipher.decrypt(_nonce(prefix, number, last=True), held, None)
    except InvalidTag:
        raise RuleError(
            "file-damaged", N_("加密保存的文件已损坏，无法打开。请管理员从备份中恢复该文件。")
        ) from None


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def read(path: Path, *, key: bytes | None = None) -> Iterator[bytes]:
    """Return the content in chunks of 1 MiB, unsealed when a key is given. FileNotFoundError at once."""
    file = path.open("rb")

    def flow() -> Iterator[bytes]:
        with file:
            if key:
                yield from _unsealed(file, key)
                return
            while chunk := file.read(CHUNK):
                yield chunk

    return flow()


# --- parts of an upload --------------------------------------------------------------------------


def put_part(uid: UUID, name: str, content: bytes, *, key: bytes | None = None) -> None:
    """Keep one part of an upload under a name that its content decides, so that no part replaces another."""
    put(content, upload_folder(uid) / name, key=key)


def has_part(uid: UUID, name: str) -> bool:
    return (upload_folder(uid) / name).is_file()


def join_parts(uid: UUID, names: list[str], *, key: bytes | None = None) -> Source:
    """Return all parts in order: a draft file that the caller removes, or bytes for sealed parts.

    Sealed content is joined in memory, never in the open on the disk. FileNotFoundError for a lost part.
    """
    paths = [upload_folder(uid) / name for name in names]
    if key:
        return b"".join(chunk for path in paths for chunk in read(path, key=key))
    draft = draft_path()
    try:
        with draft.open("xb") as whole:
            os.chmod(whole.fileno(), 0o600)
            for path in paths:
                for chunk in read(path):
                    whole.write(chunk)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return draft


def drop_parts(uid: UUID) -> None:
    """Remove an upload's parts and their folder."""
    folder = upload_folder(uid)
    if not folder.is_dir():
        return
    for part in folder.iterdir():
        part.unlink(missing_ok=True)
    with suppress(OSError):  # another part may be arriving
        folder.rmdir()


# --- sweeping ------------------------------------------------------------------------------------


def sweep_orphans(older_than: timedelta, *, at: datetime) -> int:
    """Remove files that no row names and that are older than this; return how many.

    Files left by a process that was killed between the write and the commit, half-written drafts, parts of
    uploads that are gone, and derived copies of nothing.
    """
    from weicheng.evidence.models import StoredFile, Upload

    limit = at - older_than
    root = Path(settings.FILES)
    if not root.is_dir():
        return 0
    _restore_aside(root)
    swept = 0
    for draft in _files(root / "tmp"):
        if _is_old(draft, limit):
            draft.unlink(missing_ok=True)
            swept += 1
    shards = [folder for folder in sorted(root.iterdir()) if folder.is_dir() and len(folder.name) == 2]
    for shard in shards:
        named = {path: shard.name + path.name for path in _files(shard) if _is_old(path, limit)}
        for batch in _batches(list(named), 500):
            digests = [named[path] for path in batch]
            rows = StoredFile.objects.filter(sha256__in=digests, sensitive=False)
            known = set(rows.values_list("sha256", flat=True))
            for path in batch:
                if named[path] not in known:
                    swept += _sweep_file(path, limit, partial(_has, sha256=named[path], sensitive=False))
    for folder in _folders(root / "sealed"):
        for path in _files(folder):
            if _is_old(path, limit) and not _has(uid=path.name):
                swept += _sweep_file(path, limit, partial(_has, uid=path.name))
    for folder in _folders(root / "uploads"):
        if _is_old(folder, limit) and not Upload.objects.filter(uid=folder.name).exists():
            drop_parts(UUID(folder.name))
            swept += 1
    for folder in _folders(root / "derived"):
        for path in _files(folder):
            if _is_old(path, limit) and not _has(uid=path.name.split("-")[0]):
                path.unlink(missing_ok=True)
                swept += 1
    return swept


def _has(**named: object) -> bool:
    from weicheng.evidence.models import StoredFile

    return StoredFile.objects.filter(**named).exists()


def _sweep_file(path: Path, limit: datetime, has_row: Callable[[], bool]) -> int:
    """Remove one orphan, unless somebody is writing the same content this moment.

    `put` always writes anew where no row is committed. So the file is first moved aside: if it is fresh after
    all, or its row has been committed meanwhile, it goes back; what is written later finds its place empty.
    """
    root = Path(settings.FILES)
    _folder(root / "aside")
    moved = root / "aside" / "-".join(path.relative_to(root).parts)
    try:
        os.replace(path, moved)
    except FileNotFoundError:
        return 0
    if _is_old(moved, limit) and not has_row():
        moved.unlink(missing_ok=True)
        return 1
    if path.exists():
        moved.unlink(missing_ok=True)
    else:
        os.replace(moved, path)
    return 0


def _restore_aside(root: Path) -> None:
    """Put back what a killed sweep had moved aside; the sweep at hand judges it again."""
    for moved in _files(root / "aside"):
        target = root.joinpath(*moved.name.split("-"))
        if target.exists():
            moved.unlink(missing_ok=True)
        else:
            _folder(target.parent)
            os.replace(moved, target)


def _is_old(path: Path, limit: datetime) -> bool:
    try:
        return path.stat().st_mtime <= limit.timestamp()
    except FileNotFoundError:
        return False


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _batches(items: list[Path], size: int) -> Iterator[list[Path]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
