"""What the worker keeps (leases, effects), what people are told (notices), what they started (jobs)."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from weicheng.places.actor import Actor
from weicheng.places.models import OwnQuerySet, Unit

# An older unread notice no longer rings: the list still shows it, the case behind it is on "today" anyway.
# It also bounds what counting and "mark all read" have to touch.
RINGS_FOR = timedelta(days=60)


class ClosedQuerySet(models.QuerySet):
    """Rows of the machinery: no page shows them to anybody."""

    def visible_to(self, actor: Actor) -> Self:
        return self.none()


class WorkerLease(models.Model):
    """A sign of life of one worker process; its tasks are retaken when the sign stops changing.

    until: when the lease lapses by the clock of its worker. Others never compare it with their own clock,
        they watch whether it changes (`worker.Watch`): a clock set back takes no task from a living worker.
    """

    worker_id = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField()

    objects = ClosedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.worker_id


class Effect(models.Model):
    """Something that must happen once, has happened: inserted in the transaction of what it guards.

    token: of the transaction that inserted it, so that an insert which met a conflict can be told from one
        that did not, on every database
    """

    key = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()
    token = models.UUIDField()

    objects = ClosedQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key


def areas_told(actor: Actor) -> list[str]:
    """Return the areas whose notices a post reads: its own, and predecessors of that level.

    What a community was told before it was merged into this one is still read.
    """
    return sorted({actor.area, *(code for _column, code in actor.reach if len(code) == len(actor.area))})


def _to_post(actor: Actor) -> Q:
    return Q(to_area__in=areas_told(actor), to_roles__contains=f",{actor.role},")


class NoticeQuerySet(models.QuerySet):
    def arms(self, actor: Actor) -> list[Self]:
        """Return the querysets whose union the actor reads: to the person, the unit, the role in the area.

        Apart, because each walks its own index; the list engine merges them.
        """
        if actor.user_id is None:
            return [self.none()]
        own = [self.filter(to_user_id=actor.user_id)]
        if actor.unit_id is not None:
            own.append(self.filter(to_unit_id=actor.unit_id))
        elif actor.area and actor.role:
            own.append(self.filter(_to_post(actor)))
        return own

    def visible_to(self, actor: Actor) -> Self:
        """Return the reader's own notices, their unit's, and those to their role in exactly their area."""
        if actor.user_id is None:
            return self.none()
        reached = Q(to_user_id=actor.user_id)
        if actor.unit_id is not None:
            reached |= Q(to_unit_id=actor.unit_id)
        elif actor.area and actor.role:
            reached |= _to_post(actor)
        return self.filter(reached)

    def unread_by(self, user_id: int | None, now: datetime) -> Self:
        """Return the notices that still ring for this person."""
        return self.filter(rings_for(user_id, now))


class Notice(models.Model):
    """One message, to one audience: a person, a unit, or roles in exactly one area.

    effect_key: what it is about and why, so that telling twice tells once
    title, body: plain text as the reader sees it; no personal data, because the title also goes by mail
    url: path of the page where the reader acts
    to_roles: ",street,community," with commas around each, so that a role is found whole
    """

    effect_key = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=40)
    title = models.CharField(max_length=120)
    body = models.TextField(blank=True, default="")
    url = models.CharField(max_length=200, blank=True, default="")
    to_area = models.CharField(max_length=15, blank=True, default="")
    to_roles = models.CharField(max_length=200, blank=True, default="")
    to_unit = models.ForeignKey(
        Unit, models.PROTECT, null=True, blank=True, related_name="notices", db_index=False
    )
    to_user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="notices",
        db_index=False,
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["to_area", "id"], name="notices_notice_area"),
            models.Index(fields=["to_unit", "id"], name="notices_notice_unit"),
            models.Index(fields=["to_user", "id"], name="notices_notice_user"),
        ]
        constraints = [
            models.CheckConstraint(
                name="notices_notice_has_one_audience",
                condition=(
                    (~Q(to_area="") & ~Q(to_roles="") & Q(to_unit__isnull=True, to_user__isnull=True))
                    | Q(to_area="", to_roles="", to_unit__isnull=False, to_user__isnull=True)
                    | Q(to_area="", to_roles="", to_unit__isnull=True, to_user__isnull=False)
                ),
            )
        ]

    def __str__(self) -> str:
        return self.title


class NoticeReadingQuerySet(OwnQuerySet):
    def of(self, user_id: int | None) -> Self:
        return self.filter(user_id=user_id or 0)


class NoticeReading(models.Model):
    """This person has read this notice: the others it is for have not."""

    notice = models.ForeignKey(Notice, models.CASCADE, related_name="readings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()

    objects = NoticeReadingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "notice"], name="notices_reading_once_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.notice_id}"


def rings_for(user_id: int | None, now: datetime) -> Q:
    """Return "does it still ring for this person?": the bell, the list and "mark all read" mean the same."""
    read = NoticeReading.objects.of(user_id).filter(notice_id=OuterRef("pk"))
    return Q(~Exists(read), at__gt=now - RINGS_FOR)


class Job(models.Model):
    """Long work that a person started and may leave: shown to them with its progress until it ends.

    done, total: in the unit of the work (rows, files); total 0 while it is not known
    sentence: what came out of it or what went wrong
    result_url: path of what was made
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("等待中")
        RUNNING = "running", _("进行中")
        DONE = "done", _("已完成")
        FAILED = "failed", _("未完成")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=30)
    title = models.CharField(max_length=120)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="jobs", help_text="who started it"
    )
    task_id = models.CharField(max_length=36, blank=True, default="")
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    state = models.CharField(
        max_length=8, choices=[(state.value, state.label) for state in State], default=State.WAITING.value
    )
    sentence = models.CharField(max_length=300, blank=True, default="")
    result_url = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "id"], name="notices_job_user")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_ended(self) -> bool:
        return self.state in {self.State.DONE, self.State.FAILED}

    @property
    def percent(self) -> int | None:
        """Return whole percents done, rounded down; None while the whole is not known."""
        return min(100, self.done * 100 // self.total) if self.total else None
