"""The schemes that come with the program say what their sources say, and what is only recalled says so."""

from decimal import Decimal
from pathlib import Path

import pytest

from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period, Ratio
from weicheng.rules.ranking import RankRule, rank_points
from weicheng.rules.sheets import ActiveScheme, Given, Hit, Marks, Measured, score
from weicheng.standards import actions, kinds
from weicheng.standards.kinds import Confidence

FILES = sorted((actions.PACKS / "base").glob("scheme-*.yaml"))
D = Decimal


def read(name: str) -> tuple[actions.Pack, kinds.SchemeBody]:
    pack = actions._read_pack(actions.PACKS / "base" / f"scheme-{name}.yaml")
    body = kinds.read_body("scheme", pack.body)
    assert isinstance(body, kinds.SchemeBody)
    return pack, body


def points(name: str) -> dict[str, str]:
    _pack, body = read(name)
    return {number: str(item.points) for number, item in body.items.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_stored_scheme_reads_as_it_was_written(file: Path):
    pack = actions._read_pack(file)
    body = kinds.read_body("scheme", pack.body)
    assert kinds.read_bytes("scheme", kinds.body_bytes(body)) == body
    assert pack.source


def test_only_the_composed_scheme_holds_at_once_and_samples_wait_for_an_office():
    states = {file.stem.removeprefix("scheme-"): read(file.stem.removeprefix("scheme-"))[0] for file in FILES}
    assert [name for name, pack in states.items() if pack.load_as == "published"] == ["monthly"]
    assert states["monthly"].confidence is Confidence.LOCAL
    assert len(states) == 10


def test_the_flat_points_of_the_community_scale():
    assert points("sample-community-flat") == {
        "1": "1", "2": "2", "3": "2", **{str(number): "0.5" for number in range(4, 12)},
    }  # fmt: skip
    _pack, body = read("sample-community-flat")
    assert body.full_confidence is Confidence.RECALLED  # the page states none


def test_the_level_of_the_finder_sets_the_points_of_the_scale_of_2016():
    _pack, body = read("sample-finder-levels")
    active = ActiveScheme(body.rule("x"), Period.month("2026-10"))
    for level, found, late, twice in (("city", "0.3", "1", "2"), ("district", "0.2", "0.5", "1"), ("street", "0.1", "0.3", "0.6")):  # fmt: skip
        hit = Hit("routine", "1", "a", active.period.start, level=level, follow_ups=("late", "second_notice"))
        lines = score(active, Given([hit])).losses
        assert [line.asked for line in lines] == [D(found), D(late), D(twice)]
    assert active.full == D(10)


def test_the_weights_of_month_and_year():
    weights = {
        name: [str(source.weight) for source in read(name)[1].sources]
        for name in ("sample-weights-month", "sample-weights-year", "sample-county-year", "monthly")
    }
    assert weights == {
        "sample-weights-month": ["45", "35", "20"],
        "sample-weights-year": ["40", "25", "35"],
        "sample-county-year": ["20", "35", "45"],
        "monthly": ["50", "30", "20"],
    }


def test_the_rank_bonus_of_five_places():
    rules = {rule.key: rule for rule in read("sample-rank-bonus")[1].rule("x").rank_rules}
    marks = {str(rank): D(10 - rank) for rank in range(1, 7)}
    assert rank_points(rules["first"], marks) == {"1": D(1), "2": D("0.8"), "3": D("0.5"), "4": D("0.3")}
    assert rank_points(rules["second"], marks) == {"1": D("1.5"), "2": D(1), "3": D("0.5")}


def test_the_thousand_marks_of_the_frontage_and_their_ranges():
    _pack, body = read("sample-frontage-1000")
    assert [(group.title, str(group.value)) for group in body.groups] == [
        ("绿化美化", "200"), ("卫生整洁", "500"), ("秩序", "300"),
    ]  # fmt: skip
    ranges = {
        item.title: (str(item.minimum), str(item.maximum)) for item in body.items.values() if item.minimum
    }
    assert ranges == {
        "乱贴乱画": ("30", "100"),
        "乱扔": ("20", "50"),
        "乱倒": ("30", "50"),
        "悬挂": ("10", "20"),
        "搭棚架线": ("20", "30"),
    }
    flat = {item.title: str(item.points) for item in body.items.values() if item.points}
    assert flat == {"灯饰残缺": "20", "违章、残破建筑": "30", "门前未硬化": "30", "围挡低于 1.8 米": "20"}


def test_the_town_has_a_hundred_marks_in_april_and_ninety_four_else():
    _pack, body = read("sample-town-month")
    april, may = (ActiveScheme(body.rule("x"), Period.month(month)) for month in ("2026-04", "2026-05"))
    assert (april.full, may.full) == (D(100), D(94))
    assert [str(group.value) for group in body.groups] == ["36", "20", "16", "12", "10", "6"]
    given = {"1": "30", "2": "20", "3": "16", "4": "3", "5": "1"}
    measured = {number: Measured(D(value)) for number, value in given.items()}
    assert score(may, Given(measured=measured)).total == D(85)  # 94 - 6 - one clean-up of four x 3


def test_the_rate_of_cases_closed_on_time_earns_sixty():
    _pack, body = read("sample-digital")
    active = ActiveScheme(body.rule("x"), Period.month("2026-10"))
    measured = {"1": Measured(Ratio(9, 10)), "2": Measured(D(0)), "3": Measured(D(30))}
    assert score(active, Given(measured=measured)).total == D(94)  # 54 + 10 + 30


def test_the_composed_scheme_has_the_last_three_and_half_for_ledgers():
    _pack, body = read("monthly")
    assert [rule.rule() for rule in body.ranks] == [
        RankRule(
            "visits",
            "下户宣传后三名倒扣",
            (D(10), D(5), D(3)),
            by="visits",
            min_group=6,
            window=body.ranks[0].window,
        )
    ]
    active = ActiveScheme(body.rule("x"), Period.month("2026-10"))
    marks = {"ledger": Marks(D(80))}
    present = frozenset({"unannounced"})
    assert score(active, Given(marks=marks, present=present)).total == D(90)  # 80 x 50 % + 100 x 50 %
    graded = {grade.title: grade.confidence for grade in body.grades}
    assert set(graded.values()) == {Confidence.RECALLED}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"colour": "red"}, "colour：没有这个字段"),
        ({"levels": []}, "levels"),
        ({"sources": [{"key": "a", "title": "甲", "weight": "90", "always": True}]}, "合计 90 %"),
        ({"ranks": [{"key": "r", "title": "末位", "points": ["5"], "by": "visits"}]}, "“末位”所依据的 visits"),
        (
            {"groups": [{"number": "一", "title": "甲", "items": [
                {"number": "1", "title": "甲", "points": "1", "rest": True},
                {"number": "2", "title": "乙", "points": "1", "rest": True},
            ]}]},
            "只能有一个考核项收纳其余问题",
        ),
        (
            {"groups": [{"number": "一", "title": "甲", "items": [
                {"number": "1", "title": "甲", "points": "1", "categories": ["06010"]},
                {"number": "2", "title": "乙", "points": "1", "categories": ["06010"]},
            ]}]},
            "分类代码 06010 出现了多次",
        ),
        ({"sources": [{"key": "a", "title": "月均", "weight": "100", "kind": "boards"}]}, "须写明 boards"),
        ({"groups": [{"number": "一", "title": "甲", "items": [{"number": "1", "title": "甲", "points": "0"}]}]}, "应大于 0"),
    ],
)  # fmt: skip
def test_a_scheme_that_makes_no_sense_is_refused_where_it_is_wrong(change, says):
    body = {
        "levels": ["community"],
        "full": "100",
        "sources": [{"key": "routine", "title": "日常检查", "weight": "100", "always": True}],
    }
    with pytest.raises(RuleError) as caught:
        kinds.read_body("scheme", body | change)
    assert says in caught.value.sentence()
