"""The story and the courses of its cases: values, no database."""

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from weicheng.demo import story, words
from weicheng.demo.course import BAD, GOOD, PLAIN, Clock, course_of
from weicheng.demo.rounds import Drawn, PlannedRound
from weicheng.places import divisions
from weicheng.places.roles import Role
from weicheng.rules.cases import Move
from weicheng.rules.moments import ZONE

pytestmark = pytest.mark.once  # values, no database

AT = datetime(2026, 11, 23, 1, 43, tzinfo=ZONE)  # a Monday, in the night
HOLIDAYS = {date(2026, 10, day) for day in range(1, 8)}
COMMON = {
    "01055", "03001", "03005", "06007", "06010", "06011", "06012", "06017", "06025", "06036", "06038", "06041",
    "06042", "07001", "09005", "09006", "09020",
}  # fmt: skip


def district(area: str) -> story.District:
    names = {one.code: one.name for one in divisions.read(area)}
    streets = tuple(story.Place(code, name) for code, name in names.items() if len(code) == 9)
    below = {
        street.code: tuple(
            story.Place(code, name)
            for code, name in names.items()
            if len(code) == 12 and code[:9] == street.code
        )
        for street in streets
    }
    return story.District(area, names[area], streets, below)


def told(area: str = "320311", *, seed: int = 1, at: datetime = AT, months: int = 12) -> story.Story:
    terms = story.Terms(
        categories=lambda _day: list(words.NOTES),
        is_working_day=lambda day: day.weekday() < 5 and day not in HOLIDAYS,
        items=(("2", "06012"), ("3", "03005")),
        severities=("difficult", "hard", "special"),
    )
    teller = story.begin(district(area), seed=seed, at=at, months=months, terms=terms)
    return teller.tell(lambda planned: drawn(teller, planned))


def drawn(teller: story.Teller, planned: PlannedRound) -> list[Drawn]:
    """Stand in for the real draw, which needs a database: places and inspectors in turn."""
    places = [
        place for street in teller.district.streets for place in teller.district.communities[street.code]
    ]
    if planned.unit_kinds:
        units = [unit for unit in teller.units.values() if unit.kind in planned.unit_kinds]
        chosen = [Drawn(unit.area, unit.name, "", unit.key) for unit in units]
    else:
        chosen = [Drawn(place.code, place.name, "") for place in places]
    rng, count = Random(planned.key), planned.places + len(planned.recommended)
    return [
        replace(one, by=planned.inspectors[number % len(planned.inspectors)])
        for number, one in enumerate(rng.sample(chosen, min(count, len(chosen))))
    ]


@pytest.fixture(scope="module", params=["320311", "110101"])
def year(request) -> story.Story:
    return told(request.param)


def test_the_same_seed_tells_the_same_story_and_another_seed_another():
    assert told(months=2) == told(months=2)
    assert told(months=2).findings != told(months=2, seed=2).findings


def test_a_year_has_the_size_of_the_source(year):
    assert (len(year.visits), len(year.findings)) == (655, 4000)  # F001-175, F001-176
    assert max(Counter(one.visit for one in year.findings if one.visit).values()) <= 15


def test_rounds_stand_in_their_days_and_what_a_hidden_one_found_waits_for_its_publishing(year):
    rounds = {one.key: one for one in year.rounds}
    for visit in year.visits:
        if visit.round:
            assert rounds[visit.round].starts_on <= visit.started_at.date() <= rounds[visit.round].ends_on
    hidden = {
        visit.uid: rounds[visit.round] for visit in year.visits if visit.round and rounds[visit.round].hidden
    }
    for one in year.findings:
        if one.visit in hidden:
            assert one.item
            assert one.received_at == hidden[one.visit].publish_at
    assert year.sealed
    assert all(hidden[one.visit].publish_at is None for one in year.sealed)
    assert 0.4 < sum(bool(visit.round) for visit in year.visits) / len(year.visits) <= 0.62


def test_of_two_yellow_cards_one_is_looked_at_again_by_somebody_else(year):
    visits = {visit.uid: visit for visit in year.visits}
    first, last = year.cards
    seen, again = visits[first.visit], visits[first.recheck]
    assert (again.area, again.place) == (seen.area, seen.place)
    assert again.by != seen.by
    assert first.issued_at < again.started_at < first.lifted_at
    assert not any(one.visit == again.uid for one in year.findings)
    assert last.recheck is None


def test_no_place_person_unit_or_visit_carries_a_twentieth_of_the_year(year):
    for key in ("address", "uid", "area", "by", "verifier"):
        assert max(Counter(getattr(one, key) for one in year.findings).values()) < 200, key
    assert max(Counter(one.units[0] for one in year.findings).values()) < 200
    assert max(Counter(one.by for one in year.visits).values()) < len(year.visits) / 20


def test_every_name_is_put_together_from_the_lists(year):
    names = [one.name for one in year.people] + [unit.contact for unit in year.units.values()]
    for name in names:
        assert 2 <= len(name) <= 3
        assert name[0] in words.SURNAMES
        assert set(name[1:]) <= set(words.GIVEN)
    assert len({one.name for one in year.people}) == len(year.people)
    assert all(unit.phone.startswith("1990000") for unit in year.units.values())


def test_each_role_has_an_account_and_the_sign_in_page_begins_with_one_of_each(year):
    assert {one.role for one in year.people[:12]} == set(Role)
    assert {"demo-qu", "demo-ducha1", "demo-jiedao1"} <= {one.login for one in year.people}


def test_people_look_harder_before_the_mock_inspection_and_less_on_holidays(year):
    days = Counter(one.device_at.date() for one in year.findings)
    before_mock = sum(days[date(2026, 5, 1) + timedelta(days=n)] for n in range(25))
    plain = sum(days[date(2026, 3, 1) + timedelta(days=n)] for n in range(25))
    assert before_mock > 1.4 * plain
    assert (
        sum(days[day] for day in HOLIDAYS)
        < sum(days[date(2026, 10, 12) + timedelta(days=n)] for n in range(7)) / 2
    )
    assert any(day.weekday() >= 5 for day in days)


def test_about_three_fifths_of_the_findings_are_of_the_common_categories(year):
    common = sum(one.category in COMMON for one in year.findings)
    assert 0.52 < common / len(year.findings) < 0.72


def test_the_same_places_come_again_and_a_part_of_the_findings_has_a_point(year):
    again = Counter(one.address for one in year.findings)
    assert sum(count for count in again.values() if count > 1) > len(year.findings) / 4
    assert 0.38 < sum(one.spot is not None for one in year.findings) / len(year.findings) < 0.52


@pytest.mark.parametrize(
    "at",
    [
        AT,
        datetime(2026, 10, 4, 15, 0, tzinfo=ZONE),  # within a holiday
        datetime(2027, 2, 28, 23, 59, tzinfo=ZONE),
        datetime(2026, 5, 31, 9, 5, tzinfo=ZONE),
    ],
)
def test_nothing_lies_after_the_end_and_the_last_two_days_are_not_empty(at):
    tale = told(at=at, months=1)
    assert all(one.device_at <= one.received_at < at for one in tale.findings)
    assert all(one.started_at < at for one in tale.visits)
    assert sum(at - one.received_at < timedelta(days=3) for one in tale.findings) >= 8


def test_two_streets_do_badly_and_one_excels(year):
    habits = list(year.habits.values())
    assert (habits.count(BAD), habits.count(GOOD)) == (2, 1)
    assert habits.count(PLAIN) == len(habits) - 3


def _courses(habit, count=300, days=200):
    now = datetime(2026, 11, 20, 16, 0, tzinfo=ZONE)
    for number in range(count):
        opened = now - timedelta(days=number * days / count, minutes=30)
        yield course_of(
            Random(number), opened_at=opened, charged=number % 3 > 0, now=now, habit=habit,
            start=lambda at: Clock(at, at + timedelta(hours=16), at + timedelta(hours=24)),
        ), opened, now  # fmt: skip


@pytest.mark.parametrize("habit", [BAD, PLAIN, GOOD])
def test_a_course_goes_forward_in_time_and_ends_before_now(habit):
    for course, opened, now in _courses(habit):
        moments = [opened, *(move.at for move in course.moves)]
        assert all(earlier < later for earlier, later in pairwise(moments))
        assert moments[-1] < now
        assert course.fires == sorted(course.fires)
        for move in course.moves:
            if move.move is Move.HAND_IN:
                assert move.photo is not None
                assert move.photo < move.at


def test_every_move_that_must_be_shown_happens_to_some_case():
    happened = {
        move.move
        for habit in (BAD, PLAIN)
        for course, _o, _n in _courses(habit, 1500)
        for move in course.moves
    }
    assert happened >= {
        Move.DISPATCH, Move.ACCEPT, Move.DECLINE, Move.ASK_EXTENSION, Move.GRANT_EXTENSION, Move.REFUSE_EXTENSION,
        Move.HAND_IN, Move.PASS, Move.FAIL, Move.CANCEL, Move.WITHDRAW, Move.REOPEN, Move.SUPERVISE, Move.NOTE,
    }  # fmt: skip
