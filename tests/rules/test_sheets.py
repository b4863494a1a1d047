"""The score of one object, with the arithmetic beside it, and what holds for any records in any order."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period, Ratio, round_half_up
from weicheng.rules.ranking import End, RankRule
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
from weicheng.rules.sheets import (
    ActiveScheme,
    Asked,
    Given,
    Hit,
    LineKind,
    Marks,
    Measured,
    after_ranks,
    grade_of,
    score,
    share_out,
)
from weicheng.rules.windows import Window

D = Decimal
OCTOBER = Period.month("2026-10")
ROUTINE = Source("routine", "日常检查", D(100), always=True)


def item(number="1", mode=Mode.PER_FINDING, points="2", **given):
    numbers = {
        name: Decimal(value) if isinstance(value, str) and name not in ("title",) else value
        for name, value in given.items()
    }
    return SchemeItem(number, f"项{number}", mode, None if points is None else D(points), **numbers)


def active(*items, period=OCTOBER, **given):
    """Return a scheme of 100 marks with these items in one group and one source that always takes place."""
    groups = given.pop("groups", None) or ((Group("一", "环境", items),) if items else ())
    made = Scheme(**{"edition": "e", "sources": (ROUTINE,), "full": D(100), "groups": groups} | given)
    return ActiveScheme(made, period)


def hit(record="a", item="1", day=1, source="routine", **given):
    return Hit(source, item, record, date(2026, 10, day), **given)


def hits(count, **given):
    return [hit(f"r{number:03}", **given) for number in range(count)]


def scored(scheme, *found, **given):
    result = score(scheme, Given(hits=found, **given))
    lost = sum((line.effect for line in result.losses if line.kind is not LineKind.BONUS), D(0))
    gained = sum((line.effect for line in result.losses if line.kind is LineKind.BONUS), D(0))
    assert result.full - lost + gained == result.total
    assert gained == result.bonus
    return result


def refused(make, code):
    with pytest.raises(RuleError) as caught:
        make()
    assert caught.value.code == code
    return caught.value.sentence()


# --- modes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "found", "total"),
    [
        (item(), [], "100"),
        (item(), hits(3), "94"),  # 100 - 3 x 2
        (item(), [hit(times=3)], "94"),  # one finding of three
        (item(cap="5"), hits(3), "95"),  # stops at 5
        (item(value="5"), hits(3), "95"),  # 扣完为止: the item's own value
        (item(value="9", cap="5"), hits(3), "95"),
        (item(points="0.35"), hits(3), "98.95"),  # 100 - 3 x 0.35
        (item(points="60"), hits(2), "0"),  # never below zero
        (item(mode=Mode.ONCE), hits(7), "98"),
        (item(mode=Mode.ONCE), [hit(times=7)], "98"),
        (item(mode=Mode.PER_PLACE), [hit("a", place="x"), hit("b", place="x"), hit("c", place="y")], "96"),
        (item(mode=Mode.PER_PLACE), [hit("a", place="x", times=5)], "98"),
        (item(mode=Mode.RANGE, points=None, minimum="20", maximum="50"), [hit(points=D(35))], "65"),
        (item(mode=Mode.RANGE, points=None, minimum="20", maximum="50"), [hit(points=D(20))], "80"),
        (item(mode=Mode.RANGE, points=None, minimum="20", maximum="50"), [hit(points=D(50))], "50"),
        (
            item(mode=Mode.RANGE, points=None, minimum="20", maximum="50"),
            [hit()],
            "80",
        ),  # not chosen: the least
        (item(mode=Mode.RANGE, points=None, minimum="20", maximum="50"), [hit(points=D(21), times=2)], "58"),
        (item(mode=Mode.VETO, points=None), hits(2), "0"),
        (item(mode=Mode.BONUS), hits(2), "104"),
        (item(mode=Mode.BONUS, cap="3"), hits(2), "103"),
        (item(mode=Mode.BONUS), [hit(times=2)], "104"),
    ],
)
def test_what_findings_cost(made, found, total):
    assert scored(active(made), *found).total == Decimal(total)


@pytest.mark.parametrize(
    ("made", "value", "total"),
    [
        # 按时结案率 x 60: 31 of 40 is 77.5 %, so 60 x 22.5 % = 13.5 are lost
        (item(mode=Mode.RATIO, points=None, value="60"), Ratio(31, 40), "86.5"),
        (item(mode=Mode.RATIO, points=None, value="60"), Ratio(1, 3), "60"),  # 60 x 2/3 = 40 lost
        (item(mode=Mode.RATIO, points=None, value="10"), Ratio(1, 3), "93.333333"),  # 6.666667 lost, half-up
        (
            item(mode=Mode.RATIO, points=None, value="10"),
            Ratio(7, 13),
            "95.384615",
        ),  # 60/13 = 4.6153846… lost
        (item(mode=Mode.RATIO, points=None, value="60"), D("77.5"), "86.5"),
        (item(mode=Mode.RATIO, points=None, value="60"), D(100), "100"),
        (item(mode=Mode.RATIO, points=None, value="60"), D(0), "40"),
        (item(mode=Mode.RATIO, points=None, value="60"), Ratio(5, 5, per=1), "40.6"),  # 1 is 1 %, not 100 %
        # four clean-ups asked, three held: 1 x 3
        (item(mode=Mode.GAP, points="3", target="4"), D(3), "97"),
        (item(mode=Mode.GAP, points="3", target="4"), D(4), "100"),
        (item(mode=Mode.GAP, points="3", target="4"), D(9), "100"),  # more is not better
        (item(mode=Mode.GAP, points="3", target="4"), D("2.5"), "95.5"),  # 1.5 x 3
        (item(mode=Mode.GAP, points="3", target="4", value="5"), D(0), "95"),  # 12 stops at 5
        (item(mode=Mode.GAP, points="3", target="100", step="10"), D(75), "92.5"),  # 2.5 steps
        (item(mode=Mode.GAP, points="2", target="0", at_most=True), D(3), "94"),
        (item(mode=Mode.GAP, points="2", target="1", at_most=True), D(3), "96"),
        (item(mode=Mode.GAP, points="2", target="1", at_most=True), D(0), "100"),
        (item(mode=Mode.THRESHOLD, points="10", target="90"), D("89.99"), "90"),
        (item(mode=Mode.THRESHOLD, points="10", target="90"), D(90), "100"),
        (item(mode=Mode.THRESHOLD, points="10", target="5", at_most=True), D(5), "100"),
        (item(mode=Mode.THRESHOLD, points="10", target="5", at_most=True), D("5.01"), "90"),
        (item(mode=Mode.BONUS, points="0.5"), D(3), "101.5"),
        (item(mode=Mode.BONUS, points="0.5"), D(0), "100"),
    ],
)
def test_what_is_measured_costs(made, value, total):
    result = scored(active(made), measured={"1": Measured(value, "item:1")})
    assert result.total == Decimal(total)
    assert all((line.record_kind, line.record) == ("entry", "item:1") for line in result.losses)


def test_a_rate_that_the_system_counts_names_no_record():
    made = active(item(mode=Mode.RATIO, points=None, value="60"))
    (line,) = scored(made, measured={"1": Measured(Ratio(31, 40))}).losses
    assert (line.record_kind, line.record, line.occurred_on) == ("", "", None)
    assert dict(line.why) == {"mode": "ratio", "value": D(60), "numerator": 31, "denominator": 40}


@pytest.mark.parametrize("value", [None, Ratio(0, 0)])
def test_a_rate_of_nothing_costs_nothing_and_is_said(value):
    result = scored(active(item(mode=Mode.RATIO, points=None, value="60")), measured={"1": Measured(value)})
    assert (result.total, [one.code for one in result.remarks]) == (D(100), ["not-assessed"])


@pytest.mark.parametrize(
    ("made", "total", "code"),
    [
        (item(mode=Mode.RATIO, points=None, value="60"), "40", "not-entered"),
        (item(mode=Mode.GAP, points="3", target="4"), "88", "not-entered"),  # as if 0 were held: 4 x 3
        (item(mode=Mode.GAP, points="3", target="4", value="5"), "95", "not-entered"),
        (item(mode=Mode.THRESHOLD, points="10", target="90"), "90", "not-entered"),
        (item(mode=Mode.GAP, points="3", target="0", at_most=True), "100", "not-assessed"),
        (item(mode=Mode.THRESHOLD, points="3", target="0", at_most=True), "100", "not-assessed"),
    ],
)
def test_what_nobody_has_entered_is_lost_where_the_scheme_loses_what_is_missing(made, total, code):
    result = scored(active(made))
    assert (result.total, [one.code for one in result.remarks]) == (Decimal(total), [code])
    assert all((line.kind, line.why["missing"]) == (LineKind.MISSING, True) for line in result.losses)
    kind = replace(active(made).scheme, missing=Missing.RENORMALISE)
    result = scored(ActiveScheme(kind, OCTOBER))
    assert (result.total, [one.code for one in result.remarks]) == (D(100), ["not-assessed"])


def test_a_bonus_that_nobody_entered_is_not_missed():
    result = scored(active(item(mode=Mode.BONUS)))
    assert (result.total, result.remarks) == (D(100), ())


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda: scored(active(item()), hit(item="9")), "item-unknown", "检查项 9"),
        (lambda: scored(active(item()), measured={"9": Measured(D(1))}), "item-unknown", "检查项 9"),
        (lambda: scored(active(item()), hit(source="nowhere")), "source-unknown", "“nowhere”"),
        (
            lambda: scored(active(item(mode=Mode.RANGE, points=None, minimum="20", maximum="50")), hit(points=D(51))),
            "range-bounds",
            "每处扣 20 至 50 分，所选 51 分",
        ),
        (
            lambda: scored(
                active(item(mode=Mode.RANGE, points=None, minimum="20", maximum="50")), hit(points=D("19.9"))
            ),
            "range-bounds",
            "19.9",
        ),
        (
            lambda: scored(
                active(item(mode=Mode.RATIO, points=None, value="60")), measured={"1": Measured(D("100.1"))}
            ),
            "rate-range",
            "100.10 %",
        ),
        (
            lambda: scored(active(item(mode=Mode.GAP, points="3", target="4")), measured={"1": Measured(D(-1))}),
            "amount-negative",
            "“项1”的数值 -1",
        ),
        (
            lambda: scored(active(sources=(Source("ledger", "台账", D(100), SourceKind.GIVEN),)),
                           marks={"ledger": Marks(D("100.01"))}),
            "marks-range",
            "“台账”的得分 100.01 不在 0 至 100",
        ),
        (
            lambda: scored(active(sources=(Source("ledger", "台账", D(100), SourceKind.GIVEN),)),
                           marks={"ledger": Marks(D(-1))}),
            "marks-range",
            "-1",
        ),
    ],
)  # fmt: skip
def test_values_outside_their_bounds_are_refused(make, code, says):
    assert says in refused(make, code)


# --- limits within limits -----------------------------------------------------------------------------


def test_a_limit_is_used_up_in_the_order_of_day_and_record():
    result = scored(active(item(cap="5")), hit("b", day=2), hit("c", day=1), hit("a", day=2))
    assert [(line.record, line.lost, line.capped_by) for line in result.losses] == [
        ("c", D(2), ""),
        ("a", D(2), ""),
        ("b", D(1), "item"),
    ]
    assert [line.asked for line in result.losses] == [D(2), D(2), D(2)]


def test_the_narrowest_limit_that_took_less_is_named():
    made = active(
        groups=(
            Group("一", "甲", (item(cap="5"), item("2", points="4")), D(7)),
            Group("二", "乙", (item("3"),)),
        )
    )
    result = scored(made, *hits(3), hit("x", "2", day=2), hit("y", "3", day=3))
    # item 1: 2 + 2 + 1; item 2 asks 4, the group has 7 - 5 = 2 left; item 3 is in another group
    assert [(line.item, line.lost, line.capped_by) for line in result.losses] == [
        ("1", D(2), ""), ("1", D(2), ""), ("1", D(1), "item"), ("2", D(2), "group"), ("3", D(2), ""),
    ]  # fmt: skip
    assert result.total == D(91)


def test_the_last_limit_is_the_source():
    result = scored(active(item(points="60")), *hits(3))
    assert [(line.lost, line.capped_by) for line in result.losses] == [
        (D(60), ""), (D(40), "source"), (D(0), "source"),
    ]  # fmt: skip


@pytest.mark.parametrize(("mode", "name"), [(Mode.ONCE, "once"), (Mode.PER_PLACE, "place")])
def test_an_item_that_costs_once_keeps_its_other_findings_as_lines(mode, name):
    result = scored(active(item(mode=mode)), *hits(2, place="x"))
    assert [(line.asked, line.lost, line.capped_by) for line in result.losses] == [
        (D(2), D(2), ""), (D(2), D(0), name),
    ]  # fmt: skip


def test_bonuses_have_a_limit_together():
    made = active(item(mode=Mode.BONUS), item("2", mode=Mode.BONUS, points="3"), bonus_cap=D(4))
    result = scored(made, hit("a"), hit("b", "2"))
    assert (result.total, result.bonus) == (D(104), D(4))
    assert [line.capped_by for line in result.losses] == ["", "bonus"]


def test_a_bonus_is_not_eaten_by_the_limits_of_deductions():
    first = Group("一", "甲", (item(points="5"), item("2", mode=Mode.BONUS)), D(5))
    made = active(groups=(first, Group("二", "乙", (item("3"),))))
    assert scored(made, *hits(3), hit("z", "2")).total == D(97)  # 100 - 5 + 2


# --- factors and what became of it ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "points"),
    [
        ("city", "0.3"),
        ("district", "0.2"),
        ("street", "0.1"),
        ("unit", "0.1"),
    ],  # not in the table: the mildest
)
def test_the_level_of_the_finder_sets_the_points_by_a_table(level, points):
    levels = {"city": D("0.3"), "district": D("0.2"), "street": D("0.1")}
    (line,) = scored(active(item(points=None, levels=levels), finder={"city": D(9)}), hit(level=level)).losses
    assert line.asked == Decimal(points)
    assert line.why["level"] == level
    assert "factors" not in line.why


def test_a_level_outside_the_table_costs_the_points_where_the_item_has_any():
    made = active(item(points="1", levels={"city": D(3)}))
    assert [line.asked for line in scored(made, hit("a", level="city"), hit("b", level="street")).losses] == [
        D(3), D(1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "asked", "factors"),
    [
        ({"level": "city"}, "3", [("finder", "city", "1.5")]),
        ({"level": "street"}, "2", []),
        ({"repeats": 1}, "2.4", [("repeats", 1, "1.2")]),
        ({"repeats": 2}, "4", [("repeats", 2, "2")]),
        ({"repeats": 9}, "4", [("repeats", 9, "2")]),  # the last factor holds for more
        ({"repeats": 0}, "2", []),
        # 2 x 1.5 x 1.2
        ({"level": "city", "repeats": 1}, "3.6", [("finder", "city", "1.5"), ("repeats", 1, "1.2")]),
        ({"follow_ups": ("in_time",)}, "1.5", [("in_time", "按期返还", "0.75")]),
        ({"times": 2, "repeats": 1}, "4.8", [("repeats", 1, "1.2")]),
    ],
)
def test_factors_multiply_and_are_all_shown(given, asked, factors):
    made = active(
        item(),
        finder={"city": D("1.5")},
        repeats=(D("1.2"), D(2)),
        follow_ups=(FollowUp(FollowUpKind.IN_TIME, "按期返还", give_back=D("0.25")),),
    )
    (line,) = scored(made, hit(**given)).losses
    assert line.asked == Decimal(asked)
    shown = [(one["name"], one["of"], str(one["value"])) for one in line.why.get("factors", [])]
    assert shown == factors
    assert line.why["points"] == D(2)


def test_a_bonus_takes_no_factor():
    made = active(item(mode=Mode.BONUS), finder={"city": D(2)}, repeats=(D(2),))
    assert scored(made, hit(level="city", repeats=1)).bonus == D(2)


def follow_up(kind="late", points="0.5", **given):
    return FollowUp(FollowUpKind(kind), f"后续{kind}", None if points is None else D(points), **given)


def test_what_became_of_a_finding_costs_on_a_line_of_its_own():
    made = active(item(), follow_ups=(follow_up(), follow_up("second_notice", "1")))
    result = scored(made, hit(follow_ups=("late", "second_notice", "supervised")), hit("b"))
    assert [(line.kind, line.item, line.asked, line.record) for line in result.losses] == [
        (LineKind.DEDUCTION, "1", D(2), "a"),
        (LineKind.FOLLOW_UP, "follow:late", D("0.5"), "a"),
        (LineKind.FOLLOW_UP, "follow:second_notice", D(1), "a"),
        (LineKind.DEDUCTION, "1", D(2), "b"),
    ]
    assert result.losses[1].why["item"] == "1"
    assert result.total == D("94.5")


def test_follow_ups_have_a_limit_of_their_own_and_do_not_use_up_the_item():
    made = active(item(cap="2"), follow_ups=(follow_up(cap=D("0.8")),))
    result = scored(made, hit("a", follow_ups=("late",)), hit("b", day=2, follow_ups=("late",)))
    assert result.total == D("97.2")  # 100 - 2 - 0.8
    assert [line.lost for line in result.losses] == [D(2), D("0.5"), D(0), D("0.3")]


@pytest.mark.parametrize(("level", "points"), [("city", "1"), ("district", "0.5"), ("unit", "0.5")])
def test_follow_ups_may_cost_by_the_level_of_the_finder(level, points):
    made = active(item(), follow_ups=(follow_up(points=None, levels={"city": D(1), "district": D("0.5")}),))
    result = scored(made, hit(level=level, follow_ups=("late",)))
    assert result.losses[1].asked == Decimal(points)


def test_a_praise_has_no_follow_up():
    made = active(item(mode=Mode.BONUS), follow_ups=(follow_up(),))
    assert [line.kind for line in scored(made, hit(follow_ups=("late",))).losses] == [LineKind.BONUS]


# --- sources --------------------------------------------------------------------------------------------

LEDGER = Source("ledger", "台账", D(50), SourceKind.GIVEN)
SITE = Source("site", "现场", D(30), always=True)
DARK = Source("dark", "暗访", D(20))
THREE = (LEDGER, SITE, DARK)


@pytest.mark.parametrize(
    ("missing", "marks", "present", "total", "codes"),
    [
        # 90 x 50 % + 98 x 30 % + 100 x 20 % = 45 + 29.4 + 20
        ("zero", "90", {"dark"}, "94.4", []),
        ("zero", None, {"dark"}, "49.4", ["missing-source"]),
        ("zero", None, set(), "29.4", ["missing-source", "missing-source"]),
        # 90 x 50/80 + 98 x 30/80 = 56.25 + 36.75
        ("renormalise", "90", set(), "93", ["missing-source"]),
        ("renormalise", None, set(), "98", ["missing-source", "missing-source"]),
        ("renormalise", "90", {"dark"}, "94.4", []),
    ],
)
def test_sources_are_weighted_and_a_missing_one_is_lost_or_shared(missing, marks, present, total, codes):
    made = active(item(), sources=THREE, missing=Missing(missing))
    given_marks = {} if marks is None else {"ledger": Marks(Decimal(marks), "source:ledger")}
    result = scored(made, hit(source="site"), marks=given_marks, present=frozenset(present))
    assert result.total == Decimal(total)
    assert [one.code for one in result.remarks] == codes
    assert {source.key: source.present for source in result.sources} == {
        "ledger": marks is not None, "site": True, "dark": "dark" in present,
    }  # fmt: skip
    assert sum(source.effect for source in result.sources) == 100 - result.total


def test_what_a_missing_source_does_is_said_in_words():
    lost = scored(active(item(), sources=THREE)).remarks[0]
    assert lost.message.format(**lost.values) == "“台账”本期没有数据，按 0 分计，权重 50 %。"
    shared = scored(active(item(), sources=THREE, missing=Missing.RENORMALISE)).remarks[0]
    assert shared.message.format(**shared.values) == "“台账”本期没有数据，其权重 50 % 由其余来源分担。"


def test_a_missing_source_has_one_line_of_all_its_marks():
    result = scored(active(item(), sources=THREE), present=frozenset({"dark"}))
    (line,) = result.losses
    assert (line.kind, line.source, line.title, line.lost, line.effect) == (
        LineKind.MISSING, "ledger", "台账", D(100), D(50),
    )  # fmt: skip
    assert result.sources[0].score is None
    assert result.sources[1].score == D(100)


def test_three_equal_sources_that_are_all_lost_leave_exactly_nothing():
    third = D("33.333")
    sources = (
        Source("a", "甲", third, SourceKind.GIVEN),
        Source("b", "乙", third, SourceKind.GIVEN),
        Source("c", "丙", D("33.334"), SourceKind.GIVEN),
    )
    result = scored(
        active(sources=sources, missing=Missing.RENORMALISE), marks={"a": Marks(D(0)), "b": Marks(D("33.33"))}
    )
    assert result.total == D("16.665")  # (0 + 33.33) / 2: the two that are there weigh the same
    assert scored(active(sources=sources)).total == D(0)


def test_marks_on_another_scale_are_brought_to_the_scale_of_the_scheme():
    ledger = Source("ledger", "台账", D(50), SourceKind.GIVEN, full=D(20))
    made = active(item(), sources=(ledger, replace(SITE, weight=D(50))))
    result = scored(made, marks={"ledger": Marks(D(15))})
    assert result.total == D("87.5")  # 15 of 20 is 75: 75 x 50 % + 100 x 50 %
    assert (result.losses[0].lost, result.losses[0].effect) == (D(5), D("12.5"))


def test_full_marks_leave_no_line_and_boards_are_named_as_such():
    months = Source("months", "月均", D(100), SourceKind.BOARDS)
    assert scored(active(sources=(months,)), marks={"months": Marks(D(100))}).losses == ()
    (line,) = scored(active(sources=(months,)), marks={"months": Marks(D(97), "1月、2月")}).losses
    assert (line.record_kind, line.record, line.lost) == ("board", "1月、2月", D(3))


def test_without_any_source_nothing_was_assessed():
    result = scored(active(item(), sources=(replace(DARK, weight=D(100)),)))
    assert (result.assessed, result.total) == (False, D(0))
    assert scored(active(item())).assessed


def test_a_finding_is_proof_that_its_source_took_place():
    result = scored(active(item(), sources=(SITE, replace(DARK, weight=D(70)))), hit(source="dark"))
    assert (result.total, result.remarks) == (D("98.6"), ())  # 98 x 70 % + 100 x 30 %


def test_serious_finds_of_patrols_count_in_the_quarters_check_from_the_day_on():
    patrol = Source("patrol", "巡查", into="routine", window=Window(since=date(2026, 10, 1)))
    quarter = active(item(), sources=(ROUTINE, patrol), period=Period.quarter(2026, 4))
    result = scored(quarter, hit(source="patrol"))
    assert (result.total, result.losses[0].source) == (D(98), "routine")
    earlier = active(item(), sources=(ROUTINE, patrol), period=Period.quarter(2026, 3))
    result = scored(earlier, hit(source="patrol"))
    assert (result.total, result.unscored, [one.code for one in result.remarks]) == (D(100), 1, ["unscored"])


def test_an_item_counts_only_in_its_own_sources():
    made = active(item(sources=("dark",)), sources=THREE)
    result = scored(made, hit(source="site"), present=frozenset({"dark"}), marks={"ledger": Marks(D(100))})
    assert (result.total, result.unscored) == (D(100), 1)
    result = scored(made, hit(source="dark"), marks={"ledger": Marks(D(100))})
    assert (result.total, result.unscored) == (D("99.6"), 0)


def test_a_measured_item_counts_in_the_source_it_names_and_makes_it_take_place():
    made = active(item(mode=Mode.THRESHOLD, points="10", target="1", sources=("dark",)), sources=THREE)
    marks = {"ledger": Marks(D(100))}
    assert scored(made, marks=marks, measured={"1": Measured(D(0))}).total == D(98)  # 10 x 20 %
    # Nothing was measured and nobody was there: the whole source is missing, once.
    result = scored(made, marks=marks)
    assert (result.total, [one.code for one in result.remarks]) == (D(80), ["missing-source"])
    unnamed = active(item(mode=Mode.THRESHOLD, points="10", target="1"), sources=THREE)
    result = scored(unnamed, marks=marks, present=frozenset({"dark"}), measured={"1": Measured(D(0))})
    assert result.total == D(97)  # the first source with findings: 10 x 30 %


# --- seasons ----------------------------------------------------------------------------------------------


def test_april_has_six_marks_more_and_the_posting_rate_counts_in_the_third_quarter():
    april = Window(months=frozenset({4}))
    groups = (
        Group("一", "平时", (item(),), D(94)),
        Group("二", "爱国卫生月", (item("2", points="6", window=april),), D(6), april),
    )
    for month, full, total in (("2026-04", 100, 92), ("2026-05", 94, 92)):
        made = ActiveScheme(Scheme("e", (ROUTINE,), groups), Period.month(month))
        result = scored(made, hit("a"), hit("b", "2"))
        # April: 100 - 2 - 6; May: 94 - 2, and the finding of the campaign month counts nowhere
        assert (result.full, result.total, result.unscored) == (D(full), D(total), int(month == "2026-05"))


# --- veto and grades ------------------------------------------------------------------------------------------


def test_a_veto_takes_everything_that_is_left():
    made = active(item(), item("9", mode=Mode.VETO, points=None), item("8", mode=Mode.BONUS))
    result = scored(made, hit("a"), hit("v", "9"), hit("w", "9", day=2), hit("b", "8"))
    vetoes = [line for line in result.losses if line.kind is LineKind.VETO]
    assert (result.total, result.vetoed) == (D(0), True)
    assert [(line.record, line.asked, line.lost, line.effect) for line in vetoes] == [
        ("v", D(100), D(100), D(100)),  # 100 - 2 + 2
        ("w", D(0), D(0), D(0)),
    ]
    assert result.sources[0].lost == D(2)  # the veto is no deduction of the source


GRADES = (Grade("优秀", D(90)), Grade("良好", D(80)), Grade("不合格", D(0)))


def test_a_veto_may_fix_the_grade_and_leave_the_marks():
    made = active(item("9", mode=Mode.VETO, points=None), grades=GRADES, veto="不合格")
    result = scored(made, hit("v", "9"))
    assert (result.total, result.grade, result.vetoed) == (D(100), "不合格", True)
    assert result.losses[0].effect == D(0)
    assert (scored(made).vetoed, scored(made).grade) == (False, "优秀")


@pytest.mark.parametrize(
    ("total", "grade"),
    [
        ("90", "优秀"),
        ("89.995", "优秀"),
        ("89.994", "良好"),
        ("80", "良好"),
        ("79.99", "不合格"),
        ("0", "不合格"),
    ],
)
def test_a_grade_is_that_of_the_marks_as_printed(total, grade):
    scheme = Scheme("e", (ROUTINE,), full=D(100), grades=GRADES)
    assert grade_of(scheme, Decimal(total)) == grade


def test_less_than_every_band_is_the_lowest_and_no_bands_are_no_grade():
    scheme = Scheme("e", (ROUTINE,), full=D(100), grades=GRADES[:2])
    assert grade_of(scheme, D(10)) == "良好"
    assert grade_of(replace(scheme, grades=()), D(10)) == ""


# --- what ranks make of it --------------------------------------------------------------------------------------


def test_rewards_come_first_and_a_penalty_takes_at_most_what_is_there():
    last = RankRule("last", "末位", (D(10),))
    first = RankRule("first", "首位", (D(1),), End.TOP, bonus=True)
    total, lines = after_ranks(D(5), [(last, D(10)), (first, D(1))])
    assert total == D(0)
    assert [(line.kind, line.item, line.asked, line.lost, line.capped_by) for line in lines] == [
        (LineKind.BONUS, "rank:first", D(1), D(1), ""),
        (LineKind.PENALTY, "rank:last", D(10), D(6), "total"),
    ]
    assert after_ranks(D(50), [(last, D(10))])[0] == D(40)
    assert after_ranks(D(50), [(last, D(10))])[1][0].capped_by == ""
    assert after_ranks(D(50), []) == (D(50), ())


# --- per item, per line ---------------------------------------------------------------------------------------


def test_items_are_summed_in_the_order_of_the_scheme():
    made = active(
        groups=(Group("一", "甲", (item("2"), item("1", cap="3"))),),
        follow_ups=(follow_up(),),
    )
    result = scored(made, *hits(2, item="1"), hit("z", "2", follow_ups=("late",)))
    assert [
        (one.number, one.title, one.group, one.asked, one.lost, one.effect, one.records, one.capped)
        for one in result.items
    ] == [
        ("2", "项2", "甲", D(2), D(2), D(2), 1, False),
        ("1", "项1", "甲", D(4), D(3), D(3), 2, True),
        ("follow:late", "后续late", "", D("0.5"), D("0.5"), D("0.5"), 1, False),
    ]


def test_lines_of_equal_cost_share_their_reasons():
    first, second = scored(active(item()), *hits(2)).losses
    assert first.why is second.why


def test_a_gap_shows_what_was_measured_and_what_was_asked():
    made = active(item(mode=Mode.GAP, points="3", target="4"))
    (line,) = scored(made, measured={"1": Measured(D(3))}).losses
    assert line.why == {"mode": "gap", "measured": D(3), "target": D(4), "points": D(3), "step": D(1)}
    (line,) = scored(made, measured={"1": Measured(Ratio(1, 50))}).losses  # 2 %
    assert (line.why["numerator"], line.why["denominator"], line.lost) == (1, 50, D(6))


def test_a_line_taken_back_lets_the_others_use_the_limit():
    made = active(item(cap="5"))
    result = scored(made, *hits(3))
    asked = [
        Asked(line.kind, line.source, line.item, line.title, line.record_kind, line.record, line.occurred_on,
              line.place, int(line.asked * 10**6), line.why, ref=number)
        for number, line in enumerate(result.losses, 1)
    ]  # fmt: skip
    again = share_out(made, asked[1:], frozenset({"routine"}))
    assert again.total == D(96)
    assert [(line.ref, line.lost) for line in again.losses] == [(2, D(2)), (3, D(2))]


# --- for any records, in any order -----------------------------------------------------------------------------

RICH_ITEMS = (
    item("1", cap="5"),
    item("2", mode=Mode.ONCE, points="0.35"),
    item("3", mode=Mode.PER_PLACE, points="1.5", value="4"),
    item("4", mode=Mode.RANGE, points=None, minimum="0.5", maximum="3"),
    item("5", mode=Mode.BONUS, points="0.4", cap="1"),
    item("6", points=None, levels={"city": D("0.3"), "street": D("0.1")}),
)


def rich(missing, weights, finder):
    keys = ("site", "dark", "ledger")
    kinds = (SourceKind.FINDINGS, SourceKind.FINDINGS, SourceKind.GIVEN)
    sources = tuple(
        Source(key, key, weight, kind, full=D(30) if key == "ledger" else None)
        for key, kind, weight in zip(keys, kinds, weights, strict=True)
    )
    scheme = Scheme(
        "e", sources, (Group("一", "甲", RICH_ITEMS[:3], D(9)), Group("二", "乙", RICH_ITEMS[3:])), D(100),
        finder=finder, repeats=(D("1.5"), D("2.25")), missing=missing, bonus_cap=D(2),
        follow_ups=(follow_up(cap=D(3)), FollowUp(FollowUpKind.IN_TIME, "返还", give_back=D("0.333"))),
    )  # fmt: skip
    return ActiveScheme(scheme, OCTOBER)


some_hits = st.lists(
    st.builds(
        Hit,
        source=st.sampled_from(["site", "dark"]),
        item=st.sampled_from(["1", "2", "3", "4", "5", "6"]),
        record=st.text("abc", min_size=1, max_size=3),
        occurred_on=st.dates(OCTOBER.start, OCTOBER.end),
        place=st.sampled_from(["x", "y"]),
        level=st.sampled_from(["city", "street", "unit"]),
        times=st.integers(1, 3),
        repeats=st.integers(0, 4),
        points=st.none() | st.decimals("0.5", "3", places=2),
        follow_ups=st.sampled_from([(), ("late",), ("in_time",), ("in_time", "late")]),
    ),
    max_size=40,
    unique_by=lambda hit: (hit.source, hit.item, hit.record),  # one finding falls under an item once
)
some_weights = st.tuples(st.integers(1, 9700), st.integers(1, 99)).map(
    lambda pair: (D(pair[0]) / 100, D(pair[1]) / 100, 100 - D(pair[0]) / 100 - D(pair[1]) / 100)
)


@settings(deadline=None)
@given(
    some_hits,
    some_weights,
    st.sampled_from(Missing),
    st.none() | st.decimals(0, 30, places=3),
    st.sampled_from([{}, {"city": D("1.1")}]),
    st.randoms(use_true_random=False),
)
def test_every_tenth_is_explained_and_the_order_changes_nothing(
    found, weights, missing, marks, finder, random
):
    made = rich(missing, weights, finder)
    given_marks = {} if marks is None else {"ledger": Marks(marks)}
    result = scored(made, *found, marks=given_marks)  # asserts full - Σ effects + bonus == total
    assert 0 <= result.total - result.bonus <= result.full
    shuffled = list(found)
    Random(random.random()).shuffle(shuffled)
    again = scored(rich(missing, weights, finder), *shuffled, marks=given_marks)
    assert (again.total, again.losses, again.items, again.sources) == (
        result.total, result.losses, result.items, result.sources,
    )  # fmt: skip
    for source in result.sources:
        assert 0 <= source.lost <= source.full
    for line in result.losses:
        assert 0 <= line.lost <= line.asked or line.kind is LineKind.MISSING


@settings(deadline=None)
@given(some_hits, some_weights, st.sampled_from(Missing))
def test_the_total_is_the_weighted_sum_of_the_sources_to_the_millionth(found, weights, missing):
    result = scored(rich(missing, weights, {}), *found)
    whole = sum(
        (source.share * Fraction(source.lost) / Fraction(source.full) for source in result.sources),
        Fraction(0),
    )
    if any(source.present for source in result.sources):
        assert result.total == 100 - round_half_up(whole * 100, 6) + result.bonus


@settings(deadline=None)
@given(some_hits, some_hits)
def test_more_findings_never_raise_the_marks_before_bonuses(found, more):
    weights = (D(50), D(30), D(20))
    marks = {"ledger": Marks(D(30))}
    one = scored(rich(Missing.ZERO, weights, {}), *found, marks=marks, present=frozenset({"site", "dark"}))
    # Once and per place cost what the first finding costs, so only items without that are compared.
    extra = [hit for hit in more if hit.item in ("1", "4", "6")]
    two = scored(
        rich(Missing.ZERO, weights, {}), *found, *extra, marks=marks, present=frozenset({"site", "dark"})
    )
    assert two.total - two.bonus <= one.total - one.bonus
