"""What is only ever added to: journal entries and the base of every version table; and the site's own row."""

import uuid
from typing import Any, NoReturn

from django.db import models


class AppendOnlyError(Exception):
    """Something tried to change or delete what may only be added to: a mistake in our code, not a user's."""


class AppendOnlyQuerySet(models.QuerySet):
    mutable = frozenset({"leaf"})  # what is written after the insert: a Merkle batch fills it later

    def update(self, **fields: Any) -> int:
        """Refuse to change anything but the `mutable` columns."""
        if set(fields) - self.mutable:
            raise AppendOnlyError(f"{self.model.__name__} rows are never changed")
        return super().update(**fields)

    def delete(self) -> NoReturn:
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted")


class AppendOnly(models.Model):
    """Exact bytes with their digest; inserted once. Database triggers guard the same from outside Django.

    body: the open fields as received, canonical JSON, exact bytes
    digest: SHA-256 over the stored bytes, hex; leaf: position in the tree of the batch that takes it, later
    """

    at = models.DateTimeField()
    body = models.BinaryField()
    digest = models.CharField(max_length=64)
    leaf = models.CharField(max_length=64, blank=True, default="")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} rows are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError(f"{type(self).__name__} rows are never deleted")


class EntryQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Any) -> "EntryQuerySet":
        """Return the entries of the area of an audit administrator's post; nobody else reads the journal."""
        if actor.reads_journal:
            return self.filter(actor.reach_q(self.model))
        return self.none()


class Entry(AppendOnly):
    """One verb, done: who, in which post, from where, on what; `body` holds the particulars."""

    actor_key = models.CharField(max_length=40, help_text='"user:7", "link:3" or "system"')
    actor_name = models.CharField(max_length=60, blank=True, default="")
    post_id = models.BigIntegerField(null=True)
    post_label = models.CharField(max_length=120, blank=True, default="")
    verb = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=30)
    object_key = models.CharField(max_length=64)
    origin = models.CharField(
        max_length=64, blank=True, default="", help_text="address the request came from"
    )
    # An audit administrator is of a city or a district, so the journal keeps no finer columns.
    city = models.CharField(max_length=4, blank=True, default="")
    district = models.CharField(max_length=6, blank=True, default="")

    objects = EntryQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["district", "id"], name="journal_entry_district"),
            models.Index(fields=["city", "id"], name="journal_entry_city"),
            models.Index(fields=["object_kind", "object_key"], name="journal_entry_object"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_kind}:{self.object_key}"


class Site(models.Model):
    """The one row about this installation.

    epoch: changed by every restore, so that clients offer acknowledged captures again
    generation: raised whenever dated data (areas, posts, editions) change, so that caches know
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.UUIDField(default=uuid.uuid4)
    generation = models.BigIntegerField(default=1)
    root_area = models.CharField(max_length=15, blank=True, default="")
    demo = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(name="journal_one_site", condition=models.Q(id=1))]

    def __str__(self) -> str:
        return str(self.epoch)
