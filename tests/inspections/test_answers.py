"""The verbs of a visit's answers: once however often sent, a case for what fails, nothing passed over in silence."""

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from tests.conftest import SHANGHAI
from tests.inspections.lists_made import FOUR_NO, LEDGER, ROAD, SHOP, publish, said, visit
from weicheng.cases.actions import Step, take_step
from weicheng.cases.models import Case
from weicheng.inspections.answers import (
    file_failed,
    finish_visit,
    line_uid,
    open_lines,
    pass_rest,
    record_answer,
    record_answers,
)
from weicheng.inspections.models import Answer, AnswerVersion, Finding, FindingVersion, Visit
from weicheng.journal.models import Entry
from weicheng.rules.cases import Move
from weicheng.rules.digests import digest
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError


def answer(city, one, draft, by="Lin", at=None):
    return record_answer(one.uid, draft, by=city.actor(by), at=at or city.now)


def rows():
    models = (Answer, AnswerVersion, Finding, FindingVersion, Case)
    return {model.__name__: model.objects.count() for model in models}


def refused(code, city, one, draft, **more):
    before = rows(), list(Answer.objects.values())
    with pytest.raises(RuleError) as caught:
        answer(city, one, draft, **more)
    assert caught.value.code == code, caught.value
    assert (rows(), list(Answer.objects.values())) == before
    return caught.value.sentence()


# --- once, and in versions ---------------------------------------------------------------------------


def test_an_answer_keeps_its_bytes_and_their_digest(city):
    one, draft = visit(city), said("2", note="路口有纸屑")
    told = answer(city, one, draft)
    assert (told.verdict.status, told.verdict.version, told.verdict.case) == ("created", 1, None)
    version = AnswerVersion.objects.get()
    assert digest(bytes(version.body)) == version.digest == Answer.objects.get().digest
    assert json.loads(bytes(version.body))["note"] == "路口有纸屑"
    assert Entry.objects.filter(verb="visit.answer", object_key=str(one.uid)).count() == 1


def test_sent_again_it_is_the_same_one(city):
    one, draft = visit(city), said("2", "fail")
    first = answer(city, one, draft)
    before, entries = rows(), Entry.objects.count()
    again = answer(city, one, draft)
    assert (again.verdict.status, again.verdict.case) == ("exists", first.verdict.case)
    assert (rows(), Entry.objects.count()) == (before, entries)


def test_changed_by_who_saw_it_it_is_a_new_version(city):
    one, draft = visit(city), said("2", note="甲")
    answer(city, one, draft)
    told = answer(city, one, draft.model_copy(update={"note": "乙", "base": 1}))
    assert (told.verdict.status, told.verdict.version) == ("changed", 2)
    assert Answer.objects.get().note == "乙"
    assert [json.loads(bytes(v.body))["note"] for v in AnswerVersion.objects.order_by("number")] == [
        "甲",
        "乙",
    ]


def test_changed_by_who_did_not_see_it_it_is_a_conflict(city):
    one, draft = visit(city), said("2", note="甲")
    answer(city, one, draft)
    answer(city, one, draft.model_copy(update={"note": "乙", "base": 1}))
    with pytest.raises(ConflictError) as caught:
        answer(city, one, draft.model_copy(update={"note": "丙", "base": 1}))
    assert caught.value.code == "answer-conflict"
    assert Answer.objects.get().note == "乙"
    # The first telling once more is the retry of a lost reply, the present content under any base no change.
    assert answer(city, one, draft).verdict.status == "exists"
    assert answer(city, one, draft.model_copy(update={"note": "乙"})).verdict.status == "exists"
    assert AnswerVersion.objects.count() == 2


def test_a_line_answered_under_another_identity_is_not_overwritten(city):
    one = visit(city)
    answer(city, one, said("2"))
    assert "检查项 2 已在别处回答过" in refused("line-answered", city, one, said("2", "fail"))


def test_an_identity_of_another_visit_or_line_is_a_conflict_that_says_nothing(city):
    one, other = visit(city), visit(city)
    draft = said("2", note="秘密")
    answer(city, one, draft)
    assert "秘密" not in refused("answer-conflict", city, other, draft)
    refused("answer-conflict", city, one, draft.model_copy(update={"item": "3"}))


def test_in_one_batch_each_is_judged_by_itself(city):
    one, twice = visit(city), said("1")
    told = record_answers(
        one.uid,
        [twice, said("99"), said("2", "fail"), twice, said("2"), said("3", "nonsense")],
        by=city.actor("Lin"),
        at=city.now,
    )
    assert [(each.verdict.status, each.verdict.code) for each in told] == [
        ("created", ""),
        ("refused", "item-unknown"),
        ("created", ""),
        ("created", ""),  # the same one, named twice
        ("conflict", "line-answered"),
        ("refused", "answer-result"),
    ]
    assert (Answer.objects.count(), Case.objects.count()) == (2, 1)


def test_versions_are_never_changed_or_deleted(city):
    answer(city, visit(city), said("2"))
    for sql in ("UPDATE inspections_answerversion SET body = 'x'", "DELETE FROM inspections_answerversion"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"result": "maybe"}, "answer-result"),
        ({"result": "pass", "count": 2}, "answer-count-unasked"),
        ({"count": 100}, "answer-count"),
        ({"points": "1"}, "answer-points-fixed"),
        ({"step": "order"}, "step-unasked"),
        ({"note": "长" * 401}, "text-too-long"),
        ({"opinion": "长" * 401}, "text-too-long"),
        ({"category": "99999"}, "unknown-category"),
        ({"severity": "enorm"}, "unknown-severity"),
        ({"unit": uuid4()}, "no-unit"),
        ({"due_on": date(2026, 10, 11)}, "due-day"),  # yesterday
        ({"due_on": date(2027, 10, 14)}, "due-day"),  # more than a year ahead
        ({"arrived_at": datetime(2026, 10, 12, 9, 0, tzinfo=SHANGHAI)}, "watch-order"),
    ],
)
def test_a_bad_answer_is_refused_and_leaves_no_row(city, changes, code):
    refused(code, city, visit(city), said("2", "fail").model_copy(update=changes))


def test_who_did_not_begin_the_visit_does_not_answer_and_a_foreign_one_is_not_there(city):
    one = visit(city)
    with pytest.raises(ForbiddenError):
        answer(city, one, said("2"), by="Qian")
    with pytest.raises(MissingError):
        answer(city, one, said("2"), by="Wu")
    assert not Answer.objects.exists()


def test_a_free_patrol_has_no_lines(city):
    refused("answer-without-list", city, visit(city, checklist=""), said("2"))


def test_after_the_end_only_what_was_captured_before_it_still_arrives(city):
    one = visit(city)
    pass_rest(one.uid, by=city.actor("Lin"), at=city.now)
    finish_visit(one.uid, unchecked=False, by=city.actor("Lin"), at=city.now)
    first = Answer.objects.order_by("id").first()
    draft = said(first.item, "fail", uid=first.uid, base=1, device_at=city.now)
    refused("visit-ended", city, one, draft.model_copy(update={"uid": first.uid}))
    empty = visit(city)
    Visit.objects.filter(pk=empty.pk).update(ended_at=city.now)
    refused("visit-ended", city, empty, said("2", device_at=city.now + timedelta(seconds=1)))
    refused("visit-ended", city, empty, said("2"))
    assert answer(city, empty, said("2", device_at=city.now)).verdict.status == "created"


# --- cases -------------------------------------------------------------------------------------------


def test_a_failed_line_opens_its_case_with_the_category_of_the_line(city):
    one = visit(city, unit=city.units["market"].uid)
    draft = said("2", "fail", count=3, note="三处积尘", opinion="今日清扫", due_on=date(2026, 10, 14))
    told = answer(city, one, draft)
    case, finding = Case.objects.get(), Finding.objects.get()
    assert told.verdict.case == case.uid == draft.uid
    assert (case.state, case.category, case.responsible) == ("dispatched", "06012", city.units["market"])
    assert (finding.item, finding.count, finding.visit) == ("2", 3, one)
    assert finding.note == "三处积尘\n整改意见：今日清扫"
    assert case.due_at == datetime(2026, 10, 14, 23, 59, 59, tzinfo=SHANGHAI)
    assert Answer.objects.get().finding == finding


def test_without_an_ordered_day_the_deadline_is_counted(city):
    answer(city, visit(city), said("2", "partly"))
    case = Case.objects.get()
    assert case.due_at is not None
    assert case.limit


def test_a_line_without_category_asks_for_one(city):
    publish(city, "ledger-organisation", LEDGER)
    one = visit(city, kind="ledger", checklist="ledger-organisation")
    assert "检查项 1.1 没有对应的问题类别" in refused("answer-category", city, one, said("1.1", "fail"))
    answer(city, one, said("1.1", "fail", category="06010"))
    assert Case.objects.get().category == "06010"
    assert (
        answer(city, one, said("1.2", "na")).verdict.case is None
    )  # nothing is asked where nothing is wrong


def test_points_of_a_range_are_chosen_within_it(city):
    publish(city, "ledger-organisation", LEDGER)
    one = visit(city, kind="ledger", checklist="ledger-organisation")
    refused("answer-points", city, one, said("2.1", "fail", category="06010"))
    refused("answer-points", city, one, said("2.1", "fail", category="06010", points="3.5"))
    answer(city, one, said("2.1", "fail", category="06010", points="2.5"))
    assert str(Answer.objects.get().points) == "2.500"


def test_passing_after_all_withdraws_the_case_while_nobody_has_acted(city):
    one, draft = visit(city), said("2", "fail")
    answer(city, one, draft)
    told = answer(city, one, said("2", "pass", uid=draft.uid, base=1))
    assert (told.verdict.status, told.verdict.case) == ("changed", None)
    assert Case.objects.get().state == "cancelled"
    assert Answer.objects.get().finding is None


def test_failing_again_after_that_opens_another_case(city):
    one, draft = visit(city), said("2", "fail")
    answer(city, one, draft)
    answer(city, one, said("2", "pass", uid=draft.uid, base=1))
    told = answer(city, one, said("2", "fail", uid=draft.uid, base=2))
    assert Case.objects.count() == 2
    assert told.verdict.case not in (None, draft.uid)


def test_failing_after_passing_shares_the_identity_so_that_its_photos_stand_at_the_case(city):
    one, draft = visit(city), said("2", "pass")
    answer(city, one, draft)
    assert answer(city, one, said("2", "fail", uid=draft.uid, base=1)).verdict.case == draft.uid


def test_passing_after_somebody_acted_is_refused_and_changes_nothing(city):
    one, draft = visit(city, unit=city.units["market"].uid), said("2", "fail")
    answer(city, one, draft)
    take_step(Step(draft.uid, Move.ACCEPT, city.actor("Zhao")), at=city.now)
    said_no = refused("case-move", city, one, said("2", "pass", uid=draft.uid, base=1))
    assert "处置中" in said_no
    assert Answer.objects.get().result == "fail"


def test_passing_after_ten_minutes_is_refused(city):
    one, draft = visit(city), said("2", "fail")
    answer(city, one, draft)
    late = city.now + timedelta(minutes=11)
    refused("too-late-to-withdraw", city, one, said("2", "pass", uid=draft.uid, base=1), at=late)


def test_a_refused_line_of_a_batch_does_not_take_the_others_with_it(city):
    one, draft = visit(city, unit=city.units["market"].uid), said("2", "fail")
    answer(city, one, draft)
    take_step(Step(draft.uid, Move.ACCEPT, city.actor("Zhao")), at=city.now)
    told = record_answers(
        one.uid, [said("2", uid=draft.uid, base=1), said("3")], by=city.actor("Lin"), at=city.now
    )
    assert [each.verdict.status for each in told] == ["refused", "created"]


def test_how_many_and_in_which_words_is_corrected_at_the_finding(city):
    one, draft = visit(city), said("2", "fail", note="一处")
    answer(city, one, draft)
    answer(city, one, said("2", "fail", uid=draft.uid, base=1, note="两处", count=2))
    finding = Finding.objects.get()
    assert (finding.count, finding.note) == (2, "两处")
    assert [v.reason for v in finding.versions.order_by("number")] == ["", "检查答案更正"]
    assert json.loads(bytes(finding.versions.get(number=2).body))["count"] == 2


def test_what_the_case_has_taken_over_is_changed_there(city):
    one, draft = visit(city), said("2", "fail")
    answer(city, one, draft)
    changed = said("2", "fail", uid=draft.uid, base=1, unit=city.units["market"].uid)
    assert Case.objects.get().number in refused("answer-filed", city, one, changed)


def test_a_unit_out_of_reach_is_not_charged_and_the_answer_not_kept(city):
    refused("may-not-charge", city, visit(city, by="Chen"), said("2", "fail", unit=city.units["school"].uid), by="Chen")  # fmt: skip


# --- hidden rounds -----------------------------------------------------------------------------------


def hidden(city, **changes):
    one = visit(city, **changes)
    Visit.objects.filter(pk=one.pk).update(hidden=True)
    return one


def test_in_a_hidden_round_nothing_is_filed_until_it_is_published(city):
    one = hidden(city)
    answer(city, one, said("2", "fail", count=2, device_at=city.now))
    answer(city, one, said("3"))
    assert not Case.objects.exists()
    pass_rest(one.uid, by=city.actor("Lin"), at=city.now)
    finish_visit(one.uid, unchecked=False, by=city.actor("Lin"), at=city.now)
    assert not Case.objects.exists()
    later = city.now + timedelta(days=3)
    Visit.objects.filter(pk=one.pk).update(hidden=False)  # what publishing does first
    recorded = file_failed(one, by=city.actor("Qian"), at=later)
    case = Case.objects.get()
    assert [each.case for each in recorded] == [case]
    # The clock starts when it is told; found it was when it was seen, by who saw it.
    assert (case.opened_at, case.filed_by_name) == (later, "Lin")
    finding = Finding.objects.get()
    assert (finding.count, finding.found_at, finding.occurred_on) == (2, city.now, city.now.date())
    assert file_failed(one, by=city.actor("Qian"), at=later) == []
    assert Case.objects.count() == 1


def test_a_day_ordered_in_a_hidden_round_that_has_passed_is_counted_anew(city):
    one = hidden(city)
    answer(city, one, said("2", "fail", due_on=city.now.date()))
    Visit.objects.filter(pk=one.pk).update(hidden=False)
    file_failed(one, by=city.actor("Qian"), at=city.now + timedelta(days=3))
    assert Case.objects.get().due_at > city.now + timedelta(days=3)


def test_a_hidden_answer_is_judged_when_it_is_given(city):
    refused("unknown-category", city, hidden(city), said("1", "fail", category="99999"))


# --- steps -------------------------------------------------------------------------------------------


def shop_visit(city, days=0, **changes):
    at = city.now + timedelta(days=days)
    given = {"kind": "shop_front", "checklist": "shop-front", "unit": city.units["shop"].uid} | changes
    return visit(city, area=city.east_two, at=at, **given), at


def test_a_shop_is_dissuaded_then_ordered_then_reported(city):
    publish(city, "shop-front", SHOP)
    first, at = shop_visit(city)
    answer(city, first, said("1", "fail"), at=at)
    assert Answer.objects.latest("id").step == "dissuade"
    assert not Case.objects.exists()  # settled by a word

    second, at = shop_visit(city, 1)
    said_no = refused("step-back", city, second, said("1", "fail", step="dissuade"), at=at)
    assert "请选择：责令改正、报告执法部门" in said_no
    answer(city, second, said("1", "fail", due_on=date(2026, 10, 14)), at=at)
    order = Case.objects.get()
    assert (Answer.objects.latest("id").step, order.responsible) == ("order", city.units["shop"])

    # The day after, the order's deadline is still to come: it is noted, and no second case is opened.
    third, at = shop_visit(city, 2)
    answer(city, third, said("1", "fail"), at=at)
    assert (Answer.objects.latest("id").step, Case.objects.count()) == ("order", 1)

    # Past the deadline it is told to the enforcement, which needs a name.
    fourth, at = shop_visit(city, 4)
    refused("report-unit", city, fourth, said("1", "fail"), at=at)
    answer(city, fourth, said("1", "fail", unit=city.units["water"].uid), at=at)
    assert Answer.objects.latest("id").step == "report"
    assert Case.objects.latest("id").responsible == city.units["water"]


def test_a_shop_that_was_in_order_meanwhile_begins_anew(city):
    publish(city, "shop-front", SHOP)
    for days, result in ((0, "fail"), (1, "pass")):
        one, at = shop_visit(city, days)
        answer(city, one, said("1", result), at=at)
    one, at = shop_visit(city, 2)
    answer(city, one, said("1", "fail"), at=at)
    assert Answer.objects.latest("id").step == "dissuade"


def test_steps_are_of_one_line_of_one_shop(city):
    publish(city, "shop-front", SHOP)
    one, at = shop_visit(city)
    answer(city, one, said("1", "fail"), at=at)
    other, at = shop_visit(city, 1, unit=city.units["market"].uid)
    answer(city, other, said("1", "fail"), at=at)
    same, at = shop_visit(city, 2)
    answer(city, same, said("2", "fail"), at=at)
    assert set(Answer.objects.values_list("step", flat=True)) == {"dissuade"}


# --- roads, rooms, the end -----------------------------------------------------------------------------


def test_a_watched_road_files_at_the_end_what_was_not_cleared(city):
    publish(city, "road", ROAD)
    one = visit(city, kind="road", checklist="road")
    told = city.now + timedelta(minutes=5)
    for spot, cleared in (("民主路东段", told + timedelta(minutes=20)), ("民主路西段", None)):
        answer(
            city, one, said("1", "fail", spot=spot, informed_at=told, arrived_at=cleared, cleared_at=cleared)
        )
    assert not Case.objects.exists()
    finish_visit(one.uid, unchecked=False, by=city.actor("Lin"), at=city.now + timedelta(hours=1))
    assert [case.address for case in Case.objects.all()] == [f"{one.place} 民主路西段"]


def test_each_room_has_its_own_answers(city):
    publish(city, "unit-four-no", FOUR_NO)
    one = visit(city, kind="unit_check", checklist="unit-four-no", unit=city.units["market"].uid)
    answer(city, one, said("1", spot="301 室"))
    answer(city, one, said("1", "fail", spot="302 室"))
    stored = list(one.answers.order_by("id"))
    assert open_lines(one, stored)[:4] == [("2", "301 室"), ("3", "301 室"), ("4", "301 室"), ("2", "302 室")]
    assert Case.objects.get().address.endswith("302 室")


def test_a_visit_does_not_end_over_lines_in_silence(city):
    one = visit(city)
    answer(city, one, said("2"))
    with pytest.raises(RuleError) as caught:
        finish_visit(one.uid, unchecked=False, by=city.actor("Lin"), at=city.now)
    assert caught.value.code == "visit-open-lines"
    assert "还有 10 项没有回答：1、3、7、4" in caught.value.sentence()
    assert Visit.objects.get().ended_at is None
    ended = finish_visit(one.uid, unchecked=True, by=city.actor("Lin"), at=city.now)
    assert ended.ended_at == city.now
    assert Answer.objects.filter(result="unchecked").count() == 10
    again = finish_visit(one.uid, unchecked=False, by=city.actor("Lin"), at=city.now + timedelta(hours=1))
    assert again.ended_at == city.now


def test_only_who_began_it_ends_it(city):
    with pytest.raises(ForbiddenError):
        finish_visit(visit(city).uid, unchecked=True, by=city.actor("Qian"), at=city.now)


def test_the_rest_passes_and_what_was_said_stays(city):
    one = visit(city)
    answer(city, one, said("2", "fail"))
    assert len(pass_rest(one.uid, by=city.actor("Lin"), at=city.now)) == 10
    assert pass_rest(one.uid, by=city.actor("Lin"), at=city.now) == []
    assert Answer.objects.get(item="2").result == "fail"
    assert Answer.objects.filter(uid=line_uid(one, "1")).exists()


# --- what it costs -----------------------------------------------------------------------------------


def statements(call):
    seen = []

    def count(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            seen.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        call()
    return seen


@pytest.mark.parametrize(("result", "most"), [("pass", 5), ("fail", 12)])
def test_one_answer_costs_at_most_twelve_statements(city, result, most):
    one = visit(city, unit=city.units["market"].uid)
    answer(city, one, said("3", result))  # warms the caches
    by = city.actor("Lin")
    seen = statements(lambda: record_answer(one.uid, said("2", result), by=by, at=city.now))
    assert len(seen) <= most, "\n".join(seen)


def test_statements_do_not_grow_with_the_lines(city):
    one, two, by = visit(city), visit(city), city.actor("Lin")
    answer(city, one, said("1", "fail", category="06010"))
    few = statements(lambda: record_answers(one.uid, [said("2", "fail"), said("3")], by=by, at=city.now))
    drafts = [said(str(number), "fail", category="06010") for number in range(1, 12)]
    many = statements(lambda: record_answers(two.uid, drafts, by=by, at=city.now))
    assert len(many) <= len(few), "\n".join(many)
