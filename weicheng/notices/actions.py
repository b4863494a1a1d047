"""Tell people, and remember what they have read.

Telling is part of the verb that has something to tell: it happens in that verb's transaction, and that verb
keeps the journal. Reading is the reader's own and is not journalled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from weicheng.notices.jobs import enqueue_many
from weicheng.notices.models import Notice, NoticeReading
from weicheng.places.actor import Actor

_BATCH = 200


@dataclass(frozen=True)
class NoticeDraft:
    """One message to one audience: `to_area` with `to_roles`, or `to_unit_id`, or `to_user_id`.

    key: what it is about and why; a second draft with the same key is not told again
    title, body: plain Chinese text; no personal data in the title, which also goes by mail
    url: path of the page where the reader acts
    to_area: exact area code; to_roles: roles whose posts are at exactly this area
    """

    key: str
    kind: str
    title: str
    body: str = ""
    url: str = ""
    to_area: str = ""
    to_roles: Sequence[str] = ()
    to_unit_id: int | None = None
    to_user_id: int | None = None

    def __post_init__(self) -> None:
        audiences = [
            bool(self.to_area and self.to_roles),
            self.to_unit_id is not None,
            self.to_user_id is not None,
        ]
        half = bool(self.to_area) != bool(self.to_roles)
        if sum(audiences) != 1 or half:
            # SQLite's INSERT OR IGNORE would pass over the table's own check without a word.
            raise ValueError(f"The notice {self.key!r} must be for roles in an area, or a unit, or a person.")


@transaction.atomic
def notify_many(drafts: Iterable[NoticeDraft], at: datetime) -> None:
    """Tell many, each once for its key; a few statements for 200 of them."""
    rows = {draft.key: _row(draft, at) for draft in drafts}
    # In one order everywhere: two transactions with the same keys wait for each other, never in a circle.
    keys = sorted(rows)
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        known: set[str] = set()
        if settings.EMAIL_HOST:
            known = set(Notice.objects.filter(effect_key__in=batch).values_list("effect_key", flat=True))
        Notice.objects.bulk_create([rows[key] for key in batch], ignore_conflicts=True)
        if settings.EMAIL_HOST:
            _mail([key for key in batch if key not in known])


def _row(draft: NoticeDraft, at: datetime) -> Notice:
    return Notice(
        effect_key=draft.key,
        at=at,
        kind=draft.kind,
        title=draft.title[:120],
        body=draft.body,
        url=draft.url,
        to_area=draft.to_area,
        to_roles=f",{','.join(draft.to_roles)}," if draft.to_roles else "",
        to_unit_id=draft.to_unit_id,
        to_user_id=draft.to_user_id,
    )


def _mail(keys: list[str]) -> None:
    from weicheng.notices.mail import mail_notice

    # A notice that another transaction made meanwhile gets two tasks; each mail is sent once anyway.
    ids = Notice.objects.filter(effect_key__in=keys).values_list("pk", flat=True)
    enqueue_many(mail_notice, [{"notice_id": pk} for pk in ids])


def mark_read(notice: Notice, *, by: Actor, at: datetime) -> None:
    """Remember that this person has read the notice; again changes nothing."""
    _mark([notice.pk], by, at)


@transaction.atomic
def mark_all_read(*, by: Actor, at: datetime) -> None:
    """Remember that this person has read all that rings in the present post, not what other posts see."""
    ringing = Notice.objects.visible_to(by).unread_by(by.user_id, at)
    _mark(list(ringing.values_list("pk", flat=True)), by, at)


def _mark(ids: list[int], by: Actor, at: datetime) -> None:
    rows = [NoticeReading(notice_id=pk, user_id=by.user_id, at=at) for pk in ids]  # type: ignore[misc] # only users read
    NoticeReading.objects.bulk_create(rows, ignore_conflicts=True, batch_size=300)
