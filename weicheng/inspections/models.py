"""Rounds, visits and findings: what is to be looked at, what was seen where and when, by whom; yellow cards.

Each finding opens exactly one case. What belongs to a hidden round is there for those who carry it out and for
nobody else, until the round is published (INSP-5).
"""

import json
import uuid
from datetime import date
from typing import Any, Self

from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.cases.models import Case
from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.models import Placed, ScopedQuerySet, Unit
from weicheng.rules.answers import Result
from weicheng.rules.cases import Part

# --- rounds --------------------------------------------------------------------------------------


class RoundKind(models.TextChoices):
    """On what occasion places are looked at; a visit of a round is of the round's kind."""

    ROUTINE = "routine", _("日常巡查")
    DAILY = "daily", _("日查")
    WEEKLY = "weekly", _("周巡")
    MONTHLY = "monthly", _("月评")
    QUARTERLY = "quarterly", _("季度检查")
    UNANNOUNCED = "unannounced", _("暗访")
    MOCK = "mock", _("模拟检查")
    JOINT = "joint", _("部门联合检查")
    LEADER = "leader", _("领导带队检查")
    EXPERT = "expert", _("专家评估")


def runs_rounds(actor: Actor) -> bool:
    """May this post plan, draw and publish rounds of its own area? Offices may: those that supervise."""
    return bool(actor.area) and Part.SUPERVISOR in actor.powers.parts


def in_the_know(actor: Actor, path: str = "") -> Q:
    """Return the condition "carries out this hidden round": the owner's office, or an inspector it names.

    path: how the round is reached from the table that is asked, e.g. "round__"
    """
    places = RoundPlace.objects.filter(inspector_key=actor.key, current=True).values("round_id")
    known = Q(**{f"{path}pk__in": places})
    return known | Q(**{f"{path}area": actor.area}) if runs_rounds(actor) else known


class RoundQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Rounds of the area and those that come to it; a unit sees those that come to it.

        A hidden round is there only for those who carry it out, until it is published.
        """
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        coming = Q(pk__in=RoundPlace.objects.reached_by(actor).filter(current=True).values("round_id"))
        reached = coming if actor.unit_id is not None else coming | actor.reach_q(self.model)
        return self.filter(reached & self.open_q() | in_the_know(actor))

    @staticmethod
    def open_q(path: str = "") -> Q:
        """Return the condition "not hidden, or no longer"."""
        return Q(**{f"{path}hidden": False}) | Q(**{f"{path}state": Round.State.PUBLISHED.value})


class Round(Placed):
    """One task of inspection (检查任务): which places are looked at by whom, from when to when, by which lists.

    area: of the office that owns it; hidden: no inspected side learns of it before it is published
    checklists: keys, JSON; particulars: departments, leader, group, frame … of its kind, JSON
    version: raised by every change, so that two who draw at once are told apart
    """

    class State(models.TextChoices):
        PLANNED = "planned", _("待抽取")
        DRAWN = "drawn", _("已抽取")
        RUNNING = "running", _("检查中")
        PUBLISHED = "published", _("已公布")

    class Conclusion(models.TextChoices):
        MET = "met", _("达到")
        PARTLY = "partly", _("基本达到")
        MISSED = "missed", _("未达到")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=12, choices=RoundKind.choices, default=RoundKind.ROUTINE)
    title = models.CharField(max_length=120)
    theme = models.CharField(max_length=200, blank=True, default="")
    starts_on = models.DateField()
    ends_on = models.DateField()
    hidden = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    checklists = models.TextField(blank=True, default="[]")
    particulars = models.TextField(blank=True, default="{}")
    conclusion = models.CharField(max_length=8, choices=Conclusion.choices, blank=True, default="")
    opinion = models.TextField(blank=True, default="")
    made_at = models.DateTimeField()
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.CharField(max_length=60, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    objects = RoundQuerySet.as_manager()

    class Meta:
        indexes = [
            *[
                models.Index(fields=[level, "id"], name=f"inspections_round_{level}")
                for level in ("city", "district", "street", "community")
            ],
            models.Index(fields=["area", "starts_on"], name="inspections_round_owner"),
        ]
        constraints = [
            models.CheckConstraint(
                name="inspections_round_ends_after_it_starts", condition=Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="inspections_round_published_has_its_moment",
                condition=~Q(state="published") | Q(published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def url(self) -> str:
        return reverse("round", args=[self.uid])

    @property
    def number(self) -> str:
        return f"{self.starts_on:%Y%m%d}-R{self.pk:04d}"

    @property
    def is_hidden(self) -> bool:
        """Is it still hidden from the inspected side?"""
        return self.hidden and self.state != self.State.PUBLISHED

    @property
    def checklist_keys(self) -> list[str]:
        return list(json.loads(self.checklists))

    @property
    def facts(self) -> dict[str, Any]:
        """The particulars of its kind: departments, leader, group, source of places."""
        return dict(json.loads(self.particulars))


class DrawQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(round__in=Round.objects.visible_to(actor))


class Draw(AppendOnly):
    """One draw of a round's places: `body` is the document anybody can compute again (`weicheng draw --verify`).

    number: 1, 2 … within the round; an earlier one stays beside the one that replaced it for `reason`
    """

    round = models.ForeignKey(Round, models.PROTECT, related_name="draws")
    number = models.PositiveIntegerField()
    seed_digest = models.CharField(max_length=64)
    frame_digest = models.CharField(max_length=64)
    frame_size = models.PositiveIntegerField()
    drawn = models.PositiveIntegerField()
    reason = models.CharField(max_length=200, blank=True, default="")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)

    objects = DrawQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["round", "number"], name="inspections_draw_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.round_id}/{self.number}"


class RoundPlaceQuerySet(ScopedQuerySet):
    def reached_by(self, actor: Actor) -> Self:
        """Rows whose place is the actor's, hidden or not; never shown without `visible_to`."""
        if actor.unit_id is not None:
            return self.filter(unit_id=actor.unit_id)
        return super().visible_to(actor)

    def visible_to(self, actor: Actor) -> Self:
        """Places in reach of rounds that are open, those one is sent to, and all of the rounds one's office runs."""
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        reached = Q(unit_id=actor.unit_id) if actor.unit_id is not None else actor.reach_q(self.model)
        mine = Q(inspector_key=actor.key, current=True)
        if runs_rounds(actor):
            mine |= Q(round__area=actor.area)
        return self.filter(reached & Round.objects.open_q("round__") | mine)


class RoundPlace(Placed):
    """One place that a round looks at, and who looks: named beforehand, or drawn.

    area: of the unit, or the place itself where an area is looked at; current: not replaced by a later draw
    """

    class Origin(models.TextChoices):
        RECOMMENDED = "recommended", _("推荐")
        DRAWN = "drawn", _("随机")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    round = models.ForeignKey(Round, models.PROTECT, related_name="places")
    draw = models.ForeignKey(Draw, models.PROTECT, related_name="places")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="round_places")
    name = models.CharField(max_length=120)
    origin = models.CharField(max_length=12, choices=Origin.choices)
    stratum = models.CharField(max_length=60, blank=True, default="")
    inspector_key = models.CharField(max_length=40, blank=True, default="")
    inspector_name = models.CharField(max_length=60, blank=True, default="")
    current = models.BooleanField(default=True)

    objects = RoundPlaceQuerySet.as_manager()

    class Meta:
        indexes = [
            *[
                models.Index(fields=[level, "id"], name=f"inspections_place_{level}")
                for level in ("city", "district", "street", "community")
            ],
            models.Index(fields=["inspector_key", "id"], name="inspections_place_inspector"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["draw", "unit"], name="inspections_unit_drawn_once", condition=Q(unit__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["draw", "area"], name="inspections_area_drawn_once", condition=Q(unit__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.name


# --- visits --------------------------------------------------------------------------------------


class VisitQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Visits of the area; a unit sees the visits to itself. A hidden one: those who carry out its round."""
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        rows = self.filter(unit_id=actor.unit_id) if actor.unit_id is not None else super().visible_to(actor)
        return rows.filter(Q(hidden=False) | Q(by_key=actor.key) | in_the_know(actor, "round__"))


class Visit(Placed):
    """One inspection of one place on one day (INSP-3); its findings are what was wrong there.

    checklist_edition: the edition of the check list it follows, null for a free patrol
    round, round_place: the task it is part of, if any
    leader, participants: who led it, and which departments took part, in words (INSP-9, INSP-10)
    hidden: of a hidden round that is not published; its failed items open their cases when it is
    """

    class Kind(models.TextChoices):
        ROUTINE = RoundKind.ROUTINE.value, RoundKind.ROUTINE.label
        DAILY = RoundKind.DAILY.value, RoundKind.DAILY.label
        WEEKLY = RoundKind.WEEKLY.value, RoundKind.WEEKLY.label
        MONTHLY = RoundKind.MONTHLY.value, RoundKind.MONTHLY.label
        QUARTERLY = RoundKind.QUARTERLY.value, RoundKind.QUARTERLY.label
        UNANNOUNCED = RoundKind.UNANNOUNCED.value, RoundKind.UNANNOUNCED.label
        MOCK = RoundKind.MOCK.value, RoundKind.MOCK.label
        JOINT = RoundKind.JOINT.value, RoundKind.JOINT.label
        LEADER = RoundKind.LEADER.value, RoundKind.LEADER.label
        EXPERT = RoundKind.EXPERT.value, RoundKind.EXPERT.label
        LEDGER = "ledger", _("台账督导")
        SHOP_FRONT = "shop_front", _("门店日查")
        UNIT_CHECK = "unit_check", _("单位检查")
        ROAD = "road", _("路段巡查")
        SPECIAL = "special", _("专项检查")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.ROUTINE)
    round = models.ForeignKey(Round, models.PROTECT, null=True, blank=True, related_name="visits")
    round_place = models.ForeignKey(RoundPlace, models.PROTECT, null=True, blank=True, related_name="visits")
    hidden = models.BooleanField(default=False)
    leader = models.CharField(max_length=60, blank=True, default="")
    participants = models.CharField(max_length=300, blank=True, default="")
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
        """The findings whose case the actor sees, and for a unit those it does a part of: it sees what is to be done."""
        if actor.case_uid:
            parts = Case.objects.filter(uid=actor.case_uid, parent__isnull=False).values("parent_id")
            return self.filter(Q(case__uid=actor.case_uid) | Q(case__in=parts))
        if not actor.powers.sees_cases:
            return self.none()
        if actor.unit_id is not None:
            parts = Case.objects.filter(responsible_id=actor.unit_id, parent__isnull=False).values(
                "parent_id"
            )
            return self.filter(Q(case__responsible_id=actor.unit_id) | Q(case__in=parts))
        reached = Q(pk__in=[])
        for column, code in actor.reach:
            reached |= Q(**{f"case__{column}": code})
        return self.filter(reached) if actor.reach else self.none()


class Finding(models.Model):
    """A problem seen (问题). The head has the open fields as they are now; `FindingVersion` how they came in.

    uid: made where it was captured; digest: of the first version, so that a second sending can be compared
    item: number of the check-list item it falls under, "" for a free finding
    count: how many of the same kind were seen at once; an item that costs per finding costs that many times
    """

    uid = models.UUIDField(unique=True)
    case = models.OneToOneField(Case, models.PROTECT, related_name="finding")
    visit = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="findings")
    area = models.CharField(max_length=15)
    category = models.CharField(max_length=12)
    severity = models.CharField(max_length=20)
    item = models.CharField(max_length=20, blank=True, default="")
    count = models.PositiveSmallIntegerField(default=1)
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


# --- answers -------------------------------------------------------------------------------------


class AnswerQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Answers of the visits the actor sees, and those that stand behind a finding the actor sees."""
        if not actor.powers.sees_cases and not actor.case_uid:
            return self.none()
        visits = Visit.objects.visible_to(actor).values("pk")
        findings = Finding.objects.visible_to(actor).values("pk")
        return self.filter(Q(visit__in=visits) | Q(finding__in=findings))


class Answer(models.Model):
    """What a visit says of one line of its check list. The head is what holds now; versions are how it came in.

    uid: made by the client; item: the line's number; spot: the room or stretch, where a list is used for several
    count: places that fail, 0 where none does; points: chosen by the inspector where the line gives a range
    step: what followed the violation (劝阻, 责令改正, 报告); opinion, due_on: what is to be done, until when
    informed_at, arrived_at, cleared_at: of the crew, for a road that is watched
    finding: what it opened a case with; empty while nothing is wrong, or the round is hidden
    version: raised by every change; digest: of the newest version's bytes
    """

    uid = models.UUIDField(unique=True)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="answers")
    item = models.CharField(max_length=20)
    spot = models.CharField(max_length=60, blank=True, default="")
    result = models.CharField(max_length=10, choices=[(each.value, each.label) for each in Result])
    count = models.PositiveSmallIntegerField(default=0)
    points = models.DecimalField(max_digits=8, decimal_places=3, null=True, blank=True)
    note = models.TextField(blank=True, default="")
    opinion = models.TextField(blank=True, default="")
    due_on = models.DateField(null=True, blank=True)
    category = models.CharField(max_length=12, blank=True, default="")
    severity = models.CharField(max_length=20, blank=True, default="")
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="+")
    step = models.CharField(max_length=12, blank=True, default="")
    informed_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    device_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    finding = models.OneToOneField(Finding, models.PROTECT, null=True, blank=True, related_name="answer")
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    digest = models.CharField(max_length=64)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["visit", "item", "spot"], name="inspections_line_answered_once"),
            models.CheckConstraint(
                name="inspections_answer_counts_what_fails",
                condition=Q(result__in=["partly", "fail"], count__gte=1)
                | Q(~Q(result__in=["partly", "fail"]), count=0),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.result}"


class AnswerVersionQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(answer__in=Answer.objects.visible_to(actor))


class AnswerVersion(AppendOnly):
    """The bytes an answer came in with, each time it came in otherwise."""

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)

    objects = AnswerVersionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["answer", "number"], name="inspections_answer_version_once")
        ]


# --- yellow cards --------------------------------------------------------------------------------


class YellowCardQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Cards of the area; a unit sees its own."""
        if not actor.powers.sees_cases or actor.case_uid:
            return self.none()
        if actor.unit_id is not None:
            return self.filter(unit_id=actor.unit_id)
        return super().visible_to(actor)


class YellowCard(Placed):
    """A warning (黄牌) to a community or a unit after a visit (STD-10); only a passed recheck lifts it.

    area: the community, or where the unit lies; issued_area: of the office that gave it
    threshold: points that lift it where the recheck is scored, null when every item must pass
    """

    class State(models.TextChoices):
        OPEN = "open", _("生效中")
        LIFTED = "lifted", _("已摘牌")

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="yellow_cards")
    name = models.CharField(max_length=120)
    visit = models.ForeignKey(Visit, models.PROTECT, related_name="yellow_cards")
    findings = models.ManyToManyField(Finding, related_name="yellow_cards", blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    reason = models.TextField()
    plan = models.TextField(blank=True, default="")
    duty_from = models.DateField(null=True, blank=True)
    duty_to = models.DateField(null=True, blank=True)
    threshold = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    issued_on = models.DateField()
    issued_at = models.DateTimeField()
    issued_area = models.CharField(max_length=15)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)
    lifted_on = models.DateField(null=True, blank=True)
    lifted_by = models.ForeignKey(Visit, models.PROTECT, null=True, blank=True, related_name="lifted_cards")

    objects = YellowCardQuerySet.as_manager()

    class Meta:
        indexes = [
            *[
                models.Index(fields=[level, "id"], name=f"inspections_card_{level}")
                for level in ("city", "district", "street", "community")
            ],
        ]
        constraints = [
            models.CheckConstraint(
                name="inspections_card_lifted_by_a_recheck",
                condition=Q(state="open", lifted_on__isnull=True, lifted_by__isnull=True)
                | Q(state="lifted", lifted_on__isnull=False, lifted_by__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["unit"],
                name="inspections_one_open_card_for_a_unit",
                condition=Q(state="open", unit__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["area"],
                name="inspections_one_open_card_for_an_area",
                condition=Q(state="open", unit__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.issued_on} {self.name}"

    @property
    def url(self) -> str:
        return reverse("yellow_card", args=[self.uid])

    @property
    def number(self) -> str:
        return f"{self.issued_on:%Y%m%d}-Y{self.pk:04d}"

    def days(self, on: date) -> int:
        """Return the days the card has stood: to the day it was lifted, or to this day."""
        return ((self.lifted_on or on) - self.issued_on).days


class CardStepQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(card__in=YellowCard.objects.visible_to(actor))


class CardStep(AppendOnly):
    """One step of a yellow card: issued, its plan written, lifted; `body` has the words as they came."""

    class Verb(models.TextChoices):
        ISSUE = "issue", _("发牌")
        PLAN = "plan", _("整改方案")
        LIFT = "lift", _("摘牌")

    card = models.ForeignKey(YellowCard, models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=8, choices=Verb.choices)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60)

    objects = CardStepQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["card", "number"], name="inspections_card_step_once")]

    @property
    def words(self) -> dict[str, Any]:
        return dict(json.loads(bytes(self.body)))
