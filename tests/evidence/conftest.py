"""A cast for files: an inspector, the neighbour of another district, and boxes that files hang on.

A "box" stands for a case or a finding, so that this app is tested without the apps above it.
"""

import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.evidence.samples import NOW
from weicheng.evidence import owners
from weicheng.places.actor import Actor
from weicheng.places.models import Post, Unit, User
from weicheng.places.roles import POWERS, Role
from weicheng.rules.errors import MissingError


@pytest.fixture(autouse=True)
def files(settings, tmp_path: Path) -> Path:
    """A store of its own for each test."""
    settings.FILES = tmp_path / "files"
    return settings.FILES


@pytest.fixture(autouse=True)
def _uncached() -> Iterator[None]:
    from weicheng.journal import site

    site.forget()
    yield
    site.forget()


def _person(login: str, role: Role, area: str) -> tuple[User, Actor]:
    user = User.objects.create(login=login, name=login, created_at=NOW, must_change_password=False)
    post = Post(user=user, role=role.value, from_on=date(2020, 1, 1)).place_at(area)
    post.save()
    column = {6: "district", 9: "street"}[len(area)]
    actor = Actor(
        key=f"user:{user.pk}",
        name=user.name,
        user_id=user.pk,
        post_id=post.pk,
        post_label=login,
        role=role,
        powers=POWERS[role],
        area=area,
        reach=((column, area),),
    )
    return user, actor


@pytest.fixture
def town(db) -> Iterator[SimpleNamespace]:
    """Two districts with an inspector each; "box" owners, and "find" owners that files may precede.

    A unit plays the owner of both kinds: it has a uid, an area and a scope. Its maker is kept in its address.
    """
    chen_user, chen = _person("chen", Role.INSPECTOR, "320311")
    wang_user, wang = _person("wang", Role.INSPECTOR, "320302")
    leader_user, leader = _person("leader", Role.LEADER, "320311")

    def box(area: str = "320311001", maker: Actor | None = None, uid: uuid.UUID | None = None) -> Unit:
        unit = Unit(
            uid=uid or uuid.uuid4(),
            name="箱",
            kind="office",
            address=maker.key if maker else "",
            opened_on=date(2020, 1, 1),
        ).place_at(area)
        unit.save()
        return unit

    def may_attach(actor: Actor, uid: uuid.UUID, purpose: str) -> str:
        unit = Unit.objects.visible_to(actor).filter(uid=uid).first()
        if unit is None:
            raise MissingError("no-box", "没有这个箱子。请返回。")
        return unit.area

    owners.register(
        "box",
        visible=Unit.objects.visible_to,
        may_attach=may_attach,
        label=lambda uid: f"箱 {str(uid)[:4]}",
        url=lambda uid: f"/box/{uid}",
    )
    owners.register("find", visible=Unit.objects.visible_to, may_attach=may_attach, maker_field="address")
    yield SimpleNamespace(
        chen=chen,
        wang=wang,
        leader=leader,
        chen_user=chen_user,
        wang_user=wang_user,
        leader_user=leader_user,
        box=box,
    )
    owners.forget("box")
    owners.forget("find")
