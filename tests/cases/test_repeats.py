"""Findings that come back: links made by the worker, hot spots, their page, and the list for the bulletin."""

from datetime import date, timedelta
from random import Random

import pytest

from tests.cases.test_loop import step
from weicheng.cases.models import Case, HotSpot
from weicheng.cases.repeats import guard, hot_spots, link, link_batch, take_off
from weicheng.cases.split import Piece, split_case
from weicheng.journal.models import Entry
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError
from weicheng.rules.figures import Period

DAY = timedelta(days=1)
AUTUMN = Period.between(date(2026, 8, 1), date(2026, 10, 31))


def found(city, days, **changes):
    """A finding so many days before the twelfth of October, received on that day at ten."""
    at = city.now - days * DAY
    changes.setdefault("unit", city.units["market"].uid)
    return city.finding(at=at, occurred_on=at.date(), **changes).case


def chain(city, **filters):
    """(day, repeats) of each case, oldest first."""
    rows = Case.objects.filter(parent__isnull=True, **filters).order_by("occurred_on", "pk")
    return [((city.now.date() - case.occurred_on).days, case.repeats) for case in rows]


def test_the_worker_links_what_came_back_and_again_changes_nothing(city):
    first, second, third = found(city, 40), found(city, 20), found(city, 3)
    assert chain(city) == [(40, 0), (20, 0), (3, 0)]  # not linked while recording
    assert link(city.now) == 3
    assert chain(city) == [(40, 0), (20, 1), (3, 2)]
    second.refresh_from_db()
    third.refresh_from_db()
    assert (second.repeat_of_id, third.repeat_of_id) == (first.pk, second.pk)
    assert link(city.now) == 0
    assert not Case.objects.filter(linked_at__isnull=True).exists()


def test_another_unit_or_another_problem_is_no_repeat(city):
    found(city, 10)
    found(city, 5, unit=city.units["shop"].uid, area=city.east_two)
    found(city, 4, category="06012")
    link(city.now)
    assert {repeats for _day, repeats in chain(city)} == {0}


def test_without_a_unit_the_point_or_the_address_says_where(city):
    point = {"lon": 117.2, "lat": 34.2}
    near = {"lon": 117.2003, "lat": 34.2}  # 28 m east
    found(city, 9, unit=None, point=point)
    found(city, 8, unit=None, point=near)
    found(city, 7, unit=None, point={"lon": 117.21, "lat": 34.2})  # 920 m east
    found(city, 6, unit=None, address="解放路12号")
    found(city, 5, unit=None, address="解放路 12 号附近")
    link(city.now)
    assert chain(city) == [(9, 0), (8, 1), (7, 0), (6, 0), (5, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_out_of_order_and_in_batches_gives_the_same_links(city, seed):
    days = [80, 61, 60, 45, 44, 20, 20, 3]
    Random(seed).shuffle(days)
    for day in days:
        found(city, day)
        if day % 3 == 0:
            link(city.now)
    link(city.now)
    # 80 61 60 | 60 -> 45 is 15 days, 44 -> 20 is 24 (twice, one day), 20 -> 3 is 17
    assert chain(city) == [(80, 0), (61, 1), (60, 2), (45, 3), (44, 4), (20, 5), (20, 5), (3, 6)]


def test_a_cancelled_finding_leaves_the_chain_and_comes_back_to_it(city):
    first, middle, last = found(city, 20), found(city, 10), found(city, 2)
    link(city.now)
    step(city, middle, "cancel", "Chen", note="重复上报")
    link(city.now)
    for case in (middle, last):
        case.refresh_from_db()
    assert (middle.repeat_of_id, middle.repeats) == (None, 0)
    assert (last.repeat_of_id, last.repeats) == (first.pk, 1)
    step(city, middle, "reopen", "Chen", 1, note="确有问题")
    link(city.now)
    last.refresh_from_db()
    assert (last.repeat_of_id, last.repeats) == (middle.pk, 2)


def test_the_parts_of_a_split_case_repeat_nothing(city):
    found(city, 10, unit=None, address="解放路12号")
    case = found(city, 2, unit=None, address="解放路12号")
    pieces = [Piece(city.units[name].uid, "清理") for name in ("market", "shop")]
    split_case(case_uid=case.uid, pieces=pieces, by=city.actor("Chen"), at=city.now)
    link(city.now)
    case.refresh_from_db()
    assert case.repeats == 1
    assert set(Case.objects.filter(parent=case).values_list("repeats", flat=True)) == {0}


def test_a_row_from_before_the_column_is_given_its_place(city):
    found(city, 10)
    found(city, 2)
    Case.objects.update(place_key=None)
    link(city.now)
    assert chain(city) == [(10, 0), (2, 1)]


def test_one_place_with_many_findings_is_linked_in_few_statements(city, django_assert_max_num_queries):
    for day in range(20, 0, -1):
        found(city, day)
    link(city.now)
    Case.objects.update(linked_at=None)
    with django_assert_max_num_queries(14):  # nothing changes, so nothing is written a row
        link_batch(city.now)


# --- hot spots -------------------------------------------------------------------------------------


def hot(city):
    for day in (20, 10, 2):
        found(city, day, address="解放路12号")
    link(city.now)
    return HotSpot.objects.get()


def test_a_place_comes_on_the_list_with_the_second_repeat(city):
    found(city, 20)
    found(city, 10)
    link(city.now)
    assert not HotSpot.objects.exists()
    found(city, 2)
    link(city.now)
    spot = HotSpot.objects.get()
    assert (spot.times, spot.last_on, spot.unit, spot.listed) == (
        2,
        date(2026, 10, 10),
        city.units["market"],
        True,
    )
    assert Entry.objects.filter(verb="hotspot.list").count() == 1
    found(city, 1)
    link(city.now)
    spot.refresh_from_db()
    assert (spot.times, HotSpot.objects.count()) == (3, 1)
    assert Entry.objects.filter(verb="hotspot.list").count() == 1


def test_it_is_taken_off_with_a_reason_and_comes_back_with_a_new_repeat(city):
    spot = hot(city)
    chen = city.actor("Chen")
    with pytest.raises(RuleError) as empty:
        take_off(spot=spot, reason=" ", base=None, by=chen, at=city.now)
    assert empty.value.code == "spot-needs-reason"
    off = take_off(spot=spot, reason="两月未再出现", base=spot.version, by=chen, at=city.now + DAY)
    assert (off.listed, off.off_reason, off.off_by_name) == (False, "两月未再出现", "Chen")
    with pytest.raises(RuleError) as twice:
        take_off(spot=spot, reason="再移", base=None, by=chen, at=city.now + DAY)
    assert twice.value.code == "spot-off"
    # An old finding that arrives late does not bring it back …
    at = city.now + 2 * DAY
    city.finding(at=at, occurred_on=city.now.date() - 5 * DAY, unit=city.units["market"].uid)
    link(at)
    off.refresh_from_db()
    assert (off.listed, off.times) == (False, 3)
    # … a new one does.
    city.finding(at=at + DAY, unit=city.units["market"].uid)
    link(at + DAY)
    off.refresh_from_db()
    assert (off.listed, off.off_at, off.off_reason, off.times) == (True, None, "", 4)
    assert Entry.objects.filter(verb="hotspot.back").count() == 1


def test_it_fades_when_the_findings_are_cancelled(city):
    spot = hot(city)
    step(city, Case.objects.latest("occurred_on"), "cancel", "Chen", note="误报")
    link(city.now)
    spot.refresh_from_db()
    assert (spot.listed, spot.times) == (False, 1)
    assert "已撤销" in spot.off_reason


def test_who_dispatches_here_sets_the_guard_and_nobody_else(city):
    spot = hot(city)
    for who in ("Wu", "Zhao", "Li"):
        with pytest.raises(ForbiddenError):
            guard(
                spot=spot, measure="早晚各巡一次", owner="王建国", base=None, by=city.actor(who), at=city.now
            )
    with pytest.raises(RuleError) as empty:
        guard(spot=spot, measure="早晚各巡一次", owner="", base=None, by=city.actor("Chen"), at=city.now)
    assert empty.value.code == "guard-empty"
    set_ = guard(
        spot=spot, measure="早晚各巡一次", owner="王建国", base=1, by=city.actor("Chen"), at=city.now
    )
    assert (set_.measure, set_.owner, set_.version) == ("早晚各巡一次", "王建国", 2)
    with pytest.raises(ConflictError):
        guard(spot=spot, measure="不巡了", owner="李", base=1, by=city.actor("Chen"), at=city.now)
    assert Entry.objects.filter(verb="hotspot.guard").count() == 1


def test_the_bulletin_gets_the_places_of_an_area_and_period_most_first(city):
    spot = hot(city)
    guard(spot=spot, measure="早晚各巡一次", owner="王建国", base=None, by=city.actor("Chen"), at=city.now)
    for day in (30, 20, 10, 5):
        found(city, day, unit=city.units["shop"].uid, area=city.east_two)
    found(city, 4, unit=city.units["school"].uid, area=city.west_one)
    link(city.now)
    shop, market = hot_spots("320311", AUTUMN)
    assert (shop.place, shop.category_title, shop.times, shop.last_on) == (
        "东街便民店", "暴露垃圾", 3, date(2026, 10, 7),
    )  # fmt: skip
    assert (market.place, market.times, market.measure, market.owner) == (
        "解放桥农贸市场",
        2,
        "早晚各巡一次",
        "王建国",
    )
    assert list(market.case_uids) == list(
        Case.objects.filter(repeats__gt=0, responsible=city.units["market"])
        .order_by("occurred_on")
        .values_list("uid", flat=True)
    )
    assert hot_spots(city.west, AUTUMN) == []
    assert hot_spots("320311", Period.month("2026-08")) == []


def test_the_list_for_the_bulletin_costs_the_same_however_many(city, django_assert_max_num_queries):
    hot(city)
    hot_spots("320311", AUTUMN)
    for day in (30, 20, 10):
        found(city, day, unit=city.units["shop"].uid, area=city.east_two)
    link(city.now)
    with django_assert_max_num_queries(3):
        assert len(hot_spots("320311", AUTUMN)) == 2


# --- pages -----------------------------------------------------------------------------------------


def test_the_pages_show_guard_and_take_off(city):
    chen = city.client("Chen")
    assert "还没有重点地段" in chen.get("/hot-spots/").content.decode()
    spot = hot(city)
    assert "解放桥农贸市场" in chen.get("/hot-spots/").content.decode()
    page = chen.get(spot.url).content.decode()
    assert page.count("· 第 ") == 2
    assert "首次" in page
    wrong = chen.post(f"{spot.url}/guard", {"base": 1, "measure": "早晚各巡一次", "owner": ""})
    assert wrong.status_code == 422
    assert "请写明责任人" in wrong.content.decode()
    assert "早晚各巡一次" in wrong.content.decode()
    assert (
        chen.post(f"{spot.url}/guard", {"base": 1, "measure": "早晚各巡", "owner": "王建国"}).status_code
        == 303
    )
    stale = chen.post(f"{spot.url}/off", {"base": 1, "reason": "好了"})
    assert stale.status_code == 409
    assert chen.post(f"{spot.url}/off", {"base": 2, "reason": "好了"}).status_code == 303
    assert "解放桥农贸市场" not in chen.get("/hot-spots/").content.decode()
    assert "解放桥农贸市场" in chen.get("/hot-spots/?listed=0").content.decode()


def test_a_reader_sees_no_form_and_a_stranger_no_spot(city):
    spot = hot(city)
    assert "布置防控" not in city.client("Li").get(spot.url).content.decode()
    assert city.client("Li").post(f"{spot.url}/guard", {"measure": "x", "owner": "y"}).status_code == 403
    assert city.client("Zhao").get(spot.url).status_code == 200  # the unit's own
    assert city.client("Wu").get(spot.url).status_code == 404
    assert city.client("Feng").get(spot.url).status_code == 404


def test_a_case_says_what_it_repeats(city):
    hot(city)
    last = Case.objects.latest("occurred_on")
    page = city.client("Chen").get(last.url).content.decode()
    assert "第 2 次反复" in page


def test_the_pages_cost_the_same_for_one_and_for_many(city, django_assert_max_num_queries):
    spot = hot(city)
    chen = city.client("Chen")
    chen.get("/hot-spots/")
    chen.get(spot.url)
    for day in (30, 20, 10):
        found(city, day, unit=city.units["shop"].uid, area=city.east_two)
    link(city.now)
    for url in ("/hot-spots/", spot.url):
        with django_assert_max_num_queries(14):
            chen.get(url)
