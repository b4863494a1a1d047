"""A small cast: one district with two streets, their people, one unit each."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from weicheng.journal import site
from weicheng.journal.actions import SYSTEM
from weicheng.journal.models import Entry
from weicheng.places import actions
from weicheng.places.actors import actor_of
from weicheng.places.models import (
    ApiToken,
    Area,
    AreaChange,
    Post,
    Unit,
    UnitService,
    UnitVersion,
    User,
)
from weicheng.places.roles import Role
from weicheng.rules.errors import RuleError

NOW = datetime(2026, 5, 8, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
TODAY = NOW.date()
LONG_AGO = date(2020, 1, 1)
PASSWORD = "Quanshan-2026"
TABLES = (Area, AreaChange, Unit, UnitVersion, UnitService, User, Post, ApiToken, Entry)


@dataclass
class Town:
    """区 320311 with 东街道 (communities 001, 002) and 西街道 (community 001); 沛县 320322 beside it."""

    district: str = "320311"
    east: str = "320311001"
    west: str = "320311002"
    east_one: str = "320311001001"
    east_two: str = "320311001002"
    west_one: str = "320311002001"
    beyond: str = "320322"
    beyond_street: str = "320322001"

    def user(self, login: str) -> User:
        user = User.objects.filter(login=login).first()
        if user is None:
            user = User(login=login, name=f"人{login}", created_at=NOW, must_change_password=False)
            user.set_password(PASSWORD)
            user.save()
        return user

    def post(self, login: str, role: Role, area: str = "", unit: Unit | None = None) -> Post:
        post = Post(user=self.user(login), role=role.value, unit=unit, from_on=LONG_AGO)
        post.place_at(unit.area if unit else area).save()
        site.raise_generation()
        return post

    def actor(self, login: str, role: Role, area: str = "", unit: Unit | None = None):
        return actor_of(self.post(login, role, area, unit))

    def unit(self, name: str, area: str, **fields) -> Unit:
        made = actions.UnitFields(name=name, kind="shop", area=area, **fields)
        return actions.create_unit(fields=made, by=SYSTEM, at=NOW)


def refused(call, code: str, kind: type[RuleError] = RuleError) -> RuleError:
    """Call, expect a refusal of this code, and return it; nothing may have been written."""
    before = rows()
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.code == code
    assert caught.value.sentence().endswith("。")
    assert rows() == before
    return caught.value


def rows() -> dict[str, int]:
    """Return how many rows each table of places and the journal holds."""
    return {model.__name__: model.objects.count() for model in TABLES}
