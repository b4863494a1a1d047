"""The page 案件统计: its counts, the lists behind them, and the carry-over between months."""

from datetime import datetime, timedelta

import pytest

from tests.cases.test_loop import give_photo
from tests.conftest import SHANGHAI
from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case
from weicheng.cases.repeats import link
from weicheng.cases.split import Piece, split_case
from weicheng.cases.stats import COUNTED, condition, label_of, read_query, titles
from weicheng.indicators.casepage import case_table
from weicheng.indicators.casestats import book
from weicheng.rules.cases import Move
from weicheng.rules.figures import Period

SEPTEMBER, OCTOBER = Period.month("2026-09"), Period.month("2026-10")
BOTH = Period.between(SEPTEMBER.start, OCTOBER.end)


def at(month, day, hour=10):
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


def act(city, case, move, by, moment, **more):
    if move == "hand_in":
        give_photo(city, case, by, moment)
        more.setdefault("note", "已清理")
    return take_step(Step(case.uid, Move(move), city.actor(by), **more), at=moment)


def settled(city, case, handed, passed):
    act(city, case, "hand_in", "Zhao", handed)
    return act(city, case, "pass", "Lin", passed)


def year(city):
    """Six findings of the market: who was what when stands beside each. The limit is two hours of work."""
    made = {}
    for name, moment in (
        ("in time", at(9, 2)),  # closed in September, in time
        ("late", at(9, 3)),  # closed in September, late
        ("carried", at(9, 20)),  # due in September, closed in October
        ("open", at(9, 25)),  # due in September, never closed
        ("cancelled", at(9, 26)),
        ("last night", at(9, 30, 17)),  # not due before October
        ("new", at(10, 10)),  # closed in October, in time
    ):
        made[name] = city.case(at=moment, occurred_on=moment.date())
    settled(city, made["in time"], at(9, 2, 11), at(9, 2, 16))
    settled(city, made["late"], at(9, 9), at(9, 10))
    settled(city, made["carried"], at(10, 4), at(10, 5))
    act(city, made["cancelled"], "cancel", "Chen", at(9, 27), note="误报")
    settled(city, made["last night"], at(9, 30, 18), at(10, 1, 9))
    settled(city, made["new"], at(10, 10, 11), at(10, 10, 12))
    return made


def counts(city, period, who="Qian", area="320311", now=None):
    now = now or at(11, 20)
    return case_table(actor=city.actor(who), area=area, period=period, as_of=now).total.sheet.counts


def test_a_month_counts_what_was_found_due_and_closed(city):
    year(city)
    found = counts(city, SEPTEMBER)
    assert {key: found[key] for key in ("reported", "registered", "open_start", "open_end")} == {
        "reported": 6, "registered": 5, "open_start": 0, "open_end": 3,
    }  # fmt: skip
    # closed: two; due and still open at the end: "carried" and "open"; "last night" was not due yet
    assert (found["should_close"], found["closed"], found["closed_in_time"]) == (4, 2, 1)


def test_what_is_carried_over_is_due_again_and_the_whole_counts_it_once(city):
    year(city)
    october, both = counts(city, OCTOBER), counts(city, BOTH)
    # carried over: "carried", "open", "last night"; closed: carried, last night, new; due: those and "open"
    assert (october["open_start"], october["registered"], october["open_end"]) == (3, 1, 1)
    assert (october["should_close"], october["closed"], october["closed_in_time"]) == (4, 3, 2)
    # The rule for files, due(whole) = done(1) + due(2), says of these two months what the records say: 2 + 4.
    assert both["should_close"] == 6
    assert (both["closed"], both["closed_in_time"], both["registered"]) == (5, 3, 6)


@pytest.mark.parametrize("period", [SEPTEMBER, OCTOBER, BOTH], ids=lambda period: period.label)
@pytest.mark.parametrize("who", ["Qian", "Zhao"])
def test_every_month_balances_and_every_count_is_as_long_as_its_list(city, period, who):
    year(city)
    now = at(11, 20)
    actor = city.actor(who)
    made = case_table(actor=actor, area="320311" if who == "Qian" else "", period=period, as_of=now)
    assert made.total.sheet.balance.holds is True
    for key in COUNTED:
        listed = (
            Case.objects.visible_to(actor).filter(condition(key, period, now, whole=who == "Qian")).distinct()
        )
        assert listed.count() == made.total.counts[key].value, key


def test_steps_are_counted_by_cases_and_a_return_is_a_wrong_dispatch(city):
    case = city.case(at=at(10, 5), occurred_on=at(10, 5).date())
    act(city, case, "decline", "Zhao", at(10, 5, 11), note="不属于我")
    for hour in (12, 13):  # charged twice: one case that was dispatched
        act(city, case, "dispatch", "Chen", at(10, 5, hour), unit_uid=city.units["market"].uid)
    act(city, case, "hand_in", "Zhao", at(10, 5, 14))
    act(city, case, "fail", "Lin", at(10, 5, 15), note="没扫净")
    act(city, case, "hand_in", "Zhao", at(10, 5, 16))
    act(city, case, "pass", "Lin", at(10, 5, 17))
    made = case_table(actor=city.actor("Qian"), area="320311", period=OCTOBER, as_of=at(11, 1))
    found = made.total.sheet.counts
    assert {key: found[key] for key in ("dispatched", "wrongly_dispatched", "handled", "reworked", "checked")} == {
        "dispatched": 1, "wrongly_dispatched": 1, "handled": 1, "reworked": 1, "checked": 1,
    }  # fmt: skip
    assert found["passed_at_once"] == 0
    assert made.total.rates["rework_rate"].text() == "100.00"


def test_a_split_case_is_found_once_and_worked_on_twice(city):
    moment = at(10, 5)
    whole = city.finding(at=moment, occurred_on=moment.date(), unit=None).case
    pieces = [Piece(city.units[name].uid, "清理") for name in ("market", "shop")]
    split_case(case_uid=whole.uid, pieces=pieces, by=city.actor("Chen"), at=moment)
    found = counts(city, OCTOBER)
    assert (found["registered"], found["open_end"], found["dispatched"]) == (1, 1, 2)
    assert counts(city, OCTOBER, who="Zhao", area="")["registered"] == 1  # its part is all the unit has


def test_repeats_are_counted(city):
    for day in (3, 8):
        city.case(at=at(10, day), occurred_on=at(10, day).date())
    link(at(10, 9))
    assert counts(city, OCTOBER)["repeated"] == 1


def test_a_running_month_does_not_call_late_what_is_not_due_yet(city):
    city.case(at=at(10, 12), occurred_on=at(10, 12).date())
    assert counts(city, OCTOBER, now=at(10, 12, 12))["should_close"] == 0
    assert counts(city, OCTOBER, now=at(10, 20))["should_close"] == 1


def test_the_children_stand_beside_each_other_and_add_up(city):
    year(city)
    city.finding(at=at(10, 5), by="Lin", area=city.west_one, occurred_on=at(10, 5).date(), unit=None)
    made = case_table(actor=city.actor("Qian"), area="320311", period=OCTOBER, as_of=at(11, 20))
    assert [line.name for line in made.lines] == ["东街道", "西街道"]
    for key in COUNTED:
        assert sum(line.counts[key].value for line in made.lines) == made.total.counts[key].value


def test_the_names_are_those_of_the_pack():
    assert titles() == {key: book().count(key).name for key in COUNTED}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "closed",
        "closed.2026-10-01",
        "born.2026-10-01.2026-10-31",
        "closed.2026-10-31.2026-10-01",
        "closed.x.y",
    ],
)
def test_a_count_that_makes_no_sense_is_told_and_left_out(city, text):
    assert label_of(text) is None
    with pytest.raises(ValueError):  # noqa: PT011 - which of several is of no interest
        read_query(text)
    assert city.client("Qian").get("/cases/", {"stat": text}).status_code == 200


def test_the_page_links_every_number_to_a_list_of_that_length(city):
    year(city)
    qian = city.client("Qian")
    page = qian.get("/figures/cases?area=320311&period=2026-10").content.decode()
    assert "案件统计" in page
    assert "3 / 4" in page  # closed / should close
    listed = qian.get("/cases/?stat=should_close.2026-10-01.2026-10-31&area=320311").content.decode()
    assert listed.count("<tr data-row") == 4
    assert "应结案数 2026年10月" in listed
    assert "期初未结 3 + 立案 1 − 结案 3 = 期末未结 1" in page


def test_the_page_of_a_unit_an_empty_month_and_a_strange_area(city):
    assert city.client("Zhao").get("/figures/cases").status_code == 200
    empty = city.client("Qian").get("/figures/cases?area=320311&period=2025-01").content.decode()
    assert "未评定" in empty
    assert city.client("Chen").get("/figures/cases?area=320311002").status_code == 404
    assert city.client("Qian").get("/figures/cases?period=zzz").status_code == 422


def test_the_file_has_every_count_and_its_definition(city):
    year(city)
    answer = city.client("Qian").get("/figures/cases?area=320311&period=2026-10&export=csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert "应结案数" in text
    assert "75.00" in text  # 3 of 4
    assert "结案数 / 应结案数" in text
    sheet = city.client("Qian").get("/figures/cases?area=320311&period=2026-10&export=xlsx")
    assert "spreadsheet" in sheet["Content-Type"]


def test_the_page_costs_the_same_for_few_and_for_many(city, django_assert_max_num_queries):
    qian = city.client("Qian")
    qian.get("/figures/cases?area=320311&period=2026-10")
    year(city)
    with django_assert_max_num_queries(15):
        qian.get("/figures/cases?area=320311&period=2026-10")


def test_the_walk_of_a_year_takes_an_index_of_its_own(city):
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    actor = city.actor("Qian")
    rows = Case.objects.visible_to(actor)
    for narrowed, index in (
        (
            rows.filter(closed_on__gte=OCTOBER.start, opened_on__lte=OCTOBER.end, state="closed"),
            "cases_district_closed",
        ),
        (rows.filter(occurred_on__gte=OCTOBER.start, repeats__gt=0), "cases_district_repeat"),
    ):
        plan = narrowed.explain()
        assert "SCAN cases_case" not in plan, (index, plan)


def test_a_day_has_its_bounds():
    from weicheng.cases.stats import bounds

    assert bounds(OCTOBER) == (at(10, 1, 0), at(10, 31, 0) + timedelta(days=1))
