"""Signing in: lockout, limits, idle end, the first password, the post acted in."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.places.cast import LONG_AGO, PASSWORD
from weicheng.journal.models import Entry, Site
from weicheng.places.models import Post, SignIn, User
from weicheng.places.roles import Role
from weicheng.places.sign_in import device_words

pytestmark = pytest.mark.django_db


def sign_in(client, login="chen", password=PASSWORD, **more):
    return client.post("/sign-in", {"login": login, "password": password, **more})


@pytest.fixture
def chen(town):
    town.post("chen", Role.STREET, town.east)
    return User.objects.get(login="chen")


def test_somebody_with_the_right_password_is_led_to_where_they_were_going(client, chen):
    assert client.get("/units?kind=shop").headers["Location"] == "/sign-in?next=%2Funits%3Fkind%3Dshop"
    response = sign_in(client, next="/units?kind=shop")
    assert response.headers["Location"] == "/units?kind=shop"
    assert client.get("/sessions").status_code == 200
    assert Entry.objects.get().verb == "session.begin"


def test_nobody_is_led_to_another_host(client, chen):
    assert sign_in(client, next="https://elsewhere.example/").headers["Location"] == "/"
    assert Client().get("/sign-in?next=//elsewhere.example/").context["form"].initial["next"] == "/"


def test_a_wrong_password_says_how_often_it_may_still_be_tried(client, chen):
    response = sign_in(client, password="wrong")
    assert response.status_code == 422
    assert "再错 4 次" in response.content.decode()
    assert "wrong" not in response.content.decode()
    assert not SignIn.objects.exists()


def test_the_fifth_wrong_password_locks_the_account_for_thirty_minutes(client, chen):
    for _each in range(4):
        assert sign_in(client, password="wrong").status_code == 422
    locked = sign_in(client, password="wrong")
    assert locked.status_code == 429
    assert "30 分钟" in locked.content.decode()
    assert sign_in(client).status_code == 429  # the right password does not help now
    assert not SignIn.objects.exists()


def test_an_unknown_and_a_closed_account_answer_like_a_wrong_password(client, chen):
    User.objects.filter(pk=chen.pk).update(is_active=False)
    for login in ("chen", "nobody"):
        response = sign_in(client, login)
        assert response.status_code == 422
        assert "登录名或密码不对" in response.content.decode()


def test_the_fourth_session_ends_the_oldest(chen, settings):
    clients = [Client() for _each in range(4)]
    for client in clients:
        sign_in(client)
    assert SignIn.objects.count() == settings.SESSIONS_PER_USER == 3
    assert clients[0].get("/sessions").headers["Location"].startswith("/sign-in")
    assert clients[3].get("/sessions").status_code == 200


def test_other_sessions_end_when_told_to(chen):
    one, two = Client(), Client()
    sign_in(one), sign_in(two)
    assert one.post("/sessions/end").status_code == 303
    assert two.get("/sessions").status_code == 302
    assert one.get("/sessions").status_code == 200


@pytest.mark.parametrize(("column", "minutes"), [("seen_at", 31), ("at", 12 * 60 + 1)])
def test_an_idle_and_an_old_session_end(client, chen, column, minutes):
    sign_in(client)
    SignIn.objects.update(**{column: timezone.now() - timedelta(minutes=minutes)})
    assert client.get("/sessions").headers["Location"].startswith("/sign-in")
    assert not SignIn.objects.exists()


def test_a_session_in_use_is_seen_again(client, chen):
    sign_in(client)
    SignIn.objects.update(seen_at=timezone.now() - timedelta(minutes=29))
    client.get("/sessions")
    assert SignIn.objects.get().seen_at > timezone.now() - timedelta(minutes=1)


def test_a_one_time_password_is_changed_before_anything_else(client, chen):
    User.objects.update(must_change_password=True)
    sign_in(client)
    assert client.get("/units").headers["Location"] == "/password"
    assert client.get("/units", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/password"
    assert "一次性密码" in client.get("/password").content.decode()
    weak = {"old": PASSWORD, "new": "chen1234", "again": "chen1234"}
    refused = client.post("/password", weak)
    assert refused.status_code == 422
    assert "登录名" in refused.content.decode()
    good = {"old": PASSWORD, "new": "Yunlong-7-Hu", "again": "Yunlong-7-Hu"}
    assert client.post("/password", good).status_code == 303
    assert client.get("/sessions").status_code == 200
    assert SignIn.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"old": "wrong"}, "原密码不对"),
        ({"again": "other"}, "两次填写的新密码不同"),
        ({"new": PASSWORD, "again": PASSWORD}, "新密码与原密码相同"),
        ({"new": "Ab1", "again": "Ab1"}, "密码太短"),
    ],
)
def test_a_new_password_is_refused_in_a_sentence(client, chen, typed, sentence):
    sign_in(client)
    given = {"old": PASSWORD, "new": "Yunlong-7-Hu", "again": "Yunlong-7-Hu", **typed}
    response = client.post("/password", given)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert User.objects.get(pk=chen.pk).check_password(PASSWORD)


def test_a_changed_password_ends_the_sessions_elsewhere(chen):
    one, two = Client(), Client()
    sign_in(one), sign_in(two)
    one.post("/password", {"old": PASSWORD, "new": "Yunlong-7-Hu", "again": "Yunlong-7-Hu"})
    assert one.get("/sessions").status_code == 200
    assert two.get("/sessions").status_code == 302


def test_a_user_without_a_post_gets_one_clear_page(client, chen):
    sign_in(client)
    Post.objects.update(from_on=LONG_AGO, to_on=LONG_AGO)
    Site.objects.update(generation=99)
    response = client.get("/units")
    assert response.status_code == 403
    assert "没有在任岗位" in response.content.decode()
    assert client.get("/sessions").status_code == 200


def test_one_acts_in_one_post_and_switches_to_another_of_ones_own(client, chen, town):
    second = town.post("chen", Role.COMMUNITY, town.west_one)
    foreign = town.post("wang", Role.STREET, town.west)
    sign_in(client)
    assert client.get("/areas").context["nodes"][0]["area"].code == town.east
    assert client.post("/post", {"post": second.pk}).status_code == 303
    assert client.get("/areas").context["nodes"][0]["area"].code == town.west_one
    assert client.post(f"/post/{foreign.pk}").status_code == 404
    assert client.post("/post", {"post": "x"}).status_code == 404
    fresh = Client()
    sign_in(fresh)
    assert fresh.get("/areas").context["nodes"][0]["area"].code == town.west_one


def test_finding_the_actor_takes_two_statements(client, chen, django_assert_num_queries):
    sign_in(client)
    client.get("/sessions")
    with django_assert_num_queries(2):
        client.get("/password")


def test_a_visitor_without_a_cookie_costs_no_statement(db, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Client().get("/sign-in").status_code == 200


def test_signing_out_ends_the_session(client, chen):
    sign_in(client)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 303
    assert client.get("/sessions").status_code == 302
    assert not SignIn.objects.exists()


def test_accounts_are_listed_at_the_door_of_a_demo_only(client, town, settings):
    town.post("demo-li", Role.STREET, town.east)
    Site.objects.update(demo=True)
    assert "demo-li" not in client.get("/sign-in").content.decode()
    settings.DEMO = True
    assert "demo-li" in client.get("/sign-in").content.decode()
    settings.PRODUCTION = True
    assert "demo-li" not in client.get("/sign-in").content.decode()
    settings.PRODUCTION = False
    Site.objects.update(demo=False)
    assert "demo-li" not in client.get("/sign-in").content.decode()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/130 Safari/537 Edg/130", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17 like Mac OS X) Safari MicroMessenger/8", "微信 · iPhone"),
        ("curl/8", ""),
    ],
)
def test_a_device_is_told_in_words(agent, words):
    assert device_words(agent) == words
