"""The bell of every page: how many notices ring for the reader."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from weicheng.notices.models import Notice
from weicheng.places.actor import Actor
from weicheng.ui.paging import count_up_to

COUNTED = 100  # one more than is written: above it the bell says 99+


def unread_count(actor: Actor, now: datetime) -> int:
    """Return how many notices ring for the reader in this post, at most 100; one statement."""
    if actor.user_id is None:
        return 0
    # One arm for each index; no notice stands on two, because each has one audience.
    return count_up_to([arm.unread_by(actor.user_id, now) for arm in Notice.objects.arms(actor)], COUNTED)


def bell_of(actor: Actor, now: datetime) -> dict[str, Any]:
    """Return what the base page needs for the bell; empty for somebody who is not signed in."""
    if actor.user_id is None:
        return {}
    return {
        "notice_url": reverse("notices"),
        "notice_bell_url": reverse("notice_bell"),
        "notice_count": unread_count(actor, now),
    }
