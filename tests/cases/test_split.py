"""A case split to several units: parts with their own loops, a whole that only waits."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.cases.test_loop import HOUR, give_photo, step
from weicheng.cases import clock
from weicheng.cases.actions import Step, take_step, take_steps
from weicheng.cases.models import Case, Event
from weicheng.cases.outbox import deliver
from weicheng.cases.split import Piece, split_case
from weicheng.journal.models import Entry
from weicheng.notices.models import Notice
from weicheng.rules.cases import Move
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError


def split(city, case, by="Chen", units=("market", "shop"), **given):
    pieces = [Piece(city.units[name].uid, f"{name}清理自己的一段") for name in units]
    given.setdefault("at", city.now + HOUR)
    return split_case(case_uid=case.uid, pieces=given.pop("pieces", pieces), by=city.actor(by), **given)


def parts_of(whole):
    return list(Case.objects.filter(parent=whole).order_by("pk"))


def finish(city, part, who, hours=2):
    """Hand a part in and let the inspector pass it."""
    give_photo(city, part, who, city.now + timedelta(hours=hours))
    step(city, part, "hand_in", who, hours, note="已清理")
    return step(city, part, "pass", "Lin", hours + 1)


def test_a_case_is_split_and_each_unit_has_its_own(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    assert (whole.state, whole.open, whole.pieces, whole.responsible_id) == ("split", True, 2, None)
    assert (whole.next_at, whole.clock_from) == (None, None)  # nothing is carried up for what only waits
    assert whole.due_at == max(market.due_at, shop.due_at)
    assert [part.responsible_id for part in (market, shop)] == [
        city.units["market"].pk,
        city.units["shop"].pk,
    ]
    assert (market.state, market.pieces, market.repeats) == ("dispatched", 0, 0)
    assert market.title == "market清理自己的一段（暴露垃圾）"
    assert market.clock_from == city.now + HOUR  # its own deadline, from its own beginning
    assert list(Event.objects.filter(case=market).values_list("move", flat=True)) == ["file", "dispatch"]
    assert Entry.objects.filter(verb="case.split").count() == 1
    assert Case.objects.visible_to(city.actor("Zhao")).get() == market


def test_the_whole_closes_with_its_last_part_in_the_same_transaction(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    finish(city, market, "Zhao")
    whole.refresh_from_db()
    assert (whole.state, whole.closed_on) == ("split", None)
    finish(city, shop, "Feng", 4)
    whole.refresh_from_db()
    assert (whole.state, whole.open, whole.on_time) == ("closed", False, True)
    assert whole.closed_at == city.now + 5 * HOUR
    assert whole.handed_in_at == city.now + 4 * HOUR
    assert Entry.objects.filter(verb="case.parts_done", object_key=str(whole.uid)).count() == 1
    last = Event.objects.filter(case=whole).latest("number")
    assert (last.move, last.state, last.by_key) == ("parts_done", "closed", "system")
    assert last.number == whole.version


def test_one_late_part_makes_the_whole_late(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    finish(city, market, "Zhao")
    late = shop.due_at + timedelta(seconds=1)
    give_photo(city, shop, "Feng", shop.due_at)
    take_step(Step(shop.uid, Move.HAND_IN, city.actor("Feng"), note="晚了"), at=late)
    take_step(Step(shop.uid, Move.PASS, city.actor("Lin")), at=late + HOUR)
    whole.refresh_from_db()
    assert (whole.state, whole.on_time) == ("closed", False)


def test_both_parts_in_one_batch_close_the_whole_once(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    for part, who in ((market, "Zhao"), (shop, "Feng")):
        give_photo(city, part, who, city.now + 2 * HOUR)
        step(city, part, "hand_in", who, 2, note="已清理")
    lin = city.actor("Lin")
    take_steps([Step(part.uid, Move.PASS, lin) for part in (market, shop)], at=city.now + 3 * HOUR)
    assert Event.objects.filter(case=whole, move="parts_done").count() == 1
    assert Case.objects.get(pk=whole.pk).state == "closed"


def test_a_reopened_part_reopens_the_whole_and_it_closes_again(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    finish(city, market, "Zhao")
    finish(city, shop, "Feng", 4)
    step(city, market, "reopen", "Chen", 6, note="又有了")
    whole.refresh_from_db()
    assert (whole.state, whole.open, whole.closed_on, whole.on_time) == ("split", True, None, None)
    assert Event.objects.filter(case=whole, move="part_reopened").count() == 1
    finish(city, market, "Zhao", 7)
    assert Case.objects.get(pk=whole.pk).state == "closed"


def test_a_cancelled_part_does_not_block_and_with_all_cancelled_the_whole_is_too(city):
    whole = split(city, city.case(unit=None))
    market, shop = parts_of(whole)
    step(city, market, "cancel", "Chen", 2, note="不需要")
    assert Case.objects.get(pk=whole.pk).state == "split"
    finish(city, shop, "Feng")
    assert Case.objects.get(pk=whole.pk).state == "closed"

    other = split(city, city.case(unit=None))
    for part in parts_of(other):
        step(city, part, "cancel", "Chen", 2, note="不需要")
    other.refresh_from_db()
    assert (other.state, other.open, other.on_time) == ("cancelled", False, None)
    assert Event.objects.filter(case=other, move="parts_cancelled").count() == 1
    step(city, parts_of(other)[0], "reopen", "Chen", 3, note="还是要办")
    assert Case.objects.get(pk=other.pk).state == "split"


@pytest.mark.parametrize("move", ["dispatch", "hand_in", "pass", "fail", "accept", "cancel", "reopen"])
def test_the_whole_is_not_moved_by_hand(city, move):
    whole = split(city, city.case(unit=None))
    for who in ("Chen", "Lin", "Qian"):
        with pytest.raises(RuleError):
            step(city, whole, move, who, 2, note="x", unit_uid=city.units["market"].uid)
    assert Case.objects.get(pk=whole.pk).version == whole.version


def test_a_closed_whole_is_reopened_through_its_parts_only(city):
    whole = split(city, city.case(unit=None))
    for part, who, hours in zip(parts_of(whole), ("Zhao", "Feng"), (2, 4), strict=True):
        finish(city, part, who, hours)
    with pytest.raises(RuleError) as caught:
        step(city, whole, "reopen", "Chen", 6, note="又有了")
    assert caught.value.code == "split-reopen"


def test_nobody_splits_twice_or_splits_a_part(city):
    whole = split(city, city.case(unit=None))
    with pytest.raises(RuleError) as twice:
        split(city, whole)
    with pytest.raises(RuleError) as part:
        split(city, parts_of(whole)[0])
    assert (twice.value.code, part.value.code) == ("split-twice", "split-part")
    assert Case.objects.count() == 3


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ([("market", "扫地")], "split-too-few"),
        ([("market", "扫地"), ("market", "洗墙")], "split-same-unit"),
        ([("market", "扫地"), ("shop", "  ")], "split-task"),
        ([("market", "扫地"), ("shop", "长" * 81)], "split-task"),
        ([("market", "扫地")] * 21, "split-too-many"),
        ([("market", "扫地"), ("school", "洗墙")], "may-not-charge"),  # of another street
    ],
)
def test_a_split_without_sense_is_refused_and_nothing_is_written(city, pieces, code):
    case = city.case(unit=None)
    with pytest.raises(RuleError) as caught:
        split(city, case, pieces=[Piece(city.units[name].uid, task) for name, task in pieces])
    assert caught.value.code == code
    assert Case.objects.get().state == "filed"
    assert not Entry.objects.filter(verb="case.split").exists()


def test_only_who_dispatches_splits_and_a_stranger_finds_nothing(city):
    case = city.case(unit=None)
    with pytest.raises(ForbiddenError):
        split(city, case, by="Li")
    with pytest.raises(MissingError):
        split(city, case, by="Wu")
    with pytest.raises(ConflictError) as stale:
        split(city, case, base=7)
    assert stale.value.code == "case-changed"
    accepted = step(city, city.case(), "accept", "Zhao")
    with pytest.raises(RuleError) as caught:
        split(city, accepted)
    assert caught.value.code == "case-move"  # the unit works on it already


def test_sent_twice_it_is_split_once_and_other_content_is_a_conflict(city):
    case, uid = city.case(unit=None), uuid4()
    first = split(city, case, uid=uid)
    again = split(city, case, uid=uid)
    assert (again.version, Case.objects.count()) == (first.version, 3)
    with pytest.raises(ConflictError):
        split(city, case, uid=uid, units=("shop", "market"))


def test_a_step_named_split_says_where_to_do_it(city):
    with pytest.raises(RuleError) as caught:
        step(city, city.case(unit=None), "split", "Chen")
    assert caught.value.code == "split-needs-parts"


def test_a_part_is_not_withdrawn_by_the_finder(city):
    whole = split(city, city.case(unit=None), at=city.now)
    with pytest.raises(RuleError) as caught:
        step(city, parts_of(whole)[0], "withdraw", "Lin", 0)
    assert caught.value.code == "part-withdraw"


def test_the_deadline_of_the_whole_follows_its_parts_and_its_own_clock_does_nothing(city):
    whole = split(city, city.case(unit=None))
    market = parts_of(whole)[0]
    step(city, market, "accept", "Zhao", 2)
    until = market.due_at + timedelta(days=5)
    step(city, market, "ask_extension", "Zhao", 3, note="等材料", until=until)
    step(city, market, "grant_extension", "Chen", 4)
    whole.refresh_from_db()
    assert whole.due_at == until
    clock.tick(city.now + timedelta(days=60))
    assert not Event.objects.filter(case=whole, move__in=["overdue", "escalate", "remind"]).exists()
    assert Event.objects.filter(case=market, move="overdue").exists()
    assert Case.objects.get(pk=whole.pk).desk == whole.desk


def test_units_hear_of_their_parts_and_the_finder_of_the_whole(city):
    whole = split(city, city.case(unit=None))
    deliver(city.now + 2 * HOUR)
    assert set(Notice.objects.filter(kind="case.dispatch").values_list("to_unit_id", flat=True)) == {
        city.units["market"].pk, city.units["shop"].pk,
    }  # fmt: skip
    assert Notice.objects.filter(kind="case.split", to_user=city.user("Lin"), url=whole.url).count() == 1


# --- pages -----------------------------------------------------------------------------------------


def test_the_dispatcher_splits_on_a_page_that_keeps_what_was_typed(city):
    case, chen = city.case(unit=None), city.client("Chen")
    assert f"/cases/{case.uid}/split" in chen.get(case.url).content.decode()
    url = f"/cases/{case.uid}/split"
    typed = {
        "uid": str(uuid4()), "base": case.version, "rows": 3,
        "unit_1": str(city.units["market"].uid), "task_1": "清理门前",
        "unit_2": str(city.units["shop"].uid), "task_2": "清理后巷",
    }  # fmt: skip
    more = chen.post(url, {**typed, "more": "1"}).content.decode()
    assert 'name="unit_4"' in more
    assert "清理后巷" in more
    wrong = chen.post(url, {**typed, "task_2": ""})
    assert (wrong.status_code, "请写明这个单位的任务" in wrong.content.decode()) == (422, True)
    alone = chen.post(url, {**typed, "unit_2": "", "task_2": ""})
    assert (alone.status_code, "拆分至少需要两个单位" in alone.content.decode()) == (422, True)
    assert chen.post(url, typed).status_code == 303
    page = chen.get(case.url).content.decode()
    assert "分办中" in page
    assert "清理后巷（暴露垃圾）" in page
    assert page.count("待接收") == 2


def test_a_unit_sees_its_part_and_the_finding_and_not_the_whole(city):
    whole = split(city, city.case(unit=None))
    part, zhao = parts_of(whole)[0], city.client("Zhao")
    page = zhao.get(part.url)
    assert page.status_code == 200
    assert "路边堆有垃圾" in page.content.decode()
    assert whole.url not in page.content.decode()
    assert zhao.get(whole.url).status_code == 404
    assert whole.url in city.client("Chen").get(part.url).content.decode()


def test_a_page_of_a_whole_costs_the_same_for_two_parts_and_for_three(city, django_assert_max_num_queries):
    two = split(city, city.case(unit=None))
    three = split(city, city.case(unit=None), units=("market", "shop", "water"))
    chen = city.client("Chen")
    chen.get(two.url)
    for whole in (two, three):
        with django_assert_max_num_queries(22):
            chen.get(whole.url)
