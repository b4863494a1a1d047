"""Who reads what, what rings, and that telling twice tells once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from tests.notices.conftest import EAST, NOW, WEST
from weicheng.notices.actions import NoticeDraft, mark_all_read, mark_read, notify_many
from weicheng.notices.bell import unread_count
from weicheng.notices.models import Effect, Notice, NoticeReading, WorkerLease
from weicheng.places.actor import Actor
from weicheng.places.actors import NOBODY

STREETS = {"to_area": EAST, "to_roles": ("street", "community")}


def tell(key: str, **to) -> Notice:
    draft = NoticeDraft(
        key=key, kind="case.dispatch", title=f"派遣：{key}", body="明细", url="/cases/1", **to
    )
    notify_many([draft], at=NOW)
    return Notice.objects.get(effect_key=key)


def titles(actor: Actor) -> set[str]:
    by_arms = {row.effect_key for arm in Notice.objects.arms(actor) for row in arm}
    seen = set(Notice.objects.visible_to(actor).values_list("effect_key", flat=True))
    assert by_arms == seen
    return seen


def test_notices_are_seen_by_their_readers_only(town):
    tell("to-streets", **STREETS)
    tell("to-west", to_area=WEST, to_roles=("street",))
    tell("to-market", to_unit_id=town.market.pk)
    tell("to-qian", to_user_id=town.inspector.pk)
    assert titles(town.chen_actor) == {"to-streets"}
    assert titles(town.inspector_actor) == {"to-qian"}  # same area, another role
    assert titles(town.west_actor) == {"to-west"}
    assert titles(town.liaison_actor) == {"to-market"}
    assert titles(NOBODY) == set()


def test_the_holder_of_a_link_reads_no_notices(town):
    tell("to-market", to_unit_id=town.market.pk)
    holder = Actor(key="link:3", name="链接", unit_id=town.market.pk, case_uid="x")
    assert titles(holder) == set()


def test_a_merged_area_hears_what_its_predecessor_was_told(town):
    tell("old", to_area="320311009", to_roles=("street",))
    tell("moved-in", to_area="320312001005", to_roles=("street",))
    reach = (("street", EAST), ("street", "320311009"), ("community", "320312001005"))
    merged = Actor(**{**vars(town.chen_actor), "reach": reach})
    assert titles(merged) == {"old"}


def test_a_role_is_found_whole(town):
    Notice.objects.create(
        effect_key="x", at=NOW, kind="t", title="t", to_area=EAST, to_roles=",street_cleaner,"
    )
    assert titles(town.chen_actor) == set()


def test_telling_twice_tells_once_and_keeps_the_first(town):
    tell("once", **STREETS)
    notify_many([NoticeDraft(key="once", kind="x", title="别的", to_user_id=town.chen.pk)] * 2, at=NOW)
    assert Notice.objects.get().title == "派遣：once"


def test_many_are_told_together(town, settings, django_assert_max_num_queries):
    settings.EMAIL_HOST = ""
    drafts = [NoticeDraft(key=f"k{n}", kind="x", title="一", **STREETS) for n in range(150)]
    with django_assert_max_num_queries(
        4
    ):  # two of them the savepoint; SQLite takes fewer values in a statement
        notify_many(drafts, at=NOW)
    assert Notice.objects.count() == 150


@pytest.mark.parametrize("to", [{}, {"to_area": EAST}, {**STREETS, "to_user_id": 1}])
def test_a_notice_without_one_audience_is_refused(town, to):
    with pytest.raises(ValueError, match="must be for"):
        tell("nobody", **to)
    row = {"to_area": "", **to, "to_roles": ",".join(to.get("to_roles", ()))}
    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.create(effect_key="nobody", at=NOW, kind="x", title="x", **row)


def test_the_bell_rings_until_read_and_for_each_reader_apart(town):
    one = tell("one", **STREETS)
    tell("two", to_user_id=town.chen.pk)
    assert unread_count(town.chen_actor, NOW) == 2
    mark_read(one, by=town.chen_actor, at=NOW)
    mark_read(one, by=town.chen_actor, at=NOW)
    assert unread_count(town.chen_actor, NOW) == 1
    assert NoticeReading.objects.visible_to(town.chen_actor).count() == 1
    assert not NoticeReading.objects.visible_to(town.west_actor).exists()
    mark_all_read(by=town.chen_actor, at=NOW)
    assert unread_count(town.chen_actor, NOW) == 0
    assert unread_count(NOBODY, NOW) == 0


def test_marking_all_read_leaves_what_another_post_of_the_person_sees(town):
    tell("east", **STREETS)
    tell("west", to_area=WEST, to_roles=("street",))
    in_west = Actor(**{**vars(town.chen_actor), "area": WEST, "reach": (("street", WEST),)})
    mark_all_read(by=town.chen_actor, at=NOW)
    assert unread_count(in_west, NOW) == 1


def test_the_bell_counts_no_further_than_a_hundred_in_one_statement(town, django_assert_num_queries):
    notify_many([NoticeDraft(key=f"k{n}", kind="x", title="一", **STREETS) for n in range(130)], at=NOW)
    with django_assert_num_queries(1):
        assert unread_count(town.chen_actor, NOW) == 100


def test_the_bell_counts_what_the_list_shows_as_unread(town):
    for number, to in enumerate(
        [STREETS, {"to_area": WEST, "to_roles": ("street",)}, {"to_user_id": town.chen.pk}]
    ):
        tell(f"told {number}", **to)
    merged = Actor(**{**vars(town.chen_actor), "reach": (*town.chen_actor.reach, ("street", WEST))})
    for actor in (town.chen_actor, town.west_actor, merged):
        unread = Notice.objects.visible_to(actor).unread_by(actor.user_id, NOW)
        assert unread_count(actor, NOW) == unread.count()
    assert unread_count(merged, NOW) == 3  # the street that was merged into hers told its own


def test_an_old_notice_no_longer_rings(town):
    tell("old", **STREETS)
    assert unread_count(town.chen_actor, NOW + timedelta(days=59)) == 1
    assert unread_count(town.chen_actor, NOW + timedelta(days=61)) == 0


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL scans a small table whatever its indexes"
)
def test_each_arm_walks_its_own_index(town):
    plans = [arm.order_by("-id")[:21].explain() for arm in Notice.objects.arms(town.chen_actor)]
    assert "notices_notice_user" in plans[0]
    assert "notices_notice_area" in plans[1]
    assert all("SCAN" not in plan and "TEMP B-TREE" not in plan for plan in plans)


def test_the_machinery_is_shown_to_nobody(town):
    WorkerLease.objects.create(worker_id="w", until=NOW)
    Effect.objects.create(key="k", at=NOW, token="0" * 32)
    assert not WorkerLease.objects.visible_to(town.chen_actor).exists()
    assert not Effect.objects.visible_to(town.chen_actor).exists()
