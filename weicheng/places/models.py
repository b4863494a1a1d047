"""Areas, units, people, posts. Everything dated; nothing deleted."""

import uuid
from datetime import date
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from weicheng.journal.models import AppendOnly, AppendOnlyQuerySet
from weicheng.places.actor import Actor
from weicheng.places.roles import LABELS, Role
from weicheng.rules.areas import Level, cut
from weicheng.rules.charges import ChargeKind, Span


class Placed(models.Model):
    """A row that stands somewhere: its own area code, and one column a level so that scope is an equality.

    `area` is the exact code as recorded and never changes, whatever happens to the area later.
    """

    area = models.CharField(max_length=15)
    province = models.CharField(max_length=2, blank=True, default="")
    city = models.CharField(max_length=4, blank=True, default="")
    district = models.CharField(max_length=6, blank=True, default="")
    street = models.CharField(max_length=9, blank=True, default="")
    community = models.CharField(max_length=12, blank=True, default="")
    grid = models.CharField(max_length=15, blank=True, default="")

    class Meta:
        abstract = True

    def place_at(self, code: str) -> Self:
        """Set the area and every level column from one code; RuleError("area-code") when it is none."""
        for column, value in cut(code).items():
            setattr(self, column, value)
        self.area = code
        return self


class ScopedQuerySet(models.QuerySet):
    """Rows of a place. Pages reach them through `visible_to`, nothing else."""

    def visible_to(self, actor: Actor) -> Self:
        """Return the rows in the actor's area. Start from nothing and add."""
        if not actor.reach:
            return self.none()
        return self.filter(actor.reach_q(self.model))


# --- areas ---------------------------------------------------------------------------------------


class AreaQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Names and codes of areas are public: every signed-in actor reads them."""
        return self.all() if actor.role or actor.case_uid else self.none()

    def open_on(self, day: date) -> Self:
        return self.filter(opened_on__lte=day).filter(Q(closed_on__isnull=True) | Q(closed_on__gt=day))


class Area(models.Model):
    """A node of the administrative tree as it is now; `AreaChange` keeps how it came to be so."""

    code = models.CharField(max_length=15, primary_key=True)
    name = models.CharField(max_length=60)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    opened_on = models.DateField(default=date(1949, 10, 1))
    closed_on = models.DateField(null=True, blank=True, help_text="the first day it no longer exists")

    objects = AreaQuerySet.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(
                name="places_area_closes_after_it_opens",
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def level(self) -> Level:
        return Level(len(self.code))


class AreaChangeQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.all() if actor.role else self.none()


class AreaChange(AppendOnly):
    """One dated change of the tree; `to` is the successor after a merge or a move."""

    class Kind(models.TextChoices):
        OPEN = "open", _("设立")
        CLOSE = "close", _("撤销")
        MERGE = "merge", _("并入")
        MOVE = "move", _("改隶")
        RENAME = "rename", _("更名")

    area = models.ForeignKey(Area, models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    on = models.DateField()
    to = models.ForeignKey(Area, models.PROTECT, null=True, related_name="predecessor_changes")
    old_name = models.CharField(max_length=60, blank=True, default="")
    new_name = models.CharField(max_length=60, blank=True, default="")

    objects = AreaChangeQuerySet.as_manager()

    class Meta:
        ordering = ["on", "id"]


# --- units ---------------------------------------------------------------------------------------


class UnitQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Units of the own area and those that serve it; a liaison sees the own unit."""
        if actor.unit_id is not None:
            return self.filter(pk=actor.unit_id)
        if not actor.reach:
            return self.none()
        served = UnitService.objects.filter(area__in=_above(actor.area)).values("unit_id")
        return self.filter(actor.reach_q(self.model) | Q(pk__in=served))

    def open(self) -> Self:
        return self.filter(closed_on__isnull=True)


def _above(code: str) -> list[str]:
    return [code[:level] for level in Level if level <= len(code)]


class Unit(Placed):
    """An organisation or place that answers for something: office, community, market, shop, toilet, block.

    kind: a code of the edition "unit-kinds"; `particulars` holds that kind's own fields, canonical JSON
    contact: personal, sealed under a key of this row; shown masked, unmasked by right with the reading logged
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    particulars = models.TextField(blank=True, default="{}")
    credit_code = models.CharField(max_length=18, blank=True, default="")
    address = models.CharField(max_length=200, blank=True, default="")
    lon = models.DecimalField(max_digits=10, decimal_places=7, null=True, blank=True)
    lat = models.DecimalField(max_digits=9, decimal_places=7, null=True, blank=True)
    datum = models.CharField(max_length=8, default="CGCS2000")
    accuracy_m = models.DecimalField(max_digits=8, decimal_places=1, null=True, blank=True)
    contact_sealed = models.BinaryField(null=True)
    contact_key = models.BinaryField(null=True)
    contact_masked = models.CharField(max_length=60, blank=True, default="")
    opened_on = models.DateField()
    closed_on = models.DateField(null=True, blank=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")

    objects = UnitQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["district", "id"], name="places_unit_district"),
            models.Index(fields=["street", "id"], name="places_unit_street"),
            models.Index(fields=["community", "id"], name="places_unit_community"),
            models.Index(fields=["city", "id"], name="places_unit_city"),
            models.Index(fields=["kind", "id"], name="places_unit_kind"),
        ]
        constraints = [
            models.CheckConstraint(
                name="places_unit_does_not_merge_into_itself",
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")),
            )
        ]

    def __str__(self) -> str:
        return self.name


class UnitVersionQuerySet(AppendOnlyQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(unit__in=Unit.objects.visible_to(actor))


class UnitVersion(AppendOnly):
    """What a unit was after one change: its open fields as canonical JSON, the contact only masked."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    verb = models.CharField(max_length=20)
    by_key = models.CharField(max_length=40)
    by_name = models.CharField(max_length=60, blank=True, default="")
    post_label = models.CharField(max_length=120, blank=True, default="")

    objects = UnitVersionQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["unit", "number"], name="places_unit_version_is_numbered_once")
        ]


class UnitServiceQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(unit__in=Unit.objects.visible_to(actor))


class UnitService(models.Model):
    """An area that a unit serves besides the one it lies in, so that it may be charged from there."""

    unit = models.ForeignKey(Unit, models.PROTECT, related_name="services")
    area = models.CharField(max_length=15)

    objects = UnitServiceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["unit", "area"], name="places_unit_serves_once")]
        indexes = [models.Index(fields=["area"], name="places_service_area")]

    def __str__(self) -> str:
        return self.area


# --- people --------------------------------------------------------------------------------------


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(login=username)


class UserQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """The security administrator sees who holds a post in the area; everybody sees themselves."""
        own = Q(pk=actor.user_id or 0)
        if not actor.powers.keeps_posts:
            return self.filter(own)
        return self.filter(
            own | Q(pk__in=Post.objects.visible_to(actor).values("user_id")) | Q(created_in=actor.area)
        )


class User(AbstractBaseUser):
    """A person who signs in. What they may do is not here but in their posts."""

    login = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=40)
    email = models.EmailField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    created_in = models.CharField(
        max_length=15, blank=True, default="", help_text="area of the administrator"
    )
    last_post = models.ForeignKey("Post", models.SET_NULL, null=True, blank=True, related_name="+")

    objects = UserManager.from_queryset(UserQuerySet)()

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name

    # Django asks these of any user; all powers here come from posts.
    is_staff = False
    is_superuser = False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return False

    def has_module_perms(self, app_label: str) -> bool:
        return False


class PostQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """One's own posts; for the security administrator those in the area."""
        own = Q(user_id=actor.user_id or 0)
        if actor.powers.keeps_posts and actor.reach:
            return self.filter(own | actor.reach_q(self.model))
        return self.filter(own)

    def held_on(self, day: date) -> Self:
        return self.filter(from_on__lte=day).filter(Q(to_on__isnull=True) | Q(to_on__gte=day))


class Post(Placed):
    """A person in a role at an area or a unit, from a day to a day (both held)."""

    user = models.ForeignKey(User, models.PROTECT, related_name="posts")
    role = models.CharField(max_length=20, choices=[(role.value, LABELS[role]) for role in Role])
    unit = models.ForeignKey(Unit, models.PROTECT, null=True, blank=True, related_name="posts")
    title = models.CharField(max_length=60, blank=True, default="")
    from_on = models.DateField()
    to_on = models.DateField(null=True, blank=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["district", "id"], name="places_post_district"),
            models.Index(fields=["city", "id"], name="places_post_city"),
        ]
        constraints = [
            models.CheckConstraint(
                name="places_post_ends_after_it_begins",
                condition=Q(to_on__isnull=True) | Q(to_on__gte=F("from_on")),
            ),
            models.CheckConstraint(
                name="places_liaison_stands_at_a_unit",
                condition=Q(role=Role.LIAISON.value, unit__isnull=False)
                | (~Q(role=Role.LIAISON.value) & Q(unit__isnull=True)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title or LABELS[Role(self.role)]}"


CHARGE_LABELS = {
    ChargeKind.LEADER: _("领导包抓"),
    ChargeKind.LIAISON: _("干部联络"),
    ChargeKind.SECTION: _("科室承包"),
}


class ChargeQuerySet(ScopedQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Those over the own area, over areas in it and over those above it; and one's own."""
        own = Q(user_id=actor.user_id or 0)
        if not actor.reach:
            return self.filter(own)
        return self.filter(own | actor.reach_q(self.model) | Q(area__in=_above(actor.area)))

    def valid(self) -> Self:
        """Leave out those that were entered by mistake and called off."""
        return self.filter(cancelled_at__isnull=True)

    def held_on(self, day: date) -> Self:
        held = self.valid().filter(from_on__lte=day)
        return held.filter(Q(to_on__isnull=True) | Q(to_on__gte=day))


class Charge(Placed):
    """A leader, a liaison or a section in charge of one area, from a day to a day (both held).

    name: of the person, or of the section; title: the post of the person, or who leads the section
    phone: the number of the office, for who may read the row; "" where none is known
    targets: what is to be reached, or the problems taken over; result, solved: what came of it
    owner: area of the office that set it; follows: whom it took over from
    cancelled_at: entered by mistake; kept, but in force on no day
    """

    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(
        max_length=8, choices=[(kind.value, label) for kind, label in CHARGE_LABELS.items()]
    )
    user = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="charges")
    name = models.CharField(max_length=60)
    title = models.CharField(max_length=60, blank=True, default="")
    phone = models.CharField(max_length=20, blank=True, default="")
    targets = models.TextField(blank=True, default="")
    due_on = models.DateField(null=True, blank=True)
    result = models.TextField(blank=True, default="")
    solved = models.BooleanField(null=True, blank=True)
    from_on = models.DateField()
    to_on = models.DateField(null=True, blank=True)
    owner = models.CharField(max_length=15, blank=True, default="")
    follows = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="followed_by")
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_for = models.CharField(max_length=200, blank=True, default="")
    revision = models.PositiveIntegerField(default=1)

    objects = ChargeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["area", "kind", "from_on"], name="places_charge_area"),
            models.Index(fields=["district", "id"], name="places_charge_district"),
            models.Index(fields=["street", "id"], name="places_charge_street"),
        ]
        constraints = [
            models.CheckConstraint(
                name="places_charge_ends_after_it_begins",
                condition=Q(to_on__isnull=True) | Q(to_on__gte=F("from_on")),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def kind_label(self) -> Any:
        return CHARGE_LABELS[ChargeKind(self.kind)]

    @property
    def who(self) -> str:
        """Name and post in one: 王立新（副局长）."""
        return f"{self.name}（{self.title}）" if self.title else self.name

    @property
    def span(self) -> Span:
        return Span(self.from_on, self.to_on, self.who)


class OwnQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """Rows of the reader's own user."""
        return self.filter(user_id=actor.user_id or 0)


class SignIn(models.Model):
    """One live session of a user: so that the oldest ends when there are too many, and an idle one lapses."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_ins")
    session_key = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    seen_at = models.DateTimeField()
    origin = models.CharField(max_length=64, blank=True, default="")
    device = models.CharField(max_length=120, blank=True, default="")

    objects = OwnQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.device or self.origin}"


class ApiToken(models.Model):
    """A token for the API: acts in one post until it expires, is revoked or the post ends. Stored as a digest."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    post = models.ForeignKey(Post, models.CASCADE, related_name="+")
    token_digest = models.CharField(max_length=64, unique=True)
    label = models.CharField(max_length=60, blank=True, default="")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = OwnQuerySet.as_manager()

    def __str__(self) -> str:
        return self.label
