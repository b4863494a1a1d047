"""Editions of everything an authority may change: one row, in exact bytes, immutable once published."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weicheng.places.actor import Actor
from weicheng.places.models import Unit
from weicheng.rules.areas import ancestors
from weicheng.standards.kinds import Confidence


class PublishedError(Exception):
    """Something tried to change or delete a published edition: a mistake in our code, not a user's."""


class EditionQuerySet(models.QuerySet):
    """Pages reach editions through `visible_to`; readers of other apps through `editions.py`."""

    def visible_to(self, actor: Actor) -> Self:
        """Return the published editions above, at and below the actor's area; a keeper's own drafts too.

        A draft without owner is a sample that came with the program: every keeper may read and copy it.
        """
        if actor.unit_id is not None:
            places = list(Unit.objects.filter(pk=actor.unit_id).values_list("area", flat=True))
            below = Q(pk__in=[])
        elif actor.reach:
            places = [code for _column, code in actor.reach]
            below = actor.reach_q(self.model)
        else:
            return self.none()
        owners = {"", *(above for code in places for above in ancestors(code))}
        shown = Q(state=Edition.State.PUBLISHED) & (Q(owner__in=owners) | below)
        if actor.powers.keeps_standards:
            shown |= Q(state=Edition.State.DRAFT, owner__in=["", *places])
        return self.filter(shown)

    def published(self) -> Self:
        return self.filter(state=Edition.State.PUBLISHED)

    def update(self, **fields: Any) -> int:
        """Only drafts are updated in bulk; `leaf`, which a Merkle batch fills later, is open for all."""
        if set(fields) - {"leaf"} and self.published().exists():
            raise PublishedError("a published edition is never changed; publish a new one")
        return super().update(**fields)

    def delete(self) -> Any:
        raise PublishedError("editions are never deleted")


class Edition(models.Model):
    """One edition of one dated thing, owned by an area ("" = everywhere).

    A draft that is given up is kept as discarded: nobody reads it any more, and its label is free again.

    body: canonical JSON of the kind's model in `kinds.py`, exact bytes; digest: SHA-256 over them, hex
    edition: the label by which people name it, unique among its owner's editions of this kind and key
    in_force_from, in_force_to: days, both in force. `in_force_to` is the end that the edition itself states.
    Superseding writes nothing into the predecessor: of one owner, the newest `in_force_from` not after the
    day wins, so a published row is never touched again and "what held on that day" has one answer for ever.
    revision: counts the changes of a draft, so that two editors do not overwrite each other
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("草稿")
        PUBLISHED = "published", _("已发布")
        DISCARDED = "discarded", _("已放弃")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=30, help_text="a code of kinds.KINDS")
    key = models.CharField(max_length=60)
    title = models.CharField(max_length=120)
    owner = models.CharField(max_length=6, blank=True, default="")
    # The owner's level columns, so that "below my area" is an equality as everywhere.
    city = models.CharField(max_length=4, blank=True, default="")
    district = models.CharField(max_length=6, blank=True, default="")
    edition = models.CharField(max_length=60)
    in_force_from = models.DateField()
    in_force_to = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=500)
    confidence = models.CharField(max_length=16, choices=[(c.value, c.label) for c in Confidence])
    body = models.BinaryField()
    digest = models.CharField(max_length=64)
    leaf = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT.value)
    revision = models.PositiveIntegerField(default=1)
    supersedes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=40, help_text='"user:7" or "system"')
    created_by_name = models.CharField(max_length=60, blank=True, default="")
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=40, blank=True, default="")
    published_by_name = models.CharField(max_length=60, blank=True, default="")

    objects = EditionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["kind", "key", "state"], name="standards_edition_kind"),
            models.Index(fields=["state", "id"], name="standards_edition_state"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "kind", "key", "edition"],
                condition=~Q(state="discarded"),
                name="standards_one_label_per_owner",
            ),
            models.UniqueConstraint(
                fields=["owner", "kind", "key", "in_force_from"],
                condition=Q(state="published"),
                name="standards_one_published_per_day",
            ),
            models.CheckConstraint(
                name="standards_edition_ends_after_it_begins",
                condition=Q(in_force_to__isnull=True) | Q(in_force_to__gte=F("in_force_from")),
            ),
            models.CheckConstraint(
                name="standards_published_says_when",
                condition=Q(state__in=["draft", "discarded"], published_at__isnull=True)
                | Q(state="published", published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} {self.edition}"

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any, **options: Any) -> Self:
        row = super().from_db(db, field_names, values, **options)
        # As read, not as assigned since: `row.state = "draft"` must not open a published row.
        row._was_published = row.__dict__.get("state") == cls.State.PUBLISHED
        return row

    def save(self, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "_was_published", False):
            raise PublishedError("a published edition is never changed; publish a new one")
        super().save(*args, **kwargs)
        self._was_published = self.state == self.State.PUBLISHED

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        raise PublishedError("editions are never deleted")

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED
