"""A scheme that makes no sense is refused when it is made."""

from decimal import Decimal

import pytest

from weicheng.rules.errors import RuleError
from weicheng.rules.schemes import (
    FollowUp,
    FollowUpKind,
    Grade,
    Group,
    Missing,
    Mode,
    Scheme,
    SchemeItem,
    Source,
    SourceKind,
)

D = Decimal


def routine(weight: str = "100", **given):
    return Source("routine", "日常检查", Decimal(weight), **given)


def ledger(weight: str):
    return Source("ledger", "台账", Decimal(weight), SourceKind.GIVEN)


def item(number: str = "1", mode: Mode = Mode.PER_FINDING, points: str | None = "2", **given):
    return SchemeItem(number, "垃圾", mode, None if points is None else Decimal(points), **given)


def scheme(**given):
    return Scheme(
        **{
            "edition": "e",
            "sources": (routine(),),
            "full": D(100),
            "groups": (Group("一", "环境", (item(),)),),
        }
        | given
    )


def refused(make, code: str) -> str:
    with pytest.raises(RuleError) as caught:
        make()
    assert caught.value.code == code
    return caught.value.sentence()


@pytest.mark.parametrize(
    ("weights", "total"),
    [("50 49.99", "99.99"), ("50 50.01", "100.01"), ("60 60", "120"), ("0.5 0.5", "1")],
)
def test_weights_that_are_not_exactly_a_hundred_are_refused_with_their_sum(weights, total):
    one, other = weights.split()
    said = refused(lambda: scheme(sources=(ledger(one), routine(other))), "weights-sum")
    assert f"合计 {total} %" in said


@pytest.mark.parametrize("weights", ["50 50", "33.333 66.667", "99.999 0.001"])
def test_weights_of_exactly_a_hundred_are_taken(weights):
    one, other = weights.split()
    assert scheme(sources=(ledger(one), routine(other))).source("ledger").weight == D(one)


@pytest.mark.parametrize(
    "source",
    [
        Source("x", "多出", None),
        Source("x", "多出", D(10), into="routine"),
        Source("x", "多出", D(0)),
        Source("x", "多出", D(-1)),
    ],
)
def test_a_source_has_a_weight_or_counts_into_another(source):
    assert "“多出”" in refused(lambda: scheme(sources=(routine(), source)), "source-weight")


def test_a_source_may_count_into_another_and_weighs_nothing_then():
    made = scheme(sources=(routine(), Source("patrol", "巡查", into="routine")))
    assert made.source("patrol").into == "routine"


@pytest.mark.parametrize(
    "given",
    [
        {"sources": (routine(), Source("patrol", "巡查", into="nowhere"))},
        {
            "sources": (ledger("50"), routine("50"), Source("patrol", "巡查", into="ledger"))
        },  # has no findings
        {"groups": (Group("一", "环境", (item(sources=("nowhere",)),)),)},
        {
            "sources": (ledger("50"), routine("50")),
            "groups": (Group("一", "环境", (item(sources=("ledger",)),)),),
        },
    ],
)
def test_a_source_that_has_no_findings_takes_none(given):
    refused(lambda: scheme(**given), "source-unknown")


def test_an_unknown_source_is_refused_by_name():
    assert "“nowhere”" in refused(lambda: scheme().source("nowhere"), "source-unknown")


def test_numbers_and_keys_are_unique():
    refused(lambda: scheme(sources=(routine("50"), routine("50"))), "source-twice")
    twice = (Group("一", "环境", (item("1"),)), Group("二", "秩序", (item("1"),)))
    assert "考核项 1 " in refused(lambda: scheme(groups=twice), "item-twice")


@pytest.mark.parametrize(
    ("mode", "given", "lacking"),
    [
        (Mode.PER_FINDING, {"points": None}, "points"),
        (Mode.ONCE, {"points": None}, "points"),
        (Mode.PER_PLACE, {"points": None}, "points"),
        (Mode.BONUS, {"points": None}, "points"),
        (Mode.RANGE, {"maximum": D(5)}, "minimum"),
        (Mode.RANGE, {"minimum": D(5)}, "maximum"),
        (Mode.RATIO, {"points": None}, "value"),
        (Mode.GAP, {"points": None, "target": D(1)}, "points"),
        (Mode.GAP, {}, "target"),
        (Mode.THRESHOLD, {}, "target"),
        (Mode.THRESHOLD, {"points": None, "target": D(1)}, "points"),
    ],
)
def test_each_mode_needs_its_numbers(mode, given, lacking):
    assert f"缺少 {lacking}。" in refused(lambda: item(mode=mode, **given), "item-needs")


def test_a_table_of_levels_stands_for_the_points_and_a_veto_needs_none():
    assert item(points=None, levels={"city": D("0.3")}).points is None
    assert item(mode=Mode.VETO, points=None).limit is None


@pytest.mark.parametrize(
    "given",
    [
        {"points": "0"},
        {"points": "-1"},
        {"value": D(0)},
        {"cap": D(-1)},
        {"step": D(0)},
        {"levels": {"city": D(0)}},
        {"mode": Mode.RANGE, "minimum": D(0), "maximum": D(5)},
    ],
)
def test_points_are_above_zero(given):
    assert "检查项 1 " in refused(lambda: item(**given), "item-points")


def test_a_range_has_its_bounds_in_order():
    said = refused(lambda: item(mode=Mode.RANGE, minimum=D(5), maximum=D(4)), "item-range")
    assert "下限 5 大于上限 4" in said
    assert item(mode=Mode.RANGE, minimum=D(5), maximum=D(5)).minimum == D(5)


def test_the_limit_of_an_item_is_its_cap_and_else_its_value():
    assert item(cap=D(5), value=D(9)).limit == D(5)
    assert item(value=D(9)).limit == D(9)
    assert item().limit is None


@pytest.mark.parametrize(
    "given",
    [
        {"kind": FollowUpKind.LATE},  # no points
        {"kind": FollowUpKind.LATE, "points": D(0)},
        {"kind": FollowUpKind.LATE, "levels": {"city": D(-1)}},
        {"kind": FollowUpKind.LATE, "points": D(1), "cap": D(0)},
        {"kind": FollowUpKind.LATE, "points": D(1), "give_back": D("0.5")},
        {"kind": FollowUpKind.IN_TIME},
        {"kind": FollowUpKind.IN_TIME, "give_back": D(0)},
        {"kind": FollowUpKind.IN_TIME, "give_back": D("1.01")},
        {"kind": FollowUpKind.IN_TIME, "give_back": D("0.5"), "points": D(1)},
    ],
)
def test_a_follow_up_costs_or_gives_back_and_never_both(given):
    assert "“后续”" in refused(lambda: FollowUp(title="后续", **given), "follow-up")


def test_a_follow_up_gives_back_at_most_everything():
    assert FollowUp(FollowUpKind.IN_TIME, "返还", give_back=D(1)).number == "follow:in_time"
    assert FollowUp(FollowUpKind.LATE, "逾期", levels={"city": D(1)}).number == "follow:late"


@pytest.mark.parametrize(
    "given",
    [
        {"full": None},  # the group has no value
        {"full": None, "groups": ()},
        {"full": D(0)},
        {"full": D(-1)},
        {"full": None, "groups": (Group("一", "甲", (item(),), D(60)), Group("二", "乙", (item("2"),)))},
    ],
)
def test_full_marks_are_given_or_follow_from_the_groups(given):
    refused(lambda: scheme(**given), "scheme-full")


def test_the_values_of_all_groups_make_the_full_marks():
    groups = (Group("一", "甲", (item(),), D(60)), Group("二", "乙", (item("2"),), D(30)))
    said = refused(lambda: scheme(groups=groups), "values-sum")
    assert "合计 90，与满分 100 不符" in said
    assert scheme(groups=groups, full=D(90)).full == D(90)
    assert scheme(groups=groups, full=None).full is None
    # Where one group has no value of its own, the others are limits and make no sum.
    assert scheme(groups=(groups[0], Group("二", "乙", (item("2"),)))).full == D(100)


@pytest.mark.parametrize("minima", [["60", "90"], ["90", "90"]])
def test_grades_go_from_high_to_low(minima):
    refused(lambda: scheme(grades=tuple(Grade(text, Decimal(text)) for text in minima)), "grade-order")


@pytest.mark.parametrize("given", [{"finder": {"city": D("-0.1")}}, {"repeats": (D(-1),)}])
def test_factors_are_not_negative(given):
    refused(lambda: scheme(**given), "factor-negative")


def test_a_scheme_without_anything_special_loses_what_is_missing():
    made = scheme(finder={"city": D(0)}, repeats=(D(0),))
    assert (made.missing, made.veto, made.decimals) == (Missing.ZERO, "", 2)
    assert list(made.items) == ["1"]
