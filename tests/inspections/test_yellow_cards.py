"""Yellow cards: given from above on the ground of findings, lifted by a passed recheck and by nothing else."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from weicheng.cases.models import Case
from weicheng.inspections.actions import record_visit
from weicheng.inspections.answers import finish_visit, record_answers
from weicheng.inspections.drafts import AnswerIn, VisitIn
from weicheng.inspections.models import CardStep, Finding, Visit, YellowCard
from weicheng.inspections.yellow_cards import (
    CardIn,
    issue_card,
    lift_card,
    obstacles,
    recheck_of,
    rechecks,
    write_plan,
)
from weicheng.journal.models import Entry
from weicheng.notices.models import Notice
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError
from weicheng.standards import editions

LIST = "community-environment"


def visited(
    city: Any, wrong: int = 0, *, by: str = "Lin", unit: str = "", at: Any = None, skip: int = 0
) -> Visit:
    """Return an ended visit of the east street's first community (or a unit there) with so many lines that fail."""
    at = at or timezone.now()
    place = city.units[unit] if unit else None
    given = VisitIn(uid=uuid4(), area=city.east_one, unit=place.uid if place else None, checklist=LIST,
                    started_at=at, visited_on=timezone.localtime(at).date())  # fmt: skip
    visit, _new = record_visit(given, by=city.actor(by), at=at)
    items = editions.checklist_by_id(visit.checklist_edition).body.items
    answers = [
        AnswerIn(uid=uuid4(), item=item.number, result="fail" if n < wrong else "pass",
                 category="" if item.category or n >= wrong else "06010")
        for n, item in enumerate(items[: len(items) - skip])
    ]  # fmt: skip
    for said in record_answers(visit.uid, answers, by=city.actor(by), at=at):
        assert said.error is None, said.error
    finish_visit(visit.uid, unchecked=True, by=city.actor(by), at=at)
    return Visit.objects.get(pk=visit.pk)


def findings_of(visit: Visit) -> tuple[UUID, ...]:
    return tuple(Finding.objects.filter(visit=visit).values_list("uid", flat=True))


def given(city: Any, by: str = "Qian", *, unit: str = "", **changes: Any) -> YellowCard:
    """Return a card given three weeks ago for one finding."""
    before = timezone.now() - timedelta(days=21)
    visit = changes.pop("visit", None) or visited(city, 1, unit=unit, at=before - timedelta(hours=1))
    draft: dict[str, Any] = {
        "uid": uuid4(), "to": "unit" if unit else "area", "reason": "积存垃圾、垃圾池满溢",
        "findings": findings_of(visit),
    }  # fmt: skip
    return issue_card(visit, CardIn(**draft | changes), by=city.actor(by), at=before)


def settle(card: YellowCard) -> None:
    """Close the cases of a card, as far as the card is concerned."""
    now = timezone.now()
    Case.objects.filter(finding__yellow_cards=card).update(
        open=False, state="cancelled", closed_at=now, closed_on=now.date(), next_at=None
    )


def refused(code: str, do: Any) -> str:
    with pytest.raises(RuleError) as caught:
        do()
    assert caught.value.code == code
    return caught.value.sentence()


def test_a_card_names_its_findings_and_its_place_hears_of_it(city):
    card = given(city)
    assert (card.name, card.area, card.unit, card.state) == ("东一社区", city.east_one, None, "open")
    assert card.findings.count() == 1
    assert card.days(timezone.localdate()) == 21
    assert Notice.objects.filter(to_area=city.east_one, title__contains="黄牌警告").count() == 1
    assert [step.verb for step in card.steps.all()] == ["issue"]
    assert Entry.objects.filter(verb="card.issue").count() == 1


def test_a_card_to_a_unit_stands_at_the_unit(city):
    card = given(city, "Chen", unit="market")
    assert (card.unit, card.name) == (city.units["market"], "解放桥农贸市场")
    assert YellowCard.objects.visible_to(city.actor("Zhao")).get() == card
    assert not YellowCard.objects.visible_to(city.actor("Feng")).exists()
    assert not YellowCard.objects.visible_to(city.actor("Wu")).exists()


def test_only_an_office_above_the_place_gives_one(city):
    visit = visited(city, 1)
    for name in ("Sun", "Lin", "Zhao", "Wu", "Li", "Wei", "Ne"):
        refused("not-above", lambda name=name: given(city, name, visit=visit))
    assert not YellowCard.objects.exists()
    assert given(city, "Chen", visit=visit).issued_area == city.east


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("card-without-findings", {"findings": ()}),
        ("card-without-findings", {"findings": (uuid4(),)}),
        ("card-reason", {"reason": "  "}),
        ("card-text-long", {"reason": "长" * 2001}),
        (
            "duty-order",
            {"duty_from": timezone.localdate(), "duty_to": timezone.localdate() - timedelta(days=1)},
        ),
        ("card-threshold", {"threshold": Decimal(0)}),
        ("card-place", {"to": "unit"}),
        ("card-place", {"to": "moon"}),
    ],
)
def test_what_makes_no_card_is_refused_and_nothing_is_kept(city, code, changes):
    refused(code, lambda: given(city, **changes))
    assert not YellowCard.objects.exists()
    assert not CardStep.objects.exists()


def test_one_open_card_for_a_place_and_sent_twice_it_is_the_same(city):
    visit, uid = visited(city, 1), uuid4()
    first = given(city, visit=visit, uid=uid)
    assert given(city, visit=visit, uid=uid).pk == first.pk
    with pytest.raises(ConflictError):
        given(city, visit=visit)
    assert YellowCard.objects.count() == 1


def test_the_place_writes_its_plan_and_each_wording_is_kept(city):
    card, now = given(city), timezone.now()
    write_plan(card, plan="三天清完", by=city.actor("Sun"), at=now)
    write_plan(card, plan="三天清完，村规加一条", by=city.actor("Chen"), at=now)
    write_plan(card, plan="三天清完，村规加一条", by=city.actor("Chen"), at=now)
    assert [step.words.get("plan") for step in card.steps.all()][1:] == ["三天清完", "三天清完，村规加一条"]
    for name in ("Lin", "Li", "Wu", "Zhao"):
        with pytest.raises(ForbiddenError):
            write_plan(card, plan="别的", by=city.actor(name), at=now)
    refused("card-plan", lambda: write_plan(card, plan=" ", by=city.actor("Sun"), at=now))


def test_a_passed_recheck_lifts_it_and_the_days_are_counted(city):
    card = given(city)
    settle(card)
    again = visited(city)
    lifted = lift_card(card, again, by=city.actor("Qian"), at=timezone.now())
    assert (lifted.state, lifted.lifted_by, lifted.days(timezone.localdate())) == ("lifted", again, 21)
    assert Notice.objects.filter(title__contains="黄牌已摘").exists()
    with pytest.raises(ConflictError):
        lift_card(card, again, by=city.actor("Qian"), at=timezone.now())
    with pytest.raises(ConflictError):
        write_plan(card, plan="太晚", by=city.actor("Sun"), at=timezone.now())
    assert given(city, visit=visited(city, 1)).pk != card.pk  # a new one may be given


@pytest.mark.parametrize(
    ("code", "recheck"),
    [
        ("recheck-failed", {"wrong": 1}),
        ("recheck-incomplete", {"skip": 2}),
        ("recheck-too-early", {"at": timezone.now() - timedelta(days=22)}),
        ("own-recheck", {"by": "Sun"}),
        ("other-place", {"unit": "market"}),
    ],
)
def test_no_other_recheck_lifts_it(city, code, recheck):
    card = given(city)
    settle(card)
    again = visited(city, **recheck)
    refused(code, lambda: lift_card(card, again, by=city.actor("Qian"), at=timezone.now()))
    card.refresh_from_db()
    assert (card.state, card.lifted_on) == ("open", None)


def test_open_cases_keep_it_and_are_named(city):
    card = given(city)
    said = refused(
        "cases-open", lambda: lift_card(card, visited(city), by=city.actor("Qian"), at=timezone.now())
    )
    assert Case.objects.get().number in said


def test_a_recheck_that_is_not_over_or_has_no_list_does_not_lift_it(city):
    card, now = given(city), timezone.now()
    settle(card)
    for key, code in ((LIST, "recheck-going-on"), ("", "recheck-going-on")):
        visit, _new = record_visit(
            VisitIn(uid=uuid4(), area=city.east_one, checklist=key), by=city.actor("Lin"), at=now
        )
        refused(code, lambda visit=visit: lift_card(card, visit, by=city.actor("Qian"), at=now))
    codes = [each.code for each in obstacles(card, visit, city.actor("Qian"))]
    assert codes == ["recheck-going-on", "recheck-without-list"]


def test_a_card_with_a_threshold_is_lifted_by_the_score(city):
    card = given(city, threshold=Decimal(100))
    settle(card)
    short = visited(city, 1)
    assert recheck_of(short).score < 100
    said = refused("recheck-below", lambda: lift_card(card, short, by=city.actor("Qian"), at=timezone.now()))
    assert "100" in said
    YellowCard.objects.filter(pk=card.pk).update(threshold=recheck_of(short).score)
    assert lift_card(card, short, by=city.actor("Qian"), at=timezone.now()).state == "lifted"


def test_nobody_of_the_place_and_nobody_beside_it_lifts_it(city):
    card = given(city)
    settle(card)
    again = visited(city)
    for name in ("Sun", "Lin", "Wu", "Li"):
        refused("not-above", lambda name=name: lift_card(card, again, by=city.actor(name), at=timezone.now()))


# --- pages ---------------------------------------------------------------------------------------


def test_from_the_visit_to_the_lifted_card_on_the_pages(city, django_assert_max_num_queries):
    visit = visited(city, 1, at=timezone.now() - timedelta(hours=2))
    qian, sun = city.client("Qian"), city.client("Sun")
    page = qian.get(f"/visits/{visit.uid}/card").content.decode()
    assert "东一社区" in page
    sent = {
        "uid": str(uuid4()),
        "to": "area",
        "findings": [str(uid) for uid in findings_of(visit)],
        "reason": "",
    }
    wrong = qian.post(f"/visits/{visit.uid}/card", sent)
    assert wrong.status_code == 422
    assert "还没有填写“理由”" in wrong.content.decode()
    answer = qian.post(f"/visits/{visit.uid}/card", sent | {"reason": "垃圾堆积"})
    assert answer.status_code == 303
    card = YellowCard.objects.get()
    assert "东一社区" in sun.get("/visits/cards/").content.decode()
    assert sun.post(card.url, {"action": "plan", "plan": "本周清完"}).status_code == 303
    assert sun.post(card.url, {"action": "plan", "plan": ""}).status_code == 422
    settle(card)
    page = qian.get(card.url).content.decode()
    assert "本周清完" in page
    assert "还没有按检查表做过的复查" in page
    again = visited(city, 1)
    page = qian.get(card.url).content.decode()
    assert "还不能摘牌" in page
    refused_page = qian.post(card.url, {"action": "lift", "visit": str(again.uid)})
    assert refused_page.status_code == 422
    assert "项未通过" in refused_page.content.decode()
    good = visited(city)
    assert [one.pk for one in rechecks(card, city.actor("Qian"))] == [good.pk, again.pk]
    with django_assert_max_num_queries(40):
        qian.get(card.url)
    assert qian.post(card.url, {"action": "lift", "visit": str(good.uid)}).status_code == 303
    assert "已摘牌" in sun.get(card.url).content.decode()
    assert sun.post(card.url, {"action": "lift", "visit": str(good.uid)}).status_code in (403, 422)


def test_a_recheck_begins_with_place_and_list_filled_in_and_leads_back_to_the_card(city):
    card = given(city, unit="market")
    page = city.client("Lin").get(card.url).content.decode()
    url = f"/visits/new?area={city.east_one}&amp;unit={city.units['market'].uid}&amp;checklist={LIST}&amp;kind=routine"
    assert url in page
    form = city.client("Lin").get(url.replace("&amp;", "&")).content.decode()
    for chosen in (city.east_one, str(city.units["market"].uid), LIST):
        assert f'value="{chosen}" selected' in form, chosen
    sent = {"uid": uuid4(), "kind": "routine", "area": city.east_one, "unit": city.units["market"].uid,
            "checklist": LIST}  # fmt: skip
    begun = city.client("Lin").post(url.replace("&amp;", "&"), sent)
    assert begun.status_code == 303
    # The visit leads back to the card, and both lists show the place by address.
    assert f'href="{card.url}"' in city.client("Lin").get(begun["Location"]).content.decode()
    for address in ("/visits/cards/?unit=", "/visits/?unit="):
        listed = city.client("Qian").get(f"{address}{city.units['market'].uid}").content.decode()
        assert "解放桥农贸市场" in listed
        assert (card.url in listed) == ("cards" in address)
    assert "没有找到" in city.client("Wu").get(f"/visits/?unit={city.units['market'].uid}").content.decode()


def test_a_link_with_a_kind_of_a_round_begins_with_no_such_kind(city):
    form = city.client("Lin").get("/visits/new?kind=unannounced&area=1&unit=x").content.decode()
    assert 'value="routine"' in form
    assert 'value="unannounced"' not in form
