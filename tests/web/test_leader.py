"""The leader's page: the state, the trend, the places to call today with their why."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from weicheng.assessments.boards import DEFAULT_SCHEME
from weicheng.assessments.models import Board, Sheet
from weicheng.cases.models import Case, HotSpot
from weicheng.inspections.models import Visit, YellowCard
from weicheng.places.models import Charge
from weicheng.standards import editions
from weicheng.web import leader

ON = date(2026, 10, 13)  # the day on which these pages are opened


def late(city, count=1, **changes):
    old = city.now - timedelta(days=30)
    return [city.case(at=old, occurred_on=old.date(), **changes) for _number in range(count)]


def board(city, month, totals, *, area="320311", level="street", state="published", group=""):
    """Publish a board with these totals by code: (total, rank, rank before)."""
    start = date(2026, month, 1)
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    given = {"confirmed_at": city.now, "appeal_until": end} if state in ("confirmed", "published") else {}
    made = Board(
        title=f"2026年{month}月考评", level=level, scheme_key=DEFAULT_SCHEME, period=f"2026-{month:02d}",
        scheme_edition=editions.scheme(DEFAULT_SCHEME, area, end).edition_id, period_start=start, period_end=end,
        period_label=f"2026年{month}月", state=state, created_at=city.now, created_by_key="user:1", **given,
    ).place_at(area)  # fmt: skip
    made.save()
    for code, (total, rank, before) in totals.items():
        Sheet(
            uid=uuid4(), board=made, code=code, name=f"名{code}", group=group, group_title=group, full=100,
            group_size=len(totals), base=Decimal(total), total=Decimal(total), rank=rank, previous_rank=before,
        ).place_at(code).save()  # fmt: skip
    return made


def spot(city, area, **changes):
    given = {"place_key": uuid4().hex[:20], "category": "06010", "times": 3, "last_on": ON, "address": "东门"}
    case = city.case()
    Case.objects.filter(pk=case.pk).update(
        state="closed", open=False, closed_at=city.now, closed_on=city.now.date(), next_at=None
    )
    made = HotSpot(**given | changes, last_case=case, listed_at=city.now).place_at(area)
    made.save()
    return made


def card(city, area):
    visit = Visit(
        uid=uuid4(), kind="routine", started_at=city.now, visited_on=city.now.date(), by_key="user:1", by_name="Lin"
    ).place_at(area)  # fmt: skip
    visit.save()
    made = YellowCard(
        name="东一社区", visit=visit, reason="问题突出", issued_on=ON, issued_at=city.now, issued_area="320311",
        by_key="user:1", by_name="Lin",
    ).place_at(area)  # fmt: skip
    made.save()
    return made


def calls(city, name="Li"):
    return leader.calls(city.actor(name), timezone.now())


def counted(client, url):
    words = client.get(f"{url}&count=1").content.decode()
    return int("".join(letter for letter in words if letter.isdigit()))


# --- the places to call ----------------------------------------------------------------------------


def test_the_leader_is_told_whom_to_call_and_why(city):
    late(city, 2)
    late(city, area=city.west_one, unit=city.units["school"].uid)
    Charge(
        kind="leader", name="赵书记", title="副区长", phone="0516-83701234", from_on=date(2026, 1, 1)
    ).place_at(city.east).save()  # fmt: skip
    first, second = calls(city)
    assert (first.name, second.name) == ("东街道", "西街道")
    assert [why.text for why in first.why] == ["超期 2 件"]
    assert "尚未督办" in first.why[0].note
    client = city.client("Li")
    assert counted(client, first.why[0].url) == 2
    page = client.get("/").content.decode()
    assert "今天最该过问的地方" in page
    assert "赵书记（副区长）" in page
    assert 'href="tel:0516-83701234"' in page
    assert "没有登记负责人" in page  # of the west street


def test_each_reason_counts_and_leads_to_what_it_counts(city):
    late(city, 3, area=city.west_one, unit=city.units["school"].uid)
    spot(city, city.east_one)
    spot(city, city.east_two)
    spot(city, city.east_one, last_on=ON - timedelta(days=31))
    card(city, city.east_one)
    board(city, 9, {city.east: ("80", 2, 1), city.west: ("90", 1, 2)})
    east, west = calls(city)
    # east: a fall of 1 of 2, 2 of 2 spots, 1 of 1 card: 2.5; west: 3 of 3 late: 1
    assert (east.name, west.name) == ("东街道", "西街道")
    assert [why.text for why in east.why] == ["名次下降 1 名", "重点地段 2 处", "未摘黄牌 1 块"]
    assert east.why[0].note == "现第 2 名，共 2 个"
    client = city.client("Li")
    assert counted(client, east.why[1].url) == 2
    assert counted(client, east.why[2].url) == 1
    for why in (*east.why, *west.why):
        assert client.get(why.url).status_code == 200


def test_who_rose_or_was_lifted_is_not_called(city):
    board(city, 9, {city.east: ("80", 1, 2), city.west: ("90", 2, None)})
    spot(city, city.east_one, listed=False, off_at=city.now, off_reason="已整治")
    assert calls(city) == []
    page = city.client("Li").get("/").content.decode()
    assert "没有需要过问的地方" in page


def test_at_most_three_places_are_named(city):
    for number in range(5):
        code = f"32031190{number}"
        case = late(city)[0]
        Case.objects.filter(pk=case.pk).update(street=code, community="")
    assert len(calls(city)) == leader.CALLS


def test_a_street_leader_is_told_of_the_communities_and_of_the_own_place_in_the_district(city):
    late(city)
    late(city, area=city.west_one)
    board(city, 9, {city.east_one: ("70", 2, 1), city.west_one: ("90", 1, 2)}, level="community")
    (call,) = calls(city, "Chen")
    assert call.name == "东一社区"
    assert [why.text for why in call.why] == ["超期 1 件", "名次下降 1 名"]
    found, (group,) = leader.standings(city.actor("Chen"))
    assert found.title == "2026年9月考评"
    assert [(one.name, one.own) for one in group.first] == [
        (f"名{city.west_one}", False),
        (f"名{city.east_one}", True),
    ]


def test_the_page_costs_the_same_whatever_there_is(city):
    client = city.client("Li")
    late(city)
    board(city, 9, {city.east: ("80", 2, 1), city.west: ("90", 1, 2)})
    spot(city, city.east_one)
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    late(city, 8)
    late(city, 3, area=city.west_one, unit=city.units["school"].uid)
    for _number in range(4):
        spot(city, city.west_one)
    card(city, city.west_one)
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) <= 14
    assert len(many) <= len(few) + 1  # the count of the block that is now full
    for path, most in (("/today/figures", 14), ("/today/trend", 8)):
        client.get(path)
        with CaptureQueriesContext(connection) as captured:
            client.get(path)
        assert len(captured) <= most, path


def test_an_office_has_the_same_places_after_its_own_work(city):
    late(city, 2)
    client = city.client("Qian")
    page = client.get("/").content.decode()
    assert 'hx-get="/today/calls"' in page
    assert "超期 2 件" not in page
    words = client.get("/today/calls").content.decode()
    assert "超期 2 件" in words
    assert "最需要盯办的地方" in words
    assert "超期 2 件" not in city.client("Sun").get("/today/calls").content.decode()


# --- the state -------------------------------------------------------------------------------------


def test_the_month_stands_beside_the_same_days_of_the_last_one(city):
    for day in (1, 10, 12, 25):  # September: three of them by the 13th
        at = city.now.replace(month=9, day=day)
        city.case(at=at, occurred_on=at.date())
    city.case()
    cards = {one["id"]: one for one in leader.month_figures(city.actor("Li"), timezone.now())}
    assert cards["opened"]["text"] == "1"
    assert "上月同期" in cards["opened"]["note"]
    assert ">3件</a>，-2" in cards["opened"]["note"]
    assert "opened_on_from=2026-09-01&amp;opened_on_to=2026-09-13" in cards["opened"]["note"].replace(
        "&amp;amp;", "&amp;"
    )
    assert cards["open_now"]["text"] == "5"
    assert cards["on_time_rate"]["text"] == "未评定"


def test_yellow_cards_are_counted_in_reach_and_lead_to_their_list(city):
    card(city, city.east_one)
    figure = leader.open_cards(city.actor("Li"), timezone.now())
    assert figure.value == 1
    assert leader.open_cards(city.actor("Wu"), timezone.now()).value == 0
    page = city.client("Li").get("/today/figures").content.decode()
    assert "/visits/cards/?state=open" in page


def test_a_long_ranking_shows_its_first_and_last_three(city):
    codes = [f"3203110{number:02d}" for number in range(1, 9)]
    totals = {code: (str(100 - at), at + 1, max(at, 1)) for at, code in enumerate(codes)}
    board(city, 9, totals)
    _board, (group,) = leader.standings(city.actor("Li"))
    assert [one.rank for one in group.first] == [1, 2, 3]
    assert [one.rank for one in group.last] == [6, 7, 8]
    page = city.client("Li").get("/today/figures").content.decode()
    assert "后三名（共 8 个）" in page
    assert "▼1" in page


def test_the_newest_published_month_is_shown_and_nothing_that_is_not_public(city):
    board(city, 8, {city.east: ("80", 1, None), city.west: ("70", 2, None)})
    board(city, 9, {city.east: ("60", 2, None), city.west: ("90", 1, None)}, state="confirmed")
    found, _groups = leader.standings(city.actor("Li"))
    assert found.title == "2026年8月考评"


def test_without_a_ranking_the_page_says_what_will_be_here(city):
    page = city.client("Li").get("/today/figures").content.decode()
    assert "还没有公布过名次" in page
    assert "还没有立案" not in page


# --- the trend -------------------------------------------------------------------------------------


def test_the_trend_shows_the_mean_score_of_each_month_with_its_board(city):
    city.case()
    board(city, 8, {city.east: ("80", 2, None), city.west: ("85.5", 1, None)})
    made = board(city, 9, {city.east: ("60", 2, None), city.west: ("91", 1, None)})
    Sheet.objects.filter(board=made, code=city.east).update(rank=None)  # not assessed: does not count
    page = city.client("Li").get("/today/trend").content.decode()
    # August: (80 + 85.5) / 2 = 82.75
    assert ">82.75</a>" in page or ">82.8</a>" in page
    assert ">91.00</a>" in page or ">91.0</a>" in page
    assert f"/assessments/{made.uid}" in page
    assert "平均得分" in page


def test_a_street_leaders_mean_is_of_the_own_communities(city):
    board(
        city, 9, {city.east_one: ("70", 3, None), city.east_two: ("80", 2, None), city.west_one: ("90", 1, None)},
        level="community",
    )  # fmt: skip
    period = leader.Period.between(date(2026, 1, 1), date(2026, 12, 31))
    assert leader.mean_scores(city.actor("Chen"), period)["2026-09"]["text"].startswith("75")


@pytest.mark.parametrize("name", ["Qian", "Wei", "Chen"])
def test_others_have_the_trend_without_a_board_as_before(city, name):
    city.case()
    assert "平均得分" not in city.client(name).get("/today/trend").content.decode()
