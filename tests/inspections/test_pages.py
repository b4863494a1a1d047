"""The pages of inspection: report in four taps, visit with a check list."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.pictures import photo
from weicheng.cases.models import Case
from weicheng.evidence.models import Attachment
from weicheng.inspections.actions import end_visit, record_visit
from weicheng.inspections.drafts import VisitIn
from weicheng.inspections.models import Finding, Visit
from weicheng.rules.errors import ConflictError, ForbiddenError, RuleError


def filled(city, **changes):
    return {
        "uid": str(uuid4()),
        "kind": "06010",
        "area": city.east_one,
        "note": "",
        "occurred_on": "",
    } | changes


def test_kind_photo_send_is_all_it_takes(city):
    lin = city.client("Lin")
    sent = filled(city, photos=SimpleUploadedFile("a.jpg", photo(), "image/jpeg"))
    answer = lin.post("/findings/new", sent)
    assert answer.status_code == 303
    case = Case.objects.get()
    assert f"saved={case.uid}" in answer["Location"]
    assert Attachment.objects.get().owner_uid == case.uid
    page = lin.get(answer["Location"]).content.decode()
    assert case.number in page
    assert "撤回" in page


def test_the_form_learns_what_this_person_reports(city):
    for category in ("09020", "09020", "07001"):
        city.finding(category=category)
    page = city.client("Lin").get("/findings/new").content.decode()
    first = page.index('value="07001"')
    assert (
        first < page.index('value="09020"') < page.index('value="06010"')
    )  # newest first, common ones after
    assert f'value="{city.east_one}" selected' in page


def test_sent_twice_it_is_one_finding_and_one_photo(city):
    lin, data = city.client("Lin"), photo()
    sent = filled(city)
    for _ in range(2):
        lin.post("/findings/new", sent | {"photos": SimpleUploadedFile("a.jpg", data, "image/jpeg")})
    assert (Finding.objects.count(), Case.objects.count(), Attachment.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": ""}, "请点选一类问题"),
        ({"kind": "nonsense"}, "请从列表中点选一类问题"),
        ({"kind": "other", "category": ""}, "请选择具体类别"),
        ({"area": ""}, "请选择街道或社区"),
        ({"area": "320312001001"}, "该区划不在您的辖区内"),
        ({"note": "长" * 10_000}, "最多 1000 字"),
        ({"occurred_on": "2099-01-01"}, "晚于今天"),
        ({"unit": str(uuid4())}, "请从列表中选择责任单位"),
        ({"uid": "nonsense"}, ""),
        ({"place_lon": "x", "place_lat": "y"}, "位置无法识别"),
        (
            {
                "photos": SimpleUploadedFile(
                    "a.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/jpeg"
                )
            },
            "照片",
        ),
    ],
)
def test_a_bad_form_says_one_thing_keeps_what_was_typed_and_leaves_no_row(city, changes, words):
    answer = city.client("Lin").post("/findings/new", filled(city, address="民主路十二号") | changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert "民主路十二号" in page
    assert (Finding.objects.count(), Case.objects.count(), Attachment.objects.count()) == (0, 0, 0)


def test_the_same_uid_with_other_content_is_shown_as_a_conflict(city):
    lin, sent = city.client("Lin"), filled(city)
    lin.post("/findings/new", sent)
    answer = lin.post("/findings/new", sent | {"note": "别的"})
    assert answer.status_code == 409
    assert "编号相同的问题已有不同内容" in answer.content.decode()


@pytest.mark.parametrize("who", ["Zhao", "Li", "Wei", "Xi", "An", "Shen"])
def test_posts_that_do_not_record_do_not_see_the_form(city, who):
    assert city.client(who).get("/findings/new").status_code == 403


def test_a_unit_nearby_is_offered_nearest_first_and_never_a_foreign_one(city):
    for key, lon in (("market", "117.1901"), ("shop", "117.1910"), ("foreign", "117.1900")):
        unit = city.units[key]
        unit.lon, unit.lat = lon, "34.2500"
        unit.save()
    lin = city.client("Lin")
    found = lin.get("/findings/nearby", {"lon": "117.19", "lat": "34.25"}).json()["units"]
    assert [each["name"] for each in found] == ["解放桥农贸市场", "东街便民店"]
    for lon, lat in (("x", "y"), ("", ""), ("999", "1"), ("nan", "34")):
        assert lin.get("/findings/nearby", {"lon": lon, "lat": lat}).json() == {"units": []}


def test_a_printed_code_opens_the_form_at_its_unit_or_the_list_of_its_cases(city):
    unit = city.units["market"]
    answer = city.client("Lin").get(f"/u/{unit.uid}", follow=True)
    assert f'value="{unit.uid}" selected' in answer.content.decode()
    assert "/cases/?unit=" in city.client("Zhao").get(f"/u/{unit.uid}")["Location"]


# --- visits ----------------------------------------------------------------------------------------


def visit(city, **changes):
    given = {"uid": uuid4(), "area": city.east_one, "checklist": "community-environment"} | changes
    return record_visit(VisitIn(**given), by=city.actor("Lin"), at=city.now)[0]


def test_a_visit_scores_its_check_list_from_its_findings(city):
    one = visit(city)
    for item, times in (("2", 2), ("4", 1)):
        for _ in range(times):
            city.finding(visit=one.uid, item=item)
    page = city.client("Lin").get(one.url).content.decode()
    # 路面 2 points each: 2 x 2 = 4; 绿地 0.5: 1 x 0.5; 100 - 4 - 0.5 = 95.5
    assert "<b>95.5</b>" in page
    assert "−4" in page
    assert "路面" in page


def test_a_withdrawn_finding_costs_no_points(city):
    from weicheng.cases.actions import Step, take_step
    from weicheng.rules.cases import Move

    one = visit(city)
    found = city.finding(visit=one.uid, item="2")
    take_step(Step(found.case.uid, Move.WITHDRAW, city.actor("Lin")), at=city.now)
    assert "<b>100</b>" in city.client("Lin").get(one.url).content.decode()


def test_a_visit_sent_twice_is_one_and_with_other_content_a_conflict(city):
    uid = uuid4()
    visit(city, uid=uid)
    visit(city, uid=uid)
    assert Visit.objects.count() == 1
    with pytest.raises(ConflictError):
        visit(city, uid=uid, note="变了")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"area": "320312001001"}, "foreign-area"),
        ({"area": "999999999"}, "unknown-area"),
        ({"kind": "party"}, "visit-kind"),
        ({"checklist": "nothing"}, "no-edition"),
        ({"unit": uuid4()}, "no-unit"),
        ({"visited_on": "2099-01-01"}, "occurred-in-future"),
    ],
)
def test_a_bad_visit_is_refused(city, changes, code):
    with pytest.raises(RuleError) as caught:
        visit(city, **changes)
    assert caught.value.code == code
    assert not Visit.objects.exists()


def test_an_item_that_the_list_does_not_have_is_refused(city):
    one = visit(city)
    with pytest.raises(RuleError) as caught:
        city.finding(visit=one.uid, item="99")
    assert caught.value.code == "item-unknown"


def test_only_who_began_a_visit_ends_it(city):
    one = visit(city)
    with pytest.raises(ForbiddenError):
        end_visit(visit=one, by=city.actor("Qian"), at=city.now)
    assert end_visit(visit=one, by=city.actor("Lin"), at=city.now).ended_at == city.now


def test_a_visit_is_begun_from_the_page(city):
    lin = city.client("Lin")
    sent = {
        "uid": str(uuid4()),
        "kind": "routine",
        "area": city.east_one,
        "checklist": "community-environment",
    }
    answer = lin.post("/visits/new", sent)
    assert answer.status_code == 303, answer.content.decode()
    assert "记一个问题" in lin.get(answer["Location"]).content.decode()
    assert lin.post("/visits/new", {"kind": "x"}).status_code == 422


def test_the_list_of_visits_costs_the_same_for_one_and_for_many(city, django_assert_max_num_queries):
    lin = city.client("Lin")
    lin.get("/visits/")
    for _ in range(12):
        visit(city)
    with django_assert_max_num_queries(9):
        assert lin.get("/visits/").status_code == 200


def test_withdrawing_from_the_page(city):
    lin = city.client("Lin")
    lin.post("/findings/new", filled(city))
    case = Case.objects.get()
    assert timezone.now() >= case.opened_at
    answer = lin.post(f"/cases/{case.uid}/steps/withdraw", {"uid": str(case.uid), "note": ""})
    assert answer.status_code == 303
    assert Case.objects.get().state == "cancelled"
