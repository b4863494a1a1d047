"""Ranks and what they cost, with the arithmetic beside them; the points are those of system STD-7 and example 4."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.rules.ranking import End, RankRule, Ties, competition_ranks, rank_points

D = Decimal


def values(text: str) -> dict[str, Decimal]:
    """Return {"a": …, "b": …} from "98 95 95"."""
    return dict(zip("abcdefghij", map(Decimal, text.split()), strict=False))


@pytest.mark.parametrize(
    ("marks", "ranks"),
    [
        ("98 95 95 90", [1, 2, 2, 4]),
        ("90 95 98 95", [4, 2, 1, 2]),
        ("95 95 95", [1, 1, 1]),  # all tied
        ("95", [1]),  # a group of one
        ("95 95.0 94", [1, 1, 3]),  # 95 and 95.0 are the same marks
        ("95 94 94 94 93", [1, 2, 2, 2, 5]),
    ],
)
def test_equal_marks_share_the_rank_and_leave_places_out(marks, ranks):
    assert list(competition_ranks(values(marks)).values()) == ranks


def test_nobody_is_ranked_where_nobody_is():
    assert competition_ranks({}) == {}


def rule(**given):
    points = tuple(map(Decimal, given.pop("points", "10 5 3").split()))
    return RankRule("last", "后三名", points, **{"min_group": 1, **given})


@pytest.mark.parametrize(
    ("marks", "ties", "points"),
    [
        ("60 70 80 90", "mild", {"a": 10, "b": 5, "c": 3}),
        ("90 80 70 60", "mild", {"d": 10, "c": 5, "b": 3}),
        # b and c share the second and third place from the end: the mildest of 5 and 3
        ("60 70 70 90", "mild", {"a": 10, "b": 3, "c": 3}),
        ("60 70 70 90", "strict", {"a": 10, "b": 5, "c": 5}),
        ("60 70 70 90", "mean", {"a": 10, "b": 4, "c": 4}),  # (5 + 3) / 2
        # c and d share the third place, which costs, and the fourth, which does not
        ("60 70 80 80", "mild", {"a": 10, "b": 5}),
        ("60 70 80 80", "strict", {"a": 10, "b": 5, "c": 3, "d": 3}),
        ("60 70 80 80", "mean", {"a": 10, "b": 5, "c": "1.5", "d": "1.5"}),  # (3 + 0) / 2
        # all tied: nobody is last
        ("80 80 80 80", "mild", {}),
        ("80 80 80 80", "strict", {"a": 10, "b": 10, "c": 10, "d": 10}),
        ("80 80 80 80", "mean", {"a": "4.5", "b": "4.5", "c": "4.5", "d": "4.5"}),  # (10 + 5 + 3 + 0) / 4
        ("80 80 80", "mild", {"a": 3, "b": 3, "c": 3}),  # three places, all of them cost
    ],
)
def test_the_last_three_lose_ten_five_and_three(marks, ties, points):
    assert rank_points(rule(ties=Ties(ties)), values(marks)) == {
        name: Decimal(lost) for name, lost in points.items()
    }


def test_a_mean_that_does_not_end_is_rounded_half_up_at_the_millionth():
    shared = rank_points(rule(points="5 3", ties=Ties.MEAN), values("80 80 80"))
    assert shared["a"] == D("2.666667")  # (5 + 3 + 0) / 3


@pytest.mark.parametrize(
    ("size", "min_group", "applies"),
    [
        (5, 0, False),  # by default twice the places with points: 6
        (6, 0, True),
        (2, 3, False),
        (3, 3, True),
        (1, 1, True),
    ],
)
def test_a_group_that_is_too_small_is_left_alone(size, min_group, applies):
    marks = {str(number): Decimal(number) for number in range(size)}
    assert bool(rank_points(rule(min_group=min_group), marks)) is applies


def test_places_without_points_do_not_make_the_group_larger():
    assert rule(points="1 0.8 0.5 0.3 0", min_group=0).smallest_group == 8


@pytest.mark.parametrize(
    ("marks", "points"),
    [
        ("90 95 92 80 85 70", {"b": "1", "c": "0.8", "a": "0.5", "e": "0.3"}),
        # b and c share the first and second place: the best of 1 and 0.8
        ("90 95 95 80 85 70", {"b": "1", "c": "1", "a": "0.5", "e": "0.3"}),
    ],
)
def test_the_first_places_earn_points(marks, points):
    first = rule(points="1 0.8 0.5 0.3", end=End.TOP, bonus=True)
    assert rank_points(first, values(marks)) == {name: Decimal(given) for name, given in points.items()}


def test_shared_reward_is_the_worst_of_its_places_where_the_scheme_is_strict():
    first = rule(points="1 0.8", end=End.TOP, bonus=True, ties=Ties.STRICT)
    assert rank_points(first, values("95 95 90")) == {"a": D("0.8"), "b": D("0.8")}


@pytest.mark.parametrize("points", [(), (D(0),), (D(5), D(-1))])
def test_points_that_make_no_sense_are_refused(points):
    with pytest.raises(RuleError) as caught:
        RankRule("x", "末位", points)
    assert caught.value.code == "rank-points"
    assert "“末位”" in caught.value.sentence()


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.decimals(0, 100, places=2), min_size=1))
def test_a_rank_is_one_more_than_those_who_are_better(marks):
    ranks = competition_ranks(marks)
    for name, value in marks.items():
        assert ranks[name] == 1 + sum(other > value for other in marks.values())


@given(
    st.dictionaries(st.integers(0, 30), st.integers(0, 5).map(Decimal), min_size=6),
    st.sampled_from(Ties),
)
def test_equal_marks_get_equal_points_and_worse_marks_never_less(marks, ties):
    given_points = rank_points(rule(ties=ties), {str(name): value for name, value in marks.items()})
    lost = {name: given_points.get(str(name), Decimal(0)) for name in marks}
    for one in marks:
        for other in marks:
            if marks[one] == marks[other]:
                assert lost[one] == lost[other]
            elif marks[one] < marks[other]:
                assert lost[one] >= lost[other]
