"""The cast that every test shares: one district, two streets, and the people who work there.

east street has a market and a shop, west street a school; Chen works for the east street, Wu for the west one,
Lin inspects the district, Zhao answers for the market, Qian is the district's officer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client

from weicheng.inspections.drafts import FindingIn
from weicheng.journal import site as journal_site
from weicheng.places.actor import Actor
from weicheng.places.actors import actor_of
from weicheng.places.models import Area, Post, Unit, UnitService, User
from weicheng.places.roles import Role

SHANGHAI = ZoneInfo("Asia/Shanghai")
PASSWORD = "a-long-Pass-1"

AREAS = {
    "32": "江苏省",
    "3203": "徐州市",
    "320311": "泉山区",
    "320311001": "东街道",
    "320311001001": "东一社区",
    "320311001002": "东二社区",
    "320311002": "西街道",
    "320311002001": "西一社区",
    "320312": "邻区",
    "320312001": "邻街道",
    "320312001001": "邻一社区",
}


@pytest.fixture(autouse=True)
def _forget_caches() -> Iterator[None]:
    journal_site.forget()
    yield
    journal_site.forget()


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any, tmp_path: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.FILES = tmp_path / "files"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Tests empty their tables between runs, which the triggers of append-only tables rightly refuse."""
    original = connection.ops.sql_flush

    def flush(style: Any, tables: Any, **options: Any) -> list[str]:
        statements = original(style, tables, **options)
        if connection.vendor != "sqlite":
            return statements
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%no_delete'"
            )
            triggers = cursor.fetchall()
        return [
            *(f"DROP TRIGGER {name}" for name, _sql in triggers),
            *statements,
            *(sql for _name, sql in triggers),
        ]

    connection.ops.sql_flush = flush  # type: ignore[method-assign]


@dataclass
class City:
    """The cast, and short ways to let them act."""

    now: datetime
    units: dict[str, Unit] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)

    east, west = "320311001", "320311002"
    east_one, east_two, west_one = "320311001001", "320311001002", "320311002001"
    neighbour = "320312001001"

    def actor(self, name: str) -> Actor:
        """Return the actor of one of the cast, by name."""
        return actor_of(Post.objects.select_related("user", "unit").get(pk=self.posts[name].pk))

    def user(self, name: str) -> User:
        return self.posts[name].user

    def client(self, name: str) -> Client:
        """Return a browser in which this person is signed in."""
        client = Client()
        client.force_login(self.user(name), backend="django.contrib.auth.backends.ModelBackend")
        return client

    def draft(self, **changes: Any) -> FindingIn:
        """Return a finding of garbage in the east street's first community."""
        given: dict[str, Any] = {
            "uid": uuid4(),
            "area": self.east_one,
            "category": "06010",
            "note": "路边堆有垃圾",
        }
        return FindingIn(**given | changes)

    def finding(self, by: str = "Lin", at: datetime | None = None, **changes: Any) -> Any:
        """Record a finding and return what was recorded."""
        from weicheng.inspections.actions import record_finding

        return record_finding(self.draft(**changes), by=self.actor(by), at=at or self.now)

    def case(self, **changes: Any) -> Any:
        """Return a case charged to the market."""
        changes.setdefault("unit", self.units["market"].uid)
        return self.finding(**changes).case


_base: list[list[Any]] = []


def _load_base(at: datetime) -> None:
    """Load the base packs once in this process; every further test gets copies of the rows they made.

    To read, check and publish thirty editions takes half a second, and a thousand tests want them.
    """
    from weicheng.journal.models import Entry
    from weicheng.journal.site import raise_generation
    from weicheng.standards.actions import load_base
    from weicheng.standards.models import Edition

    if not _base:
        entries = set(Entry.objects.values_list("pk", flat=True))
        editions = [edition.pk for edition in load_base(at=at)]
        _base.append(list(Edition.objects.filter(pk__in=editions).order_by("pk")))
        _base.append(list(Entry.objects.exclude(pk__in=entries).order_by("pk")))
        return
    for rows in _base:
        type(rows[0]).objects.bulk_create(rows)
    raise_generation()


@pytest.fixture
def city(db: Any) -> City:
    now = datetime(2026, 10, 12, 10, 0, tzinfo=SHANGHAI)  # a Monday
    for code, name in AREAS.items():
        Area.objects.create(
            code=code, name=name, parent_id=code[: {4: 2, 6: 4, 9: 6, 12: 9}.get(len(code), 0)] or None
        )
    _load_base(at=now - timedelta(days=1))
    made = City(now)
    for key, name, kind, area in (
        ("market", "解放桥农贸市场", "market", "320311001001"),
        ("shop", "东街便民店", "shop", "320311001002"),
        ("school", "西街小学", "school", "320311002001"),
        ("water", "市自来水公司", "department", "3203"),
        ("foreign", "邻区商场", "shop", "320312001001"),
    ):
        made.units[key] = _unit(name, kind, area)
    UnitService.objects.create(unit=made.units["water"], area="320311")
    for name, role, area, unit in (
        ("Qian", Role.DISTRICT_OFFICER, "320311", None),
        ("Lin", Role.INSPECTOR, "320311", None),
        ("Chen", Role.STREET, "320311001", None),
        ("Wu", Role.STREET, "320311002", None),
        ("Sun", Role.COMMUNITY, "320311001001", None),
        ("Zhao", Role.LIAISON, "320311001001", "market"),
        ("Feng", Role.LIAISON, "320311001002", "shop"),
        ("Li", Role.LEADER, "320311", None),
        ("Wei", Role.EXPERT, "320311", None),
        ("Ding", Role.TECHNICIAN, "320311", None),
        ("Xi", Role.SYSTEM_ADMIN, "320311", None),
        ("An", Role.SECURITY_ADMIN, "320311", None),
        ("Shen", Role.AUDIT_ADMIN, "320311", None),
        ("Ne", Role.STREET, "320312001", None),
    ):
        user = User.objects.create(
            login=name.lower(),
            name=name,
            password=make_password(PASSWORD),
            must_change_password=False,
            created_at=now,
        )
        post = Post(
            user=user, role=role.value, unit=made.units[unit] if unit else None, from_on=date(2020, 1, 1)
        )
        post.place_at(area).save()
        made.posts[name] = post
    return made


def _unit(name: str, kind: str, area: str) -> Unit:
    unit = Unit(name=name, kind=kind, opened_on=date(2020, 1, 1)).place_at(area)
    unit.save()
    return unit
