"""A cast for standards: the city with two districts, their keepers, a community worker, a liaison."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import SimpleNamespace

import pytest

from weicheng.places.actors import actor_of
from weicheng.places.models import Area, Post, Unit, User
from weicheng.places.roles import Role
from weicheng.standards import actions
from weicheng.standards.actions import Head
from weicheng.standards.kinds import Confidence

AT = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
DAY = date(2026, 11, 22)

SCALE = {
    "default": "general",
    "severities": [
        {"code": "immediate", "name": "立行立改", "limit": "1工作时"},
        {"code": "general", "name": "一般", "limit": "2天"},
    ],
}


def head(edition: str = "本区 2026", **changes) -> Head:
    given = {
        "title": "问题等级与整改时限",
        "edition": edition,
        "in_force_from": date(2026, 1, 1),
        "source": "区创卫办〔2026〕1 号",
        "confidence": Confidence.LOCAL,
    }
    return Head(**{**given, **changes})


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    from weicheng.journal import site

    site.forget()
    yield
    site.forget()


@pytest.fixture
def cast(db) -> SimpleNamespace:
    parent = None
    for code, name in [("32", "江苏省"), ("3203", "徐州市"), ("320311", "泉山区")]:
        parent = Area.objects.create(code=code, name=name, parent=parent)
    Area.objects.create(code="320312", name="铜山区", parent_id="3203")
    Area.objects.create(code="320311001", name="泰山街道", parent=parent)
    Area.objects.create(code="320311001005", name="民富园社区", parent_id="320311001")
    unit = Unit(name="民富园农贸市场", kind="market", opened_on=date(2020, 1, 1)).place_at("320311001005")
    unit.save()

    def person(login: str, name: str, role: Role, area: str, at_unit: Unit | None = None) -> SimpleNamespace:
        user = User.objects.create(login=login, name=name, created_at=AT, must_change_password=False)
        post = Post(user=user, role=role.value, unit=at_unit, from_on=date(2020, 1, 1)).place_at(area)
        post.save()
        return SimpleNamespace(user=user, post=post, actor=actor_of(post))

    return SimpleNamespace(
        city=person("wang", "王立新", Role.CITY_OFFICER, "3203"),
        east=person("chen", "陈明远", Role.DISTRICT_OFFICER, "320311"),
        west=person("zhou", "周海燕", Role.DISTRICT_OFFICER, "320312"),
        community=person("liu", "刘桂芳", Role.COMMUNITY, "320311001005"),
        liaison=person("sun", "孙大勇", Role.LIAISON, "320311001005", unit),
    )


@pytest.fixture
def base(db) -> list:
    return actions.load_base(at=AT)


@pytest.fixture
def draft(cast, base):
    """A draft of the east district's own severity scale."""
    return actions.draft_edition(
        kind="severity-scale", owner="320311", head=head(), body=SCALE, by=cast.east.actor, at=AT
    )


@pytest.fixture
def pages(settings):
    """Render without the shell of `web`, which stands above this app."""
    settings.ROOT_URLCONF = "tests.standards.urls"
    options = settings.TEMPLATES[0]["OPTIONS"]
    kept = [each for each in options["context_processors"] if not each.startswith("weicheng.web")]
    settings.TEMPLATES = [
        {**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": kept}},
    ]
