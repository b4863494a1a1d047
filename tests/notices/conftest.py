"""A cast for notices: Chen of the east street, a liaison of a market, a neighbour in the west."""

from collections.abc import Iterator
from datetime import date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from weicheng.journal import site
from weicheng.places.actor import Actor
from weicheng.places.models import Area, Post, Unit, User
from weicheng.places.roles import POWERS, Role

NOW = datetime(2026, 5, 8, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
EAST, WEST = "320311001", "320311002"


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    site.forget()
    yield
    site.forget()


def person(login: str, role: Role, area: str, unit: Unit | None = None) -> tuple[User, Actor]:
    user = User.objects.create(
        login=login, name=login, email=f"{login}@example.org", created_at=NOW, must_change_password=False
    )
    post = Post(user=user, role=role.value, unit=unit, from_on=date(2020, 1, 1)).place_at(area)
    post.save()
    actor = Actor(
        key=f"user:{user.pk}",
        name=login,
        user_id=user.pk,
        post_id=post.pk,
        role=role,
        powers=POWERS[role],
        area="" if unit else area,
        unit_id=unit.pk if unit else None,
        reach=() if unit else (("street", area),),
    )
    return user, actor


@pytest.fixture
def town(db) -> SimpleNamespace:
    site.site()
    parent = None
    for code in ("32", "3203", "320311"):
        parent = Area.objects.create(code=code, name=f"区划{code}", parent=parent)
    for code in (EAST, WEST):
        Area.objects.create(code=code, name=f"街道{code}", parent=parent)
    market = Unit(name="东市场", kind="market", opened_on=date(2020, 1, 1)).place_at(EAST)
    market.save()
    chen, chen_actor = person("chen", Role.STREET, EAST)
    inspector, inspector_actor = person("qian", Role.INSPECTOR, EAST)
    west, west_actor = person("xu", Role.STREET, WEST)
    liaison, liaison_actor = person("ma", Role.LIAISON, EAST, market)
    return SimpleNamespace(
        market=market,
        chen=chen,
        chen_actor=chen_actor,
        inspector=inspector,
        inspector_actor=inspector_actor,
        west=west,
        west_actor=west_actor,
        liaison=liaison,
        liaison_actor=liaison_actor,
    )
