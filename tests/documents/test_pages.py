"""Pages of documents: from the list to the issued file, refusals on the page, notices from cases, budgets."""

import io
import zipfile
from datetime import timedelta
from uuid import uuid4

import docx
import pytest
from django.urls import reverse

from tests.conftest import City
from tests.pictures import photo
from weicheng.cases.actions import make_link
from weicheng.documents import actions
from weicheng.documents.models import Document
from weicheng.evidence.actions import attach
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period
from weicheng.rules.issuing import Act

MONTH = Period.month("2026-10")


@pytest.fixture
def bulletin(city: City) -> Document:
    city.case()
    return actions.draft_bulletin(period=MONTH, by=city.actor("Qian"), at=city.now)


def words_of(data: bytes) -> str:
    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_from_the_form_to_the_issued_file(city):
    city.case()
    qian, li = city.client("Qian"), city.client("Li")
    answer = qian.post("/documents/bulletin", {"uid": str(uuid4()), "month": "2026-10"})
    assert answer.status_code == 303
    url = answer.headers["Location"]
    page = qian.get(url).content.decode()
    assert "草稿（未签发）" in page
    assert "/cases/?state=filed" in page  # a figure leads to its records
    assert f"{url}/acts/check" not in page  # the drafter is not offered to check
    assert "须由另一名人员" in page
    answer = qian.post(
        f"{url}/words",
        {"base": "1", "title": "通报", "requirements": "立即整改。", "addressed_to": "各街道："},
    )
    assert answer.status_code == 303
    assert "立即整改。" in li.get(url).content.decode()
    assert li.post(f"{url}/acts/check", {"base": "2"}).status_code == 303
    assert li.post(f"{url}/acts/issue", {"base": "3"}).status_code == 303
    page = city.client("Chen").get(url).content.decode()  # a street reads what the district issued
    assert "泉山创卫办〔" in page
    answer = city.client("Chen").get(f"{url}/file.docx")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "立即整改。" in words_of(answer.content)
    assert city.client("Zhao").get(f"{url}/file.docx").content == answer.content


def test_a_refused_act_stays_on_its_page(city, bulletin):
    answer = city.client("Qian").post(f"{bulletin.url}/acts/check", {"base": "1"})
    assert answer.status_code == 403
    assert "由您起草或修改过" in answer.content.decode()
    answer = city.client("Li").post(f"{bulletin.url}/acts/check", {"base": "7"})
    assert answer.status_code == 409
    bulletin.refresh_from_db()
    assert (bulletin.state, bulletin.version) == ("draft", 1)


def test_an_act_that_needs_a_reason_asks_for_it(city, bulletin):
    answer = city.client("Qian").post(f"{bulletin.url}/acts/drop", {"base": "1", "reason": ""})
    assert answer.status_code == 422
    assert "请写明理由" in answer.content.decode()
    assert (
        city.client("Qian").post(f"{bulletin.url}/acts/drop", {"base": "1", "reason": "重复"}).status_code
        == 303
    )
    assert "重复" in city.client("Qian").get(bulletin.url).content.decode()


@pytest.mark.parametrize("path", ["/acts/change", "/acts/nothing", "/pictures/99", "/versions/9"])
def test_what_is_not_there_is_absent(city, bulletin, path):
    assert city.client("Qian").get(bulletin.url + path).status_code == 404


def test_an_empty_list_offers_the_first_step(city):
    page = city.client("Qian").get("/documents/").content.decode()
    assert reverse("bulletin_new") in page


def test_who_may_not_draft_is_told(city):
    assert city.client("Li").get("/documents/bulletin").status_code == 403
    assert city.client("Lin").get("/documents/notices").status_code == 403
    assert city.client("Xi").get("/documents/").status_code == 403


def test_the_page_shows_photos_to_whoever_reads_the_document(city):
    case = city.case()
    attach(
        uid=uuid4(), owner_kind="finding", owner_uid=case.uid, purpose="before", data=photo(), filename="a.jpg",
        by=city.actor("Lin"), at=city.now,
    )  # fmt: skip
    document = actions.draft_bulletin(period=MONTH, by=city.actor("Qian"), at=city.now)
    places = actions.content_of(document).pictures()
    client = city.client("Qian")
    kinds = {client.get(f"{document.url}/pictures/{n}").headers["Content-Type"] for n in range(len(places))}
    assert kinds == {"image/png", "image/jpeg"}
    assert city.client("Wu").get(f"{document.url}/pictures/0").status_code == 404


def test_pages_keep_to_a_budget(city, bulletin, django_assert_max_num_queries):
    for _each in range(12):
        city.case()
    client = city.client("Qian")
    client.get(bulletin.url)
    with django_assert_max_num_queries(14):
        client.get(bulletin.url)
    with django_assert_max_num_queries(10):
        client.get("/documents/")
    cases = [city.case() for _each in range(10)]
    actions.draft_notices(kind="rectify", cases=cases, by=city.actor("Qian"), at=city.now)
    with django_assert_max_num_queries(10):
        client.get("/documents/")


# --- notices ---------------------------------------------------------------------------------------------


def test_a_rectification_notice_says_what_the_field_asks(city):
    case = city.case(note="垃圾未清，联系13812345678")
    make_link(case=case, by=city.actor("Chen"), at=city.now)
    chen = city.actor("Chen")
    (document,) = actions.draft_notices(kind="rectify", cases=[case], by=chen, at=city.now)
    text = actions.content_of(document).text()
    for wanted in ("整改通知书", "解放桥农贸市场：", "2026年10月12日", case.number, "整改期限：", "检查人：", "签收人：", "回执",
                   "138****5678", "扫码查看"):  # fmt: skip
        assert wanted in text, wanted
    assert (document.unit, document.area, document.owner) == (city.units["market"], case.area, "320311001")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("supervise", ["事项来源", "领导批示", "完成时限", "审核意见"]),
        ("recheck", ["复查意见", "返工次数", "复查人："]),
    ],
)
def test_the_other_notices(city, kind, wanted):
    (document,) = actions.draft_notices(kind=kind, cases=[city.case()], by=city.actor("Chen"), at=city.now)
    text = actions.content_of(document).text()
    assert all(word in text for word in wanted)
    assert len(words_of(actions.file_of(document, at=city.now))) > 100


def test_an_issued_notice_is_the_units_and_no_other_units(city):
    case = city.case()
    (document,) = actions.draft_notices(kind="rectify", cases=[case], by=city.actor("Qian"), at=city.now)
    assert city.client("Zhao").get(document.url).status_code == 404  # a draft
    actions.take(document=document, act=Act.CHECK, by=city.actor("Li"), at=city.now)
    document.refresh_from_db()
    actions.issue(document=document, by=city.actor("Li"), at=city.now)
    assert city.client("Zhao").get(document.url).status_code == 200
    assert city.client("Sun").get(document.url).status_code == 200  # the community it lies in
    assert city.client("Feng").get(document.url).status_code == 404
    assert city.client("Wu").get(document.url).status_code == 404


def test_notices_for_many_cases_are_one_draft_each_and_one_file(city):
    cases = [city.case() for _each in range(3)]
    qian = city.client("Qian")
    ids = [str(case.pk) for case in cases]
    page = qian.post("/documents/notices", {"ids": ids})
    assert page.status_code == 200
    answer = qian.post("/documents/notices", {"ids": ids, "kind": "rectify", "batch": str(uuid4())})
    assert answer.status_code == 303
    made = Document.objects.filter(kind="rectify")
    assert made.count() == 3
    listed = qian.get(answer.headers["Location"]).content.decode()
    assert "同批 3 份" in listed
    qian.post("/documents/notices", {"ids": ids, "kind": "rectify", "batch": str(uuid4())})
    assert made.count() == 3  # the open drafts are kept
    chosen = {"ids": [str(one.pk) for one in made]}
    bound = qian.post("/documents/batch/word", chosen)
    assert all(case.number in words_of(bound.content) for case in cases)
    with zipfile.ZipFile(io.BytesIO(qian.post("/documents/batch/zip", chosen).content)) as bundle:
        assert len(bundle.namelist()) == 3
    page = qian.post("/documents/batch/check", chosen).content.decode()
    assert "3 份中办成 0 份" in page
    li = city.client("Li")
    assert "3 份中办成 3 份" in li.post("/documents/batch/check", chosen).content.decode()
    assert "3 份中办成 3 份" in li.post("/documents/batch/issue", chosen).content.decode()
    assert sorted(made.values_list("serial", flat=True)) == [1, 2, 3]


def test_a_batch_takes_only_what_the_reader_sees(city, bulletin):
    answer = city.client("Ne").post("/documents/batch/word", {"ids": [str(bulletin.pk)]})
    assert answer.status_code == 303
    assert bulletin.title not in answer.content.decode()


def test_notices_that_make_no_sense_are_refused(city):
    chen, case = city.actor("Chen"), city.case()
    free = city.finding(unit=None).case
    for kind, cases, code in (
        ("letter", [case], "notice-kind"),
        ("rectify", [], "no-cases"),
        ("rectify", [case] * 101, "too-many-notices"),
        ("rectify", [free], "case-has-no-unit"),
    ):
        with pytest.raises(RuleError) as refused:
            actions.draft_notices(kind=kind, cases=cases, by=chen, at=city.now)
        assert refused.value.code == code
    assert not Document.objects.exists()


def test_a_case_offers_the_notice_to_officers_only(city):
    case = city.case()
    address = f"/documents/notices?case={case.uid}"
    assert address in city.client("Chen").get(case.url).content.decode()
    assert address not in city.client("Zhao").get(case.url).content.decode()
    assert case.number in city.client("Chen").get(address).content.decode()
    assert city.client("Wu").get(address).status_code == 422  # a foreign case is as if none were chosen


def test_an_earlier_text_can_be_read_again(city, bulletin):
    qian = city.actor("Qian")
    actions.change_words(document=bulletin, words={"reason": "新的缘由。"}, base=1, by=qian, at=city.now)
    client = city.client("Qian")
    assert "新的缘由。" in client.get(f"{bulletin.url}/versions/2").content.decode()
    assert "新的缘由。" not in client.get(f"{bulletin.url}/versions/1").content.decode()
    assert client.post(f"{bulletin.url}/count").status_code == 303
    assert "新的缘由。" in client.get(bulletin.url).content.decode()


def test_a_withdrawn_document_says_so_and_names_its_successor(city, bulletin):
    li, later = city.actor("Li"), city.now + timedelta(hours=1)
    actions.take(document=bulletin, act=Act.CHECK, by=li, at=city.now)
    bulletin.refresh_from_db()
    actions.issue(document=bulletin, by=li, at=city.now)
    bulletin.refresh_from_db()
    actions.take(document=bulletin, act=Act.WITHDRAW, reason="数字有误", by=li, at=later)
    answer = city.client("Qian").post(f"{bulletin.url}/redraft")
    assert answer.status_code == 303
    page = city.client("Qian").get(bulletin.url).content.decode()
    assert "数字有误" in page
    assert "代替" in page
    assert "泉山创卫办〔2026〕1号" in city.client("Qian").get(answer.headers["Location"]).content.decode()
