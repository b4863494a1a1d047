"""The pages of cases: list, one case, batch, and the page behind a link."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.cases.test_loop import give_photo, handed_in, step
from tests.pictures import photo
from weicheng.cases.actions import make_link, revoke_link
from weicheng.cases.links import token_of
from weicheng.cases.models import Case, Event, Link
from weicheng.evidence.models import Attachment
from weicheng.rules.errors import RuleError


def after():
    return SimpleUploadedFile("after.jpg", photo(), "image/jpeg")


def linked(city, **changes):
    case = city.case(at=timezone.now(), **changes)
    return case, make_link(case=case, by=city.actor("Chen"), at=timezone.now())


def test_the_page_offers_exactly_the_moves_of_the_reader(city):
    case = city.case()
    pages = {name: city.client(name).get(case.url).content.decode() for name in ("Chen", "Zhao", "Li")}
    assert 'id="move-dispatch"' in pages["Chen"]
    assert 'id="move-accept"' not in pages["Chen"]
    assert 'id="move-hand_in"' in pages["Zhao"]
    assert 'id="move-dispatch"' not in pages["Zhao"]
    assert 'id="move-' not in pages["Li"]  # a leader reads


def test_the_deadline_explains_itself_on_the_page(city):
    page = city.client("Chen").get(city.case().url).content.decode()
    assert "期限是怎么算的" in page
    assert "2026-10-12" in page


def test_a_hand_in_with_its_photo_is_one_request(city):
    case = city.case(at=timezone.now())
    sent = {"uid": str(uuid4()), "base": case.version, "note": "已清理", "photos": after()}
    assert city.client("Zhao").post(f"{case.url}/steps/hand_in", sent).status_code == 303
    assert Case.objects.get().state == "handed_in"
    assert Attachment.objects.get().purpose == "after"


def test_a_refused_step_keeps_the_words_and_leaves_no_photo(city):
    case = city.case(at=timezone.now())
    stale = {"uid": str(uuid4()), "base": case.version, "note": "已清理干净", "photos": after()}
    step(city, case, "supervise", "Qian", note="抓紧")
    answer = city.client("Zhao").post(f"{case.url}/steps/hand_in", stale)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "已被他人办理" in page
    assert "已清理干净" in page
    assert not Attachment.objects.exists()
    assert Case.objects.get().state == "dispatched"


def test_a_double_click_makes_one_step(city):
    case = city.case(at=timezone.now())
    zhao, sent = city.client("Zhao"), {"uid": str(uuid4()), "note": "不是我们的", "base": ""}
    for _ in range(2):
        zhao.post(f"{case.url}/steps/decline", sent)
    assert Event.objects.filter(move="decline").count() == 1


@pytest.mark.parametrize(
    ("who", "move", "given", "status", "words"),
    [
        ("Zhao", "hand_in", {"note": "好了"}, 422, "需要整改后的照片"),
        ("Zhao", "hand_in", {"note": ""}, 422, "请用一句话写明情况"),
        ("Zhao", "decline", {"note": "长" * 1001}, 422, "说明最多 1000 字"),
        ("Zhao", "pass", {}, 422, "不能“核查通过”"),
        ("Chen", "dispatch", {"unit": ""}, 422, "请选择责任单位"),
        ("Chen", "dispatch", {"unit": str(uuid4())}, 422, "请从列表中选择责任单位"),
        ("Li", "note", {"note": "看看"}, 403, "不能对该事项做"),
        ("Chen", "no-such-move", {}, 404, "没有找到"),
        ("Wu", "note", {"note": "看看"}, 404, "没有找到"),
    ],
)
def test_a_bad_step_is_answered_in_one_sentence(city, who, move, given, status, words):
    case = city.case(at=timezone.now())
    before = Event.objects.count()
    answer = city.client(who).post(f"{case.url}/steps/{move}", {"uid": str(uuid4())} | given)
    assert answer.status_code == status
    assert words in answer.content.decode()
    assert Event.objects.count() == before


def test_an_extension_into_the_past_is_refused_at_its_field(city):
    case = step(city, city.case(at=timezone.now()), "accept", "Zhao")
    given = {"uid": str(uuid4()), "note": "等料", "until": "2020-01-01T10:00"}
    answer = city.client("Zhao").post(f"{case.url}/steps/ask_extension", given)
    assert answer.status_code == 422
    assert "申请的期限已经过去" in answer.content.decode()


def test_who_handed_in_is_not_offered_to_verify(city):
    from weicheng.places.models import Post
    from weicheng.places.roles import Role

    case = handed_in(city)
    Post(user=city.user("Zhao"), role=Role.STREET.value, from_on=city.posts["Zhao"].from_on).place_at(
        city.east
    ).save()
    client = city.client("Zhao")
    second = Post.objects.filter(user=city.user("Zhao"), role=Role.STREET.value).get()
    client.post("/post", {"post": second.pk})
    page = client.get(case.url).content.decode()
    assert "须由另一名人员核查" in page
    assert 'id="move-pass"' not in page
    answer = client.post(f"{case.url}/steps/pass", {"uid": str(uuid4())})
    assert answer.status_code == 403
    assert "不能由您核查" in answer.content.decode()


# --- list and batch --------------------------------------------------------------------------------


def test_the_list_shows_open_cases_and_finds_by_number_words_and_place(city):
    one = city.case(address="民主路 8 号")
    closed = handed_in(city)
    step(city, closed, "pass", "Lin", 2)
    chen = city.client("Chen")
    assert closed.number not in chen.get("/cases/").content.decode()
    assert closed.number in chen.get("/cases/?state=closed").content.decode()
    for query in (f"q={one.number}", "q=民主路", "q=暴露垃圾", f"area={city.east_one}", "all=1"):
        assert one.number in chen.get(f"/cases/?{query}").content.decode(), query
    for query in ("q=不存在", "area=320311001002", "overdue=1&state=closed"):
        assert one.number not in chen.get(f"/cases/?{query}").content.decode(), query


@pytest.mark.parametrize(
    "query",
    [
        "state=nonsense",
        "after=abc",
        "opened_on_from=x",
        "area=zzz",
        "unit=zzz",
        "severity=zzz",
        "overdue=7",
        "cols=zzz",
    ],
)
def test_a_query_without_sense_gives_a_sentence_and_the_list(city, query):
    city.case()
    answer = city.client("Chen").get(f"/cases/?{query}")
    assert answer.status_code == 200
    assert "已忽略" in answer.content.decode() or "已从第一页" in answer.content.decode()


def test_the_list_costs_the_same_statements_for_one_and_for_many(city, django_assert_max_num_queries):
    chen = city.client("Chen")
    city.case()
    chen.get("/cases/")
    for _ in range(25):
        city.case()
    with django_assert_max_num_queries(8):
        chen.get("/cases/")


def test_a_case_page_costs_the_same_whatever_its_history(city, django_assert_max_num_queries):
    case = city.case()
    chen = city.client("Chen")
    chen.get(case.url)
    for number in range(15):
        step(city, case, "note", "Chen", note=f"第 {number} 次催办")
    with django_assert_max_num_queries(16):
        chen.get(case.url)


def test_a_batch_says_what_it_will_do_and_then_what_became_of_each(city):
    ready = [handed_in(city) for _ in range(2)]
    early = city.case()
    chen, ids = city.client("Chen"), [case.pk for case in (*ready, early)]
    page = chen.post("/cases/batch/pass", {"ids": ids}).content.decode()
    assert "核查通过（3 件）" in page
    sent = {"ids": ids, "confirmed": "1", "uid": str(uuid4()), "note": ""}
    result = chen.post("/cases/batch/pass", sent).content.decode()
    assert "3 件中办成 2 件" in result
    assert "不能“核查通过”" in result
    again = chen.post("/cases/batch/pass", sent).content.decode()
    assert again.count("此前已办") == 2
    assert Event.objects.filter(move="pass").count() == 2


@pytest.mark.parametrize("ids", [[], ["x"], ["99999999"], ["-1"], ["1" * 40]])
def test_a_batch_of_nothing_says_so(city, ids):
    answer = city.client("Chen").post("/cases/batch/dispatch", {"ids": ids})
    assert answer.status_code == 422
    assert "没有选中可办理的事项" in answer.content.decode()


# --- links -----------------------------------------------------------------------------------------


def test_the_unit_behind_a_link_hands_in_without_an_account(city, client):
    case, link = linked(city)
    path = f"/l/{token_of(link)}"
    page = client.get(path).content.decode()
    assert case.number in page
    assert 'id="move-pass"' not in page
    sent = {"uid": str(uuid4()), "base": "", "note": "已清理", "photos": after()}
    assert client.post(f"{path}/steps/hand_in", sent).status_code == 302
    event = Event.objects.get(move="hand_in")
    assert (event.by_key, event.by_name) == (f"link:{link.pk}", "解放桥农贸市场")


@pytest.mark.parametrize("how", ["forged", "expired", "revoked", "charged elsewhere", "nonsense"])
def test_a_link_that_does_not_hold_says_why_and_shows_nothing(city, client, how):
    case, link = linked(city)
    token, words = (
        token_of(link),
        {"forged": "被改动", "nonsense": "被改动", "expired": "已过期"}.get(how, ""),
    )
    if how == "forged":
        token = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    elif how == "nonsense":
        token = "x"
    elif how == "expired":
        Link.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "revoked":
        revoke_link(link=link, by=city.actor("Chen"), at=timezone.now())
        words = "已作废"
    else:
        step(city, case, "dispatch", "Chen", unit_uid=city.units["shop"].uid)
        words = "已改派"
    before = Event.objects.count()
    for answer in (client.get(f"/l/{token}"), client.post(f"/l/{token}/steps/accept", {"uid": str(uuid4())})):
        assert answer.status_code == 403
        assert words in answer.content.decode()
        assert case.number not in answer.content.decode()
    assert Event.objects.count() == before


@pytest.mark.parametrize("move", ["pass", "fail", "dispatch", "cancel", "supervise", "reopen"])
def test_a_link_makes_no_move_but_the_units(city, client, move):
    _case, link = linked(city)
    answer = client.post(f"/l/{token_of(link)}/steps/{move}", {"uid": str(uuid4()), "note": "我来"})
    assert answer.status_code in (403, 422)
    assert not Event.objects.filter(move=move, by_key__startswith="link").exists()


def test_no_link_for_a_case_without_a_unit_or_for_somebody_elses(city):
    case = city.finding().case
    with pytest.raises(RuleError) as caught:
        make_link(case=case, by=city.actor("Chen"), at=city.now)
    assert caught.value.code == "link-without-unit"
    with pytest.raises(RuleError) as foreign:
        make_link(case=city.case(), by=city.actor("Li"), at=city.now)
    assert foreign.value.code == "case-part"


def test_every_step_by_link_needs_its_photo_too(city, client):
    case, link = linked(city)
    give_photo(city, case, "Zhao", timezone.now())
    sent = {"uid": str(uuid4()), "note": "已清理"}
    assert client.post(f"/l/{token_of(link)}/steps/hand_in", sent).status_code == 302
