"""What a line of a check list may be told, what follows a violation, and which of two tellings holds."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from weicheng.rules.answers import (
    Earlier,
    Meeting,
    Progress,
    Result,
    Watch,
    count_of,
    meet,
    open_steps,
    opens_case,
    points_of,
    progress,
    repeats_waiting,
    result_of,
    step_of,
    taken_steps,
)
from weicheng.rules.errors import ConflictError, RuleError

STEPS = ("dissuade", "order", "report")
LABELS = {"dissuade": "劝阻", "order": "责令改正", "report": "报告执法部门"}
NOON = datetime(2026, 10, 12, 12, 0, tzinfo=UTC)


def refused(code, call, *args, **kwargs):
    with pytest.raises(RuleError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code
    return caught.value.sentence()


def test_a_result_is_one_of_five_words():
    assert [result_of(word) for word in ("pass", "partly", "fail", "na", "unchecked")] == list(Result)
    assert [each.label for each in Result] == ["通过", "部分通过", "不通过", "不适用", "未查"]
    assert "“maybe”不是检查结论" in refused("answer-result", result_of, "maybe")
    assert refused("answer-result", result_of, "x" * 99).count("x") == 20


@pytest.mark.parametrize(
    ("result", "wrong"), [("pass", 0), ("partly", 1), ("fail", 1), ("na", 0), ("unchecked", 0)]
)
def test_only_what_failed_in_part_or_whole_is_wrong_and_opens_a_case(result, wrong):
    assert Result(result).is_wrong == bool(wrong)
    assert opens_case(Result(result)) == bool(wrong)


@pytest.mark.parametrize(
    ("result", "given", "count"),
    [
        ("fail", None, 1),  # a line that fails fails at one place at least
        ("partly", 1, 1),
        ("fail", 99, 99),
        ("pass", None, 0),
        ("na", 0, 0),
    ],
)
def test_places_are_counted_where_something_is_wrong(result, given, count):
    assert count_of(Result(result), given) == count


@pytest.mark.parametrize("given", [0, -1, 100])
def test_a_count_out_of_reach_is_refused(given):
    assert f"问题数 {given} 不在 1 到 99 之间" in refused("answer-count", count_of, Result.FAIL, given)


def test_a_count_beside_a_line_that_passes_is_refused():
    assert "结论是“通过”时没有问题数" in refused("answer-count-unasked", count_of, Result.PASS, 2)


@pytest.mark.parametrize("given", ["0.5", "1.2", "2"])
def test_points_are_chosen_within_the_range_both_ends_allowed(given):
    assert points_of(Result.FAIL, Decimal(given), (Decimal("0.5"), Decimal(2))) == Decimal(given)


@pytest.mark.parametrize("given", [None, Decimal("0.4"), Decimal("2.1")])
def test_points_outside_the_range_or_missing_are_refused(given):
    said = refused("answer-points", points_of, Result.PARTLY, given, (Decimal("0.5"), Decimal(2)))
    assert "0.5 到 2 之间" in said


def test_points_stand_only_where_a_range_is_given_and_something_is_wrong():
    assert points_of(Result.PASS, None, (Decimal(1), Decimal(2))) is None
    assert points_of(Result.FAIL, None, None) is None
    refused("answer-points-fixed", points_of, Result.FAIL, Decimal(1), None)
    refused("answer-points-fixed", points_of, Result.PASS, Decimal(1), (Decimal(1), Decimal(2)))


# --- two tellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "base", "sent", "known", "agrees", "meeting"),
    [
        (0, 0, "a", (), False, Meeting.NEW),
        (1, 0, "a", ("a",), True, Meeting.SAME),  # the retry of a lost reply
        (2, 0, "a", ("a", "b"), False, Meeting.SAME),  # a retry that arrives after the change
        (1, 0, "c", ("a",), True, Meeting.SAME),  # two say the same
        (1, 1, "b", ("a",), False, Meeting.CHANGE),
        (7, 7, "b", ("a",), False, Meeting.CHANGE),
    ],
)
def test_two_tellings_meet(stored, base, sent, known, agrees, meeting):
    assert meet(stored=stored, base=base, sent=sent, known=known, agrees=agrees) is meeting


@pytest.mark.parametrize(("stored", "base"), [(1, 0), (2, 1), (1, 2)])
def test_who_has_not_seen_what_holds_is_told_so(stored, base):
    with pytest.raises(ConflictError) as caught:
        meet(stored=stored, base=base, sent="b", known=("a",), agrees=False)
    assert caught.value.code == "answer-conflict"
    assert f"第 {stored} 版" in caught.value.sentence()


# --- steps -------------------------------------------------------------------------------------------


def wrong(step="", **more):
    return Earlier(Result.FAIL, step, **more)


@pytest.mark.parametrize(
    ("history", "offered"),
    [
        ([], ("dissuade", "order", "report")),
        ([wrong("dissuade")], ("order", "report")),  # dissuaded once: now it is an order
        ([wrong("order"), wrong("dissuade")], ("report",)),  # ordered and not corrected: told
        ([wrong("report")], ("report",)),  # the last step may be repeated
        ([wrong("order", waiting=True)], ("order", "report")),  # its deadline is still to come
        ([wrong("dissuade"), wrong("order")], ("report",)),  # the furthest step counts, not the newest
        ([Earlier(Result.PASS), wrong("dissuade")], STEPS),  # it was in order meanwhile
        ([Earlier(Result.NA), wrong("dissuade")], ("order", "report")),  # not looked at says nothing
        ([wrong("order", settled=True)], STEPS),  # what was ordered has been verified
        ([wrong("dissuade"), wrong("order", settled=True)], ("order", "report")),
        ([wrong()], STEPS),  # failed before the list had steps
        ([wrong("fine")], STEPS),  # a step that the list no longer has
    ],
)
def test_each_repeat_is_answered_by_the_next_step(history, offered):
    assert open_steps(STEPS, history) == offered


def test_a_list_without_steps_offers_none():
    assert open_steps((), [wrong("order")]) == ()
    assert open_steps((), []) == ()


def test_steps_taken_are_read_back_to_the_last_time_it_was_in_order():
    history = [wrong("order"), wrong("dissuade"), Earlier(Result.PASS, "dissuade"), wrong("report")]
    assert taken_steps(history) == ("order", "dissuade")


@pytest.mark.parametrize(
    ("step", "history", "repeats"),
    [
        ("order", [wrong("order", waiting=True)], True),
        ("order", [wrong("order")], False),  # its deadline has passed
        ("report", [wrong("order", waiting=True)], False),
        ("order", [], False),
        ("", [wrong("", waiting=True)], False),
    ],
)
def test_an_order_whose_deadline_is_to_come_is_not_given_twice(step, history, repeats):
    assert repeats_waiting(step, history) is repeats


def test_the_expected_step_is_taken_where_nobody_chose():
    assert step_of(Result.FAIL, "", ("order", "report"), LABELS) == "order"
    assert step_of(Result.FAIL, "report", ("order", "report"), LABELS) == "report"
    assert step_of(Result.PASS, "", STEPS, LABELS) == ""
    assert step_of(Result.FAIL, "", (), LABELS) == ""


def test_going_back_is_refused_with_what_may_be_chosen():
    said = refused("step-back", step_of, Result.FAIL, "dissuade", ("order", "report"), LABELS)
    assert said == "同一问题此前已处置过，不能再选“劝阻”。请选择：责令改正、报告执法部门。"


@pytest.mark.parametrize(("result", "offered"), [("pass", STEPS), ("fail", ())])
def test_a_step_nobody_asked_for_is_refused(result, offered):
    refused("step-unasked", step_of, Result(result), "order", offered, LABELS)


@pytest.mark.parametrize(
    ("step", "cleared", "opens"),
    [
        ("", None, True),
        ("dissuade", None, False),  # settled by a word
        ("order", None, True),
        ("report", None, True),
        ("support", None, False),
        ("", NOON, False),  # the crew came and cleared it
    ],
)
def test_what_was_settled_on_the_spot_opens_no_case(step, cleared, opens):
    assert opens_case(Result.FAIL, step=step, cleared_at=cleared) is opens


# --- the road ----------------------------------------------------------------------------------------


def test_minutes_of_a_watched_road_are_whole_and_counted_from_the_word():
    watch = Watch(NOON, NOON + timedelta(minutes=12, seconds=59), NOON + timedelta(minutes=30))
    assert (watch.arrival_min, watch.clearing_min) == (12, 30)
    assert (Watch(NOON).arrival_min, Watch().clearing_min) == (None, None)
    assert Watch(NOON, NOON, NOON).clearing_min == 0


@pytest.mark.parametrize(
    "moments",
    [
        (None, NOON, None),  # came without having been told
        (NOON, None, NOON),  # cleared without having come
        (NOON, NOON - timedelta(seconds=1), None),
        (NOON, NOON, NOON - timedelta(minutes=1)),
    ],
)
def test_moments_out_of_order_are_refused(moments):
    assert "后一个不早于前一个" in refused("watch-order", Watch, *moments)


def test_a_moment_without_zone_is_refused():
    refused("naive-moment", Watch, NOON.replace(tzinfo=None))


# --- progress ----------------------------------------------------------------------------------------


def test_progress_names_what_is_open_in_the_order_of_the_list():
    assert progress(("1", "2", "3"), {"2", "9"}) == Progress(1, 3, ("1", "3"))
    assert progress(("1", "2"), ()).first_open == "1"
    assert progress(("1",), ("1",)).first_open == ""
    assert progress((), ()) == Progress(0, 0, ())
