"""Visits and findings: what was seen where and when, by whom; each finding opens exactly one case."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.cases.models import Case
from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.models import Placed, ScopedQuerySet, Unit


class VisitQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Visits of the area; a unit sees the visits to itself."""
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(unit_id=actor.unit_id)
        return super().visible_to(actor)


class Visit(Placed):
    """One inspection of one place on one day (INSP-3); its findings are what was wrong there.

    checklist_edition: the edition of the check list it follows, null for a free patrol
    """

    class Kind(models.TextChoices):
        ROUTINE = "routine", _("日常巡查")
        LEDGER = "ledger", _("台账督导")
        SPECIAL = "special", _("专项检查")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.ROUTINE)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="visits")
    place = models.CharField(max_length=200, blank=True, default="")
    checklist_edition = models.BigIntegerField(null=True)
    visited_on = models.DateField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    note = models.TextField(blank=True, default="")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    post_id = models.BigIntegerField(null=True)
    body_digest = models.CharField(
        max_length=64, help_text="of what was sent first: the same uid again is compared"
    )

    objects = VisitQuerySet.as_manager()

    class Meta:
        indexes = [
            *[
                models.Index(fields=[level, "id"], name=f"inspections_visit_{level}")
                for level in ("city", "district", "street", "community")
            ],
            models.Index(fields=["by_key", "id"], name="inspections_visit_by"),
        ]

    def __str__(self) -> str:
        return f"{self.visited_on} {self.place}"

    @property
    def url(self) -> str:
        return reverse("visit", args=[self.uid])

    @property
    def number(self) -> str:
        return f"{self.visited_on:%Y%m%d}-V{self.pk:05d}"


class FindingQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Exactly the findings whose case the actor sees."""
        if actor.case_uid:
            return self.filter(case__uid=actor.case_uid)
        if not actor.powers.sees_cases:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(case__responsible_id=actor.unit_id)
        reached = Q(pk__in=[])
        for column, code in actor.reach:
            reached |= Q(**{f"case__{column}": code})
        return self.filter(reached) if actor.reach else self.none()


class Finding(models.Model):
    """A problem seen (问题). The head has the open fields as they are now; `FindingVersion` how they came in.

    uid: made where it was captured; digest: of the first version, so that a second sending can be compared
    item: number of the check-list item it falls under, "" for a free finding
    """

    uid = models.UUIDField(unique=True)
    case = models.OneToOneField(Case, models.PROTECT, related_name="finding")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="findings")
    area = models.CharField(max_length=15)
    category = models.CharField(max_length=12)
    severity = models.CharField(max_length=20)
    item = models.CharField(max_length=20, blank=True, default="")
    note = models.TextField(blank=True, default="")
    occurred_on = models.DateField()
    found_at = models.DateTimeField()
    device_at = models.DateTimeField(null=True)
    gps_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField()
    lon = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    lat = models.DecimalField(max_digits=9, decimal_places=7, null=True)
    accuracy_m = models.DecimalField(max_digits=8, decimal_places=1, null=True)
    datum = models.CharField(max_length=8, blank=True, default="")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    editions = models.CharField(
        max_length=80, blank=True, default="", help_text="the editions it was judged by"
    )
    digest = models.CharField(max_length=64)

    objects = FindingQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["by_key", "id"], name="inspections_finding_by")]

    def __str__(self) -> str:
        return f"{self.occurred_on} {self.category}"


class FindingVersionQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(finding__in=Finding.objects.visible_to(actor))


class FindingVersion(AppendOnly):
    """The bytes a finding came in with, and each correction with its reason."""

    finding = models.ForeignKey(Finding, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    reason = models.CharField(max_length=200, blank=True, default="")

    objects = FindingVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "number"], name="inspections_finding_version_once")
        ]
