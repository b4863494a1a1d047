"""The shell: the menu of the post acted in, other posts, the bell."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.models import Post
from weicheng.places.roles import Role
from weicheng.web.shell import DOORS, WHO_LINKS, menu, shell


def keys(city, name):
    return [item["key"] for item in menu(city.actor(name))]


def test_every_door_of_the_menu_leads_somewhere():
    for door in DOORS:
        assert reverse(door.name)
    for name, _label, _icon in WHO_LINKS:
        assert reverse(name)


@pytest.mark.parametrize(
    ("name", "there", "absent"),
    [
        (
            "Qian",
            {"today", "report", "cases", "visits", "map", "figures", "units", "standards", "notices"},
            {"people"},
        ),
        ("Lin", {"report", "visits"}, {"people", "areas", "journal"}),
        ("Zhao", {"today", "cases", "units"}, {"report", "visits"}),
        ("Li", {"figures", "map"}, {"report"}),
        ("An", {"today", "people", "notices"}, {"cases", "areas", "journal", "map"}),
        ("Xi", {"areas"}, {"cases", "people", "journal"}),
        ("Shen", {"journal"}, {"cases", "people", "areas"}),
    ],
)
def test_the_menu_offers_what_the_post_may_do(city, name, there, absent):
    offered = set(keys(city, name))
    assert there <= offered
    assert not absent & offered


@pytest.mark.parametrize(
    "name", ["Qian", "Lin", "Zhao", "Li", "An", "Xi", "Shen", "Ding", "Wei", "Sun", "Chen"]
)
def test_every_item_of_the_menu_opens_for_the_one_who_is_offered_it(city, name):
    client = city.client(name)
    for item in menu(city.actor(name)):
        assert client.get(item["url"]).status_code == 200, item["url"]


def test_the_shell_costs_at_most_two_statements(city, rf):
    request = rf.get("/")
    request.actor, request.posts = city.actor("Chen"), []
    with CaptureQueriesContext(connection) as seen:
        for value in shell(request).values():
            if callable(value):
                value()
                value()
    # The site's generation is learned with the actor in a real request; here it is asked for once.
    assert len([one for one in seen.captured_queries if "generation" not in one["sql"]]) <= 2


def test_a_page_for_nobody_asks_the_database_nothing(db, rf, django_assert_num_queries):
    from weicheng.places.actors import NOBODY

    request = rf.get("/sign-in")
    request.actor = NOBODY
    with django_assert_num_queries(0):
        assert shell(request)["menu"] == []


def test_the_bell_counts_what_the_reader_has_not_read(city):
    notify_many(
        [NoticeDraft(key=f"n{number}", kind="case", title="请派遣", to_user_id=city.user("Chen").pk)
         for number in range(3)],
        at=city.now,
    )  # fmt: skip
    assert '<span class="wc-count">3' in city.client("Chen").get("/").content.decode()
    assert '<span class="wc-count">' not in city.client("Wu").get("/").content.decode()


def test_whoever_holds_two_posts_may_switch_in_the_shell(city):
    Post(user=city.user("Chen"), role=Role.INSPECTOR.value, from_on=date(2020, 1, 1)).place_at(
        "320311"
    ).save()
    from weicheng.journal.site import raise_generation

    raise_generation()
    page = city.client("Chen").get("/").content.decode()
    assert "切换岗位" in page
    assert "泉山区 · 督查员" in page
    assert "切换岗位" not in city.client("Wu").get("/").content.decode()
