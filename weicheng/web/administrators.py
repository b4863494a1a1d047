"""What is due for the three administrators: each sees the own work and none of the cases."""

from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django_tasks_db.models import DBTaskResult

from weicheng.journal.models import Entry
from weicheng.notices.models import WorkerLease
from weicheng.places.actor import Actor
from weicheng.places.actors import today as day_of
from weicheng.places.models import AreaChange, Post, User
from weicheng.places.roles import Role

SHOWN = 10
ENDING_DAYS = 30
FAILED_DAYS = 7
MOST = 99


def work_of(actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the template context of an administrator's page."""
    if actor.role is Role.SECURITY_ADMIN:
        return {"security": _security(actor, now)}
    if actor.role is Role.AUDIT_ADMIN:
        return {"audit": {"entries": list(Entry.objects.visible_to(actor).order_by("-id")[:SHOWN])}}
    return {"system": _system(actor, now)}


def _security(actor: Actor, now: datetime) -> dict[str, Any]:
    """Locked accounts, posts that end soon, people who have never signed in."""
    people = User.objects.visible_to(actor)
    on = day_of(now)
    locked = AccessAttempt.objects.filter(
        username__in=people.values("login"),
        failures_since_start__gte=settings.AXES_FAILURE_LIMIT,
        attempt_time__gt=now - timedelta(hours=settings.AXES_COOLOFF_TIME),
    ).order_by("-attempt_time")
    ending = (
        Post.objects.visible_to(actor)
        .filter(to_on__range=(on, on + timedelta(days=ENDING_DAYS)))
        .select_related("user", "unit")
        .order_by("to_on", "id")
    )
    waiting = people.filter(is_active=True, must_change_password=True).order_by("-id")
    return {
        "locked": list(locked[:SHOWN]),
        "ending": list(ending[:SHOWN]),
        "waiting": list(waiting[:SHOWN]),
        "lockout_minutes": round(settings.AXES_COOLOFF_TIME * 60),
    }


def _system(actor: Actor, now: datetime) -> dict[str, Any]:
    """The last changes of the tree, and whether the work in the background is done."""
    changes = AreaChange.objects.visible_to(actor).select_related("area", "to").order_by("-id")
    failed = DBTaskResult.objects.filter(status="FAILED", finished_at__gt=now - timedelta(days=FAILED_DAYS))
    return {
        "changes": list(changes[:SHOWN]),
        # The machinery belongs to no area, so these two have no scope to narrow by.
        "worker_alive": WorkerLease.objects.filter(until__gt=now).exists(),
        "failed": failed[: MOST + 1].count(),
    }
