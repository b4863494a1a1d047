"""Assessments: a board for a period, a sheet for each object, a line for each point lost; entries and appeals."""

import json
import uuid
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.models import Placed, Unit
from weicheng.rules.areas import ancestors


class BoardQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Boards of the reader's area and, once shown in public, of the areas above it.

        A draft is seen by who may compute it and by nobody else: a score that is not confirmed is no score.
        """
        if actor.case_uid or not actor.powers.sees_cases:
            return self.none()
        public = Q(state__in=PUBLIC)
        if actor.unit_id is not None:
            home = Unit.objects.filter(pk=actor.unit_id).values_list("area", flat=True).first()
            return self.filter(public, area__in=ancestors(home)) if home else self.none()
        if not actor.reach:
            return self.none()
        above = {code for _column, own in actor.reach for code in ancestors(own)}
        shown = public & (Q(area__in=above) | actor.reach_q(self.model))
        if actor.powers.assesses:
            shown |= actor.reach_q(self.model)
        return self.filter(shown)


class Board(Placed):
    """One assessment (考评): a scheme applied to the objects of one level of an area in one period.

    area: whose assessment it is; level: what is scored in it
    scheme_edition: the edition of kind "scheme" it is scored under; scheme_key: so that the same is found again
    period: as it stands in a URL ("2026-10"), "" for two days
    as_of: the moment at which the records were read: what arrived later is listed, not counted
    appeal_until: the last day on which a line may be appealed against, both included
    warnings: canonical JSON, a list of {"code", "text", "code_of"?} about missing sources and unscored records
    beside: the board this one is compared with; it scores the same records under another edition and is
        never confirmed
    """

    class Level(models.TextChoices):
        STREET = "street", _("街道")
        COMMUNITY = "community", _("社区")
        UNIT = "unit", _("单位")

    class State(models.TextChoices):
        DRAFT = "draft", _("未计算")
        COMPUTED = "computed", _("已计算")
        CONFIRMED = "confirmed", _("公示中")
        PUBLISHED = "published", _("已公布")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    title = models.CharField(max_length=120)
    level = models.CharField(max_length=12, choices=Level.choices)
    scheme_key = models.CharField(max_length=60)
    scheme_edition = models.BigIntegerField()
    period = models.CharField(max_length=10, blank=True, default="")
    period_start = models.DateField()
    period_end = models.DateField()
    period_label = models.CharField(max_length=60)
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT.value)
    as_of = models.DateTimeField(null=True, blank=True)
    records = models.PositiveIntegerField(default=0, help_text="findings that were read")
    warnings = models.TextField(blank=True, default="[]")
    created_at = models.DateTimeField()
    created_by_key = models.CharField(max_length=40)
    created_by_name = models.CharField(max_length=60, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirmed_by_key = models.CharField(max_length=40, blank=True, default="")
    confirmed_by_name = models.CharField(max_length=60, blank=True, default="")
    appeal_until = models.DateField(null=True, blank=True)
    calendar_edition = models.BigIntegerField(
        null=True, blank=True, help_text="that appeal_until was counted by"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    published_by_key = models.CharField(max_length=40, blank=True, default="")
    published_by_name = models.CharField(max_length=60, blank=True, default="")
    published_reason = models.CharField(
        max_length=300, blank=True, default="", help_text="why before the window ended; else empty"
    )
    beside = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="besides")

    objects = BoardQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["area", "level", "period_start"], name="assessments_board_area"),
            *[
                models.Index(fields=[column, "id"], name=f"assessments_board_{column}")
                for column in ("city", "district", "street")
            ],
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["area", "level", "scheme_key", "period_start", "period_end"],
                condition=Q(beside__isnull=True),
                name="assessments_one_board_a_period",
            ),
            models.UniqueConstraint(
                fields=["beside", "scheme_edition"],
                condition=Q(beside__isnull=False),
                name="assessments_beside_once_an_edition",
            ),
            models.CheckConstraint(
                name="assessments_board_ends_after_it_begins",
                condition=Q(period_end__gte=F("period_start")),
            ),
            models.CheckConstraint(
                name="assessments_board_says_who_confirmed",
                condition=Q(state__in=["draft", "computed"], confirmed_at__isnull=True)
                | Q(
                    state__in=["confirmed", "published"],
                    confirmed_at__isnull=False,
                    appeal_until__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="assessments_beside_is_never_confirmed",
                condition=Q(beside__isnull=True) | Q(state__in=["draft", "computed"]),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def url(self) -> str:
        return reverse("assessments:board", args=[self.uid])

    def get_absolute_url(self) -> str:
        return self.url

    @property
    def frozen(self) -> bool:
        """Is it confirmed, so that nothing but a decided appeal changes its sheets?"""
        return self.state in PUBLIC

    @property
    def warning_lines(self) -> list[dict[str, Any]]:
        return json.loads(self.warnings)


PUBLIC = (Board.State.CONFIRMED.value, Board.State.PUBLISHED.value)


class SheetQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Every sheet of a board the reader sees: a ranking is for all who are ranked in it."""
        return self.filter(board__in=Board.objects.visible_to(actor))

    def covered_by(self, actor: Actor) -> Self:
        """Return the sheets whose records the reader may read: those of the own area or the own unit."""
        rows = self.visible_to(actor)
        if actor.unit_id is not None:
            return rows.filter(unit_id=actor.unit_id)
        return rows.filter(actor.reach_q(self.model)) if actor.reach else rows.none()


class Sheet(Placed):
    """The score of one object on one board; its lines say where every point went.

    code: the area's code or the unit's uid, unique on the board; the same object has the same code every period
    full: the marks of an object without losses; base: the total before rewards and penalties for ranks
    total: full - Σ effects of its lines + Σ bonus lines, exactly; grade: the band of the scheme it falls in
    rank, group_size: within the group; null when the object is not ranked
    previous_rank, previous_total: of the same object on the board of the period before, null where there is none
    summary: canonical JSON of its sources and items, see `sources` and `items`
    version: 0 while it may be computed again; 1 when confirmed; raised by every change an appeal makes
    digest: of the newest SheetVersion, "" before the first
    """

    uid = models.UUIDField(unique=True)
    board = models.ForeignKey(Board, models.PROTECT, related_name="sheets")
    code = models.CharField(max_length=36)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="sheets")
    name = models.CharField(max_length=120)
    group = models.CharField(max_length=40, blank=True, default="")
    group_title = models.CharField(max_length=60, blank=True, default="")
    group_size = models.PositiveIntegerField(default=0)
    full = models.DecimalField(max_digits=14, decimal_places=6)
    base = models.DecimalField(max_digits=14, decimal_places=6)
    bonus = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    total = models.DecimalField(max_digits=14, decimal_places=6)
    grade = models.CharField(max_length=40, blank=True, default="")
    rank = models.PositiveIntegerField(null=True, blank=True)
    previous_rank = models.PositiveIntegerField(null=True, blank=True)
    previous_total = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    records = models.PositiveIntegerField(default=0, help_text="findings of the object that were read")
    summary = models.TextField(blank=True, default="{}")
    version = models.PositiveIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")

    objects = SheetQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["board", "group", "rank"], name="assessments_sheet_rank"),
            models.Index(fields=["code", "id"], name="assessments_sheet_code"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["board", "code"], name="assessments_one_sheet_an_object")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        return reverse("assessments:sheet", args=[self.uid])

    def get_absolute_url(self) -> str:
        return self.url

    @property
    def sources(self) -> list[dict[str, Any]]:
        """Return what the total is made of, one entry a source; numbers are text, to be read as Decimal.

        key, title, kind, weight (per cent, as used), own_weight (as published), score (null when missing),
        full, lost (on this source's own scale), effect (on the total), present
        """
        return self._read.get("sources", [])

    @property
    def items(self) -> list[dict[str, Any]]:
        """Return what each item cost, in the order of the scheme: number, title, parent, source, asked, lost,
        effect, records, capped; numbers as text. Only items that cost something."""
        return self._read.get("items", [])

    @property
    def assessed(self) -> bool:
        """Did anything take place there in the period? Otherwise it has no score, and no place."""
        return bool(self._read.get("assessed", True))

    @property
    def remarks(self) -> list[dict[str, str]]:
        """Return what was noticed while it was scored: code and text, a sentence in Chinese."""
        return self._read.get("remarks", [])

    @property
    def unscored(self) -> int:
        """How many findings fell under nothing that the scheme scores in the period."""
        return int(self._read.get("unscored", 0))

    @property
    def _read(self) -> dict[str, Any]:
        """The summary, read once for each text: an appeal writes another."""
        known: tuple[str, dict[str, Any]] | None = self.__dict__.get("_summary_read")
        if known is None or known[0] is not self.summary:
            known = self.__dict__["_summary_read"] = (self.summary, json.loads(self.summary))
        return known[1]

    @property
    def rank_change(self) -> int | None:
        """Places gained since the period before; negative when lost, None when there is nothing to compare."""
        if self.rank is None or self.previous_rank is None:
            return None
        return self.previous_rank - self.rank


class LossQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Lines name records, so only who covers the object reads them; the others read its item totals."""
        return self.filter(sheet__in=Sheet.objects.covered_by(actor))


class Loss(models.Model):
    """One line of a sheet: points an item cost because of one record, or one bonus.

    number: 1, 2, 3 … within the sheet, in the order in which limits were used up; never given twice
    kind: a value of rules.sheets.LineKind; "bonus" adds its effect to the total, every other takes it away
    record_kind, record: "finding" and its uid, "entry" and its key, "rank", or "" where there is no record
    asked: what the rule costs; lost: what was taken within the limits, both on the source's own scale
    effect: what that made of the total, after the source's weight
    restored: what an appeal gave back of `asked`; the rest goes through the limits again
    why: canonical JSON of the parts, see `parts`
    struck: an appeal took the whole line back, or ranks changed after one. The row keeps its points for the
        reader, but they no longer count
    """

    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="losses")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    source = models.CharField(max_length=20, blank=True, default="")
    item = models.CharField(max_length=30, blank=True, default="")
    title = models.CharField(max_length=200)
    record_kind = models.CharField(max_length=12, blank=True, default="")
    record = models.CharField(max_length=60, blank=True, default="")
    occurred_on = models.DateField(null=True, blank=True)
    asked = models.DecimalField(max_digits=14, decimal_places=6)
    lost = models.DecimalField(max_digits=14, decimal_places=6)
    effect = models.DecimalField(max_digits=14, decimal_places=6)
    restored = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    why = models.TextField(blank=True, default="{}")
    struck = models.BooleanField(default=False)

    objects = LossQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "number"], name="assessments_loss_number_once"),
            models.CheckConstraint(
                name="assessments_loss_takes_no_more_than_asked", condition=Q(lost__lte=F("asked"))
            ),
        ]
        indexes = [models.Index(fields=["record"], name="assessments_loss_record")]

    def __str__(self) -> str:
        return f"{self.item} {self.title}"

    @property
    def parts(self) -> dict[str, Any]:
        """Return what the points are made of: points, mode, factors [{"name", "value"}], capped_by …; numbers as text."""
        return json.loads(self.why)


class SheetVersionQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(sheet__in=Sheet.objects.covered_by(actor))


class SheetVersion(AppendOnly):
    """A sheet as it was when confirmed, and after each change since: head, sources, items and all its lines.

    verb: "confirm" or "appeal" (a decided appeal, of this sheet or of another that moved its rank)
    """

    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=12)
    reason = models.CharField(max_length=300, blank=True, default="")
    total = models.DecimalField(max_digits=14, decimal_places=6)
    rank = models.PositiveIntegerField(null=True)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")

    objects = SheetVersionQuerySet.as_manager()

    class Meta:
        ordering = ["sheet", "number"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "number"], name="assessments_sheet_version_once")
        ]


class EntryQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Entries of boards the reader sees, of objects the reader covers."""
        rows = self.filter(board__in=Board.objects.visible_to(actor))
        if actor.unit_id is not None:
            uid = Unit.objects.filter(pk=actor.unit_id).values_list("uid", flat=True).first()
            return rows.filter(code=str(uid))
        codes = Q(pk__in=[])
        for _column, own in actor.reach:
            codes |= Q(area__gte=own, area__lt=f"{own}:")
        return rows.filter(codes) if actor.reach else rows.none()


class Entry(AppendOnly):
    """A value that people give and no record has: a ledger score, visits to households, a posting rate.

    code: of the object, as on its sheet; area: of the object, for scope
    key: what is given, from `compute.entry_fields`: "source:ledger", "item:3.2", "measure:visits", or
        "item:3.2@<finding uid>" for the points chosen within a range
    number: 1 for the first value, 2 for its first correction …; the highest holds
    """

    board = models.ForeignKey(Board, models.PROTECT, related_name="entries")
    code = models.CharField(max_length=36)
    area = models.CharField(max_length=15)
    key = models.CharField(max_length=80)
    number = models.PositiveIntegerField(default=1)
    value = models.DecimalField(max_digits=14, decimal_places=4)
    reason = models.CharField(max_length=300, blank=True, default="")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")

    objects = EntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["board", "code", "key", "number"], name="assessments_entry_number_once"
            )
        ]


class AppealQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Appeals against sheets the reader covers: only a board shown in public has any, so place decides alone."""
        if actor.case_uid or not actor.powers.sees_cases:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(sheet__unit_id=actor.unit_id)
        reached = Q(pk__in=[])
        for column, code in actor.reach:
            reached |= Q(**{f"sheet__{column}": code})
        return self.filter(reached)


class Appeal(models.Model):
    """An objection (申诉) against one line of a confirmed sheet, and what was decided.

    restored: points given back, on the scale of the line's source; null while open
    body_digest: of what was sent first: the same uid again is compared
    """

    class State(models.TextChoices):
        OPEN = "open", _("待答复")
        ACCEPTED = "accepted", _("采纳")
        PARTLY = "partly", _("部分采纳")
        REJECTED = "rejected", _("不采纳")

    uid = models.UUIDField(unique=True)
    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="appeals")
    loss = models.ForeignKey(Loss, models.PROTECT, related_name="appeals")
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN.value)
    reason = models.TextField()
    filed_at = models.DateTimeField()
    filed_by_key = models.CharField(max_length=40)
    filed_by_name = models.CharField(max_length=60)
    filed_post = models.CharField(max_length=120, blank=True, default="")
    body_digest = models.CharField(max_length=64)
    decision = models.TextField(blank=True, default="")
    restored = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    total_before = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    total_after = models.DecimalField(max_digits=14, decimal_places=6, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by_key = models.CharField(max_length=40, blank=True, default="")
    decided_by_name = models.CharField(max_length=60, blank=True, default="")

    objects = AppealQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["sheet", "id"], name="assessments_appeal_sheet")]
        constraints = [
            models.UniqueConstraint(
                fields=["loss"], condition=Q(state="open"), name="assessments_one_open_appeal_a_line"
            ),
            models.CheckConstraint(
                name="assessments_decided_says_who",
                condition=Q(state="open", decided_at__isnull=True) | Q(decided_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.filed_at:%Y-%m-%d} {self.reason[:30]}"

    @property
    def url(self) -> str:
        return reverse("assessments:appeal", args=[self.uid])

    def get_absolute_url(self) -> str:
        return self.url
