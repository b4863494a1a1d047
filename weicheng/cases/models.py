"""Cases: a small head row with what is true now, and the append-only history that made it so."""

import json
import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.areas import within
from weicheng.places.models import Placed, ScopedQuerySet, Unit
from weicheng.rules.cases import MOVE_LABELS, STATE_LABELS, Move, State
from weicheng.ui.addresses import address_of

KIND_RECTIFICATION = "rectification"


class CaseQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """By place or by responsibility; the holder of a link reaches one case. Start from nothing and add."""
        if actor.case_uid:
            return self.filter(uid=actor.case_uid)
        if not actor.powers.sees_cases:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(responsible_id=actor.unit_id)
        if actor.reach:
            return self.filter(actor.reach_q(self.model))
        return self.none()

    def branches(self, actor: Actor, area: str = "") -> list[Self]:
        """Return `visible_to` as querysets whose union it is, each one equality that an index serves.

        area: narrow to an area; inside the actor's own reach its code replaces the wider one, so that the
        database has one condition to seek by and not two to choose from
        """
        narrowed = within(area) if area else ()
        if actor.case_uid or actor.unit_id is not None or not actor.powers.sees_cases:
            rows = self.visible_to(actor)
            return [rows.filter(**{column: code}) for column, code in narrowed] if area else [rows]
        pairs = actor.reach
        if area:
            pairs = tuple(
                pair for pair in narrowed if any(pair[1].startswith(own) for _c, own in actor.reach)
            )
        return [self.filter(**{column: code}) for column, code in pairs] or [self.none()]


class Case(Placed):
    """Something one party must settle for another before a deadline: 整改 for now, other kinds later.

    desk: the area whose officers must act next on dispatch, extension and delay; escalation moves it one level up
    clock_from, limit, calendar_edition: what `due_at` was computed from, so that it can explain itself again
    next_at: the next moment the clock has something to do with this case, null when it has nothing
    handlers: keys of everybody who handed in, separated by blanks: none of them may verify
    parent: the matter this case is one part of; pieces: how many parts this one was split into, 0 for nearly all.
        The matter counts for what was found, its parts for what units did: never both in one figure
    place_key: what "the same place" means for a repeat, fixed when the case is filed: "u:12" the unit charged at
        once, else "a:320311001005" the community; null on a row older than this column until it is linked
    repeat_of: the finding before at the same place; repeats: how many came before in the chain, 0 for the first.
        The worker fills both, so they are 0 and null for some seconds; linked_at: when it did, null when it must
    version: raised by every step; a form that was drawn from an older one is told so
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=16, default=KIND_RECTIFICATION)
    state = models.CharField(max_length=12, choices=[(s.value, _(STATE_LABELS[s])) for s in State])
    open = models.BooleanField(default=True)
    title = models.CharField(max_length=120)
    category = models.CharField(max_length=12)
    severity = models.CharField(max_length=20)
    address = models.CharField(max_length=200, blank=True, default="")
    lon = models.DecimalField(max_digits=10, decimal_places=7, null=True, blank=True)
    lat = models.DecimalField(max_digits=9, decimal_places=7, null=True, blank=True)
    source_kind = models.CharField(max_length=16, default="finding")
    occurred_on = models.DateField()
    opened_on = models.DateField()
    opened_at = models.DateTimeField()
    filed_by_key = models.CharField(max_length=40)
    filed_by_name = models.CharField(max_length=60)
    filed_area = models.CharField(max_length=15, blank=True, default="")
    responsible = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="cases")
    desk = models.CharField(max_length=15, blank=True, default="")
    limit = models.CharField(max_length=20, blank=True, default="")
    clock_from = models.DateTimeField(null=True)
    calendar_edition = models.BigIntegerField(null=True)
    limit_editions = models.CharField(max_length=60, blank=True, default="")
    due_at = models.DateTimeField(null=True)
    warn_at = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    due_provisional = models.BooleanField(default=False)
    extension_until = models.DateTimeField(null=True, help_text="asked for and not yet answered")
    extended = models.PositiveSmallIntegerField(default=0)
    handlers = models.TextField(blank=True, default="")
    handed_in_at = models.DateTimeField(null=True)
    rework = models.PositiveSmallIntegerField(default=0)
    closed_at = models.DateTimeField(null=True)
    closed_on = models.DateField(null=True)
    on_time = models.BooleanField(null=True, help_text="the last hand-in was not later than the deadline")
    supervised_at = models.DateTimeField(null=True)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="parts")
    pieces = models.PositiveSmallIntegerField(default=0)
    place_key = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001 - null is not "nowhere"
    repeat_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="repeated_by")
    repeats = models.PositiveIntegerField(default=0)
    linked_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = CaseQuerySet.as_manager()

    class Meta:
        indexes = [
            *[
                models.Index(fields=[level, "state", "id"], name=f"cases_{level}_state")
                for level in ("city", "district", "street", "community")
            ],
            models.Index(fields=["responsible", "state", "id"], name="cases_responsible_state"),
            *[
                models.Index(fields=[level, "opened_on", "state"], name=f"cases_{level}_opened")
                for level in ("city", "district", "street", "community")
            ],
            # Open cases are a small part of a table that grows for years: these indexes stay small with them.
            *[
                models.Index(fields=[level, "due_at"], name=f"cases_{level}_due", condition=Q(open=True))
                for level in ("city", "district", "street", "community", "responsible", "desk")
            ],
            models.Index(
                fields=["desk", "id"], name="cases_desk_extension", condition=Q(extension_until__isnull=False)
            ),
            models.Index(fields=["filed_by_key", "id"], name="cases_filed_by"),
            models.Index(fields=["next_at"], name="cases_next", condition=Q(next_at__isnull=False)),
            models.Index(fields=["grid", "id"], name="cases_grid", condition=~Q(grid="")),
            *[
                models.Index(
                    fields=[level, "closed_on"],
                    name=f"cases_{level}_closed",
                    condition=Q(closed_on__isnull=False),
                )
                for level in ("city", "district", "street", "community", "responsible")
            ],
            models.Index(fields=["place_key", "category", "occurred_on"], name="cases_same_place"),
            models.Index(fields=["id"], name="cases_to_link", condition=Q(linked_at__isnull=True)),
            *[
                models.Index(
                    fields=[level, "occurred_on"], name=f"cases_{level}_repeat", condition=Q(repeats__gt=0)
                )
                for level in ("city", "district", "street", "community")
            ],
        ]
        constraints = [
            models.CheckConstraint(
                name="cases_open_says_the_state",
                condition=Q(open=True, state__in=[s.value for s in State if s not in ("closed", "cancelled")])
                | Q(open=False, state__in=["closed", "cancelled"]),
            ),
            models.CheckConstraint(
                name="cases_closed_has_its_day",
                condition=~Q(state="closed") | Q(closed_at__isnull=False, closed_on__isnull=False),
            ),
            models.CheckConstraint(
                name="cases_charged_when_with_a_unit",
                condition=Q(responsible__isnull=False)
                | Q(state__in=["filed", "cancelled"])
                | Q(pieces__gt=0),
            ),
            models.CheckConstraint(
                name="cases_a_part_has_no_parts", condition=Q(parent__isnull=True) | Q(pieces=0)
            ),
            models.CheckConstraint(
                name="cases_split_says_its_parts", condition=~Q(state="split") | Q(pieces__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def number(self) -> str:
        """The case number (编号): day of filing and a running number, e.g. 20261122-000123.

        Read from the row and not drawn from a counter: a counter would be one more statement, and a lock that
        every inspector of the city waits for.
        """
        return f"{self.opened_on:%Y%m%d}-{self.pk:06d}"

    @property
    def url(self) -> str:
        return address_of("case", self.uid)

    def get_absolute_url(self) -> str:
        return self.url

    @property
    def state_label(self) -> str:
        return str(_(STATE_LABELS[State(self.state)]))

    @property
    def handler_keys(self) -> list[str]:
        return self.handlers.split()


class EventQuerySet(AppendOnlyQuerySet):
    mutable = frozenset({"leaf", "delivered"})

    def visible_to(self, actor: Actor) -> Self:
        return self.filter(case__in=Case.objects.visible_to(actor))


class Event(AppendOnly):
    """One step of a case: who made which move in which post, when, and with what.

    body: note, unit, dates before and after, as canonical JSON; number: 1, 2, 3 … within the case
    delivered: whether the worker has told those who must hear of it (the row is its own outbox)
    """

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    number = models.PositiveIntegerField()
    move = models.CharField(max_length=20, choices=[(m.value, _(MOVE_LABELS[m])) for m in Move])
    state = models.CharField(max_length=12, choices=[(s.value, _(STATE_LABELS[s])) for s in State])
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")
    post_id = models.BigIntegerField(null=True)
    post_label = models.CharField(max_length=120, blank=True, default="")
    delivered = models.BooleanField(default=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["case", "number"]
        constraints = [models.UniqueConstraint(fields=["case", "number"], name="cases_event_number_once")]
        indexes = [
            models.Index(fields=["id"], name="cases_event_outbox", condition=Q(delivered=False)),
            models.Index(fields=["move", "at"], name="cases_event_move"),
        ]

    @property
    def move_label(self) -> str:
        return str(_(MOVE_LABELS[Move(self.move)]))

    @property
    def detail(self) -> dict[str, Any]:
        """Return what the step brought along, as it was stored."""
        return json.loads(bytes(self.body))["detail"]

    @property
    def note(self) -> str:
        return self.detail.get("note", "")


class LinkQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Whoever may see the case and is no link holder sees the links made for it."""
        return self.none() if actor.case_uid else self.filter(case__in=Case.objects.visible_to(actor))


class Link(models.Model):
    """A signed, expiring way to act on one case for a unit without an account."""

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    case = models.ForeignKey(Case, models.PROTECT, related_name="links")
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+")
    made_by_key = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = LinkQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.uid)


class HotSpotQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Hot spots of the area; a unit sees its own."""
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(unit_id=actor.unit_id)
        return super().visible_to(actor)


class HotSpot(Placed):
    """A place where one kind of problem keeps coming back (重点地段, INSP-4), under guard until it is taken off.

    Put on the list by the worker and brought back by it; people set the guard and take it off.
    place_key, category: as of its cases; several spots of one community differ by point and address
    times: repeats in the rule's window up to `last_on`, the day of the newest; last_case: that one
    off_at: when it was taken off the list, null while it stands on it
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    place_key = models.CharField(max_length=24)
    category = models.CharField(max_length=12)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="hot_spots")
    address = models.CharField(max_length=200, blank=True, default="")
    lon = models.DecimalField(max_digits=10, decimal_places=7, null=True, blank=True)
    lat = models.DecimalField(max_digits=9, decimal_places=7, null=True, blank=True)
    times = models.PositiveIntegerField()
    last_on = models.DateField()
    last_case = models.ForeignKey(Case, models.PROTECT, related_name="+")
    listed_at = models.DateTimeField()
    measure = models.CharField(max_length=300, blank=True, default="")
    owner = models.CharField(max_length=60, blank=True, default="")
    listed = models.BooleanField(default=True)
    off_at = models.DateTimeField(null=True, blank=True)
    off_reason = models.CharField(max_length=300, blank=True, default="")
    off_by_name = models.CharField(max_length=60, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    objects = HotSpotQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["place_key", "category"], name="cases_hot_spot_place"),
            *[
                models.Index(fields=[level, "listed", "id"], name=f"cases_hot_spot_{level}")
                for level in ("city", "district", "street", "community")
            ],
        ]
        constraints = [
            models.CheckConstraint(
                name="cases_hot_spot_off_says_why",
                condition=Q(listed=True, off_at__isnull=True)
                | (Q(listed=False, off_at__isnull=False) & ~Q(off_reason="")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.place} {self.category}"

    @property
    def place(self) -> str:
        """What the place is called: the unit, else the address, "" where neither is known."""
        return self.unit.name if self.unit is not None else self.address

    @property
    def url(self) -> str:
        return reverse("hot_spot", args=[self.uid])
