"""The pages: read by an office, written by its keeper, absent for the neighbour."""

import io
from datetime import date

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.standards.conftest import AT, DAY, SCALE, head
from weicheng.standards import actions, editions
from weicheng.standards.forms import body_text
from weicheng.standards.models import Edition

pytestmark = pytest.mark.usefixtures("pages", "base")


def address(name: str, row: Edition) -> str:
    return reverse(f"standards:{name}", args=[row.uid])


def the(kind: str) -> Edition:
    return Edition.objects.filter(kind=kind).order_by("-in_force_from").first()


def typed(row: Edition, **changes) -> dict:
    given = {
        "title": row.title,
        "key": row.key,
        "edition": "区 2026",
        "in_force_from": "2026-11-23",
        "in_force_to": "",
        "source": "区创卫办〔2026〕3 号",
        "confidence": "local",
        "body": body_text(row),
        "revision": row.revision,
    }
    return {**given, **changes}


def page(client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


@pytest.fixture
def chen(client, cast):
    client.force_login(cast.east.user)
    return client


# --- reading -------------------------------------------------------------------------------------


def test_the_list_says_what_holds_here(chen):
    assert "全国工作日历（含调休）" in page(chen, "/standards?kind=calendar")
    text = page(chen, "/standards")
    assert "本地适用" in text
    assert "草稿" in text  # the sample of time limits


def test_the_list_asks_the_same_number_of_statements_for_more_rows(chen, cast, django_assert_max_num_queries):
    page(chen, "/standards")
    for number in range(1, 13):
        row = actions.draft_edition(
            kind="severity-scale",
            owner="320311",
            head=head(f"{number} 月", in_force_from=date(2025, number, 1)),
            body=SCALE,
            by=cast.east.actor,
            at=AT,
        )
        actions.publish_edition(edition=row, by=cast.east.actor, at=AT)
    page(chen, "/standards")  # the generation was raised: this reading fills the caches
    with django_assert_max_num_queries(7):
        page(chen, "/standards")


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("calendar", ["仅凭记忆，可修改", "09:00—12:00", "国庆节：", "上班"]),
        ("severity-scale", ["立行立改", "2工作时", "由资料推得"]),
        ("case-categories", ["事项 250 类", "部件 153 类", "暴露垃圾"]),
        ("time-limits", ["2紧急工作日、15天"]),
        ("checklist", ["满分", "保洁员不在岗", "仅凭记忆，可修改", "有公开来源"]),
        ("unit-kinds", ["农贸市场", "摊位数"]),
        ("repeat-rule", ["相隔 1 至 30 天", "90 天内反复 2 次", "附近、旁边"]),
    ],
)
def test_each_kind_is_a_page_an_office_can_read(chen, kind, says):
    text = page(chen, address("edition", the(kind)))
    for words in [*says, the(kind).source]:
        assert words in text
    assert "{&quot;" not in text  # tables, no JSON


def test_a_year_not_yet_announced_is_called_provisional(chen):
    url = address("edition", the("calendar"))
    assert "2027 年的放假安排尚未公布" in page(chen, f"{url}?year=2027")
    assert "尚未公布" not in page(chen, f"{url}?year=2026")
    for odd in ("abc", "99999", "-1", "²"):
        page(chen, f"{url}?year={odd}")


def test_a_category_is_found_by_what_people_call_it(chen):
    url = address("edition", the("case-categories"))
    text = page(chen, f"{url}?q=牛皮癣")
    assert "找到 1 类" in text
    assert "没有符合的分类" in page(chen, f"{url}?q=龙")


def test_the_body_is_sent_as_text_that_reads_back(chen):
    row = the("checklist")
    response = chen.get(address("body", row))
    assert response["Content-Type"].startswith("application/yaml")
    from weicheng.standards import kinds
    from weicheng.standards.yaml_text import read_yaml

    for each in Edition.objects.all():
        again = kinds.read_body(each.kind, read_yaml(body_text(each)))
        assert kinds.body_bytes(again) == bytes(each.body)


def test_nobody_reads_without_signing_in(client):
    assert client.get("/standards").status_code == 302
    assert client.get(address("edition", the("calendar"))).status_code == 302


# --- scope ---------------------------------------------------------------------------------------


def test_the_neighbours_keeper_finds_nothing(client, cast, draft):
    client.force_login(cast.east.user)
    page(client, address("edition", draft))
    page(client, address("edit", draft))
    client.force_login(cast.west.user)
    for name in ("edition", "edit", "copy", "body", "compare"):
        page(client, address(name, draft), 404)
    assert client.post(address("publish", draft)).status_code == 404
    assert client.post(address("edit", draft), typed(draft)).status_code == 404
    assert not Edition.objects.get(pk=draft.pk).is_published
    assert f"{draft.uid}" not in page(client, "/standards")


def test_a_reader_is_not_offered_what_a_keeper_does(client, cast):
    client.force_login(cast.community.user)
    row = the("calendar")
    text = page(client, address("edition", row))
    assert "复制为本级草稿" not in text
    assert client.get(address("copy", row)).status_code == 403
    assert client.post(address("publish", row)).status_code == 403


# --- writing -------------------------------------------------------------------------------------


def test_from_copy_to_publication(chen):
    row = the("severity-scale")
    assert "复制为本级草稿" in page(chen, address("edition", row))
    page(chen, address("copy", row))
    body = body_text(row).replace("limit: 1天", "limit: 2天")
    response = chen.post(address("copy", row), typed(row, body=body, in_force_from="2026-01-01"))
    assert response.status_code == 303
    mine = Edition.objects.get(owner="320311")
    text = page(chen, address("edition", mine))
    assert "等级“一般”：时限由“1天”改为“2天”。" in text
    assert "时限已改，可信程度仍是“有公开来源”" in text
    assert editions.severities("320311", DAY).severity("general").limit == "1天"
    assert chen.post(address("publish", mine)).status_code == 303
    assert editions.severities("320311", DAY).severity("general").limit == "2天"
    assert "等级“一般”：时限由“1天”改为“2天”。" in page(chen, f"{address('compare', mine)}?with={row.uid}")
    # Published: no longer edited, and publishing again is told in words.
    page(chen, address("edit", mine), 404)
    again = chen.post(address("publish", mine))
    assert again.status_code == 422
    assert "已发布，不能再改" in again.content.decode()


def test_a_draft_is_edited_and_a_stale_editor_is_told(chen, draft):
    body = body_text(draft).replace("2天", "3天")
    assert chen.post(address("edit", draft), typed(draft, body=body)).status_code == 303
    assert "3天" in page(chen, address("edition", draft))
    stale = chen.post(address("edit", draft), typed(draft, body=body_text(draft)))
    assert stale.status_code == 409
    assert "已被他人修改" in stale.content.decode()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"body": "a: [1"}, "行无法读懂"),
        ({"body": "default: general"}, "severities：缺少此项"),
        ({"body": ""}, "请填写后再保存"),
        ({"edition": ""}, "请填写后再保存"),
        ({"in_force_from": "2026-13-01"}, "输入一个有效的日期"),
        ({"in_force_to": "2020-01-01"}, "早于生效日"),
        ({"confidence": "sure"}, "sure"),
        ({"edition": "本区 2026"}, "请另起版本名"),
    ],
)
def test_a_wrong_form_keeps_what_was_typed_and_writes_nothing(chen, draft, changes, says):
    rows = Edition.objects.count()
    sent = typed(draft, source="只在这里出现的来源", **changes)
    response = chen.post(address("copy", draft), sent)
    assert response.status_code == 422
    text = response.content.decode()
    assert says in text
    assert "只在这里出现的来源" in text
    assert Edition.objects.count() == rows


def workbook(rows) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"default_date_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet()
    for at, row in enumerate(rows):
        for place, cell in enumerate(row):
            (sheet.write_datetime if isinstance(cell, date) else sheet.write)(at, place, cell)
    book.close()
    return out.getvalue()


SHEET = [
    ("2027 年放假安排", "", ""),
    ("日期", "类型", "名称"),
    (date(2027, 1, 1), "放假", "元旦"),
    ("2027年1月3日", "上班", "元旦"),
]


@pytest.mark.parametrize("ending", ["xlsx", "csv-utf8", "csv-gb"])
def test_a_sheet_of_days_announces_its_year(chen, ending):
    row = the("calendar")
    if ending == "xlsx":
        file = SimpleUploadedFile("2027.xlsx", workbook(SHEET))
    else:
        text = "\n".join(",".join(str(cell) for cell in line) for line in SHEET)
        file = SimpleUploadedFile("2027.csv", text.encode("utf-8-sig" if ending == "csv-utf8" else "gb18030"))
    assert chen.post(address("copy", row), typed(row, file=file)).status_code == 303
    mine = Edition.objects.get(owner="320311")
    chen.post(address("publish", mine))
    calendar = editions.calendar("320311", date(2026, 12, 1)).calendar
    assert calendar.is_announced(date(2027, 1, 1))
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.is_working_day(date(2027, 1, 3))
    assert not calendar.is_working_day(date(2026, 10, 1))  # other years stay


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("days.xlsx", b"not a workbook", "不是可读取的表格"),
        ("days.csv", "日期,名称\n2027-01-01,元旦".encode(), "表头缺少“类型”"),
        ("days.csv", "日期,类型,名称\n2027-02-30,放假,春节".encode(), "第2行“日期”：“2027-02-30”无法识别"),
        ("days.csv", "日期,类型,名称\n2027-01-01,下雨,元旦".encode(), "第2行“类型”：“下雨”"),
        ("days.csv", "日期,类型,名称\n2027-01-01,放假,".encode(), "第2行“名称”：不能为空"),
        ("days.csv", "日期,类型,名称\n2027-01-01,放假,元旦\n2027-01-01,上班,元旦".encode(), "前面已经有了"),
        ("days.csv", "日期,类型,名称\n".encode(), "表头之下没有数据行"),
        ("days.csv", b"\xff\xff\xff", "不是可读取的表格"),
        ("days.yaml", b"off_days: [", "行无法读懂"),
        ("days.csv", "没有表头\n2027-01-01".encode(), "没有找到表头"),
        ("days.yaml", b"x" * 1_000_001, "内容超过"),
        ("empty.csv", b"", "空"),
    ],
)
def test_a_wrong_file_is_refused_in_words(chen, name, data, says):
    row = the("calendar")
    rows = Edition.objects.count()
    response = chen.post(address("copy", row), typed(row, file=SimpleUploadedFile(name, data)))
    assert response.status_code == 422
    assert says in response.content.decode()
    assert Edition.objects.count() == rows
