"""The closed loop, move by move."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.cases import (
    FINAL_STATES,
    MOVE_LABELS,
    NEEDS,
    OPEN_STATES,
    STATE_LABELS,
    TABLE,
    Move,
    Part,
    State,
    clock_moves,
    clock_plan,
    may_charge,
    moves_from,
    next_state,
    require_needs,
    require_other_person,
    runs_clock,
)
from weicheng.rules.errors import ForbiddenError, RuleError

D, H, V, F, S = Part.DISPATCHER, Part.HANDLER, Part.VERIFIER, Part.FINDER, Part.SUPERVISOR


@pytest.mark.parametrize(
    ("state", "move", "part", "after"),
    [
        ("filed", "dispatch", D, "dispatched"),
        ("filed", "split", D, "split"),
        ("filed", "cancel", D, "cancelled"),
        ("filed", "withdraw", F, "cancelled"),
        ("dispatched", "dispatch", D, "dispatched"),
        ("dispatched", "split", D, "split"),
        ("dispatched", "accept", H, "handling"),
        ("dispatched", "decline", H, "filed"),
        ("dispatched", "hand_in", H, "handed_in"),
        ("dispatched", "cancel", D, "cancelled"),
        ("dispatched", "withdraw", F, "cancelled"),
        ("handling", "ask_extension", H, "handling"),
        ("handling", "grant_extension", D, "handling"),
        ("handling", "refuse_extension", D, "handling"),
        ("handling", "hand_in", H, "handed_in"),
        ("handling", "cancel", D, "cancelled"),
        ("handed_in", "pass", V, "closed"),
        ("handed_in", "fail", V, "rework"),
        ("rework", "ask_extension", H, "rework"),
        ("rework", "grant_extension", D, "rework"),
        ("rework", "refuse_extension", D, "rework"),
        ("rework", "hand_in", H, "handed_in"),
        ("rework", "cancel", D, "cancelled"),
        ("closed", "reopen", V, "rework"),
        ("closed", "reopen", D, "rework"),
        ("cancelled", "reopen", D, "filed"),
        ("handling", "supervise", S, "handling"),
    ],
)
def test_the_loop_goes_from_here_to_there(state, move, part, after):
    assert next_state(State(state), Move(move), [part]) is State(after)


def test_the_table_holds_exactly_the_loop_supervision_and_notes():
    # 26 moves of the loop above; supervision from 6 open states; notes: 8 states x 4 parts
    assert len(TABLE) == 26 + 6 + 8 * 4


def test_every_open_state_can_be_supervised_and_no_final_one():
    for state in OPEN_STATES:
        assert next_state(state, Move.SUPERVISE, [S]) is state
    for state in FINAL_STATES:
        with pytest.raises(RuleError) as caught:
            next_state(state, Move.SUPERVISE, [S])
        assert caught.value.code == "case-move"


@pytest.mark.parametrize("state", list(State))
def test_everybody_with_a_part_but_the_finder_may_add_a_note(state):
    for part in (D, H, V, S):
        assert next_state(state, Move.NOTE, [part]) is state
    with pytest.raises(ForbiddenError):
        next_state(state, Move.NOTE, [F])


def test_a_move_of_another_part_is_forbidden_and_a_move_out_of_order_is_impossible():
    with pytest.raises(ForbiddenError) as forbidden:
        next_state(State.HANDED_IN, Move.PASS, [H])
    assert forbidden.value.code == "case-part"
    assert "核查通过" in forbidden.value.sentence()
    with pytest.raises(RuleError) as impossible:
        next_state(State.FILED, Move.PASS, [V])
    assert impossible.value.code == "case-move"
    assert impossible.value.sentence() == "事项现在是“待派遣”，不能“核查通过”。请刷新页面，按现在的状态办理。"


def test_nobody_without_a_part_may_do_anything():
    for state in State:
        assert moves_from(state, []) == ()


def test_the_moves_offered_are_those_the_table_allows():
    assert moves_from(State.HANDED_IN, [V]) == (Move.PASS, Move.FAIL, Move.NOTE)
    assert moves_from(State.DISPATCHED, [H]) == (Move.ACCEPT, Move.DECLINE, Move.HAND_IN, Move.NOTE)


@given(st.sampled_from(list(State)), st.sampled_from(list(Move)), st.sets(st.sampled_from(list(Part))))
def test_offered_and_allowed_are_the_same(state, move, parts):
    if move in moves_from(state, parts):
        assert next_state(state, move, parts) in State
    else:
        with pytest.raises(RuleError):
            next_state(state, move, parts)


@given(st.lists(st.tuples(st.sampled_from(list(Move)), st.sampled_from(list(Part))), max_size=40))
def test_no_walk_closes_a_case_that_was_never_handed_in(walk):
    state, handed_in = State.FILED, False
    for move, part in walk:
        try:
            state = next_state(state, move, [part])
        except RuleError:
            continue
        handed_in = handed_in or move is Move.HAND_IN
        assert handed_in or state is not State.CLOSED


@pytest.mark.parametrize(
    ("move", "needs"),
    [
        (Move.DISPATCH, {"unit"}),
        (Move.DECLINE, {"note"}),
        (Move.ASK_EXTENSION, {"note", "until"}),
        (Move.REFUSE_EXTENSION, {"note"}),
        (Move.HAND_IN, {"note", "photo"}),
        (Move.FAIL, {"note"}),
        (Move.CANCEL, {"note"}),
        (Move.REOPEN, {"note"}),
        (Move.SUPERVISE, {"note"}),
        (Move.NOTE, {"note"}),
        (Move.ACCEPT, set()),
        (Move.PASS, set()),
    ],
)
def test_a_move_asks_for_what_it_needs_and_nothing_else(move, needs):
    require_needs(move, needs)
    for missing in needs:
        with pytest.raises(RuleError) as caught:
            require_needs(move, needs - {missing})
        assert caught.value.code == f"need-{missing}"
        assert MOVE_LABELS[move] in caught.value.sentence()
    assert NEEDS.get(move, frozenset()) == needs


def test_nobody_verifies_their_own_work_in_whatever_post():
    require_other_person(["user:7", "link:3"], "user:8")
    require_other_person([], "user:7")
    for handlers in (["user:7"], ["link:3", "user:7"]):
        with pytest.raises(ForbiddenError) as caught:
            require_other_person(handlers, "user:7")
        assert caught.value.code == "own-work"


@pytest.mark.parametrize(
    ("dispatcher", "unit", "serves", "may"),
    [
        ("320311", "320311001005", [], True),  # a market in the district
        ("320311001", "320311001", [], True),  # the street's own office
        ("320311001", "320311002003", [], False),  # the neighbour's shop
        ("320311001", "320311", [], False),  # a district department, not agreed to serve
        ("320311001", "3203", ["320311"], True),  # the city's water company serves the district
        ("320311", "3203", ["320311001"], False),  # it serves one street only: the district may not charge it
        ("", "320311", ["32"], False),  # no area, no charge
        ("320311", "320302", [""], False),  # an empty service area serves nobody
    ],
)
def test_a_dispatcher_charges_units_of_the_own_area_and_those_that_serve_it(dispatcher, unit, serves, may):
    assert may_charge(dispatcher, unit, serves) is may


T = datetime(2026, 10, 12, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
PLAN = clock_plan(T, T + timedelta(hours=8), T + timedelta(hours=12))


def test_the_clock_reminds_calls_it_late_a_second_after_and_goes_up_after_half_the_limit_again():
    assert (
        (T + timedelta(hours=8), Move.REMIND),
        (T + timedelta(hours=12, seconds=1), Move.OVERDUE),
        (T + timedelta(hours=18), Move.ESCALATE),  # 12 h + 12 h / 2
    ) == PLAN


def test_a_limit_of_no_length_goes_up_no_sooner_than_it_is_late():
    assert clock_plan(T, T, T)[2][0] == T + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("since_h", "now_h", "moves", "next_h"),
    [
        (8, 7.9, (), 8),  # not yet
        (8, 8, (Move.REMIND,), 12 + 1 / 3600),
        (12 + 1 / 3600, 12, (), 12 + 1 / 3600),  # the deadline itself is in time
        (12 + 1 / 3600, 12 + 1 / 3600, (Move.OVERDUE,), 18),
        (8, 13, (Move.OVERDUE,), 18),  # nobody looked for hours: too late to remind
        (18, 18, (Move.ESCALATE,), None),
        (8, 30, (Move.OVERDUE, Move.ESCALATE), None),
        (18, 2, (), 18),  # a server clock set back
    ],
)
def test_what_the_clock_does_and_when_it_looks_again(since_h, now_h, moves, next_h):
    at = lambda h: T + timedelta(seconds=round(h * 3600))  # noqa: E731
    done, then = clock_moves(PLAN, since=at(since_h), now=at(now_h))
    assert done == moves
    assert then == (at(next_h) if next_h is not None else None)


@given(st.lists(st.floats(0, 40), min_size=1, max_size=12))
def test_however_often_the_clock_looks_each_effect_happens_at_most_once(hours):
    since, seen = PLAN[0][0], []
    for hour in hours:  # in any order: the server's clock may jump
        moves, then = clock_moves(PLAN, since=since, now=T + timedelta(hours=hour))
        seen += moves
        if then is None:
            break
        since = then
    assert len(seen) == len(set(seen))


def test_the_clock_stops_while_the_verifier_has_the_case():
    assert [state for state in State if runs_clock(state)] == [
        State.FILED,
        State.DISPATCHED,
        State.HANDLING,
        State.REWORK,
    ]


def test_every_state_and_move_has_a_chinese_name():
    assert set(STATE_LABELS) == set(State)
    assert set(MOVE_LABELS) == set(Move)
    assert set(OPEN_STATES) | set(FINAL_STATES) == set(State)
