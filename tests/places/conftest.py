"""Fixtures of the small cast in `cast.py`."""

from types import SimpleNamespace

import pytest

from tests.places.cast import Town
from weicheng.journal import site
from weicheng.places import kinds
from weicheng.places.models import Area
from weicheng.places.roles import Role


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    """A slow hash is for attackers, not for tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _nothing_remembered():
    """Caches outlive a test's database."""
    site.forget()
    yield
    site.forget()


SHOP = SimpleNamespace(
    code="shop",
    name="商铺",
    fields=[
        SimpleNamespace(
            id="area_m2", title="面积", kind="decimal", unit="平方米", required=False, choices=()
        ),
        SimpleNamespace(
            id="trade", title="业态", kind="choice", unit="", required=False, choices=("餐饮", "零售")
        ),
        {"id": "frontage", "title": "签订门前三包", "kind": "yesno"},
    ],
)
MARKET = SimpleNamespace(
    code="market",
    name="农贸市场",
    fields=[
        SimpleNamespace(id="stalls", title="摊位数", kind="integer", unit="个", required=True, choices=())
    ],
)


@pytest.fixture(autouse=True)
def _two_kinds(monkeypatch):
    monkeypatch.setattr(kinds, "_provider", [lambda area, on: [SHOP, MARKET]])


@pytest.fixture
def town(db) -> Town:
    town = Town()
    for code, name in [
        ("32", "江苏省"),
        ("3203", "徐州市"),
        (town.district, "泉山区"),
        (town.beyond, "沛县"),
        (town.beyond_street, "外街道"),
        (town.east, "东街道"),
        (town.west, "西街道"),
        (town.east_one, "东一社区"),
        (town.east_two, "东二社区"),
        (town.west_one, "西一社区"),
    ]:
        parent = next((code[:n] for n in (9, 6, 4, 2) if n < len(code)), None)
        Area.objects.create(code=code, name=name, parent_id=parent)
    site.raise_generation()
    return town


@pytest.fixture
def keeper(town):
    """The system administrator of the district."""
    return town.actor("keeper", Role.SYSTEM_ADMIN, town.district)


@pytest.fixture
def guard(town):
    """The security administrator of the district."""
    return town.actor("guard", Role.SECURITY_ADMIN, town.district)


@pytest.fixture
def officer(town):
    return town.actor("officer", Role.DISTRICT_OFFICER, town.district)
