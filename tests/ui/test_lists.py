"""The list engine: every row once, in order, at constant cost; nothing in a URL breaks it."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.models import F
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from tests.ui.site import make_things
from tests.ui.things import STATES, Thing, ThingList
from weicheng.ui import paging
from weicheng.ui.lists import ListPage

pytestmark = pytest.mark.django_db
DISTRICT = "320311"


@pytest.fixture
def things(db):
    make_things(150)


def in_district():
    return Thing.objects.filter(district=DISTRICT)


def listed(request, rows=None) -> ListPage:
    return ThingList(request, in_district() if rows is None else rows)


def walk(ask, query: str, way: str, rows=None) -> Iterator[list[int]]:
    """Yield the ids of each page from `query` on, following the link `way`."""
    for _page in range(200):
        page = listed(ask(query), rows)
        yield [row.object.pk for row in page.rows]
        address = page.next_url if way == "next" else page.previous_url
        if not address:
            return
        query = address.removeprefix("/things")
    raise AssertionError("The pages never end.")


def naive(states: list[str], order: str) -> list[int]:
    rows = in_district().filter(state__in=states or list(STATES))
    if not order:
        return list(rows.order_by("-pk").values_list("pk", flat=True))
    name, down = order.lstrip("-"), order.startswith("-")
    key = F(name).desc(nulls_last=True) if down else F(name).asc(nulls_last=True)
    return list(rows.order_by(key, "-pk" if down else "pk").values_list("pk", flat=True))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    states=st.lists(st.sampled_from(list(STATES)), unique=True, max_size=6),
    order=st.sampled_from(["", "due_at", "-due_at", "points", "-points"]),
    size=st.integers(3, 40),
)
def test_paging_forward_and_back_visits_every_row_once_in_the_naive_order(asked, things, states, order, size):
    query = "?all=1" + "".join(f"&state={one}" for one in states) + (f"&order={order}" if order else "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ThingList, "page_size", size)
        forward = list(walk(asked, query, "next"))
        wanted = naive(states, order)
        assert [pk for page in forward for pk in page] == wanted
        if len(forward) > 1:
            last = listed(asked(query))
            for _step in forward[1:]:
                last = listed(asked(last.next_url.removeprefix("/things")))
            back = list(walk(asked, last.previous_url.removeprefix("/things"), "back"))
            assert back == forward[-2::-1]


def test_a_row_reached_by_place_and_by_responsibility_is_shown_and_counted_once(asked, things):
    scopes = [in_district(), Thing.objects.filter(unit="鼎盛物业"), in_district().filter(street="320311001")]
    seen = [pk for page in walk(asked, "?all=1", "next", scopes) for pk in page]
    either = in_district() | Thing.objects.filter(unit="鼎盛物业")
    wanted = list(either.order_by("-pk").values_list("pk", flat=True))
    assert seen == wanted
    assert listed(asked("?all=1"), scopes).total_text() == f"共 {len(wanted)} 条"


@pytest.mark.parametrize(
    "query", ["", "?all=1", "?state=closed", "?state=closed&state=filed&order=due_at", "?q=路&overdue=1"]
)
def test_the_number_of_statements_does_not_grow_with_the_rows(asked, things, chen, query):
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            listed(asked(query, actor=chen)).response()
        return len(seen)

    few = statements()
    make_things(600, seed=8)
    assert statements() == few <= 5


def test_a_page_of_open_states_walks_the_index_of_scope_state_and_id(asked, db):
    # A small district in a large table: where it is common, walking the key itself is rightly preferred.
    make_things(4000)
    keep = Thing.objects.filter(pk__lt=Thing.objects.order_by("pk")[400].pk).values("pk")
    Thing.objects.filter(district=DISTRICT).exclude(pk__in=keep).update(district="320302")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as seen:
        assert listed(asked("")).rows
    merged = next(one["sql"] for one in seen if "UNION" in one["sql"])
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"EXPLAIN {merged}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {merged}")
        plan = "\n".join(str(line) for line in cursor.fetchall())
    assert plan.count("ui_toy_district_state") == 5, plan
    assert "SCAN ui_toy" not in plan, plan


def test_a_url_that_says_nothing_shows_the_default_and_one_that_says_all_shows_all(asked, things):
    assert {row.object.state for row in listed(asked("")).rows}.isdisjoint({"closed"})
    everything = [pk for page in walk(asked, "?all=1", "next") for pk in page]
    assert len(everything) == in_district().count()
    assert listed(asked("?all=1")).clear_url == "/things?all=1"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?after=abc", "翻页位置“after=abc”无法识别，已从第一页开始。"),
        ("?before=-1", "翻页位置“before=-1”无法识别，已从第一页开始。"),
        ("?after=99999999999999999999", "翻页位置“after=99999999999999999999”无法识别，已从第一页开始。"),
        ("?order=due_at&after=12", "翻页位置“after=12”无法识别，已从第一页开始。"),
        ("?order=due_at&after==yesterday~12", "翻页位置“after==yesterday~12”无法识别，已从第一页开始。"),
        (
            "?order=points&after==9999999999999999999999~12",
            "翻页位置“after==9999999999999999999999~12”无法识别",
        ),
        ("?order=secret", "不能按“secret”排序，已改为最新在前。请点击表头排序。"),
        ("?state=burnt", "“burnt”不是“状态”的选项，已忽略。请从列表中选择。"),
        ("?state=%00", "“状态”的筛选值无法识别，已忽略。请重新选择。"),
        ("?q=" + "长" * 300, "“搜索”的筛选值无法识别，已忽略。请重新选择。"),
        ("?occurred_on_from=2026-02-30", "“2026-02-30”不是有效日期，已忽略。请写成 2026-05-08 的样子。"),
        (
            "?opened_from=2026-05-02&opened_to=2026-05-01",
            "“立案”的结束日期 2026-05-01 早于开始日期 2026-05-02",
        ),
        ("?overdue=yes", "“yes”不是“只看超期”的选项，已忽略。请从列表中选择。"),
        ("?community=1", "没有找到“社区”为“1”的内容，已忽略。请从链接重新进入。"),
        ("?cols=number,salary", "没有“salary”这一列，已忽略。请在“列”中选择。"),
        ("?export=pdf", "不能导出为“pdf”。请使用列表上方的导出按钮。"),
    ],
)
def test_a_value_that_makes_no_sense_gives_one_sentence_and_is_left_out(asked, things, query, sentence):
    page = listed(asked(query))
    response = page.response()
    assert response.status_code == 200
    assert sum(one.startswith(sentence) for one in page.problems) == 1, page.problems
    assert len(page.problems) == 1
    assert page.rows


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_last_days_of_the_calendar_are_days_like_others(asked, things, day):
    for name in ("occurred_on", "opened"):
        assert listed(asked(f"?{name}_from={day}")).response().status_code == 200
        assert listed(asked(f"?{name}_to={day}")).response().status_code == 200


def test_dates_include_both_days_as_counted_here(asked, db):
    make_things(3)
    for thing, moment in zip(
        Thing.objects.order_by("pk"),
        ["2026-05-07T15:59:59+00:00", "2026-05-07T16:00:00+00:00", "2026-05-08T16:00:00+00:00"],
        strict=True,
    ):
        Thing.objects.filter(pk=thing.pk).update(
            opened_at=timezone.datetime.fromisoformat(moment), district=DISTRICT
        )
    page = listed(asked("?opened_from=2026-05-08&opened_to=2026-05-08"))
    assert [timezone.localtime(row.object.opened_at).isoformat() for row in page.rows] == [
        "2026-05-08T00:00:00+08:00"
    ]


def test_each_chip_takes_away_its_own_condition_only(asked, things):
    page = listed(asked("?state=filed&state=closed&q=路&cols=number,name"))
    assert page.chips == [
        ("含“路”", "/things?state=filed&state=closed&cols=number,name"),
        ("状态：待派遣", "/things?q=%E8%B7%AF&state=closed&cols=number,name"),
        ("状态：已结案", "/things?q=%E8%B7%AF&state=filed&cols=number,name"),
    ]


def test_htmx_gets_the_list_alone_and_going_back_gets_the_page(asked, things):
    def body(**headers):
        response = listed(asked("?state=filed&q=", **headers)).response()
        assert "HX-Request" in response["Vary"]
        assert "no-cache" in response["Cache-Control"]
        return response.content.decode(), response

    whole, _response = body()
    assert "<!doctype html>" in whole
    part, response = body(**{"HX-Request": "true"})
    assert part.lstrip().startswith('<section id="list"')
    assert response["HX-Push-Url"] == "/things?state=filed"
    assert part.strip() in whole.replace("\r", "") or len(part) < len(whole)
    again, _response = body(**{"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<!doctype html>" in again


def test_the_page_never_counts_and_the_total_stops_at_ten_thousand(asked, things, monkeypatch):
    with CaptureQueriesContext(connection) as seen:
        response = listed(asked("?all=1")).response()
    assert not [one for one in seen if "COUNT(" in one["sql"].upper()]
    assert "/things?all=1&amp;count=1" in response.content.decode()
    assert listed(asked("?all=1&count=1")).response().content.decode() == f"共 {in_district().count()} 条"
    monkeypatch.setattr("weicheng.ui.lists.COUNT_LIMIT", 50)
    assert listed(asked("?all=1&count=1")).response().content.decode() == "共 50+ 条"


def test_a_cell_cannot_carry_markup(asked, db):
    make_things(1)
    Thing.objects.update(name="<script>alert(1)</script>", district=DISTRICT, state="filed")
    page = listed(asked("")).response().content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


# --- export --------------------------------------------------------------------------------------
def csv_rows(response) -> list[list[str]]:
    content = b"".join(response.streaming_content)
    assert content.startswith("\ufeff".encode())
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def xlsx_rows(response) -> list[list]:
    return (
        CalamineWorkbook.from_filelike(io.BytesIO(b"".join(response.streaming_content)))
        .get_sheet_by_index(0)
        .to_python()
    )


def on_screen(cell: str) -> str:
    text = re.sub(r"<[^>]+>", "", cell)
    return "" if text == "—" else text


def test_a_file_says_what_the_screen_says(asked, things, monkeypatch):
    monkeypatch.setattr(ThingList, "page_size", 1000)
    page = listed(asked("?state=filed&state=closed"))
    names = {column.key for column in page.shown}
    screen = [[on_screen(cell) for cell in re.findall(r"<td.*?</td>", row.cells)] for row in page.rows]
    head, *lines = csv_rows(listed(asked("?state=filed&state=closed&export=csv")).response())
    keep = [at for at, column in enumerate(ThingList.columns) if column.key in names]
    assert head == [column.label for column in ThingList.columns]
    assert [[line[at] for at in keep] for line in lines] == screen
    sheet = xlsx_rows(listed(asked("?state=filed&state=closed&export=xlsx")).response())
    assert sheet[0] == head
    for line, cells in zip(sheet[1:], lines, strict=True):
        for value, text in zip(line, cells, strict=True):
            if hasattr(value, "hour"):
                value = value.strftime("%Y-%m-%d %H:%M")
            assert (f"{value:g}" if isinstance(value, float) else str(value)) == text


def test_chosen_columns_are_the_columns_of_the_file(asked, things):
    assert csv_rows(listed(asked("?cols=name,points&export=csv")).response())[0] == ["问题", "扣分"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_a_file_is_run_as_a_formula(asked, db, start):
    evil = f"{start}HYPERLINK(1)"
    make_things(1)
    Thing.objects.update(name=evil, points=-5, district=DISTRICT, state="filed")
    line = csv_rows(listed(asked("?cols=name,points&export=csv")).response())[1]
    assert line == [f"'{evil}", "-5"]
    sheet = xlsx_rows(listed(asked("?cols=name,points&export=xlsx")).response())
    assert sheet[1][1] == -5
    assert "HYPERLINK(1)" in sheet[1][0]


def test_a_long_export_is_cut_in_words(asked, things, settings):
    settings.EXPORT_LIMIT_ROWS = 7
    lines = csv_rows(listed(asked("?all=1&export=csv")).response())
    assert len(lines) == 1 + 7 + 1
    assert lines[-1] == ["只导出了前 7 行。请缩小筛选范围后分次导出。"]
    sheet = xlsx_rows(listed(asked("?all=1&export=xlsx")).response())
    assert sheet[-1][0] == "只导出了前 7 行。请缩小筛选范围后分次导出。"


def test_an_export_holds_a_bounded_number_of_rows_at_a_time(asked, things):
    chunks = list(paging.every_row([in_district()], paging.Ordering(), rows=lambda rows: rows, chunk=20))
    assert max(len(chunk) for chunk in chunks) == 20
    assert [row.pk for chunk in chunks for row in chunk] == naive([], "")


def test_the_file_name_says_what_and_when(asked, things):
    named = listed(asked("?export=csv")).response()["Content-Disposition"]
    assert named.startswith("attachment; filename*=utf-8''%E4%BA%8B%E9%A1%B9_20")


# --- saved views ---------------------------------------------------------------------------------
def test_the_list_opens_with_the_readers_own_default_view(asked, things, chen, li):
    from weicheng.ui.actions import save_view

    save_view(by=chen, list_key="things", name="结案的", query="state=closed&after=5", is_default=True)
    assert {row.object.state for row in listed(asked("", actor=chen)).rows} == {"closed"}
    assert "closed" not in {row.object.state for row in listed(asked("", actor=li)).rows}
    assert "closed" not in {row.object.state for row in listed(asked("")).rows}
    assert listed(asked("?state=closed", actor=chen)).current_view.name == "结案的"


def test_batch_controls_are_drawn_only_when_a_list_has_them(asked, things):
    from tests.ui.things import PlainList

    with_batch = listed(asked("")).response().content.decode()
    without = PlainList(RequestFactory().get("/plain"), in_district()).response().content.decode()
    assert 'name="ids"' in with_batch
    assert 'formaction="/batch"' in with_batch
    assert 'name="ids"' not in without
