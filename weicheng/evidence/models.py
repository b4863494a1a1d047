"""Stored files, what they are attached to, and uploads on their way."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from weicheng.evidence import owners
from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor


class Purpose(models.TextChoices):
    BEFORE = "before", _("整改前")
    AFTER = "after", _("整改后")
    DOCUMENT = "document", _("材料")


class StoredFileQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Bytes have no reader of their own: only through an attachment that the actor sees."""
        return self.filter(pk__in=Attachment.objects.visible_to(actor).values("stored_id"))

    def unchecked(self) -> Self:
        """Return pictures whose pixels have not been decoded yet."""
        return self.filter(checked_at__isnull=True)


class StoredFile(models.Model):
    """Bytes as they were received; `storage` knows where they lie.

    sha256: of the plain bytes, also of a sealed file; equal open content is one row, sealed is never shared
    uid: names the sealed original and the derived copies on disk
    sealed_key, wrapped_key: of a sealed file; emptying them erases the file for good
    checked_at: when the pixels were decoded; broken_at: when that failed, though the header looked right
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    media_type = models.CharField(max_length=100)
    width = models.PositiveIntegerField(null=True, help_text="pixels, as stored, before any turning")
    height = models.PositiveIntegerField(null=True)
    sensitive = models.BooleanField(default=False)
    sealed_key = models.BinaryField(null=True)
    wrapped_key = models.BinaryField(null=True)
    received_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    broken_at = models.DateTimeField(null=True)

    objects = StoredFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"], condition=Q(sensitive=False), name="evidence_open_content_is_stored_once"
            ),
            models.CheckConstraint(name="evidence_stored_file_is_not_empty", condition=Q(size__gt=0)),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=Q(checked_at__isnull=True), name="evidence_stored_unchecked"
            )
        ]

    def __str__(self) -> str:
        return str(self.uid)

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


class AttachmentQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Files of the owners the actor sees, and what the actor sent ahead of its owner in this post."""
        if not actor.key:
            return self.none()
        sent_ahead = Q(waiting=True, by_key=actor.key, post_id=actor.post_id)
        return self.filter(sent_ahead | owners.reach(actor))

    def of(self, owner_kind: str, owner_uid: uuid.UUID) -> Self:
        return self.filter(owner_kind=owner_kind, owner_uid=owner_uid)

    def standing(self) -> Self:
        """Return those that were not declared void."""
        return self.filter(voiding__isnull=True)


class Attachment(AppendOnly):
    """One file at one owner: what for, by whom, and the four times of its capture. Never changed afterwards.

    Each use of a photo is its own attachment, so the same bytes may stand behind several. `at` is the
    receipt; a mistaken one is declared void by a `Voiding` row of its own and stays readable.

    device_at: clock of the phone; photo_at: EXIF DateTimeOriginal; gps_at: the satellites' time
    photo_zone_assumed: the EXIF time came without offset and was read as China standard time
    photo_lon, photo_lat: EXIF position as written, WGS-84 by its standard
    lon, lat, datum, accuracy_m: position the device gave with the capture, as received
    waiting: it came before its owner, see `owners`
    duplicate_of: the first earlier use of the same bytes elsewhere
    """

    uid = models.UUIDField(unique=True)
    owner_kind = models.CharField(max_length=20)
    owner_uid = models.UUIDField()
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    stored = models.ForeignKey(StoredFile, models.PROTECT, related_name="attachments")
    filename = models.CharField(max_length=120)
    caption = models.CharField(max_length=200, blank=True, default="")
    device_at = models.DateTimeField(null=True)
    photo_at = models.DateTimeField(null=True)
    photo_zone_assumed = models.BooleanField(default=False)
    gps_at = models.DateTimeField(null=True)
    photo_lon = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    photo_lat = models.DecimalField(max_digits=9, decimal_places=7, null=True)
    lon = models.DecimalField(max_digits=10, decimal_places=7, null=True)
    lat = models.DecimalField(max_digits=9, decimal_places=7, null=True)
    datum = models.CharField(max_length=8, blank=True, default="")
    accuracy_m = models.DecimalField(max_digits=8, decimal_places=1, null=True)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")
    post_id = models.BigIntegerField(null=True)
    area = models.CharField(max_length=15, blank=True, default="")
    waiting = models.BooleanField(default=False)
    # No index: it is only followed forwards.
    duplicate_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="+", db_index=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner_uid", "owner_kind"], name="evidence_attachment_owner")]
        constraints = [
            models.CheckConstraint(
                name="evidence_attachment_purpose_is_known",
                condition=Q(purpose__in=["before", "after", "document"]),
            )
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def received_at(self) -> datetime:
        return self.at


class VoidingQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(attachment__in=Attachment.objects.visible_to(actor))


class Voiding(AppendOnly):
    """An attachment was declared void (作废) by its sender, with a reason; the file stays."""

    attachment = models.OneToOneField(Attachment, models.PROTECT, related_name="voiding")
    reason = models.CharField(max_length=200)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")

    objects = VoidingQuerySet.as_manager()


class UploadQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """An upload is its sender's until it is finished and becomes an attachment."""
        return self.filter(by_key=actor.key) if actor.key else self.none()


class Upload(models.Model):
    """A file that comes in parts; resumable until it is finished or swept. Its uid becomes the attachment's.

    particulars: what `attach` needs besides the bytes, canonical JSON
    sha256: as the client announced it, empty when it did not
    """

    uid = models.UUIDField(unique=True)
    owner_kind = models.CharField(max_length=20)
    owner_uid = models.UUIDField()
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    filename = models.CharField(max_length=120)
    size = models.BigIntegerField(help_text="bytes of the whole file")
    part_size = models.PositiveIntegerField(help_text="bytes of each part but the last")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    sealed_key = models.BinaryField(null=True)
    wrapped_key = models.BinaryField(null=True)
    particulars = models.TextField(default="{}")
    by_key = models.CharField(max_length=40)
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = UploadQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["begun_at"], name="evidence_upload_begun"),
            models.Index(fields=["by_key", "begun_at"], name="evidence_upload_sender"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def part_count(self) -> int:
        return -(-self.size // self.part_size)


class UploadPartQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(upload__in=Upload.objects.visible_to(actor))


class UploadPart(models.Model):
    """One part that has arrived, numbered from 0; its bytes lie in the upload's folder."""

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    objects = UploadPartQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="evidence_part_once")]

    def __str__(self) -> str:
        return f"{self.upload_id}/{self.number}"
