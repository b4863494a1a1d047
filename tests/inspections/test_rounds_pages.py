"""The pages of rounds: from the plan to the published result, and what each costs the database."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.inspections.test_rounds import LIST, begun, drawn, place_of, planned
from weicheng.inspections.models import Draw, Round, Visit


def plan_of(**changes: Any) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "uid": str(uuid4()), "kind": "quarterly", "title": "四季度检查", "theme": "", "starts_on": str(today),
        "ends_on": str(today + timedelta(days=3)), "checklists": [LIST], "source": "units", "departments": "",
        "leader": "", "group": "",
    } | changes  # fmt: skip


def test_plan_draw_visit_publish(city):
    qian, lin = city.client("Qian"), city.client("Lin")
    answer = qian.post("/visits/rounds/new", plan_of())
    assert answer.status_code == 303
    round = Round.objects.get()
    assert answer["Location"] == f"/visits/rounds/{round.uid}/draw"
    page = qian.get(answer["Location"]).content.decode()
    assert "可抽范围 3 处" in page
    assert "农贸市场 · 东街道" in page
    sent = {
        "version": "1", "apart": "quarter", "total": "1", "recommended": "解放桥农贸市场\n",
        "inspectors": [city.actor("Lin").key],
    }  # fmt: skip
    drawn_page = qian.post(answer["Location"], sent)
    assert drawn_page.status_code == 303
    page = qian.get(drawn_page["Location"]).content.decode()
    assert "解放桥农贸市场" in page
    assert "推荐" in page
    assert Draw.objects.get().seed_digest in page
    assert "四季度检查" in lin.get("/visits/mine").content.decode()
    place = place_of(round, city.units["market"])
    begin = f"/visits/places/{place.uid}"
    assert "开始检查" in lin.get(begin).content.decode()
    assert "开始检查" not in qian.get(begin).content.decode()  # it is Lin who was drawn
    answer = lin.post(begin, {"uid": str(uuid4()), "checklist": LIST})
    assert answer.status_code == 303
    visit = Visit.objects.get()
    assert answer["Location"] == visit.url
    assert "检查中" in lin.get(round.url).content.decode()
    refused = qian.post(f"{round.url}/publish", {"conclusion": "", "opinion": ""})
    assert refused.status_code == 422
    assert "还有检查没有结束" in refused.content.decode()
    Visit.objects.update(ended_at=timezone.now())
    assert qian.post(f"{round.url}/publish", {"conclusion": "", "opinion": "总体较好"}).status_code == 303
    assert "总体较好" in qian.get(round.url).content.decode()
    assert "总体较好" in city.client("Chen").get(round.url).content.decode()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": ""}, "还没有填写“任务名称”"),
        ({"ends_on": "2020-01-01"}, "早于开始日期"),
        ({"kind": "unannounced", "checklists": []}, "须按检查表作答"),
        ({"kind": "joint"}, "至少一个部门"),
        ({"kind": "leader"}, "还没有带队领导"),
        ({"checklists": ["nonsense"]}, "nonsense"),
    ],
)
def test_a_plan_that_cannot_be_keeps_what_was_typed(city, changes, words):
    answer = city.client("Qian").post("/visits/rounds/new", plan_of(theme="冬季行动", **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "冬季行动" in answer.content.decode()
    assert not Round.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"total": "9"}, "可抽范围只有 3 处"),
        ({"total": ""}, "没有要抽取的数量"),
        ({"recommended": "月球基地"}, "月球基地"),
        ({"quota-0": "5"}, "5/1"),
        ({"quota-0": "-1"}, "逐组填写的数量有误"),
        ({"quota-0": "many"}, "逐组填写的数量有误"),
        ({"by": "colour"}, "不认识分组方式“colour”"),
        ({"inspectors": ["user:999999"]}, "user:999999"),
    ],
)
def test_a_draw_that_cannot_be_says_why_on_the_form(city, changes, words):
    round = planned(city)
    sent = {"version": "1", "apart": "quarter", "total": "1", "recommended": "", "inspectors": []} | changes
    answer = city.client("Qian").post(f"{round.url}/draw", sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Draw.objects.exists()


def test_quotas_of_single_strata_are_taken_as_they_are(city):
    round = planned(city)
    sent = {"version": "1", "apart": "", "total": "", "recommended": "", "quota-0": "1", "quota-1": "1"}
    assert city.client("Qian").post(f"{round.url}/draw", sent).status_code == 303
    assert round.places.count() == 2


def test_drawing_again_asks_for_the_reason(city):
    round, qian = drawn(city, 1), city.client("Qian")
    sent = {"version": "2", "apart": "", "total": "2", "recommended": ""}
    assert qian.post(f"{round.url}/draw", sent).status_code == 422
    assert qian.post(f"{round.url}/draw", sent | {"reason": "拆迁"}).status_code == 303
    page = qian.get(round.url).content.decode()
    assert "拆迁" in page
    assert "第 1 次" in page
    late = qian.post(f"{round.url}/draw", sent | {"reason": "再来"})  # drawn from the version before
    assert late.status_code == 422
    assert "他人办理过" in late.content.decode()


def test_a_round_is_changed_and_an_inspector_replaced_on_the_pages(city):
    qian, round = city.client("Qian"), planned(city)
    edit = f"{round.url}/edit"
    assert "四季度检查" in qian.get(edit).content.decode()
    assert qian.post(edit, plan_of(uid=str(round.uid), version="1", title="改过")).status_code == 303
    other = drawn(city, title="二")
    place = place_of(other, city.units["market"])
    assign = f"/visits/places/{place.uid}/assign"
    page = qian.get(assign).content.decode()
    assert ">Wu<" in page
    assert ">Chen<" not in page  # the market lies in Chen's street
    assert qian.post(assign, {"inspector": city.actor("Wu").key}).status_code == 303
    assert place_of(other, city.units["market"]).inspector_name == "Wu"


def test_empty_pages_say_what_will_be_here(city):
    qian = city.client("Qian")
    assert "建立任务后" in qian.get("/visits/rounds/").content.decode()
    assert "没有派给您" in qian.get("/visits/mine?all=1").content.decode()
    assert "没有黄牌" in qian.get("/visits/cards/").content.decode()
    assert "这个月没有检查任务" in qian.get("/visits/calendar?month=2020-02").content.decode()
    assert "无法识别" in qian.get("/visits/calendar?month=nonsense").content.decode()
    empty = planned(city, source="grids")
    assert "范围里没有可抽的地点" in qian.get(f"{empty.url}/draw").content.decode()


def test_the_calendar_shows_rounds_on_each_of_their_days(city):
    first = timezone.localdate().replace(day=10)
    planned(city, starts_on=first, ends_on=first + timedelta(days=2), title="三天的任务")
    page = city.client("Qian").get(f"/visits/calendar?month={first:%Y-%m}").content.decode()
    assert page.count(">三天的任务<") == 3
    december = city.client("Qian").get("/visits/calendar?month=2026-12").content.decode()
    assert "?month=2027-01" in december


def test_what_the_pages_cost_does_not_grow_with_the_rows(city, django_assert_max_num_queries):
    begun(city, drawn(city, 3))
    for n in range(5):
        planned(city, title=f"任务 {n}")
    qian, round = city.client("Qian"), Round.objects.order_by("pk")[0]
    for path, most in (
        ("/visits/rounds/", 10), ("/visits/calendar", 9), ("/visits/mine?all=1", 10), (round.url, 16),
        (f"{round.url}/draw", 16), ("/visits/cards/", 10),
    ):  # fmt: skip
        qian.get(path)
        with django_assert_max_num_queries(most):
            assert qian.get(path).status_code == 200
