"""Problems that come back: chains, places, hot spots."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.repeats import (
    LONGEST_DAYS,
    Linked,
    RepeatRule,
    Sighting,
    chain,
    in_window,
    is_hot,
    place_key,
    places,
    plain_address,
    same_place,
)

RULE = RepeatRule(30, 1, Decimal(50), Decimal(500), ("附近", "旁", "门口"), 4, 2, 90)
DAY = date(2026, 3, 1)


def seen(pk, days, *, unit=True, east_m=None, address="", repeat_of=None, repeats=0):
    """A finding so many days after the first of March, so many metres east of one point (at 34° north)."""
    lon = None if east_m is None else Decimal(117) + Decimal(east_m) / Decimal("92190")  # cos 34° x 111.2 km
    lat = None if east_m is None else Decimal(34)
    return Sighting(
        pk, f"{pk:04d}", DAY + timedelta(days=days), unit, lon, lat, address, repeat_of, repeats
    )  # fmt: skip


def linked(sightings, since=DAY, rule=RULE):
    return chain(sightings, {each.on: rule for each in sightings}, since=since)


@pytest.mark.parametrize(
    ("gap", "before"),
    [
        (0, None),  # the same day: one problem seen twice
        (1, 1),
        (30, 1),  # the thirtieth day still counts
        (31, None),  # the thirty-first does not
    ],
)
def test_a_finding_repeats_the_one_before_within_the_days_of_the_rule(gap, before):
    assert linked([seen(1, 0), seen(2, gap)])[2] == Linked(before, 0 if before is None else 1)


def test_a_chain_counts_how_many_came_before_and_always_links_to_the_newest():
    found = linked([seen(1, 0), seen(2, 20), seen(3, 25), seen(4, 50)])
    # 50 - 25 = 25 days after the third; the first is 50 days back and no longer matters
    assert found == {1: Linked(None, 0), 2: Linked(1, 1), 3: Linked(2, 2), 4: Linked(3, 3)}


def test_two_findings_of_one_day_repeat_the_same_one_and_the_next_repeats_the_later_identity():
    found = linked([seen(1, 0), seen(3, 5), seen(2, 5), seen(4, 6)])
    assert found[2] == found[3] == Linked(1, 1)
    assert found[4] == Linked(3, 2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (seen(1, 0, unit=False, east_m=0), seen(2, 1, unit=False, east_m=49), True),
        (seen(1, 0, unit=False, east_m=0), seen(2, 1, unit=False, east_m=51), False),
        (seen(1, 0, unit=False, address="解放路12号"), seen(2, 1, unit=False, address="解放路 12 号附近"), True),
        (seen(1, 0, unit=False, address="解放路12号"), seen(2, 1, unit=False, address="解放路21号"), False),
        (seen(1, 0, unit=False, address="路边"), seen(2, 1, unit=False, address="路边"), False),  # says too little
        (seen(1, 0, unit=False), seen(2, 1, unit=False), False),  # nothing is known of either
        (seen(1, 0, unit=False, east_m=0, address="解放路12号"),
         seen(2, 1, unit=False, east_m=80, address="解放路12号"), True),  # far by the phone, the same by the words
        (seen(1, 0), seen(2, 1), True),  # a unit is a place
        (seen(1, 0, east_m=0), seen(2, 1, east_m=499), True),
        (seen(1, 0, east_m=0), seen(2, 1, east_m=502), False),  # a unit that answers for many streets
        (seen(1, 0, east_m=0), seen(2, 1), True),  # one of them without a point
    ],
)  # fmt: skip
def test_the_same_place(one, other, same):
    assert same_place(one, other, RULE) is same
    assert same_place(other, one, RULE) is same


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("解放路１２号，附近", "解放路12号"),
        ("解放路12号门口旁", "解放路12号"),  # two vague endings
        (" A座-3 单元 ", "a座3单元"),
        ("路口旁", ""),  # two characters left of four
        ("", ""),
    ],
)
def test_an_address_is_compared_without_what_says_nothing(text, plain):
    assert plain_address(text, RULE) == plain


def test_a_unit_without_a_limit_is_one_place_however_far_its_points():
    rule = RepeatRule(30, 1, Decimal(50), None, (), 4, 2, 90)
    assert same_place(seen(1, 0, east_m=0), seen(2, 1, east_m=9000), rule)


def test_what_lies_before_the_day_is_read_and_not_judged_again():
    found = linked([seen(1, 0, repeats=4), seen(2, 10)], since=DAY + timedelta(days=10))
    assert found == {2: Linked(1, 5)}  # 4 before the first, and the first itself


def test_the_place_is_the_unit_or_else_the_community():
    assert place_key(12, "320311001005001") == "u:12"
    assert place_key(None, "320311001005001") == "a:320311001005"
    assert place_key(None, "320311001") == "a:320311001"


ARRIVALS = st.lists(st.tuples(st.integers(0, 120), st.integers(0, 200)), min_size=1, max_size=14).flatmap(
    lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))
)


@given(ARRIVALS)
def test_any_order_of_arrival_gives_the_same_chains(given_):
    rows, order = given_
    everything = [seen(pk, day, unit=False, east_m=east) for pk, (day, east) in enumerate(rows, start=1)]
    at_once = linked(everything)
    there: dict[int, Sighting] = {}
    for position in order:
        new = everything[position]
        there[new.pk] = new
        oldest = new.on - timedelta(days=LONGEST_DAYS)
        read = [each for each in there.values() if each.on >= oldest]
        for pk, found in chain(read, {each.on: RULE for each in read}, since=new.on).items():
            old = there[pk]
            there[pk] = Sighting(
                pk,
                old.uid,
                old.on,
                old.at_unit,
                old.lon,
                old.lat,
                old.address,
                found.repeat_of,
                found.repeats,
            )
    assert {pk: Linked(each.repeat_of, each.repeats) for pk, each in there.items()} == at_once


def test_repeats_of_one_chain_are_one_place_and_a_chain_that_begins_again_there_joins_it():
    first = [seen(2, 5, repeat_of=1, repeats=1), seen(3, 9, repeat_of=2, repeats=2)]
    again = [seen(8, 60, repeat_of=7, repeats=1)]
    assert places([*again, *first, seen(1, 0)], RULE) == [[*first, *again]]


def test_two_corners_of_a_community_are_two_places():
    one = seen(2, 5, unit=False, east_m=0, repeat_of=1, repeats=1)
    other = seen(4, 6, unit=False, east_m=300, repeat_of=3, repeats=1)
    assert places([other, one], RULE) == [[one], [other]]


def test_a_chain_that_wanders_stays_one_place():
    # 40 m further each time: the third is 80 m from the first, but repeats the second
    one = seen(2, 5, unit=False, east_m=40, repeat_of=1, repeats=1)
    two = seen(3, 6, unit=False, east_m=120, repeat_of=2, repeats=2)
    assert places([one, two], RULE) == [[one, two]]


def test_the_window_is_counted_back_from_the_newest_repeat():
    place = [seen(1, 0, repeats=1), seen(2, 1, repeats=1), seen(3, 90, repeats=1)]
    # 90 days with the newest: day 90 back to day 1
    assert [each.pk for each in in_window(place, RULE)] == [2, 3]
    assert in_window([], RULE) == []


@pytest.mark.parametrize(("times", "hot"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_place_is_hot_from_the_threshold_on(times, hot):
    assert is_hot([seen(pk, pk, repeats=1) for pk in range(times)], RULE) is hot
