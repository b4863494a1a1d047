"""The bell of every page: how many notices ring for the reader."""

from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse

from weicheng.notices.models import RINGS_FOR, areas_told
from weicheng.places.actor import Actor

COUNTED = 100  # one more than is written: above it the bell says 99+


def unread_count(actor: Actor, now: datetime) -> int:
    """Return how many notices ring for the reader in this post, at most 100; one statement."""
    if actor.user_id is None:
        return 0
    # The arms of `NoticeQuerySet.arms`, each on its own index, in plain SQL: this is asked for on every page, and
    # building it by the ORM took a quarter of a page's time. A test compares the two.
    arms = ["to_user_id = %s"]
    values: list[list[Any]] = [[actor.user_id]]
    if actor.unit_id is not None:
        arms.append("to_unit_id = %s")
        values.append([actor.unit_id])
    elif actor.area and actor.role:
        codes = areas_told(actor)
        role = connection.ops.prep_for_like_query(f",{actor.role},")
        arms.append(f"to_area IN ({', '.join(['%s'] * len(codes))}) AND to_roles LIKE %s ESCAPE '\\'")
        values.append([*codes, f"%{role}%"])
    sql = " UNION ALL ".join(_ARM.format(arm) for arm in arms)
    since = connection.ops.adapt_datetimefield_value(now - RINGS_FOR)
    params = [value for own in values for value in [*own, since, actor.user_id]]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({sql} LIMIT {COUNTED}) AS ringing", params)  # noqa: S608
        return int(cursor.fetchone()[0])


_ARM = (
    "SELECT id FROM notices_notice WHERE {} AND at > %s AND NOT EXISTS (SELECT 1 FROM notices_noticereading seen "
    "WHERE seen.user_id = %s AND seen.notice_id = notices_notice.id)"
)


def bell_of(actor: Actor, now: datetime) -> dict[str, Any]:
    """Return what the base page needs for the bell; empty for somebody who is not signed in."""
    if actor.user_id is None:
        return {}
    return {
        "notice_url": reverse("notices"),
        "notice_bell_url": reverse("notice_bell"),
        "notice_count": unread_count(actor, now),
    }
