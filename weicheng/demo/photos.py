"""Hang many photos on their owners at once: the rows that `evidence.actions.attach` makes, by the thousand.

The verb writes and syncs each file before its own transaction. Here one transaction covers a whole load, so
the files are written without a sync each, and the disk is asked once, before that transaction commits.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from weicheng.evidence import actions as evidence
from weicheng.evidence import photos, storage
from weicheng.evidence.models import Attachment, StoredFile
from weicheng.journal.actions import Note, Who, record_all
from weicheng.journal.rows import insert_all
from weicheng.places.actor import Actor


@dataclass(frozen=True)
class Shot:
    """One photo to be hung on its owner at a moment of the past.

    at: receipt; area: the owner's, as `attach` learns it from the owner
    picture: what the photo says about itself; known, as we wrote it, and so not read back from the bytes
    """

    uid: UUID
    owner_kind: str
    owner_uid: UUID
    purpose: str
    area: str
    by: Actor
    at: datetime
    data: bytes
    picture: photos.Picture
    capture: evidence.Capture
    filename: str = ""


def hang(shots: Sequence[Shot]) -> int:
    """Store the bytes and insert files, attachments and journal entries; return how many files are new.

    The caller has made sure of what `attach` judges: owners exist, senders may, no more than twenty each.
    """
    if not shots:
        return 0
    rows: list[Attachment] = []
    digests = [sha256(shot.data).hexdigest() for shot in shots]
    known = _known(digests)
    first_use = _first_uses(known)
    new: dict[str, StoredFile] = {}
    for shot, sha in zip(shots, digests, strict=True):
        stored = known.get(sha) or new.get(sha)
        if stored is None:
            _write(shot.data, sha)
            stored = new[sha] = StoredFile(
                sha256=sha, size=len(shot.data), media_type=shot.picture.media_type, width=shot.picture.width,
                height=shot.picture.height, received_at=shot.at,
                # We drew the pixels: the worker need not decode thousands of files after the load.
                checked_at=shot.at,
            )  # fmt: skip
        # The verb's own spelling of a row and its digest, so that a demo photo is no second kind of photo.
        draft = evidence._Draft(
            uid=shot.uid, owner_kind=shot.owner_kind, owner_uid=shot.owner_uid,
            purpose=evidence.known_purpose(shot.purpose), source=shot.data, sha256=sha,
            filename=evidence.clean_name(shot.filename), caption="", capture=shot.capture.checked(), sensitive=False,
        )  # fmt: skip
        earlier = first_use.get(sha)
        if earlier is not None and (earlier.owner_uid, earlier.purpose) == (shot.owner_uid, shot.purpose):
            earlier = None
        row = evidence._row(
            draft,
            stored,
            shot.picture,
            by=shot.by,
            at=shot.at,
            area=shot.area,
            waiting=False,
            earlier=earlier,
        )
        rows.append(row)
    insert_all(list(new.values()))
    for row in rows:
        row.stored = row.stored  # its key is known only now; set by itself it would drop the row it names
    insert_all(rows)
    record_all(_notes(rows, shots), at=shots[0].at)
    return len(new)


def _notes(rows: Sequence[Attachment], shots: Sequence[Shot]) -> list[tuple[Note, Who]]:
    notes: list[tuple[Note, Who]] = []
    for row, shot in zip(rows, shots, strict=True):
        detail = {
            "owner": f"{row.owner_kind}:{row.owner_uid}",
            "purpose": row.purpose,
            "size": row.stored.size,
            "digest": row.digest,
        }
        notes.append((Note("attachment.add", "attachment", str(row.uid), row.area, detail, shot.at), shot.by))
    return notes


def _known(digests: Sequence[str]) -> dict[str, StoredFile]:
    found: dict[str, StoredFile] = {}
    for start in range(0, len(digests), 500):
        rows = StoredFile.objects.filter(sha256__in=digests[start : start + 500], sensitive=False)
        found.update((row.sha256, row) for row in rows)
    return found


def _first_uses(known: Mapping[str, StoredFile]) -> dict[str, Attachment]:
    """Return the first attachment of each known file."""
    uses: dict[str, Attachment] = {}
    rows = Attachment.objects.filter(stored_id__in=[stored.pk for stored in known.values()]).order_by("-id")
    for row in rows.select_related("stored"):
        uses[row.stored.sha256] = row
    return uses


def _write(data: bytes, sha: str) -> None:
    path = storage.original_path(sha)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def settle() -> None:
    """Ask the disk once for everything that was written: call it before the transaction commits."""
    os.sync()
