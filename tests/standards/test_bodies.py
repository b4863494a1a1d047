"""Bodies and packs that people write wrongly are refused in a sentence, and nothing is written."""

from pathlib import Path

import pytest

from tests.standards.conftest import AT
from weicheng.rules.errors import RuleError
from weicheng.standards import actions, kinds
from weicheng.standards.models import Edition
from weicheng.standards.yaml_text import read_yaml

CALENDAR = {
    "announced_years": [2026],
    "hours": [["08:30", "12:00"], ["14:00", "18:00"]],
    "off_days": {"2026-10-01": "国庆节"},
    "make_up_days": {"2026-10-10": "国庆节"},
}
SEVERITY = {"code": "general", "name": "一般", "limit": "1天"}
ITEM = {"number": "1", "title": "烟头", "points": "2"}


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("calendar", {**CALENDAR, "make_up_days": {"2026-10-01": "国庆节"}}, "既是放假又是调休上班"),
        ("calendar", {**CALENDAR, "off_days": {"2027-01-01": "元旦"}}, "2027 年未列入已公布年份"),
        ("calendar", {**CALENDAR, "hours": [["12:00", "08:30"]]}, "颠倒或重叠"),
        ("calendar", {**CALENDAR, "hours": [[540, "12:00"]]}, "时刻请加引号"),
        ("calendar", {**CALENDAR, "hours": [["09:00", "25:00"]]}, "hours → 1 → 2：“25:00”无法识别"),
        ("calendar", {**CALENDAR, "off_days": {"2026-02-30": "春节"}}, "无法识别"),
        ("calendar", {**CALENDAR, "holidays": {}}, "holidays：没有这个字段"),
        ("calendar", {"hours": []}, "announced_years：缺少此项"),
        ("severity-scale", {"default": "x", "severities": [SEVERITY]}, "默认等级 x 不在等级表中"),
        ("severity-scale", {"default": "general", "severities": [SEVERITY, SEVERITY]}, "出现了多次"),
        (
            "severity-scale",
            {"default": "general", "severities": [{**SEVERITY, "limit": "尽快"}]},
            "severities → 1 → limit：时限“尽快”无法识别",
        ),
        ("checklist", {"full": "100", "items": [{**ITEM, "points": "0"}]}, "points：应大于 0"),
        ("checklist", {"full": "100", "items": [ITEM, ITEM]}, "出现了多次"),
        ("checklist", {"full": "NaN", "items": [ITEM]}, "full"),
        ("checklist", {"full": "100", "items": [{**ITEM, "mode": "twice"}]}, "mode：不是允许的取值"),
        ("checklist", {"full": "100", "items": [{**ITEM, "confidence": "sure"}]}, "不是允许的取值"),
        (
            "case-categories",
            {"matters": [{"code": "06", "name": "市容", "items": [{"code": "07001", "name": "广告"}]}]},
            "分类 07001 不属于大类 06",
        ),
        (
            "case-categories",
            {"matters": [{"code": "06", "name": "市容", "items": [{"code": 6010, "name": "垃圾"}]}]},
            "数字代码请加引号",
        ),
        ("time-limits", {"limits": [{"category": "06010", "limits": ["4时辰"]}]}, "“4时辰”无法识别"),
        (
            "unit-kinds",
            {
                "kinds": [
                    {"code": "shop", "name": "商铺", "fields": [{"id": "t", "title": "类", "kind": "choice"}]}
                ]
            },
            "选择类字段须列出选项",
        ),
        ("calendar", [], "无法识别"),
        ("calendar", None, "无法识别"),
    ],
)
def test_a_wrong_body_is_refused_naming_the_place(kind, body, says):
    with pytest.raises(RuleError, match="edition-body") as refused:
        kinds.read_body(kind, body)
    assert says in refused.value.sentence()


def test_an_unknown_kind_is_refused():
    with pytest.raises(RuleError, match="unknown-kind"):
        kinds.read_body("horoscope", {})


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("calendar", CALENDAR),
        ("severity-scale", {"default": "general", "severities": [SEVERITY]}),
        ("checklist", {"full": "100", "items": [{**ITEM, "points": "0.50"}]}),
    ],
)
def test_what_is_stored_reads_back_the_same_in_one_spelling(kind, body):
    read = kinds.read_body(kind, body)
    stored = kinds.body_bytes(read)
    assert kinds.read_bytes(kind, stored) == read
    assert kinds.body_bytes(kinds.read_bytes(kind, stored)) == stored
    assert kinds.body_bytes(kinds.read_body(kind, dict(reversed(body.items())))) == stored


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1, 2", "行无法读懂"),
        ("a: 1\n  b: 2", "第 2 行无法读懂"),
        ("a: 1\na: 2", "第 2 行无法读懂：“a”写了两次"),
        ("x: {2026-01-01: 元旦, 2026-01-01: 春节}", "“2026-01-01”写了两次"),
        ("- 1\n- 2", "名称: 值"),
        ("", "名称: 值"),
        ("a: &x [1]\nb: *x", "YAML 引用"),
        ("a: !!python/object/apply:os.system ['true']", "无法读懂"),
        ("a: 2026-02-30", "无法读懂"),
        ("? [1]\n: 2", "无法读懂"),
        (b"\xff\xfe\x00a", "UTF-8"),
        ("a: " + "x" * 1_000_001, "KB"),
        ("a: " + "[" * 400_000, "嵌套超过"),
    ],
)
def test_broken_yaml_is_refused_naming_the_line(text, says):
    with pytest.raises(RuleError, match="yaml") as refused:
        read_yaml(text)
    assert says in refused.value.sentence()


PACK = """
kind: severity-scale
key: severity
title: 等级
edition: 甲
source: 测试
confidence: local
in_force_from: 2016-01-01
body:
  default: general
  severities: [{code: general, name: 一般, limit: 1天}]
"""


def pack(folder: Path, text: str) -> Path:
    path = folder / "scale.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_changed_pack_needs_a_label_of_its_own(db, tmp_path):
    assert len(actions.load_pack(pack(tmp_path, PACK), at=AT)) == 1
    assert actions.load_pack(tmp_path, at=AT) == []
    for changed in (PACK.replace("1天", "2天"), PACK.replace("测试", "别处"), PACK.replace("2016", "2017")):
        with pytest.raises(RuleError, match="pack-changed"):
            actions.load_pack(pack(tmp_path, changed), at=AT)
    assert Edition.objects.count() == 1
    newer = PACK.replace("甲", "乙").replace("1天", "2天").replace("2016", "2017")
    (row,) = actions.load_pack(pack(tmp_path, newer), at=AT)
    assert row.supersedes.edition == "甲"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("confidence: local", "confidence: sure", "edition-body"),
        ("source: 测试", "sauce: 测试", "edition-body"),
        ("source: 测试\n", "", "edition-body"),
        ("key: severity", "key: other", "edition-key"),
        ("kind: severity-scale", "kind: horoscope", "unknown-kind"),
        ("in_force_from: 2016-01-01", "in_force_from: 2016-01-01\nin_force_to: 2015-12-31", "edition-dates"),
        ("key: severity", 'key: severity\nowner: "320311"', "unknown-area"),
        ("limit: 1天", "limit: 1天, colour: red", "edition-body"),
    ],
)
def test_a_wrong_pack_loads_nothing(db, tmp_path, old, new, code):
    assert old in PACK
    with pytest.raises(RuleError, match=code):
        actions.load_pack(pack(tmp_path, PACK.replace(old, new)), at=AT)
    assert Edition.objects.count() == 0


def test_one_wrong_file_of_a_pack_loads_none_of_it(db, tmp_path):
    pack(tmp_path, PACK)
    (tmp_path / "wrong.yaml").write_text(PACK.replace("1天", "尽快"), encoding="utf-8")
    with pytest.raises(RuleError, match="edition-body"):
        actions.load_pack(tmp_path, at=AT)
    assert Edition.objects.count() == 0
    with pytest.raises(RuleError, match="no-pack"):
        actions.load_pack(tmp_path / "absent", at=AT)


def test_a_check_list_names_only_categories_there_are(base, tmp_path):
    body = PACK.split("body:")[0].replace("severity-scale", "checklist").replace("key: severity", "key: mine")
    body += 'body: {full: "100", items: [{number: "1", title: 烟头, points: "2", category: "06999"}]}'
    with pytest.raises(RuleError, match="unknown-category") as refused:
        actions.load_pack(pack(tmp_path, body), at=AT)
    assert "06999" in refused.value.sentence()
