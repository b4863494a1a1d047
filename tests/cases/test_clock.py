"""What happens to cases without anybody touching them, and who is told of what."""

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.cases.test_loop import give_photo, handed_in, step
from weicheng.cases.actions import Step, take_step
from weicheng.cases.clock import tick
from weicheng.cases.deadlines import explain
from weicheng.cases.models import Case, Event
from weicheng.cases.outbox import deliver
from weicheng.notices.models import Notice
from weicheng.rules.cases import Move
from weicheng.standards.actions import Head, draft_edition, publish_edition
from weicheng.standards.kinds import Confidence
from weicheng.standards.models import Edition

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def moves(case):
    return list(Event.objects.filter(case=case).order_by("number").values_list("move", flat=True))


def test_a_case_is_reminded_called_late_and_carried_up_once_each(city):
    case = city.case()
    tick(case.warn_at - SECOND)
    assert moves(case) == ["file", "dispatch"]
    for _ in range(3):
        tick(case.warn_at)
    tick(case.due_at)  # the deadline itself is in time
    assert moves(case) == ["file", "dispatch", "remind"]
    for _ in range(3):
        tick(case.due_at + SECOND)
    up = case.due_at + (case.due_at - case.clock_from) / 2
    assert Case.objects.get(pk=case.pk).desk == city.east
    for _ in range(3):
        tick(up + SECOND)
    assert moves(case) == ["file", "dispatch", "remind", "overdue", "escalate"]
    after = Case.objects.get(pk=case.pk)
    assert (after.desk, after.next_at, after.version) == ("320311", None, 5)


def test_a_worker_that_slept_does_not_remind_of_what_has_passed(city):
    case = city.case()
    tick(case.due_at + 10 * (case.due_at - case.clock_from))
    assert moves(case) == ["file", "dispatch", "overdue", "escalate"]


def test_a_clock_set_back_repeats_nothing(city):
    case = city.case()
    tick(case.due_at + SECOND)
    tick(case.opened_at - timedelta(days=30))
    tick(case.due_at + 2 * SECOND)
    assert moves(case) == ["file", "dispatch", "overdue"]


def test_the_clock_rests_while_the_verifier_has_the_case(city):
    case = handed_in(city)
    tick(case.due_at + timedelta(days=9))
    assert "overdue" not in moves(case)


def test_a_failed_verification_starts_the_clock_anew_with_its_own_reminder(city):
    case = city.case()
    tick(case.warn_at)
    give_photo(city, case, "Zhao", case.warn_at)
    take_step(Step(case.uid, Move.HAND_IN, city.actor("Zhao"), note="好了"), at=case.warn_at)
    again = take_step(Step(case.uid, Move.FAIL, city.actor("Lin"), note="没好"), at=case.due_at)
    tick(again.warn_at)
    assert moves(case).count("remind") == 2


def test_a_deadline_explains_itself_day_by_day(city):
    friday = city.now + timedelta(days=4, hours=7)  # Friday 16 October, 17:00
    case = city.finding(at=friday, severity="hard").case
    found = explain(case)
    assert found.due_at == case.due_at
    assert found.steps[0].day == date(2026, 10, 16)
    assert found.steps[-1].left == Decimal(0)


def test_a_published_calendar_recomputes_open_deadlines_and_keeps_old_and_new(city):
    case = city.case(severity=_working(city))
    before = case.due_at
    closed = handed_in(city)
    step(city, closed, "pass", "Lin", 2)
    body = json.loads(bytes(Edition.objects.get(kind="calendar", state="published").body))
    # The five days after the case was opened become days off of the whole district.
    days_off = {str(city.now.date() + timedelta(days=n)): "城市活动周" for n in range(5)}
    edition = publish_calendar(city, body | {"off_days": body["off_days"] | days_off})
    tick(city.now + SECOND)
    after = Case.objects.get(pk=case.pk)
    assert after.due_at > before
    assert after.calendar_edition == edition.pk
    event = Event.objects.get(case=case, move="recompute")
    assert event.detail["due_before"][:16] != event.detail["due_at"][:16]
    tick(city.now + 2 * SECOND)
    assert Event.objects.filter(case=case, move="recompute").count() == 1
    assert not Event.objects.filter(case=closed, move="recompute").exists()


def _working(city):
    """Return the code of a severity whose limit counts working time."""
    from weicheng.rules.deadlines import parse_limit
    from weicheng.standards import editions

    scale = editions.severities(city.east_one, city.now.date()).body
    return next(each.code for each in scale.severities if parse_limit(each.limit).counting.asks_calendar)


def publish_calendar(city, body):
    head = Head(
        title="泉山区工作日历",
        edition="local-2",
        source="测试通知",
        confidence=Confidence.LOCAL,
        in_force_from=date(2015, 1, 1),
    )
    qian = city.actor("Qian")
    draft = draft_edition(kind="calendar", owner="320311", head=head, body=body, by=qian, at=city.now)
    return publish_edition(edition=draft, by=qian, at=city.now)


# --- who is told -----------------------------------------------------------------------------------


def told(name, city):
    return set(Notice.objects.visible_to(city.actor(name)).values_list("kind", flat=True))


def test_each_party_hears_of_what_it_has_to_do_and_nobody_else(city):
    case = city.case()
    deliver(city.now)
    assert told("Zhao", city) == {"case.dispatch"}
    give_photo(city, case, "Zhao", city.now + HOUR)
    step(city, case, "hand_in", "Zhao", 1, note="好了")
    deliver(city.now + HOUR)
    assert told("Lin", city) == {"case.hand_in"}
    assert told("Chen", city) == {"case.hand_in"}
    step(city, case, "pass", "Chen", 2)
    deliver(city.now + 2 * HOUR)
    assert told("Zhao", city) == {"case.dispatch", "case.pass"}
    assert told("Lin", city) == {"case.hand_in", "case.pass"}  # the finder hears the end
    for stranger in ("Wu", "Feng", "Ne", "Xi", "An", "Shen"):
        assert told(stranger, city) == set()


def test_a_case_nobody_is_charged_with_is_told_to_its_desk(city):
    city.finding()
    deliver(city.now)
    assert told("Chen", city) == {"case.file"}


def test_delivered_twice_is_told_once(city):
    city.case()
    assert deliver(city.now) == 2
    Event.objects.update(delivered=False)
    deliver(city.now)
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("count", [1, 7])
def test_delivery_costs_the_same_statements_for_one_and_for_many(city, count, django_assert_max_num_queries):
    for _ in range(count):
        city.case()
    with django_assert_max_num_queries(10):  # of which three are savepoints
        deliver(city.now)
