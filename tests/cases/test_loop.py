"""A case goes round the closed loop: the story, and each door that stays shut."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.pictures import photo
from weicheng.cases.actions import Step, take_step, take_steps
from weicheng.cases.models import Case, Event
from weicheng.evidence.actions import attach
from weicheng.journal.models import Entry
from weicheng.places.actions import end_post, merge_units
from weicheng.places.models import Post
from weicheng.places.roles import Role
from weicheng.rules.cases import Move
from weicheng.rules.digests import digest
from weicheng.rules.errors import ForbiddenError, MissingError, RuleError

HOUR = timedelta(hours=1)


def give_photo(city, case, by, at):
    attach(uid=uuid4(), owner_kind="case", owner_uid=case.uid, purpose="after", data=photo(), filename="after.jpg",
           by=city.actor(by), at=at)  # fmt: skip


def step(city, case, move, by, hours=0, **more):
    return take_step(Step(case.uid, Move(move), city.actor(by), **more), at=city.now + hours * HOUR)


def handed_in(city, **changes):
    case = city.case(**changes)
    give_photo(city, case, "Zhao", city.now + HOUR)
    return step(city, case, "hand_in", "Zhao", 1, note="已清理")


def test_a_finding_is_charged_handed_in_verified_by_another_and_closed(city):
    case = city.case()
    assert case.state == "dispatched"
    assert step(city, case, "accept", "Zhao").state == "handling"
    give_photo(city, case, "Zhao", city.now + HOUR)
    assert step(city, case, "hand_in", "Zhao", 1, note="已清理").state == "handed_in"
    closed = step(city, case, "pass", "Lin", 2)
    assert (closed.state, closed.open, closed.on_time) == ("closed", False, True)
    moves = list(Event.objects.filter(case=case).order_by("number").values_list("number", "move", "state"))
    assert moves == [
        (1, "file", "filed"),
        (2, "dispatch", "dispatched"),
        (3, "accept", "handling"),
        (4, "hand_in", "handed_in"),
        (5, "pass", "closed"),
    ]
    for event in Event.objects.filter(case=case):
        assert digest(bytes(event.body)) == event.digest
    assert list(
        Entry.objects.filter(verb__startswith="case.").order_by("id").values_list("verb", flat=True)
    ) == [
        "case.accept",
        "case.hand_in",
        "case.pass",
    ]


def test_nobody_verifies_their_own_hand_in_not_even_in_another_post(city):
    case = handed_in(city)
    second = Post(user=city.user("Zhao"), role=Role.INSPECTOR.value, from_on=city.posts["Zhao"].from_on)
    second.place_at("320311").save()
    city.posts["Zhao as inspector"] = second
    with pytest.raises(ForbiddenError) as caught:
        step(city, case, "pass", "Zhao as inspector", 2)
    assert caught.value.code == "own-work"
    assert Case.objects.get(pk=case.pk).state == "handed_in"


def test_a_case_of_another_street_answers_as_if_it_did_not_exist(city):
    case = city.case()
    for stranger in ("Wu", "Feng", "Ne", "Xi", "An", "Shen"):
        with pytest.raises(MissingError) as foreign:
            step(city, case, "note", stranger, note="我看看")
        with pytest.raises(MissingError) as absent:
            take_step(Step(uuid4(), Move.NOTE, city.actor(stranger), note="我看看"), at=city.now)
        assert foreign.value.sentence() == absent.value.sentence()


def test_a_hand_in_needs_a_photo_of_this_round(city):
    case = handed_in(city)
    returned = step(city, case, "fail", "Chen", 2, note="角落还有垃圾")
    assert (returned.state, returned.rework) == ("rework", 1)
    assert returned.due_at > city.now + 2 * HOUR  # the clock starts anew
    with pytest.raises(RuleError) as caught:
        step(city, case, "hand_in", "Zhao", 3, note="再次清理")
    assert caught.value.code == "need-photo"
    give_photo(city, case, "Zhao", city.now + 3 * HOUR)
    assert step(city, case, "hand_in", "Zhao", 4, note="再次清理").state == "handed_in"


def test_a_late_hand_in_is_closed_as_late(city):
    case = city.case()
    give_photo(city, case, "Zhao", case.due_at)
    late = take_step(
        Step(case.uid, Move.HAND_IN, city.actor("Zhao"), note="晚了"), at=case.due_at + timedelta(seconds=1)
    )
    closed = take_step(Step(late.uid, Move.PASS, city.actor("Lin")), at=case.due_at + HOUR)
    assert closed.on_time is False


def test_a_unit_declines_and_the_street_charges_another(city):
    case = city.case()
    declined = step(city, case, "decline", "Zhao", note="不在市场红线内")
    assert (declined.state, declined.responsible_id) == ("filed", None)
    again = step(city, case, "dispatch", "Chen", 1, unit_uid=city.units["shop"].uid)
    assert (again.state, again.responsible_id) == ("dispatched", city.units["shop"].pk)
    assert again.clock_from == city.now + HOUR  # the shop's time begins when it is charged


def test_a_dispatcher_charges_the_own_units_and_those_that_serve_the_place(city):
    case = city.case(unit=None)
    for far in ("school", "foreign"):
        with pytest.raises(ForbiddenError) as caught:
            step(city, case, "dispatch", "Chen", unit_uid=city.units[far].uid)
        assert caught.value.code == "may-not-charge"
    assert step(city, case, "dispatch", "Chen", unit_uid=city.units["water"].uid).state == "dispatched"


def test_an_extension_is_asked_granted_and_moves_the_deadline(city):
    case = step(city, city.case(), "accept", "Zhao")
    before, until = case.due_at, case.due_at + timedelta(days=3)
    asked = step(city, case, "ask_extension", "Zhao", note="配件未到", until=until)
    assert asked.extension_until == until
    assert asked.due_at == before
    with pytest.raises(RuleError) as twice:
        step(city, case, "ask_extension", "Zhao", note="配件未到", until=until)
    assert twice.value.code == "extension-pending"
    granted = step(city, case, "grant_extension", "Chen", 1)
    assert (granted.due_at, granted.extension_until, granted.extended) == (until, None, 1)
    event = Event.objects.get(case=case, move="grant_extension")
    assert datetime.fromisoformat(event.detail["due_before"]) == before
    assert datetime.fromisoformat(event.detail["due_at"]) == until


def test_a_refused_extension_leaves_the_deadline(city):
    case = step(city, city.case(), "accept", "Zhao")
    step(city, case, "ask_extension", "Zhao", note="人手不足", until=case.due_at + timedelta(days=3))
    refused = step(city, case, "refuse_extension", "Chen", note="请按期完成")
    assert (refused.due_at, refused.extension_until) == (case.due_at, None)


@pytest.mark.parametrize(("days", "code"), [(0, "extension-too-early"), (400, "extension-too-late")])
def test_an_extension_of_no_length_or_too_long_is_refused(city, days, code):
    case = step(city, city.case(), "accept", "Zhao")
    until = case.due_at + timedelta(days=days)
    with pytest.raises(RuleError) as caught:
        step(city, case, "ask_extension", "Zhao", note="等", until=until)
    assert caught.value.code == code


def test_the_finder_withdraws_within_ten_minutes_and_nobody_else_does(city):
    case = city.case()
    with pytest.raises(ForbiddenError):
        step(city, case, "withdraw", "Qian")
    late = city.finding().case
    with pytest.raises(RuleError) as caught:
        take_step(
            Step(late.uid, Move.WITHDRAW, city.actor("Lin")), at=city.now + timedelta(minutes=10, seconds=1)
        )
    assert caught.value.code == "too-late-to-withdraw"
    gone = take_step(Step(case.uid, Move.WITHDRAW, city.actor("Lin")), at=city.now + timedelta(minutes=10))
    assert (gone.state, gone.open) == ("cancelled", False)


def test_a_closed_case_is_opened_again_as_rework_and_a_cancelled_one_anew(city):
    case = handed_in(city)
    step(city, case, "pass", "Lin", 2)
    again = step(city, case, "reopen", "Qian", 30, note="回头看发现反弹")
    assert (again.state, again.open, again.on_time, again.closed_at) == ("rework", True, None, None)
    other = city.case()
    step(city, other, "cancel", "Chen", note="重复上报")
    anew = step(city, other, "reopen", "Chen", 1, note="不是重复")
    assert (anew.state, anew.responsible_id) == ("filed", None)


def test_supervision_is_marked_and_told(city):
    supervised = step(city, city.case(), "supervise", "Qian", note="本周内办结")
    assert supervised.supervised_at == city.now
    assert supervised.state == "dispatched"


def test_a_form_drawn_from_an_older_version_is_told_so(city):
    case = city.case()
    seen = case.version
    step(city, case, "accept", "Zhao")
    with pytest.raises(RuleError) as caught:
        step(city, case, "decline", "Zhao", note="不是我们的", base=seen)
    assert caught.value.code == "case-changed"


def test_a_step_sent_twice_is_made_once_and_with_other_words_is_a_conflict(city):
    case, uid = city.case(), uuid4()
    step(city, case, "decline", "Zhao", note="不是我们的", uid=uid)
    step(city, case, "decline", "Zhao", note="不是我们的", uid=uid)
    assert Event.objects.filter(case=case, move="decline").count() == 1
    with pytest.raises(RuleError) as caught:
        step(city, case, "decline", "Zhao", note="换个说法", uid=uid)
    assert caught.value.code == "step-conflict"


def test_a_batch_judges_each_row_by_itself(city):
    own, foreign, closed = handed_in(city), city.case(area=city.west_one, unit=None), handed_in(city)
    step(city, closed, "pass", "Lin", 2)
    outcomes = take_steps(
        [Step(case.uid, Move.PASS, city.actor("Chen")) for case in (own, foreign, closed)],
        at=city.now + 3 * HOUR,
    )
    assert [outcome.error.code if outcome.error else "" for outcome in outcomes] == [
        "",
        "no-case",
        "case-move",
    ]
    assert Case.objects.get(pk=own.pk).state == "closed"


def test_a_batch_costs_the_same_statements_for_two_and_for_twenty(city, django_assert_max_num_queries):
    cases = [city.finding().case for _ in range(22)]
    chen, unit = city.actor("Chen"), city.units["market"].uid

    def dispatch(some):
        take_steps([Step(case.uid, Move.DISPATCH, chen, unit_uid=unit) for case in some], at=city.now)

    dispatch(cases[:1])  # warms the caches
    with django_assert_max_num_queries(9):
        dispatch(cases[1:3])
    with django_assert_max_num_queries(9):
        dispatch(cases[3:])


@pytest.mark.parametrize(
    ("move", "more", "code"),
    [
        ("dispatch", {"unit_uid": uuid4()}, "no-unit"),
        ("dispatch", {}, "need-unit"),
        ("cancel", {"note": "  "}, "need-note"),
        ("cancel", {"note": "长" * 1001}, "note-too-long"),
        ("grant_extension", {}, "case-move"),
        ("pass", {}, "case-move"),
        ("accept", {}, "case-part"),
    ],
)
def test_a_bad_step_is_refused_and_changes_nothing(city, move, more, code):
    case = city.case()
    before = (Event.objects.count(), Entry.objects.count(), Case.objects.values().get(pk=case.pk))
    with pytest.raises(RuleError) as caught:
        step(city, case, move, "Chen", **more)
    assert caught.value.code == code
    assert (Event.objects.count(), Entry.objects.count(), Case.objects.values().get(pk=case.pk)) == before


def test_open_cases_follow_a_unit_into_the_one_it_is_merged_into(city):
    case, over = city.case(), handed_in(city)
    step(city, over, "pass", "Lin", 2)
    merge_units(unit=city.units["market"], into=city.units["shop"], by=city.actor("Qian"), at=city.now)
    assert Case.objects.get(pk=case.pk).responsible == city.units["shop"]
    assert Case.objects.get(pk=over.pk).responsible == city.units["market"]  # what is over stays as it was
    assert step(city, case, "accept", "Feng", 1).state == "handling"


def test_open_work_goes_over_when_a_post_ends(city):
    case = city.finding().case
    heir = Post(user=city.user("Ding"), role=Role.INSPECTOR.value, from_on=city.posts["Lin"].from_on)
    heir.place_at("320311").save()
    ended = end_post(
        post=city.posts["Lin"], on=city.now.date(), to_post=heir, by=city.actor("An"), at=city.now
    )
    assert sum(ended.moved.values()) == 1
    assert Case.objects.get(pk=case.pk).filed_by_name == "Ding"
