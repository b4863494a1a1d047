"""Clause trees: every row as the facts have it, what is from memory called so, and nothing pointing nowhere."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from tests.standards.conftest import AT, DAY, head
from weicheng.rules.errors import RuleError
from weicheng.standards import actions, editions, kinds
from weicheng.standards.compare import differences
from weicheng.standards.models import Edition

QUAN = "320311"
C, N, R = "confirmed", "name_confirmed", "recalled"

# (number, name begins, what is asked, confidence) of every indicator of the city standard of 2021.
CITY_2021 = [
    (1, "国家卫生县数量", "≥ 1 个", N),
    (2, "群众对卫生状况满意率", "≥ 90 %", N),
    (3, "居民健康素养水平", "≥ 23 %，或持续提升", N),
    (4, "建有全民健身场地设施", "= 100 %", N),
    (5, "经常参加体育锻炼", "> 38.5 %", N),
    (6, "人均体育场地面积", "持续提升", N),
    (7, "每千人口社会体育指导员数", "≥ 2.16 名/千人", N),
    (8, "15岁以上人群吸烟率", "< 26 %，或持续降低", N),
    (9, "无烟党政机关", "≥ 90 %", N),
    (10, "全面控烟法律法规规定", "= 有", C),
    (11, "道路装灯率", "= 100 %", N),
    (12, "主次干道每日保洁时间", "≥ 16 h", N),
    (13, "街巷路面每日保洁时间", "≥ 12 h", N),
    (14, "道路机械化清扫率", "≥ 80 %", N),
    (15, "城市管理信息化覆盖率", "≥ 90 %", N),
    (16, "建成区绿化覆盖率", "≥ 38 %", N),
    (17, "人均公园绿地面积", "≥ 9 m²", N),
    (18, "城市生活垃圾回收利用率", "≥ 35 %", N),
    (19, "城市生活垃圾无害化处理率", "= 100 %", N),
    (20, "窨井盖完好率", "≥ 98 %", N),
    (21, "主城区回收网点覆盖率", "= 100 %", N),
    (22, "城市生活污水集中收集率", "≥ 75 %，或持续提高", N),
    (23, "环境空气质量指数", "≥ 320 天，或持续改善", N),
    (24, "环境空气主要污染物", "GB 3095 二级（SO2 ≤ 60、NO2 ≤ 40、PM10 ≤ 70、PM2.5 ≤ 35 μg/m³）", N),
    (25, "区域环境噪声", "≤ 55 dB(A)", N),
    (26, "声功能区", "≥ 75 %", N),
    (27, "集中式饮用水水源地", "= 100 %", N),
    (28, "医疗废物无害化处置率", "= 100 %", N),
    (29, "学校校医", "> 70 %", N),
    (30, "中小学体育与健康课程", "= 100 %", N),
    (31, "中小学生每天校内体育活动", "≥ 1 h", N),
    (32, "学校眼保健操普及率", "= 100 %", N),
    (33, "中小学生近视率", "持续下降（近 3 年）", C),
    (34, "中小学生肥胖率", "持续下降（近 3 年）", C),
    (35, "企业职业病危害项目申报率", "> 90 %", C),
    (36, "食品生产经营风险分级管理率", "≥ 90 %", C),
    (37, "个人卫生支出", "≤ 25 %，或持续降低", C),
    (38, "甲、乙类法定传染病", "最近一年不高于近 5 年平均", C),
    (39, "婴儿死亡率", "≤ 5.6 ‰，或持续降低", C),
    (40, "5岁以下儿童死亡率", "≤ 7.8 ‰，或持续降低", C),
    (41, "孕产妇死亡率", "≤ 18 /10 万，或持续降低", C),
    (42, "人均预期寿命", "≥ 78.3 岁，或逐年提高", C),
    (43, "以街道", "≥ 90 %", C),
    (44, "居住满3个月", "≥ 95 %", C),
    (45, "3岁以下儿童系统管理率", "≥ 90 %", C),
    (46, "0-6岁儿童眼保健", "≥ 90 %", C),
    (47, "重大慢性病过早死亡率", "持续下降（近 3 年）", C),
    (48, "严重精神障碍患者", "≥ 85 %", C),
    (49, "每千常住人口医疗卫生机构床位数", "不低于当地规划值", C),
    (50, "每千常住人口执业", "不低于当地规划值", C),
    (51, "每千常住人口注册护士数", "不低于当地规划值", C),
    (52, "每千常住人口公共卫生人员数", "不低于当地规划值", C),
    (53, "每千常住人口药师", "不低于当地规划值", C),
    (54, "每万常住人口全科医生数", "不低于当地规划值", C),
    (55, "建成区鼠、蚊、蝇、蟑螂密度", "达到 C 级", C),
    (56, "重点行业和单位防蝇和防鼠", "≥ 95 %", C),
]
TOWN_2021 = [
    *("≥ 90 %", "= 100 %", "> 38.5 %", "= 100 %", "≥ 12 h", "≥ 8 h", "≥ 80 %", "= 100 %"),
    *("不低于全省农村卫生厕所普及率平均水平", "= 100 %", "> 70 %", "= 100 %", "≥ 1 h", "= 100 %"),
    *("持续下降（近 3 年）", "持续下降（近 3 年）", "> 90 %", "≥ 90 %", "≥ 95 %", "≥ 90 %", "≥ 90 %"),
    *("≥ 85 %", "达到 C 级", "≥ 95 %"),
]


def city(on: date = DAY) -> editions.Clauses:
    return editions.clauses(QUAN, on)


@pytest.mark.usefixtures("base")
class TestTheFacts:
    def test_every_indicator_of_2021(self):
        rows = city().body.indicators
        assert [row.number for row in rows] == list(range(1, 57))
        for row, (number, name, words, confidence) in zip(rows, CITY_2021, strict=True):
            assert (row.id, row.words, row.confidence) == (f"c21-n{number:02}", words, confidence)
            assert row.name.startswith(name)
            # Rows 33-56 were seen with their numbers, the others follow the order of the reporting form.
            assert row.number_confidence == (C if number >= 33 else "inferred")

    def test_the_history_each_indicator_asks_for(self):
        asked = {row.number: row.series for row in city().body.indicators if row.series}
        three = [3, 22, 23, 33, 34, 37, 39, 40, 41, 42, 47]
        assert asked == {**dict.fromkeys(three, 3), 38: 5}

    def test_what_a_verdict_may_rest_on(self):
        law = [row.number for row in city().body.indicators if row.is_law]
        # 36 and 37: the number was seen, its sign was not.
        assert law == [10, *range(33, 36), *range(38, 57)]
        assert {row.number for row in city().body.indicators if row.doubt} == {9, 25}

    def test_items_of_2021_per_chapter_and_only_six_have_a_number(self):
        body = city().body
        assert [len(body.items_of(chapter)) for chapter in body.chapters] == [5, 4, 9, 4, 3, 2, 4]
        assert [item.number for item in body.items if item.number] == list("一二三四五六")
        assert all((item.confidence == C) == bool(item.number) for item in body.items)
        assert body.by_id["c21-i01"].requirement.endswith("其他有规范性文件")
        assert "纳入政府绩效考核" in body.by_id["c21-i01"].requirement
        assert [row.number for row in body.loose] == [1, 42]
        assert [chapter.confidence for chapter in body.chapters] == [C, C, R, R, R, R, R]
        assert len(body.vetoes) == 10
        assert all(veto.confidence == R for veto in body.vetoes)
        assert len(body.steps) == 8

    def test_the_2014_edition(self):
        body = city(date(2021, 6, 1)).body
        assert [len(body.items_of(chapter)) for chapter in body.chapters] == [4, 4, 8, 4, 4, 5, 8, 3]
        assert [item.number for item in body.items] == [str(n) for n in range(1, 41)]
        assert [item.number_confidence for item in body.items] == [C] * 9 + [R] * 31
        assert len(body.vetoes) == 11
        assert body.by_id["c14-i33"].threshold == "严重精神障碍管理率 ≥ 75 %"
        assert body.by_id["c14-i37"].threshold == "婴儿 ≤ 12 ‰；5岁以下 ≤ 14 ‰；孕产妇 ≤ 22/10 万"
        assert body.by_id["c14-v03"].title == "生活垃圾无害化处理率 ≥ 90 %"
        assert [item.number for item in body.items if item.confidence == R] == ["13", "19"]

    def test_the_town_edition(self):
        rows = editions.clauses(QUAN, DAY, "hygienic-town").body.indicators
        assert [row.words for row in rows] == TOWN_2021
        assert [row.number for row in rows if row.doubt] == [4, 5, 6, 7]
        assert [row.number for row in rows if row.is_law] == [9]

    def test_the_day_decides_the_edition(self):
        assert city(date(2021, 12, 31)).label == "2014 版"
        assert city(date(2022, 1, 1)).label == "2021 版"
        with pytest.raises(RuleError, match="no-edition"):
            city(date(2014, 12, 31))
        newer = Edition.objects.get(pk=city().edition_id)
        assert newer.supersedes_id == city(date(2021, 1, 1)).edition_id

    def test_a_clause_is_found_by_its_id(self):
        assert city().clause("c21-n39").value == Decimal("5.6")
        with pytest.raises(RuleError, match="unknown-clause") as refused:
            city().clause("c21-n99")
        assert "c21-n99" in refused.value.sentence()
        homes = editions.clause_homes(QUAN)
        assert homes["c14-i40"].label == "2014 版"
        assert homes["c21-n55"].label == "2021 版"

    def test_editions_are_compared_by_theme(self):
        said = differences(city(date(2020, 1, 1)).body, city().body)
        (roads,) = [line for line in said if line.startswith("主题“清扫保洁”：数值")]
        assert "≥ 50 %" in roads
        assert "道路机械化清扫率 ≥ 80 %" in roads
        assert "新增：主题“健康影响评估”。" in said


CHAPTER = {"id": "x-c1", "number": "一", "title": "组织", "confidence": "local"}
ITEM = {"id": "x-i1", "chapter": "x-c1", "theme": "组织", "topic": "机构", "confidence": "local"}
ROW = {"id": "x-n1", "number": 1, "name": "满意率", "op": "ge", "value": "90", "confidence": "local"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"chapters": [CHAPTER, CHAPTER]}, "条款编号 x-c1 出现了多次"),
        ({"chapters": [CHAPTER], "items": [{**ITEM, "chapter": "x-c2"}]}, "所在的章 x-c2 不存在"),
        ({"chapters": [CHAPTER], "items": [{**ITEM, "indicators": ["x-n1"]}]}, "指标 x-n1 不存在"),
        ({"chapters": [{**CHAPTER, "source": "Z"}]}, "来源 Z 不在来源表"),
        ({"chapters": [CHAPTER], "indicators": [{**ROW, "state": "有"}]}, "数值（value）或文字（state）之一"),
        ({"chapters": [CHAPTER], "indicators": [{**ROW, "op": "trend"}]}, "请写方向"),
        ({"chapters": [CHAPTER], "indicators": [{**ROW, "op": "about"}]}, "不是允许的取值"),
        ({"chapters": []}, "chapters"),
        ({"chapters": [{**CHAPTER, "id": "一"}]}, "chapters → 1 → id"),
    ],
)
def test_a_wrong_tree_is_refused_naming_the_place(body, says):
    with pytest.raises(RuleError, match="edition-body") as refused:
        kinds.read_body("clauses", {"sources": {"A": "某页"}, **body})
    assert says in refused.value.sentence()


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def chen(client, cast, pages, base):
    client.force_login(cast.east.user)
    return client


def the(label: str, key: str = "hygienic-city") -> Edition:
    return Edition.objects.get(kind="clauses", key=key, edition=label)


def page(client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


def test_the_tree_is_read_by_chapter_and_says_what_is_not_certain(chen):
    url = reverse("standards:edition", args=[the("2021 版").uid])
    text = page(chen, url)
    for words in (
        "爱国卫生组织管理",
        "未核实编号",
        "持续下降（近 3 年）",
        "必备条件（一票否决）",
        "评审程序",
    ):
        assert words in text
    # 56 less the 23 whose number and sign were both seen
    assert "56 个指标中有 33 个的数值未经核实" in text
    assert "代替" in text
    assert "被代替" in page(chen, reverse("standards:edition", args=[the("2014 版").uid]))


def test_the_tree_is_narrowed_by_words_and_by_confidence(chen):
    url = reverse("standards:edition", args=[the("2021 版").uid])
    found = page(chen, f"{url}?q=婴儿")
    assert "婴儿死亡率" in found
    assert "窨井盖完好率" not in found
    assert "没有符合的条款" in page(chen, f"{url}?q=龙")
    sure = page(chen, f"{url}?confidence=confirmed")
    assert "婴儿死亡率" in sure
    assert "窨井盖完好率" not in sure
    assert page(chen, f"{url}?confidence=odd").count("窨井盖完好率") == 1


def test_a_clause_has_an_address_of_its_own(chen):
    url = reverse("standards:clause", args=[the("2021 版").uid, "c21-n55"])
    text = page(chen, url)
    for words in ("达到 C 级", "zyqjg.com", "病媒生物防制台账督导表", "监测和密度", "第 33—56 行"):
        assert words in text
    assert "不能单独作为判定不合格的依据" not in text
    assert "不能单独作为判定不合格的依据" in page(chen, url.replace("n55", "n20"))
    for clause in ("c21-c1", "c21-i07", "c21-i11", "c21-v01"):
        page(chen, url.replace("c21-n55", clause))
    page(chen, url.replace("c21-n55", "c21-n99"), 404)
    checklist = Edition.objects.filter(kind="checklist").first()
    page(chen, reverse("standards:clause", args=[checklist.uid, "c21-n55"]), 404)


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_the_tree_goes_to_a_sheet(chen, form):
    url = reverse("standards:edition", args=[the("2021 版").uid])
    response = chen.get(f"{url}?export={form}")
    assert response.status_code == 200
    data = b"".join(response.streaming_content)
    if form == "csv":
        lines = data.decode("utf-8-sig").splitlines()
        assert len(lines) == 1 + 7 + 31 + 56 + 10
        assert "c21-n39,指标,疾病防控与医疗卫生服务,39,婴儿死亡率,,≤ 5.6 ‰，或持续降低" in "\n".join(lines)
    else:
        assert data.startswith(b"PK")
    assert chen.get(f"{url}?export=doc").status_code == 422


def test_the_two_city_editions_are_compared_on_a_page(chen):
    new, old = the("2021 版"), the("2014 版")
    text = page(chen, f"{reverse('standards:compare', args=[new.uid])}?with={old.uid}")
    assert "主题“清扫保洁”：数值由" in text


def test_a_check_list_is_read_with_headings_clauses_and_steps(chen):
    row = Edition.objects.get(kind="checklist", key="shop-front")
    text = page(chen, reverse("standards:edition", args=[row.uid]))
    for words in ("劝阻 → 责令改正 → 报告执法部门 → 配合执法", "包秩序", "30—100", "c21-i10"):
        assert words in text


@pytest.mark.parametrize("kind", ["clauses", "checklist"])
def test_a_page_costs_a_constant_number_of_statements(chen, kind, django_assert_max_num_queries):
    row = Edition.objects.filter(kind=kind).order_by("-in_force_from").first()
    url = reverse("standards:edition", args=[row.uid])
    page(chen, url)
    with django_assert_max_num_queries(12):
        page(chen, url)


# --- drafts that are given up --------------------------------------------------------------------


def test_a_draft_is_given_up_and_its_label_is_free_again(chen, draft, cast):
    assert "放弃草稿" in page(chen, reverse("standards:edition", args=[draft.uid]))
    assert chen.post(reverse("standards:discard", args=[draft.uid])).status_code == 303
    for name in ("edition", "edit", "body"):
        page(chen, reverse(f"standards:{name}", args=[draft.uid]), 404)
    assert chen.post(reverse("standards:discard", args=[draft.uid])).status_code == 404
    body = {"default": "general", "severities": [{"code": "general", "name": "一般", "limit": "2天"}]}
    given = {"kind": "severity-scale", "owner": QUAN, "head": head(), "body": body, "at": AT}
    again = actions.draft_edition(**given, by=cast.east.actor)
    assert Edition.objects.filter(edition=again.edition, owner=QUAN).count() == 2
    kept = Edition.objects.get(pk=draft.pk)
    with pytest.raises(RuleError, match="already-discarded"):
        actions.publish_edition(edition=kept, by=cast.east.actor, at=AT)


def test_a_published_edition_is_not_given_up(chen, draft, cast):
    actions.publish_edition(edition=draft, by=cast.east.actor, at=AT)
    response = chen.post(reverse("standards:discard", args=[draft.uid]))
    assert response.status_code == 422
    assert "已发布，不能再改" in response.content.decode()
    assert Edition.objects.get(pk=draft.pk).is_published


def test_every_edition_that_comes_with_the_program_has_a_page_and_can_be_compared(chen):
    rows = list(Edition.objects.all())
    for row in rows:
        shown = chen.get(reverse("standards:edition", args=[row.uid])).status_code
        # A sample belongs to nobody, and only keepers read it; Chen is one.
        assert shown == 200, row
        body = kinds.read_bytes(row.kind, bytes(row.body))
        assert differences(body, body) == [], row


def test_a_scheme_reads_as_sources_items_and_ranks(chen):
    row = Edition.objects.get(kind="scheme", key="monthly", owner="")
    text = page(chen, reverse("standards:edition", args=[row.uid]))
    for words in ("分值来源和权重", "50 %", "保洁员不在岗", "扣完为止"):
        assert words in text
