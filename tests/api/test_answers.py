"""Answers by API: up to a hundred, a verdict for each, sent again safely."""

from uuid import uuid4

from tests.inspections.lists_made import visit
from weicheng.inspections.models import Answer, Visit


def one_answer(item="2", result="pass", **changes):
    return {"uid": str(uuid4()), "item": item, "result": result} | changes


def verdicts(response):
    assert response.status_code == 200, response.content.decode()
    return response.json()["verdicts"]


def test_each_gets_its_verdict_and_again_is_the_same(city, api):
    one, lin = visit(city), api("Lin")
    good, failed = one_answer(), one_answer("3", "fail", count=2)
    sent = {"answers": [good, failed, one_answer("99"), {"uid": str(uuid4())}]}
    told = verdicts(lin.post(f"visits/{one.uid}/answers", sent))
    assert [(v["status"], v["code"]) for v in told] == [
        ("created", ""),
        ("created", ""),
        ("refused", "item-unknown"),
        ("refused", "shape"),
    ]
    assert told[1]["case"] == failed["uid"]
    assert told[1]["version"] == 1
    again = verdicts(lin.post(f"visits/{one.uid}/answers", {"answers": [good, failed]}))
    assert [v["status"] for v in again] == ["exists", "exists"]
    changed = verdicts(
        lin.post(f"visits/{one.uid}/answers", {"answers": [good | {"result": "na", "base": 1}]})
    )
    assert (changed[0]["status"], changed[0]["version"]) == ("changed", 2)
    stale = verdicts(lin.post(f"visits/{one.uid}/answers", {"answers": [good | {"note": "旧", "base": 1}]}))
    assert (stale[0]["status"], stale[0]["code"]) == ("conflict", "answer-conflict")
    shown = lin.get(f"visits/{one.uid}/answers").json()["answers"]
    assert [(row["item"], row["result"], row["version"]) for row in shown] == [
        ("2", "na", 2),
        ("3", "fail", 1),
    ]


def test_more_than_a_hundred_and_foreign_visits_are_refused_whole(city, api):
    one = visit(city)
    many = {"answers": [one_answer() for _ in range(101)]}
    answer = api("Lin").post(f"visits/{one.uid}/answers", many)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "batch-too-large")
    for who, uid in (("Wu", one.uid), ("Lin", uuid4())):
        answer = api(who).post(f"visits/{uid}/answers", {"answers": [one_answer()]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "no-visit")
        assert api(who).get(f"visits/{uid}/answers").status_code == 404
    assert api("Chen").post(f"visits/{one.uid}/answers", {"answers": []}).status_code == 403
    assert not Answer.objects.exists()


def test_a_visit_sent_by_an_earlier_client_is_still_the_same(city, api):
    """What was added since is left out of the digest where it is not said."""
    lin = api("Lin")
    sent = {"uid": str(uuid4()), "area": city.east_one}
    assert lin.post("visits", sent).json()["status"] == "created"
    assert lin.post("visits", sent | {"leader": "", "participants": ""}).json()["status"] == "exists"
    assert lin.post("visits", sent | {"leader": "李"}).status_code == 409
    finding = {"uid": str(uuid4()), "area": city.east_one, "category": "06010"}
    assert lin.post("findings", finding).status_code == 201
    assert lin.post("findings", finding | {"count": 1, "due_on": None}).json()["status"] == "exists"
    assert lin.post("findings", finding | {"count": 2}).status_code == 409
    assert Visit.objects.count() == 1
