"""Figures: every number is the number of rows its link lists, for every reader, measure and period."""

import io
import json
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case
from weicheng.indicators import cli
from weicheng.indicators.figures import MEASURES, figures, figures_below, months_of, standing, url_of
from weicheng.indicators.periods import read
from weicheng.indicators.tables import change, table
from weicheng.places.area_verbs import merge_area
from weicheng.rules.cases import Move, State
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Figure, Period, Ratio, Scope

OCTOBER = Period.month("2026-10")


@pytest.fixture
def autumn(city):
    """Cases of every fate: open, late, closed in time and late, cancelled; in both streets and two months."""
    made = []
    for day, area, unit in (
        (1, city.east_one, "market"),
        (2, city.east_one, "market"),
        (3, city.east_two, "shop"),
        (20, city.east_two, "shop"),
        (30, city.west_one, "school"),
        (31, city.west_one, "school"),
        (40, city.west_one, "school"),
    ):
        at = city.now - timedelta(days=day)
        made.append(
            city.finding(area=area, unit=city.units[unit].uid, by="Lin", at=at, occurred_on=at.date()).case
        )
    close(made[0], closed_at=city.now - timedelta(hours=2), on_time=True)
    close(made[1], closed_at=city.now - timedelta(hours=1), on_time=False)
    close(made[5], closed_at=city.now - timedelta(days=25), on_time=True)
    take_step(Step(made[2].uid, Move.CANCEL, city.actor("Chen"), note="重复上报"), at=city.now)
    city.finding(at=city.now)
    city.now_later = city.now + timedelta(days=1)
    return city


def close(case, *, closed_at, on_time):
    """Close a case without its whole loop: figures read the head row only."""
    Case.objects.filter(pk=case.pk).update(
        state=State.CLOSED.value,
        open=False,
        closed_at=closed_at,
        closed_on=closed_at.date(),
        on_time=on_time,
        next_at=None,
    )


@pytest.fixture(autouse=True)
def _clock(city, monkeypatch):
    """The pages of these tests are opened a day after the cast's Monday morning."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: city.now + timedelta(days=1))


def listed(client, url):
    """Return how many rows the case list tells for this address."""
    words = client.get(f"{url}&count=1").content.decode()
    return int("".join(letter for letter in words if letter.isdigit()))


@pytest.mark.parametrize("reader", ["Qian", "Chen", "Sun", "Li", "Zhao"])
@pytest.mark.parametrize(
    "period", [OCTOBER, Period.month("2026-09"), Period.year(2026)], ids=lambda p: p.label
)
def test_a_figure_counts_exactly_the_rows_that_its_link_lists(autumn, reader, period):
    actor, client = autumn.actor(reader), autumn.client(reader)
    made = figures(actor=actor, area=actor.area, period=period, as_of=autumn.now_later)
    for measure in MEASURES:
        assert listed(client, url_of(made[measure])) == made[measure].value, measure
    assert listed(client, url_of(made["on_time_rate"])) == made["on_time_rate"].value.denominator


@pytest.mark.parametrize("reader", ["Qian", "Chen", "Zhao"])
def test_what_stands_now_counts_exactly_the_rows_that_its_link_lists(autumn, reader):
    actor, client = autumn.actor(reader), autumn.client(reader)
    for figure in standing(actor=actor, area=actor.area, as_of=autumn.now_later).values():
        assert listed(client, url_of(figure)) == figure.value
    whole = standing(actor=autumn.actor("Qian"), area="320311", as_of=autumn.now_later)
    # 20, 30 and 40 days back, and yesterday's, because garbage is due within hours.
    assert (whole["open_now"].value, whole["overdue_now"].value) == (4, 4)


def test_the_numbers_of_october_are_the_ones_counted_by_hand(autumn):
    made = figures(actor=autumn.actor("Qian"), area="320311", period=OCTOBER, as_of=autumn.now_later)
    # Opened in October: days 1, 2, 3 back (one of them cancelled) and today's; days 20 to 40 back are September.
    assert made["opened"].value == 3
    assert made["closed"].value == 2
    assert made["closed_on_time"].value == 1
    assert made["on_time_rate"].text() == "50.0"
    assert made["open"].value == 1


def test_nothing_closed_gives_not_assessed_and_never_zero_per_cent(autumn):
    made = figures(
        actor=autumn.actor("Qian"), area="320311", period=Period.month("2026-01"), as_of=autumn.now
    )
    assert made["on_time_rate"].text() == "未评定"
    assert made["opened"].value == 0


def test_children_together_are_the_whole(autumn):
    made = table(actor=autumn.actor("Qian"), area="320311", period=Period.year(2026), as_of=autumn.now_later)
    assert [line.name for line in made.lines] == ["东街道", "西街道"]
    for key in MEASURES:
        assert sum(line.figures[key].value for line in made.lines) == made.total.figures[key].value
    assert not made.has_rest


def test_the_figures_of_a_child_are_the_same_counted_alone_or_beside_its_siblings(autumn):
    actor = autumn.actor("Qian")
    beside = figures_below(
        actor=actor, area="320311", areas=[autumn.east, autumn.west], period=OCTOBER, as_of=autumn.now_later
    )
    for code, found in beside.items():
        alone = figures(actor=actor, area=code, period=OCTOBER, as_of=autumn.now_later)
        assert found == alone


def test_after_a_merger_the_old_records_count_for_the_successor(autumn):
    merge_area(
        code=autumn.east_two,
        into=autumn.east_one,
        on=date(2026, 10, 12),
        by=autumn.actor("Xi"),
        at=autumn.now,
    )
    made = table(
        actor=autumn.actor("Chen"), area=autumn.east, period=Period.year(2026), as_of=autumn.now_later
    )
    assert [line.area for line in made.lines] == [autumn.east_one]
    assert made.lines[0].figures["opened"].value == made.total.figures["opened"].value == 4
    assert not made.has_rest


def test_a_case_recorded_at_the_street_itself_is_told_apart_from_its_communities(autumn):
    autumn.finding(area=autumn.east, at=autumn.now)
    made = table(actor=autumn.actor("Chen"), area=autumn.east, period=OCTOBER, as_of=autumn.now_later)
    assert made.rest["opened"] == 1
    assert made.has_rest


def test_altering_one_record_changes_the_figure(autumn):
    before = figures(actor=autumn.actor("Qian"), area="320311", period=OCTOBER, as_of=autumn.now_later)
    case = Case.objects.filter(state="closed", on_time=False).get()
    Case.objects.filter(pk=case.pk).update(on_time=True)
    after = figures(actor=autumn.actor("Qian"), area="320311", period=OCTOBER, as_of=autumn.now_later)
    assert (before["on_time_rate"].text(), after["on_time_rate"].text()) == ("50.0", "100.0")


def test_months_show_the_empty_ones_too_and_each_number_lists_its_records(autumn):
    client = autumn.client("Qian")
    period = Period.between(date(2026, 7, 1), date(2026, 10, 31))
    months = months_of(actor=autumn.actor("Qian"), area="320311", period=period)
    assert [month["month"] for month in months] == ["2026-07", "2026-08", "2026-09", "2026-10"]
    assert months[0]["opened"] == 0
    for month in months:
        assert listed(client, month["opened_url"]) == month["opened"]
        assert listed(client, month["closed_url"]) == month["closed"]


def test_months_are_two_statements_and_none_asks_python_for_each_row(autumn, django_assert_num_queries):
    period = Period.between(date(2025, 11, 1), date(2026, 10, 31))
    actor = autumn.actor("Qian")
    months_of(actor=actor, area="320311", period=period)
    with django_assert_num_queries(2) as captured:
        months_of(actor=actor, area="320311", period=period)
    assert not [one for one in captured.captured_queries if "trunc" in one["sql"].lower()]


def test_the_table_costs_the_same_statements_with_two_children_and_with_many(autumn):
    from weicheng.places.models import Area

    def statements():
        with CaptureQueriesContext(connection) as seen:
            table(actor=actor, area="320311", period=OCTOBER, as_of=autumn.now_later)
        return len(seen)

    actor = autumn.actor("Qian")
    statements()
    few = statements()
    for number in range(10, 40):
        Area.objects.create(code=f"3203110{number}", name=f"第{number}街道", parent_id="320311")
    from weicheng.journal.site import raise_generation

    raise_generation()
    statements()
    assert statements() == few <= 6


# --- the page --------------------------------------------------------------------------------------


def test_the_page_shows_children_comparisons_and_links(autumn):
    page = autumn.client("Qian").get("/figures/?area=320311&period=2026-10").content.decode()
    for words in ("泉山区 · 2026年10月", "东街道", "西街道", "上期", "去年同期", "口径"):
        assert words in page


def test_a_reader_sees_figures_of_the_own_area_and_below_before_others_are_absent(autumn):
    client = autumn.client("Chen")
    assert client.get(f"/figures/?area={autumn.east}").status_code == 200
    assert client.get(f"/figures/?area={autumn.east_two}").status_code == 200
    for foreign in (autumn.west, "320311", "320312", "999", "三", "320399"):
        assert client.get("/figures/", {"area": foreign}).status_code == 404, foreign


def test_a_liaison_counts_the_own_unit_and_nothing_else(autumn):
    client = autumn.client("Zhao")
    assert client.get("/figures/").status_code == 200
    assert client.get(f"/figures/?area={autumn.east}").status_code == 404


@pytest.mark.parametrize("name", ["Xi", "An", "Shen"])
def test_administrators_are_shown_no_figures(autumn, name):
    assert autumn.client(name).get("/figures/").status_code == 403


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=2026-13", "无法识别"),
        ("period=2026-Q5", "无法识别"),
        ("period=abc", "无法识别"),
        ("from=2026-10-09&to=2026-10-01", "早于开始日期"),
        ("from=2026-10-09", "两个日期都选上"),
        ("period=0000-01", "无法识别"),
    ],
)
def test_a_period_that_makes_no_sense_is_told_in_a_sentence(autumn, query, words):
    page = autumn.client("Qian").get(f"/figures/?{query}")
    assert page.status_code == 422
    assert words in page.content.decode()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 31)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
    ],
)
def test_periods_are_read_from_the_url(text, start, end):
    assert read(text, "", "", date(2026, 10, 12))[1].start == start
    assert read(text, "", "", date(2026, 10, 12))[1].end == end


def test_the_exported_sheet_says_the_same_numbers_and_what_they_mean(autumn):
    client = autumn.client("Qian")
    reply = client.get("/figures/?area=320311&period=2026-10&export=csv")
    text = b"".join(reply.streaming_content).decode("utf-8-sig")
    lines = text.splitlines()
    assert lines[0].split(",")[:4] == ["区划代码", "区划", "立案", "结案"]
    assert lines[1].startswith("320311,泉山区,3,2,1,50.0,")
    assert "期内立案的事项数" in text
    assert "未评定" in text  # the west street closed nothing in October
    assert client.get("/figures/?area=320311&export=xlsx").status_code == 200


def test_a_change_is_the_difference_of_the_printed_numbers():
    def rate(part, whole):
        return Figure(
            "r",
            "率",
            "",
            Scope("32", ""),
            OCTOBER,
            datetime.fromisoformat("2026-10-12T10:00+08:00"),
            Ratio(part, whole),
            "%",
            decimals=1,
        )

    assert change(rate(2, 3), rate(1, 3)) == "+33.4 个百分点"  # 66.7 - 33.3 as printed
    assert change(rate(1, 2), rate(1, 2)) == "持平"
    assert change(rate(1, 2), rate(0, 0)) == ""


# --- the command -----------------------------------------------------------------------------------


def test_the_command_prints_the_figures_of_an_area_as_json(autumn):
    out = io.StringIO()
    with redirect_stdout(out):
        assert cli.main(["--area", "320311", "--year", "2026", "--month", "10", "--json"]) == 0
    said = json.loads(out.getvalue())
    assert said["figures"]["opened"]["value"] == 3
    assert said["figures"]["on_time_rate"]["text"] == "50.0"
    assert [each["code"] for each in said["below"]] == [autumn.east, autumn.west]
    query = parse_qs(urlsplit(f"{reverse('cases')}?{said['figures']['opened']['records']}").query)
    assert query["area"] == ["320311"]


def test_the_command_prints_a_table_and_refuses_an_unknown_area(autumn):
    out = io.StringIO()
    with redirect_stdout(out):
        cli.main(["--area", "320311", "--year", "2026", "--table"])
    assert "东街道" in out.getvalue()
    with pytest.raises(RuleError) as refused:
        cli.main(["--area", "999999", "--year", "2026"])
    assert refused.value.code == "unknown-area"
