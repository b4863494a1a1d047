"""Users, posts, hand-over and tokens: who may hold what, and what ends with a post."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.test import Client

from tests.places.cast import LONG_AGO, NOW, PASSWORD, TODAY, refused
from weicheng.journal.actions import SYSTEM
from weicheng.journal.models import Entry
from weicheng.places import actions, handover
from weicheng.places.actors import actor_of, actor_of_token
from weicheng.places.models import ApiToken, Post, SignIn, User
from weicheng.places.roles import Role
from weicheng.rules.digests import token_digest
from weicheng.rules.errors import ForbiddenError, MissingError

pytestmark = pytest.mark.django_db
YESTERDAY = TODAY - timedelta(days=1)


@pytest.fixture
def li(town, guard):
    return actions.create_user(login="lisi", name="李四", by=guard, at=NOW)[0]


@pytest.fixture
def give(guard, li):
    return partial(actions.give_post, user=li, from_on=LONG_AGO, by=guard, at=NOW)


def test_a_user_begins_with_a_password_that_is_used_once(town, guard):
    user, password = actions.create_user(login="wang.wu", name=" 王 五 ", by=guard, at=NOW)
    assert user.check_password(password)
    assert user.must_change_password
    assert user.name == "王 五"
    entry = Entry.objects.get()
    assert password not in bytes(entry.body).decode()
    assert "王" not in bytes(entry.body).decode()
    assert entry.district == town.district


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"login": "ab"}, "login-form"),
        ({"login": "a b c"}, "login-form"),
        ({"login": "LI"}, "login-form"),
        ({"login": "Li4"}, "login-taken"),
        ({"name": "  "}, "name-missing"),
        ({"email": "nowhere"}, "email-invalid"),
    ],
)
def test_a_user_is_refused_in_a_sentence(guard, given, code):
    actions.create_user(login="li4", name="李四", by=guard, at=NOW)
    values = {"login": "fresh", "name": "新人", **given}
    refused(partial(actions.create_user, by=guard, at=NOW, **values), code)


def test_only_a_security_administrator_creates_users_and_posts(officer, li):
    create = partial(actions.create_user, login="fresh", name="新人", at=NOW)
    refused(partial(create, by=officer), "no-power", ForbiddenError)
    post = partial(actions.give_post, user=li, role=Role.LEADER, area="320311", from_on=TODAY, at=NOW)
    refused(partial(post, by=officer), "no-power", ForbiddenError)


def test_a_person_of_another_district_does_not_exist(town, guard, li):
    other = town.actor("other", Role.SECURITY_ADMIN, town.beyond)
    refused(partial(actions.reset_password, user=li, by=other, at=NOW), "user", MissingError)
    refused(partial(actions.deactivate_user, user=li, by=other, at=NOW), "user", MissingError)
    give = partial(actions.give_post, user=li, role=Role.LEADER, area=town.beyond, from_on=TODAY, at=NOW)
    refused(partial(give, by=other), "user", MissingError)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"role": "king", "area": "320311"}, "unknown-role"),
        ({"role": Role.STREET, "area": "320311"}, "post-level"),
        ({"role": Role.DISTRICT_OFFICER, "area": "320311001"}, "post-level"),
        ({"role": Role.STREET}, "post-needs-area"),
        ({"role": Role.LIAISON, "area": "320311001"}, "post-needs-unit"),
        ({"role": Role.STREET, "area": "320311999"}, "unknown-area"),
        ({"role": Role.STREET, "area": "320322001"}, "foreign-area"),
        ({"role": Role.CITY_OFFICER, "area": "3203"}, "foreign-area"),
        ({"role": Role.STREET, "area": "320311001", "to_on": date(2019, 1, 1)}, "post-dates"),
    ],
)
def test_a_post_is_refused_in_a_sentence(give, given, code):
    refused(partial(give, **given), code)


def test_nobody_gives_a_post_to_themselves(town, guard):
    own = User.objects.get(pk=guard.user_id)
    give = partial(actions.give_post, user=own, role=Role.LEADER, area=town.district, from_on=TODAY, at=NOW)
    refused(partial(give, by=guard), "own-post")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN),
        (Role.AUDIT_ADMIN, Role.SYSTEM_ADMIN),
        (Role.DISTRICT_OFFICER, Role.AUDIT_ADMIN),
        (Role.SYSTEM_ADMIN, Role.INSPECTOR),
    ],
)
def test_the_three_administrators_are_three_persons(town, give, first, second):
    give(role=first, area=town.district)
    refused(partial(give, role=second, area=town.district), "administrators-apart")


def test_an_administrator_of_the_past_may_work_again(town, give):
    give(role=Role.SYSTEM_ADMIN, area=town.district, to_on=YESTERDAY)
    assert give(role=Role.INSPECTOR, area=town.district, from_on=TODAY).pk


def test_two_business_posts_are_allowed_but_not_the_same_twice(town, give):
    give(role=Role.STREET, area=town.east)
    give(role=Role.INSPECTOR, area=town.district)
    refused(partial(give, role=Role.STREET, area=town.east), "post-twice")


def test_a_liaison_stands_at_an_open_unit(town, give, officer):
    unit = town.unit("菜场", town.east_one)
    post = give(role=Role.LIAISON, unit=unit)
    assert (post.area, post.unit) == (town.east_one, unit)
    refused(partial(give, role=Role.STREET, area=town.east, unit=unit), "post-needs-area")
    closed = town.unit("关门店", town.east_one)
    actions.close_unit(unit=closed, on=TODAY, by=officer, at=NOW)
    refused(partial(give, role=Role.LIAISON, unit=closed), "unit-closed")


def test_no_post_for_a_user_who_is_shut_out(town, give, guard, li):
    actions.deactivate_user(user=li, by=guard, at=NOW)
    refused(partial(give, role=Role.STREET, area=town.east), "user-inactive")
    own = User.objects.get(pk=guard.user_id)
    refused(partial(actions.deactivate_user, user=own, by=guard, at=NOW), "own-account")


def test_open_work_goes_over_in_the_step_that_ends_the_post(town, give, guard, monkeypatch):
    monkeypatch.setattr(handover, "_kinds", {})
    calls = []
    handover.register("待核查事项", lambda old, new, by, at: calls.append((old, new)) or 3, lambda post: 3)
    old, new = give(role=Role.STREET, area=town.east), town.post("zhao", Role.STREET, town.east)
    assert handover.open_work(old) == {"待核查事项": 3}
    ended = actions.end_post(post=old, on=TODAY, to_post=new, by=guard, at=NOW)
    assert ended.moved == {"待核查事项": 3}
    assert calls == [(old, new)]
    assert Post.objects.get(pk=old.pk).to_on == TODAY
    assert Post.objects.held_on(TODAY).filter(pk=old.pk).exists()
    assert not Post.objects.held_on(TODAY + timedelta(days=1)).filter(pk=old.pk).exists()


def test_ending_a_post_is_refused_in_a_sentence(town, give, guard):
    post = give(role=Role.STREET, area=town.east)
    end = partial(actions.end_post, post=post, by=guard, at=NOW)
    refused(partial(end, on=LONG_AGO - timedelta(days=1)), "post-dates")
    refused(partial(end, on=TODAY, to_post=post), "handover-to-itself")
    west = town.post("west", Role.STREET, town.west)
    refused(partial(end, on=TODAY, to_post=west), "handover-elsewhere")
    leader = town.post("leader", Role.LEADER, town.east)
    refused(partial(end, on=TODAY, to_post=leader), "handover-elsewhere")
    gone = town.post("gone", Role.STREET, town.east)
    Post.objects.filter(pk=gone.pk).update(to_on=YESTERDAY)
    refused(partial(end, on=TODAY, to_post=gone), "handover-not-held")
    own = Post.objects.get(pk=guard.post_id)
    refused(partial(actions.end_post, post=own, on=TODAY, by=guard, at=NOW), "own-post")
    end(on=YESTERDAY)
    refused(partial(end, on=TODAY), "post-ended")
    foreign = town.post("foreign", Role.STREET, town.beyond_street)
    refused(partial(actions.end_post, post=foreign, on=TODAY, by=guard, at=NOW), "foreign-area")


def test_a_token_acts_in_one_post_until_the_post_ends(town, give, guard):
    post = give(role=Role.STREET, area=town.east)
    token, secret = actions.issue_token(post=post, by=actor_of(post), at=NOW, label="大屏", days=5)
    assert token.token_digest == token_digest(secret)
    assert actor_of_token(secret, now=NOW).area == town.east
    with pytest.raises(ForbiddenError) as expired:
        actor_of_token(secret, now=NOW + timedelta(days=5))
    assert expired.value.code == "token"
    actions.end_post(post=post, on=YESTERDAY, by=guard, at=NOW)
    with pytest.raises(ForbiddenError):
        actor_of_token(secret, now=NOW)
    assert ApiToken.objects.get().revoked_at == NOW
    refused(partial(actions.issue_token, post=post, by=actor_of(post), at=NOW), "post-ended")


def test_tokens_are_ones_own_and_not_for_ever(town, give, officer):
    post = give(role=Role.STREET, area=town.east)
    actor = actor_of(post)
    refused(partial(actions.issue_token, post=post, by=officer, at=NOW), "foreign-post")
    refused(partial(actions.issue_token, post=post, by=actor, at=NOW, days=31), "token-days")
    refused(partial(actions.issue_token, post=post, by=actor, at=NOW, days=0), "token-days")
    token, secret = actions.issue_token(post=post, by=actor, at=NOW)
    refused(partial(actions.revoke_token, token=token, by=officer, at=NOW), "token", MissingError)
    actions.revoke_token(token=token, by=actor, at=NOW)
    with pytest.raises(ForbiddenError):
        actor_of_token(secret, now=NOW)


def test_a_session_ends_with_the_last_post_of_its_user(town, guard):
    post = town.post("chen", Role.STREET, town.east)
    client = Client()
    client.post("/sign-in", {"login": "chen", "password": PASSWORD})
    assert client.get("/sessions").status_code == 200
    actions.end_post(post=post, on=YESTERDAY, by=guard, at=NOW)
    assert not SignIn.objects.exists()
    assert client.get("/sessions").status_code == 302


def test_a_reset_and_a_shut_out_end_every_session(town, guard):
    town.post("chen", Role.STREET, town.east)
    chen = User.objects.get(login="chen")
    client = Client()
    client.post("/sign-in", {"login": "chen", "password": PASSWORD})
    password = actions.reset_password(user=chen, by=guard, at=NOW)
    assert client.get("/sessions").status_code == 302
    chen.refresh_from_db()
    assert chen.check_password(password)
    assert chen.must_change_password
    actions.deactivate_user(user=chen, by=guard, at=NOW)
    response = Client().post("/sign-in", {"login": "chen", "password": password})
    assert response.status_code == 422


def test_the_first_security_administrator_is_made_by_the_system(town):
    user, _password = actions.create_user(login="first", name="首位", by=SYSTEM, at=NOW)
    post = actions.give_post(
        user=user, role=Role.SECURITY_ADMIN, area=town.district, from_on=TODAY, by=SYSTEM, at=NOW
    )
    assert actor_of(post).powers.keeps_posts
