"""Write the journal. Every verb of every app ends here, once, in its own transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from weicheng.journal.models import Entry
from weicheng.journal.rows import insert_all, new_row
from weicheng.rules.digests import canonical, digest


class Who(Protocol):
    """The part of an actor that the journal keeps; read only, for an actor is frozen."""

    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def post_id(self) -> int | None: ...
    @property
    def post_label(self) -> str: ...
    @property
    def origin(self) -> str: ...


@dataclass(frozen=True)
class Note:
    """One entry to be written: what was done to what, where, with which particulars."""

    verb: str
    object_kind: str
    object_key: str
    area: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True)
class _System:
    key: str = "system"
    name: str = "系统"
    post_id: int | None = None
    post_label: str = ""
    origin: str = ""


SYSTEM = _System()


def record(note: Note, *, by: Who, at: datetime) -> Entry:
    """Append one entry about what `by` did; call it inside the verb's transaction."""
    entry = _entry(note, by, at)
    insert_all([entry])
    return entry


def record_all(notes: Iterable[tuple[Note, Who]], *, at: datetime) -> None:
    """Append many entries in one statement, for verbs over many rows; a note may carry its own moment."""
    insert_all([_entry(note, by, note.at or at) for note, by in notes])


def _entry(note: Note, by: Who, at: datetime) -> Entry:
    body = canonical(
        {
            "verb": note.verb,
            "kind": note.object_kind,
            "key": note.object_key,
            "by": by.key,
            "post": by.post_id,
            "at": at,
            "detail": note.detail,
        }
    )
    return new_row(
        Entry,
        at=at,
        body=body,
        digest=digest(body),
        actor_key=by.key,
        actor_name=by.name,
        post_id=by.post_id,
        post_label=by.post_label,
        origin=by.origin,
        verb=note.verb,
        object_kind=note.object_kind,
        object_key=note.object_key,
        city=note.area[:4] if len(note.area) >= 4 else "",
        district=note.area[:6] if len(note.area) >= 6 else "",
    )
