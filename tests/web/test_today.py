"""Today: what is due, from whom, by when, for every role."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case
from weicheng.places.roles import Role
from weicheng.rules.cases import Move, State
from weicheng.web.today import BLOCKS, blocks_of

EVERYBODY = ("Qian", "Lin", "Chen", "Sun", "Zhao", "Li", "Wei", "Ding", "Xi", "An", "Shen")


def block(city, name, key):
    """Return one block of somebody's page."""
    return next(one for one in blocks_of(city.actor(name), timezone.now()) if one.key == key)


def numbers(found):
    return [row.case.pk for row in found.rows]


def hand_in(case):
    """Put a case into 待核查 without its photo."""
    Case.objects.filter(pk=case.pk).update(state=State.HANDED_IN.value, next_at=None)


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_first_page_after_sign_in_is_today_for_every_role(city, name):
    city.case()
    page = city.client(name).get("/")
    assert page.status_code == 200
    assert "今天" in page.content.decode()


@pytest.mark.parametrize("name", EVERYBODY)
def test_today_costs_at_most_fourteen_statements_however_many_cases_there_are(city, name):
    for _number in range(3):
        city.finding()
        city.case()
    client = city.client(name)
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for _number in range(12):
        city.finding()
        city.case()
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) <= 14
    assert len(many) <= len(few) + 1  # the count of blocks that are now full


def test_every_role_that_sees_cases_has_blocks():
    from weicheng.places.roles import POWERS

    assert set(BLOCKS) == {role for role in Role if POWERS[role].sees_cases}


def test_a_street_dispatches_what_was_filed_at_its_desk_and_not_what_another_street_has(city):
    here, there = city.finding().case, city.finding(area=city.west_one).case
    assert numbers(block(city, "Chen", "dispatch")) == [here.pk]
    assert numbers(block(city, "Wu", "dispatch")) == [there.pk]


def test_a_row_names_the_place_the_unit_and_the_one_move_that_is_the_readers(city):
    case = city.case()
    row = block(city, "Zhao", "settle").rows[0]
    assert (row.place, row.unit, row.move) == ("东一社区", "", "接收")
    assert row.move_url == f"/cases/{case.uid}#move-accept"


def test_a_row_names_the_unit_to_the_office(city):
    city.case()
    assert block(city, "Wei", "newest").rows[0].unit == "解放桥农贸市场"


def test_a_late_case_is_offered_to_be_supervised_by_the_office_above(city):
    old = city.now - timedelta(days=30)
    city.case(at=old, occurred_on=old.date())
    Case.objects.update(desk="320311")
    assert [row.move for row in block(city, "Qian", "escalated").rows] == ["督办"]


def test_a_reader_without_a_move_is_offered_none(city):
    city.case()
    assert [row.move for row in block(city, "Wei", "newest").rows] == [""]


def test_what_was_handed_in_waits_for_the_office_that_found_it(city):
    of_district, of_street = city.case(by="Lin"), city.case(by="Chen")
    hand_in(of_district)
    hand_in(of_street)
    assert numbers(block(city, "Lin", "verify")) == [of_district.pk]
    assert numbers(block(city, "Chen", "verify")) == [of_district.pk, of_street.pk]


def test_an_extension_is_answered_at_the_desk(city):
    case = city.case()
    take_step(Step(case.uid, Move.ACCEPT, city.actor("Zhao")), at=city.now)
    due_at = Case.objects.get(pk=case.pk).due_at
    take_step(
        Step(
            case.uid,
            Move.ASK_EXTENSION,
            city.actor("Zhao"),
            note="材料未到",
            until=due_at + timedelta(days=3),
        ),
        at=city.now,
    )
    found = block(city, "Chen", "extension")
    assert numbers(found) == [case.pk]
    assert found.rows[0].move == "答复延期"
    assert numbers(block(city, "Qian", "extension")) == []
    Case.objects.filter(pk=case.pk).update(desk="320311")
    assert numbers(block(city, "Qian", "extension")) == numbers(block(city, "Qian", "escalated")) == [case.pk]


def test_an_inspector_sees_the_own_findings_until_they_are_closed(city):
    own, _other = city.case(by="Lin"), city.case(by="Chen")
    assert numbers(block(city, "Lin", "own")) == [own.pk]
    Case.objects.filter(pk=own.pk).update(
        state="closed", open=False, closed_at=city.now, closed_on=city.now.date(), next_at=None
    )
    found = block(city, "Lin", "own")
    assert (found.rows, found.count) == ([], 0)
    assert "都已办结" in found.empty


def test_the_longest_overdue_stands_first(city):
    first = city.case(at=city.now - timedelta(days=40), occurred_on=(city.now - timedelta(days=40)).date())
    second = city.case(at=city.now - timedelta(days=30), occurred_on=(city.now - timedelta(days=30)).date())
    assert numbers(block(city, "Chen", "overdue")) == [first.pk, second.pk]
    assert "已超期" in city.client("Chen").get("/").content.decode()


@pytest.mark.parametrize("name", ["Qian", "Chen", "Sun", "Zhao", "Wei", "Li"])
def test_the_number_of_a_block_is_the_number_of_rows_its_link_lists(city, name):
    for day in (0, 1, 30, 40):
        at = city.now - timedelta(days=day)
        for unit in ("market", "shop"):
            city.case(at=at, occurred_on=at.date(), unit=city.units[unit].uid)
        city.finding(at=at, occurred_on=at.date())
    hand_in(Case.objects.filter(responsible=city.units["market"]).first())
    client = city.client(name)
    linked = [one for one in blocks_of(city.actor(name), timezone.now()) if one.url]
    assert linked
    for one in linked:
        words = client.get(f"{one.url}&count=1").content.decode()
        assert int("".join(letter for letter in words if letter.isdigit())) == one.count, one.key


def test_figures_and_trend_come_after_the_first_paint(city):
    city.case()
    client = city.client("Li")
    page = client.get("/").content.decode()
    assert 'hx-get="/today/figures"' in page
    assert "立案" in client.get("/today/figures").content.decode()
    trend = client.get("/today/trend").content.decode()
    assert 'id="trend-data"' in trend
    assert "<table" in trend


def test_an_inspector_finds_the_report_button_before_everything_else(city):
    page = city.client("Lin").get("/").content.decode()
    assert page.index('class="btn btn-primary wc-report"') < page.index('class="wc-blocks')
    assert "wc-report" not in city.client("Li").get("/").content.decode()


def test_administrators_see_their_own_work_and_no_case(city):
    case = city.case()
    for name, words in (("Xi", "区划的最近变更"), ("An", "锁定的账号"), ("Shen", "最近的日志")):
        page = city.client(name).get("/").content.decode()
        assert words in page
        assert case.number not in page


def test_a_locked_account_is_shown_to_the_security_administrator(city):
    from axes.models import AccessAttempt

    client = city.client("An")  # first: a sign-in sweeps attempts that are old by the real clock
    AccessAttempt.objects.create(username="chen", ip_address="127.0.0.1", failures_since_start=5)
    AccessAttempt.objects.create(username="ne", ip_address="127.0.0.1", failures_since_start=5)
    page = client.get("/").content.decode()
    assert "连续输错 5 次" in page
    assert page.count("连续输错") == 1  # Ne is of the next district


def test_an_empty_block_says_what_will_be_here(city):
    page = city.client("Chen").get("/").content.decode()
    assert "没有等待派遣的事项" in page
    assert "没有超期的事项" in page


@pytest.mark.parametrize(
    "path",
    ["/", "/today/calls", "/today/figures", "/figures/", "/map", "/map/cases.json", "/journal/", "/search"],
)
def test_nobody_reads_a_page_without_signing_in(client, db, path):
    reply = client.get(path)
    assert reply.status_code == 302
    assert reply.url.startswith("/sign-in")
