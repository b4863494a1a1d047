"""Findings by API: created once however often sent, judged one by one, refused in one sentence."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from tests.pictures import photo
from weicheng.cases.models import Case, Event
from weicheng.inspections.models import Finding, FindingVersion
from weicheng.journal.models import Entry
from weicheng.places.actions import close_area
from weicheng.rules.digests import digest


def finding(city, **changes):
    return {"uid": str(uuid4()), "area": city.east_one, "category": "06010", "note": "路边堆有垃圾"} | changes


def rows():
    return {model.__name__: model.objects.count() for model in (Finding, FindingVersion, Case, Event, Entry)}


def told(response):
    return response.json()["error"]


def test_a_finding_opens_exactly_one_case(city, api):
    sent = finding(city, unit=str(city.units["market"].uid))
    answer = api("Lin").post("findings", sent)
    assert answer.status_code == 201
    case = Case.objects.get(uid=answer.json()["case"])
    assert (case.state, case.title, case.responsible) == ("dispatched", "暴露垃圾", city.units["market"])
    assert answer.json()["number"] == case.number
    version = FindingVersion.objects.get(finding__uid=sent["uid"])
    assert digest(bytes(version.body)) == version.digest
    assert json.loads(bytes(version.body))["note"] == "路边堆有垃圾"
    assert answer["X-Weicheng-Epoch"]


def test_sent_again_it_is_the_same_one(city, api):
    lin, sent = api("Lin"), finding(city)
    first = lin.post("findings", sent).json()
    before = rows()
    again = lin.post("findings", sent)
    assert again.status_code == 200
    assert (again.json()["status"], again.json()["case"]) == ("exists", first["case"])
    assert rows() == before


def test_the_same_identity_with_other_content_is_a_conflict_and_nothing_is_overwritten(city, api):
    lin, sent = api("Lin"), finding(city)
    lin.post("findings", sent)
    before = rows()
    answer = lin.post("findings", sent | {"note": "换了内容"})
    assert answer.status_code == 409
    assert told(answer)["code"] == "finding-conflict"
    assert rows() == before
    assert Finding.objects.get(uid=sent["uid"]).note == "路边堆有垃圾"


def test_another_persons_identity_says_nothing_of_what_it_holds(city, api):
    sent = finding(city)
    api("Lin").post("findings", sent)
    answer = api("Chen").post("findings", sent)
    assert answer.status_code == 409
    assert told(answer)["sentence"] == "该编号已被使用。请重新上报。"


def test_a_finding_with_its_case_and_journal_costs_eight_statements(city, api):
    lin = api("Lin")
    lin.post("findings", finding(city, unit=str(city.units["market"].uid)))  # warms the caches
    statements = []

    def count(execute, sql, params, many, context):
        if not sql.lstrip().upper().startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")):
            statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        assert lin.post("findings", finding(city, unit=str(city.units["market"].uid))).status_code == 201
    assert len(statements) <= 8, "\n".join(statements)


@pytest.mark.parametrize(
    ("changes", "status", "code", "words"),
    [
        ({"area": "320311001099"}, 422, "unknown-area", "没有代码为“320311001099”的区划"),
        ({"area": "320311"}, 422, "area-too-wide", "请选择街道或社区"),
        ({"area": "abc"}, 422, "unknown-area", "请从区划列表中选择"),
        ({"area": ""}, 422, "unknown-area", "请从区划列表中选择"),
        ({"area": "320312001001"}, 403, "foreign-area", "不在您岗位的辖区内"),
        ({"category": "99999"}, 422, "unknown-category", "请从分类列表中选择"),
        ({"severity": "enorm"}, 422, "unknown-severity", "可选的等级"),
        ({"note": "长" * 10_000}, 422, "text-too-long", "共10000字，超过1000字"),
        ({"address": "长" * 201}, 422, "text-too-long", "“地点”共201字，超过200字"),
        ({"occurred_on": "2099-01-01"}, 422, "occurred-in-future", "晚于今天"),
        ({"unit": str(uuid4())}, 422, "no-unit", "请从单位列表中重新选择"),
        ({"visit": str(uuid4())}, 422, "no-visit", "请先上传检查"),
        ({"item": "1"}, 422, "item-without-visit", "须随一次检查上报"),
        ({"point": {"lon": 117.2, "lat": 34.2, "datum": "MARS"}}, 422, "datum", "坐标系"),
        ({"point": {"lon": 500, "lat": 34.2}}, 422, "shape", "point"),
        ({"uid": "not-a-uuid"}, 422, "shape", "uid"),
        ({"surprise": 1}, 422, "shape", "surprise"),
        ({"device_at": "2026-10-12T10:00:00"}, 422, "shape", "device_at"),
    ],
)
def test_a_bad_finding_gets_one_sentence_and_leaves_no_row(city, api, changes, status, code, words):
    lin = api("Lin")
    before = rows()
    answer = lin.post("findings", finding(city, **changes))
    assert answer.status_code == status, answer.content.decode()
    assert told(answer)["code"] == code
    assert words in told(answer)["sentence"]
    assert rows() == before


def test_a_unit_that_may_not_be_charged_is_refused(city, api):
    before = rows()
    answer = api("Chen").post("findings", finding(city, unit=str(city.units["school"].uid)))
    assert (answer.status_code, told(answer)["code"]) == (403, "may-not-charge")
    assert {**rows(), "Entry": 0} == {**before, "Entry": 0}


def test_a_closed_area_takes_no_finding_of_a_later_day(city, api):
    close_area(code=city.east_two, on=timezone.localdate(), by=city.actor("Xi"), at=timezone.now())
    lin = api("Lin")
    before = rows()
    answer = lin.post("findings", finding(city, area=city.east_two))
    assert (answer.status_code, told(answer)["code"]) == (422, "closed-area")
    assert rows() == before


@pytest.mark.parametrize("who", ["Zhao", "Li", "Wei", "Xi", "An", "Shen"])
def test_posts_that_do_not_record_are_told_so(city, api, who):
    answer = api(who).post("findings", finding(city))
    assert (answer.status_code, told(answer)["code"]) == (403, "may-not-record")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("", "application/json"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
    ],
)
def test_a_broken_body_is_refused_in_one_shape(city, api, body, kind):
    lin = api("Lin")
    answer = lin.client.post("/api/findings", body, kind, headers=lin._headers)
    assert answer.status_code in (400, 422)
    assert set(told(answer)) == {"code", "sentence", "details"}


def test_without_a_token_with_a_wrong_one_and_with_one_of_an_ended_post(city, api):
    lin = api("Lin")
    assert lin.client.post("/api/findings", "{}", "application/json").status_code == 401
    wrong = lin.client.post("/api/findings", "{}", "application/json", headers={"Authorization": "Bearer no"})
    assert (wrong.status_code, told(wrong)["code"]) == (403, "token")
    post = city.posts["Lin"]
    post.to_on = timezone.localdate() - timedelta(days=1)
    post.save()
    before = rows()
    ended = lin.post("findings", finding(city))
    assert (ended.status_code, told(ended)["code"]) == (403, "post-ended")
    assert rows() == before


# --- batches ---------------------------------------------------------------------------------------


def test_a_batch_gives_a_verdict_for_each_in_order(city, api):
    lin, twice = api("Lin"), finding(city)
    lin.post("findings", twice)
    good, foreign, shapeless = finding(city), finding(city, area=city.neighbour), {"uid": str(uuid4())}
    answer = lin.post(
        "findings/batch",
        {
            "findings": [
                good,
                foreign,
                twice,
                shapeless,
                good,
                twice | {"note": "变了"},
                good | {"note": "也变了"},
            ]
        },
    )
    assert answer.status_code == 200
    verdicts = answer.json()["verdicts"]
    assert [(v["status"], v["code"]) for v in verdicts] == [
        ("created", ""),
        ("refused", "foreign-area"),
        ("exists", ""),
        ("refused", "shape"),
        ("created", ""),  # the same one, named twice in one request
        ("conflict", "finding-conflict"),
        ("conflict", "finding-conflict"),
    ]
    assert verdicts[0]["case"] == verdicts[4]["case"]
    assert Finding.objects.count() == Case.objects.count() == 2


def test_a_batch_above_fifty_is_refused_whole(city, api):
    before = rows()
    answer = api("Lin").post("findings/batch", {"findings": [finding(city) for _ in range(51)]})
    assert (answer.status_code, told(answer)["code"]) == (422, "batch-too-large")
    assert {**rows(), "Entry": 0} == {**before, "Entry": 0}


def test_an_empty_batch_is_an_empty_answer(city, api):
    assert api("Lin").post("findings/batch", {"findings": []}).json() == {"verdicts": []}


def test_statements_of_a_batch_do_not_grow_with_it(city, api, django_assert_max_num_queries):
    lin = api("Lin")
    lin.post("findings", finding(city))
    with django_assert_max_num_queries(10):
        lin.post("findings/batch", {"findings": [finding(city) for _ in range(2)]})
    # SQLite takes 999 values in a statement, so fifty cases are three inserts there.
    with django_assert_max_num_queries(12):
        lin.post("findings/batch", {"findings": [finding(city) for _ in range(50)]})


# --- photos ----------------------------------------------------------------------------------------


def upload(data, name="a.jpg"):
    return SimpleUploadedFile(name, data, "image/jpeg")


def test_a_photo_is_kept_with_its_finding_and_sent_twice_is_one(city, api):
    lin, sent, uid, data = api("Lin"), finding(city), str(uuid4()), photo()
    lin.post("findings", sent)
    first = lin.send(f"findings/{sent['uid']}/photos", uid=uid, photo=upload(data))
    assert first.status_code == 201
    again = lin.send(f"findings/{sent['uid']}/photos", uid=uid, photo=upload(data))
    assert (again.status_code, again.json()["status"]) == (200, "exists")
    other = lin.send(f"findings/{sent['uid']}/photos", uid=uid, photo=upload(photo()))
    assert (other.status_code, told(other)["code"]) == (409, "photo-conflict")


def test_a_photo_before_its_finding_waits_and_is_then_there_for_all_who_see_the_finding(city, api):
    lin, chen, sent = api("Lin"), api("Chen"), finding(city)
    uid = str(uuid4())
    assert lin.send(f"findings/{sent['uid']}/photos", uid=uid, photo=upload(photo())).status_code == 201
    browser = city.client("Chen")
    assert browser.get(f"/files/{uid}/thumb").status_code == 404
    lin.post("findings", sent)
    assert browser.get(f"/files/{uid}/thumb").status_code == 200
    assert chen.get(f"findings/{sent['uid']}").status_code == 200


def test_the_same_photo_used_before_is_flagged(city, api):
    lin, one, two, data = api("Lin"), finding(city), finding(city), photo()
    for each in (one, two):
        lin.post("findings", each)
    first = lin.send(f"findings/{one['uid']}/photos", uid=str(uuid4()), photo=upload(data))
    second = lin.send(f"findings/{two['uid']}/photos", uid=str(uuid4()), photo=upload(data))
    assert (first.json()["used_before"], second.json()["used_before"]) == (False, True)


# --- the round by API ------------------------------------------------------------------------------


def test_the_whole_round_by_api(city, api):
    sent = finding(city)
    api("Lin").post("findings", sent)
    chen, zhao, lin = api("Chen"), api("Zhao"), api("Lin")
    path = f"cases/{sent['uid']}"
    done = chen.post(f"{path}/steps", {"move": "dispatch", "unit": str(city.units["market"].uid)})
    assert done.json()["state"] == "dispatched"
    assert zhao.get(path).json()["moves"] == ["accept", "decline", "hand_in", "note"]
    bare = zhao.post(f"{path}/steps", {"move": "hand_in", "note": "好了"})
    assert (bare.status_code, told(bare)["code"]) == (422, "need-photo")
    assert zhao.send(f"{path}/photos", uid=str(uuid4()), photo=upload(photo())).status_code == 201
    assert zhao.post(f"{path}/steps", {"move": "hand_in", "note": "好了"}).json()["state"] == "handed_in"
    assert lin.post(f"{path}/steps", {"move": "pass"}).json()["state"] == "closed"
    history = lin.get(path).json()
    assert [each["move"] for each in history["steps"]] == ["file", "dispatch", "hand_in", "pass"]


def test_a_list_pages_by_key_and_shows_only_the_own_scope(city, api):
    made = [city.finding().case for _ in range(5)] + [city.finding(area=city.west_one).case]
    chen = api("Chen")
    first = chen.get("cases", limit=2).json()
    second = chen.get("cases", limit=2, after=first["after"]).json()
    third = chen.get("cases", limit=2, after=second["after"]).json()
    seen = [each["uid"] for page in (first, second, third) for each in page["cases"]]
    assert seen == [str(case.uid) for case in reversed(made[:5])]
    assert third["after"] is None


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"state": "nonsense"}, "unknown-state"),
        ({"limit": "0"}, "shape"),
        ({"limit": "9999"}, "shape"),
        ({"after": "x"}, "shape"),
    ],
)
def test_a_bad_query_is_refused(city, api, query, code):
    answer = api("Chen").get("cases", **query)
    assert (answer.status_code, told(answer)["code"]) == (422, code)


def test_counts_by_area_month_and_state(city, api):
    for _ in range(3):
        city.finding()
    city.finding(area=city.west_one)
    answer = api("Qian").get("counts", **{"from": "2026-01-01", "to": "2026-12-31"}).json()
    assert [(row["name"], row["month"], row["state"], row["count"]) for row in answer["counts"]] == [
        ("东街道", "2026-10", "filed", 3),
        ("西街道", "2026-10", "filed", 1),
    ]


def test_sign_in_gives_a_token_and_a_wrong_password_a_sentence(city, client):
    def sign_in(**changes):
        return client.post(
            "/api/token",
            json.dumps({"login": "lin", "password": "a-long-Pass-1"} | changes),
            "application/json",
        )

    good = sign_in()
    assert good.status_code == 201
    answer = client.get("/api/cases", headers={"Authorization": f"Bearer {good.json()['token']}"})
    assert answer.status_code == 200
    bad = sign_in(password="wrong")
    assert (bad.status_code, told(bad)["code"]) == (403, "sign-in")


def test_the_documentation_is_served(city, client):
    assert client.get("/api/docs").status_code == 200
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/findings", "/api/findings/batch", "/api/cases", "/api/counts", "/api/token"} <= set(paths)
