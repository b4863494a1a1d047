"""Check-list scores, with the arithmetic beside them; the points are those of a published community scale."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.rules.scoring import CheckList, Item, Line, Mode, deduct

LIST = CheckList(
    edition="community-sample",
    full=Decimal(10),
    items=(
        Item("1", "保洁员不在岗", Decimal("1"), "once"),
        Item("2", "路面有积尘烟头", Decimal("2"), "per_finding", cap=Decimal("5")),
        Item("3", "绿地有杂物", Decimal("0.5")),
        Item("4", "乱搭乱堆", Decimal("3"), Mode.ONCE, cap=Decimal("2.5")),
    ),
)


@pytest.mark.parametrize(
    ("counts", "total"),
    [
        ({}, "10"),  # nothing found: full marks
        ({"1": 0, "3": 0}, "10"),
        ({"3": 1}, "9.5"),  # 10 - 0.5
        ({"3": 3}, "8.5"),  # 10 - 3 x 0.5
        ({"1": 1}, "9"),
        ({"1": 7}, "9"),  # once: 10 - 1, however many
        ({"2": 2}, "6"),  # 10 - 2 x 2
        ({"2": 3}, "5"),  # 10 - min(6, 5)
        ({"4": 1}, "7.5"),  # 10 - min(3, 2.5)
        ({"1": 2, "2": 9, "3": 4, "4": 1}, "0"),  # 10 - 1 - 5 - 2 - 2.5 = -0.5 stops at zero
        ({"1": 2, "2": 9, "3": 3, "4": 1}, "0"),  # 10 - 1 - 5 - 1.5 - 2.5 = 0 exactly
        ({"1": 2, "2": 9, "3": 2, "4": 1}, "0.5"),
    ],
)
def test_findings_cost_points_until_nothing_is_left(counts, total):
    score = deduct(LIST, counts)
    assert score.total == Decimal(total)
    assert score.edition == "community-sample"


def test_each_item_that_cost_points_has_a_line_in_the_order_of_the_list():
    score = deduct(LIST, {"4": 1, "3": 0, "2": 3, "1": 7})
    assert score.lines == (
        Line("1", "保洁员不在岗", 7, Decimal(1), capped=False),
        Line("2", "路面有积尘烟头", 3, Decimal(5), capped=True),
        Line("4", "乱搭乱堆", 1, Decimal("2.5"), capped=True),
    )


def test_a_cost_exactly_at_the_limit_is_not_called_capped():
    exact = CheckList("e", Decimal(10), (Item("1", "项", Decimal("2.5"), cap=Decimal(5)),))
    assert deduct(exact, {"1": 2}).lines == (Line("1", "项", 2, Decimal(5), capped=False),)


@pytest.mark.parametrize(
    ("counts", "code", "says"),
    [
        ({"9": 1}, "item-unknown", "“community-sample”中没有检查项 9"),
        ({"9": 0}, "item-unknown", "检查项 9"),
        ({"3": -1}, "count-negative", "检查项 3 的问题数 -1"),
    ],
)
def test_what_the_list_does_not_know_is_refused(counts, code, says):
    with pytest.raises(RuleError) as caught:
        deduct(LIST, counts)
    assert caught.value.code == code
    assert says in caught.value.sentence()


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda: Item("5", "项", Decimal(0)), "item-points", "检查项 5"),
        (lambda: Item("5", "项", Decimal("-0.5")), "item-points", "检查项 5"),
        (lambda: Item("5", "项", Decimal(1), cap=Decimal(0)), "item-points", "检查项 5"),
        (lambda: Item("5", "项", Decimal(1), "twice"), "item-mode", "检查项 5 的扣分方式“twice”"),
        (lambda: CheckList("e", Decimal(0), ()), "checklist-full", "“e”的满分"),
        (
            lambda: CheckList("e", Decimal(9), (Item("1", "甲", Decimal(1)), Item("1", "乙", Decimal(1)))),
            "item-twice",
            "“e”中检查项 1 ",
        ),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_when_it_is_made(make, code, says):
    with pytest.raises(RuleError) as caught:
        make()
    assert caught.value.code == code
    assert says in caught.value.sentence()


def test_the_smallest_points_marks_and_limits_are_accepted():
    tiny = Decimal("0.1")
    assert deduct(CheckList("e", tiny, (Item("1", "项", tiny, cap=tiny),)), {}).total == tiny


@given(st.dictionaries(st.sampled_from("1234"), st.integers(0, 50)))
def test_the_total_is_what_the_lines_leave_and_never_negative(counts):
    score = deduct(LIST, counts)
    assert score.total == max(Decimal(0), LIST.full - sum(line.lost for line in score.lines))
    assert {line.number for line in score.lines} == {number for number, count in counts.items() if count}


@given(st.dictionaries(st.sampled_from("1234"), st.integers(0, 5)), st.sampled_from("1234"))
def test_one_more_finding_never_helps(counts, number):
    worse = {**counts, number: counts.get(number, 0) + 1}
    assert deduct(LIST, worse).total <= deduct(LIST, counts).total
