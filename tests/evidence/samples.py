"""Small pictures, one attachment, and what the store and the tables hold."""

import io
import uuid
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from PIL import Image

from weicheng.evidence import actions

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def jpeg(colour="teal", size=(64, 48), **saving) -> bytes:
    """Return a small JPEG; another colour is another content."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **saving)
    return out.getvalue()


def png(colour="teal", size=(64, 48), mode="RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, "PNG")
    return out.getvalue()


def attach(town, owner, data=None, *, by=None, kind="box", **more):
    """Attach as Chen does, with whatever the test says otherwise."""
    given = {
        "uid": uuid.uuid4(),
        "owner_kind": kind,
        "owner_uid": getattr(owner, "uid", owner),
        "purpose": "before",
        "data": jpeg() if data is None and "path" not in more else data,
        "filename": "IMG_1.jpg",
        "by": by or town.chen,
        "at": NOW,
    }
    return actions.attach(**(given | more))


def rows() -> dict[str, int]:
    """Return the row count of every table of this app and of the journal."""
    tables = [
        "evidence_storedfile",
        "evidence_attachment",
        "evidence_voiding",
        "evidence_upload",
        "evidence_uploadpart",
        "journal_entry",
    ]
    with connection.cursor() as cursor:
        counts = {}
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    return counts


def on_disk(root: Path) -> list[str]:
    """Return every file of the store by its relative path."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
