"""Which places to ask about: shares of the worst are added up."""

from fractions import Fraction

from weicheng.rules.calls import Reason, Trouble, Why, worst


def trouble(area, *reasons, waited=0):
    return Trouble(area, tuple(Reason(*reason) for reason in reasons), waited)


def order(*troubles, most=3):
    return [one.area for one in worst(troubles, most)]


def test_the_shares_of_the_worst_are_added_up():
    one = trouble("1", (Why.OVERDUE, 10, 40), (Why.SPOTS, 1, 2), (Why.CARDS, 1, 1))
    assert one.weight == Fraction(7, 4)  # 10/40 + 1/2 + 1/1
    assert trouble("2").weight == 0


def test_a_place_in_trouble_in_several_respects_stands_before_one_that_is_bad_in_one():
    late = trouble("1", (Why.OVERDUE, 40, 40))  # 1
    both = trouble("2", (Why.OVERDUE, 20, 40), (Why.FALL, 3, 4))  # 1/2 + 3/4
    little = trouble("3", (Why.OVERDUE, 1, 40), (Why.SPOTS, 1, 3), (Why.FALL, 1, 9))  # 0.025 + 0.333 + 0.111
    assert order(little, late, both) == ["2", "1", "3"]


def test_among_equals_the_longest_wait_comes_first_then_the_code():
    equal = (Why.OVERDUE, 2, 2)
    assert order(
        trouble("2", equal, waited=1), trouble("1", equal, waited=1), trouble("3", equal, waited=5)
    ) == [
        "3",
        "1",
        "2",
    ]


def test_no_more_than_asked_for_and_none_without_a_reason():
    places = [trouble(str(number), (Why.CARDS, 1, 1)) for number in range(5)]
    assert order(*places, most=3) == ["0", "1", "2"]
    assert order(trouble("9"), most=3) == []


def test_who_has_not_waited_stands_behind_who_has_waited_a_day():
    equal = (Why.OVERDUE, 2, 2)
    unsaid = Trouble("1", (Reason(*equal),))
    assert unsaid.waited_days == 0
    assert order(unsaid, trouble("2", equal, waited=1)) == ["2", "1"]
