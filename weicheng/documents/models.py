"""Documents: a head row with what is true now, and every version of the text in exact bytes."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.cases.models import Case
from weicheng.evidence.models import StoredFile
from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.models import Placed, Unit
from weicheng.rules.areas import ancestors
from weicheng.rules.content import file_number
from weicheng.rules.issuing import STATE_LABELS, DocumentState

OUT = (DocumentState.ISSUED.value, DocumentState.WITHDRAWN.value)


class Kind(models.TextChoices):
    BULLETIN = "bulletin", _("督查通报")
    RECTIFY = "rectify", _("整改通知书")
    SUPERVISE = "supervise", _("督办单")
    RECHECK = "recheck", _("复查单")


NOTICE_KINDS = (Kind.RECTIFY, Kind.SUPERVISE, Kind.RECHECK)


class DocumentQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Drafts for the officers of the office that writes them; what went out for whom it concerns.

        A bulletin concerns everybody in its area and above it; a notice the charged unit and the officers of the
        place.
        """
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        if actor.unit_id is not None:
            area = Unit.objects.filter(pk=actor.unit_id).values_list("area", flat=True).first() or ""
            mine = Q(unit_id=actor.unit_id) | Q(kind=Kind.BULLETIN, area__in=_above(area))
            return self.filter(mine, state__in=OUT)
        if not actor.reach:
            return self.none()
        concerned = actor.reach_q(self.model) | Q(kind=Kind.BULLETIN, area__in=_above(actor.area))
        seen = Q(concerned, state__in=OUT)
        if actor.powers.drafts or actor.powers.signs:
            seen |= Q(owner__in=[code for _column, code in actor.reach])
        return self.filter(seen)

    def delete(self) -> None:  # type: ignore[override]
        raise FrozenError("documents are never deleted; a draft is dropped")


def _above(area: str) -> tuple[str, ...]:
    return ancestors(area) if area else ()


class FrozenError(Exception):
    """Something tried to change or delete what was issued: a mistake in our code, not a user's."""


class Document(Placed):
    """One document (文书). Its place is what it is about; `owner` is the office that writes it.

    content_digest: SHA-256 over the bytes of the version at hand; file, file_digest: the Word file as issued
    writers: keys of everybody who wrote a version, separated by blanks: none of them checks or issues
    word, year, serial: 字〔年〕号, drawn when it is issued
    batch: documents drafted together; replaces: the withdrawn one that this one stands for
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(
        max_length=10, choices=[(s.value, _(STATE_LABELS[s])) for s in DocumentState],
        default=DocumentState.DRAFT.value,
    )  # fmt: skip
    owner = models.CharField(max_length=15)
    owner_name = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    period_start = models.DateField(null=True)
    period_end = models.DateField(null=True)
    period_label = models.CharField(max_length=40, blank=True, default="")
    case = models.ForeignKey(Case, models.PROTECT, null=True, related_name="documents")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, related_name="documents")
    word = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField(null=True)
    serial = models.PositiveIntegerField(null=True)
    version = models.PositiveIntegerField(default=1)
    content_digest = models.CharField(max_length=64)
    layout_edition = models.BigIntegerField(null=True)
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="documents")
    file_digest = models.CharField(max_length=64, blank=True, default="")
    writers = models.TextField(blank=True, default="")
    drafter_name = models.CharField(max_length=60)
    drafted_at = models.DateTimeField()
    checker_key = models.CharField(max_length=40, blank=True, default="")
    checker_name = models.CharField(max_length=60, blank=True, default="")
    checked_at = models.DateTimeField(null=True)
    issuer_key = models.CharField(max_length=40, blank=True, default="")
    issuer_name = models.CharField(max_length=60, blank=True, default="")
    issued_at = models.DateTimeField(null=True)
    issued_on = models.DateField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=60, blank=True, default="")
    withdraw_reason = models.CharField(max_length=200, blank=True, default="")
    batch = models.UUIDField(null=True)
    replaces = models.ForeignKey("self", models.PROTECT, null=True, related_name="replaced_by")

    objects = DocumentQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "id"], name="documents_owner"),
            *[
                models.Index(fields=[level, "id"], name=f"documents_{level}")
                for level in ("city", "district", "street", "community")
            ],
            models.Index(fields=["batch"], name="documents_batch", condition=Q(batch__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "word", "year", "serial"],
                condition=Q(serial__isnull=False),
                name="documents_one_number_once",
            ),
            models.CheckConstraint(
                name="documents_issued_has_number_and_file",
                condition=~Q(state__in=OUT)
                | Q(
                    serial__isnull=False, year__isnull=False, issued_at__isnull=False, issued_on__isnull=False,
                    file__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="documents_only_issued_has_a_number",
                condition=Q(state__in=OUT) | Q(serial__isnull=True, issued_at__isnull=True),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.number or self.title

    def delete(self, *args: object, **kwargs: object) -> None:  # type: ignore[override]
        raise FrozenError("documents are never deleted; a draft is dropped")

    @property
    def number(self) -> str:
        """The 发文字号, "" until it is issued."""
        return file_number(self.word, self.year, self.serial) if self.serial and self.year else ""

    @property
    def url(self) -> str:
        return reverse("document", args=[self.uid])

    def get_absolute_url(self) -> str:
        return self.url

    @property
    def state_label(self) -> str:
        return str(_(STATE_LABELS[DocumentState(self.state)]))

    @property
    def kind_label(self) -> str:
        return str(Kind(self.kind).label)

    @property
    def writer_keys(self) -> list[str]:
        return self.writers.split()

    @property
    def is_out(self) -> bool:
        """Was it issued, be it withdrawn since?"""
        return self.state in OUT

    @property
    def file_name(self) -> str:
        """What a download is called."""
        return f"{self.number or self.title}{'' if self.number else '（草稿）'}.docx"


class DocumentVersionQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(document__in=Document.objects.visible_to(actor))


class DocumentVersion(AppendOnly):
    """The text as it stood after one act; `body` spells the whole content."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    act = models.CharField(max_length=10)
    reason = models.CharField(max_length=200, blank=True, default="")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)

    objects = DocumentVersionQuerySet.as_manager()

    class Meta:
        ordering = ["document", "number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="documents_version_number_once")
        ]


class SequenceQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Nobody reads counters: a number is read on its document."""
        return self.none()


class Sequence(models.Model):
    """How far the numbers of one office, one 机关代字 and one year have come."""

    owner = models.CharField(max_length=15)
    word = models.CharField(max_length=40)
    year = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    objects = SequenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "word", "year"], name="documents_one_sequence")
        ]

    def __str__(self) -> str:
        return f"{self.word}〔{self.year}〕 {self.last}"
