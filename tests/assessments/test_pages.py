"""Pages of assessments: who reads what, what an officer does next, what a wrong form says."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.assessments.conftest import LEDGER, REST, publish_scheme, scheme_body
from tests.pictures import photo
from weicheng.assessments.appeals import Decision, decide_appeal
from weicheng.assessments.boards import make_board
from weicheng.assessments.models import Appeal, Board, Entry
from weicheng.assessments.todo import todo_of
from weicheng.evidence.models import Attachment
from weicheng.notices.models import Job
from weicheng.rules.figures import Period


def text(answer):
    return answer.content.decode()


def now_open(boards):
    """Compute and confirm as of the real present, so that the pages find the window open."""
    boards.now = timezone.now()
    boards.compute().confirm()
    return boards


# --- boards ------------------------------------------------------------------------------------------


def test_an_officer_makes_a_board_and_is_told_about_a_second_one(boards):
    client = boards.city.client("Qian")
    sent = {"level": "street", "period": f"{timezone.localdate():%Y-%m}", "scheme": "oct"}
    page = client.get("/assessments/new")
    assert "测试考核办法" in text(page)
    answer = client.post("/assessments/new", sent)
    made = Board.objects.get(level="street")
    assert (answer.status_code, answer["Location"]) == (303, made.url)
    again = client.post("/assessments/new", sent)
    assert again.status_code == 422
    assert "没有再建" in text(again)
    assert Board.objects.filter(level="street").count() == 1


def test_a_gap_between_editions_is_said_with_its_days(boards):
    from datetime import date

    today = timezone.localdate()
    publish_scheme(boards.city, "gap", scheme_body(), in_force_from=date(today.year, today.month, 2))
    sent = {"level": "street", "period": f"{today:%Y-%m}", "scheme": "gap"}
    answer = boards.city.client("Qian").post("/assessments/new", sent)
    assert answer.status_code == 422
    assert f"{today:%Y-%m}-01" in text(answer)


def test_only_an_office_makes_boards(boards):
    assert boards.city.client("Lin").get("/assessments/new").status_code == 403
    assert boards.city.client("Sun").get("/assessments/new").status_code == 403
    assert boards.city.client("Chen").get("/assessments/new").status_code == 200


def test_computing_is_a_job_whose_progress_the_page_shows(boards):
    client = boards.city.client("Qian")
    answer = client.post(f"{boards.board.url}/compute")
    job = Job.objects.get(kind="board.compute")
    assert answer["Location"] == f"{boards.board.url}?job={job.uid}"
    assert f"job-{job.uid}" in text(client.get(answer["Location"]))


def test_the_way_of_a_board_through_its_pages(boards):
    client = boards.city.client("Qian")
    assert "还没有计算" in text(client.get(boards.board.url))
    boards.compute()
    page = text(client.get(boards.board.url))
    assert "确认公示" in page
    assert "重新计算" in page
    ask = text(client.get(f"{boards.board.url}/confirm"))
    assert "3 张评分表" in ask
    assert (
        client.post(f"{boards.board.url}/confirm", {"as_of": boards.board.as_of.isoformat()}).status_code
        == 303
    )
    boards.board.refresh_from_db()
    assert boards.board.state == "confirmed"
    again = client.post(f"{boards.board.url}/confirm")
    assert again.status_code == 409
    assert "不用再确认" in text(again)
    assert client.post(f"{boards.board.url}/compute").status_code == 409
    early = client.post(f"{boards.board.url}/publish", {"reason": ""})
    assert early.status_code == 422
    assert "申诉期不变" in text(early)
    assert client.post(f"{boards.board.url}/publish", {"reason": "市里要求"}).status_code == 303
    boards.board.refresh_from_db()
    assert boards.board.state == "published"


def test_a_board_computed_again_behind_the_readers_back_is_not_confirmed(boards):
    boards.compute()
    client = boards.city.client("Qian")
    answer = client.post(f"{boards.board.url}/confirm", {"as_of": "2026-01-01T00:00:00+00:00"})
    assert answer.status_code == 409
    boards.board.refresh_from_db()
    assert boards.board.state == "computed"


def test_a_draft_is_the_offices_own_and_a_shown_one_everybodys_in_the_area(boards):
    boards.compute()
    names = ("Qian", "Lin", "Chen", "Sun", "Li", "Wei", "Zhao", "Ne")
    drafts = {name: boards.city.client(name).get(boards.board.url).status_code for name in names}
    assert drafts == dict.fromkeys(names, 404) | {"Qian": 200}
    boards.confirm()
    shown = {name: boards.city.client(name).get(boards.board.url).status_code for name in names}
    assert shown == dict.fromkeys(names, 200) | {"Ne": 404}


def test_the_ranking_says_rank_change_and_why_in_words_too(boards):
    boards.compute().confirm()
    sheet = boards.sheet(boards.city.east_one)
    sheet.previous_rank = 3
    sheet.save(update_fields=["previous_rank"])
    page = text(boards.city.client("Wu").get(boards.board.url))
    assert "▲1" in page
    assert "上升 1 名" in page
    assert "92.50" in page
    assert "垃圾未清" in page
    assert "−2.5" in page  # 5 points of the routine check, half the weight


def test_the_ranking_is_exported_with_numbers(boards):
    boards.compute().confirm()
    client = boards.city.client("Wu")
    csv = b"".join(client.get(f"{boards.board.url}?export=csv").streaming_content).decode()
    assert "东一社区,东街道,92.50" in csv
    assert client.get(f"{boards.board.url}?export=xlsx")["Content-Type"].startswith("application/vnd")


def test_another_edition_stands_beside_and_is_never_the_result(boards):
    boards.compute()
    dear = {"number": "1.1", "title": "垃圾未清", "points": "4", "value": "20", "categories": ["06010"]}
    groups = [{"number": "1", "title": "环境", "items": [dear, REST]}]
    edition = publish_scheme(boards.city, "dear", scheme_body(groups=groups))
    client = boards.city.client("Qian")
    answer = client.post(f"{boards.board.url}/beside", {"edition": edition.pk})
    assert answer.status_code == 303
    page = text(client.get(answer["Location"]))
    # 4 findings x 4 = 16, half of 84 and half of 90
    assert "87.00" in page
    other = Board.objects.get(beside=boards.board)
    sheet = text(client.get(f"{boards.sheet(boards.city.east_one).url}?beside={other.uid}"))
    assert "对照：总分 87.00" in sheet
    assert client.post(f"{other.url}/confirm").status_code == 422
    assert client.post(f"{boards.board.url}/beside", {"edition": "x"}).status_code == 422


# --- sheets ------------------------------------------------------------------------------------------


def test_a_sheet_says_what_it_is_made_of_and_how_a_limit_worked(boards):
    boards.compute().confirm()
    page = text(boards.city.client("Sun").get(boards.sheet(boards.city.east_one).url))
    assert "100 − 7.5 = 92.5" in page
    assert "按处应扣 8 分，扣完为止，实扣 5 分" in page
    assert "得 90 分，满分 100 分" in page
    assert "路边堆有垃圾" in page
    assert "测试考核办法" in page


def test_lines_are_for_those_who_cover_the_object_and_totals_for_all(boards):
    boards.compute().confirm()
    url = boards.sheet(boards.city.east_one).url
    for name in ("Sun", "Chen", "Qian", "Lin"):
        assert "路边堆有垃圾" in text(boards.city.client(name).get(url)), name
    foreign = text(boards.city.client("Wu").get(url))
    assert "路边堆有垃圾" not in foreign
    assert "垃圾未清" in foreign
    assert "逐条记录只对" in foreign
    assert "申诉</a>" not in foreign


def test_the_button_to_appeal_is_there_for_the_own_people_while_the_window_is_open(boards):
    now_open(boards)
    url = boards.sheet(boards.city.east_one).url
    assert "/lines/1/appeal" in text(boards.city.client("Sun").get(url))
    assert "/lines/1/appeal" not in text(boards.city.client("Chen").get(url))
    Board.objects.update(appeal_until=timezone.localdate() - timedelta(days=1))
    assert "/lines/1/appeal" not in text(boards.city.client("Sun").get(url))


def test_a_late_record_is_listed_and_not_counted(boards):
    boards.compute().confirm()
    boards.city.finding(
        at=boards.now + timedelta(hours=1), occurred_on=boards.city.now.date(), note="补报的问题"
    )
    page = text(boards.city.client("Sun").get(boards.sheet(boards.city.east_one).url))
    assert "没有计入的记录" in page
    assert boards.sheet(boards.city.east_one).total == Decimal("92.5")


def test_a_struck_line_stays_with_its_decision_and_the_trace(boards):
    now_open(boards)
    appeal = boards.appeal()
    done = Decision(Appeal.State.ACCEPTED, "属施工单位责任")
    decide_appeal(done, appeal=appeal, by=boards.city.actor("Qian"), at=boards.now)
    page = text(boards.city.client("Sun").get(boards.sheet(boards.city.east_one).url))
    assert "as-struck" in page
    assert "属施工单位责任" in page
    assert "申诉后重新计分" in page


def test_every_line_is_exported(boards):
    boards.compute().confirm()
    url = boards.sheet(boards.city.east_one).url
    csv = b"".join(boards.city.client("Sun").get(f"{url}?export=csv").streaming_content).decode()
    assert len(csv.strip().splitlines()) == 1 + 5 + 1
    # a reader of totals only gets the page
    assert "text/html" in boards.city.client("Wu").get(f"{url}?export=csv")["Content-Type"]


# --- values ------------------------------------------------------------------------------------------


def cells(boards, **changes):
    from weicheng.assessments.entries import field_of, table_of

    sent = {}
    for cell in table_of(boards.board, field_of(boards.board, LEDGER)).cells:
        n = cell.number
        sent |= {
            f"c{n}": cell.target.code,
            f"b{n}": cell.base,
            f"v{n}": changes.get(f"a{cell.target.code}", cell.text),
        }
    return sent


def test_values_are_typed_in_one_table_and_nothing_typed_is_lost(boards):
    client, url = boards.city.client("Qian"), f"{boards.board.url}/entries?key={LEDGER}"
    assert "东一社区" in text(client.get(url))
    wrong = client.post(url, cells(boards, a320311001001="120", a320311002001="81") | {"reason": "复核"})
    assert wrong.status_code == 422
    assert "120 超过 100" in text(wrong)
    assert 'value="81"' in text(wrong)
    assert Entry.objects.count() == 3
    right = client.post(url, cells(boards, a320311001001="85") | {"reason": "复核"})
    assert right.status_code == 303
    assert "复核" in text(client.get(url))
    assert Entry.objects.count() == 4


def test_a_board_that_asks_for_no_values_says_so(boards):
    only = [{"key": "routine", "title": "日常检查", "weight": "100", "always": True, "rounds": ["routine"]}]
    publish_scheme(boards.city, "plain", scheme_body(sources=only))
    sent = {"level": "street", "period": "2026-10", "scheme": "plain"}
    boards.city.client("Qian").post("/assessments/new", sent)
    made = Board.objects.get(level="street")
    answer = boards.city.client("Qian").get(f"{made.url}/entries")
    assert answer.status_code == 422
    assert "不需要录入" in text(answer)


def test_a_workbook_is_checked_then_written(boards):
    client, url = boards.city.client("Qian"), f"{boards.board.url}/entries/import?key={LEDGER}"
    data = "区划代码,名称,分值,更正原因\n320311001001,东一社区,88,复核\n".encode()
    report = client.post(url, {"file": SimpleUploadedFile("台账.csv", data, "text/csv")})
    assert report.status_code == 200
    assert Entry.objects.count() == 3
    draft = text(report).split("/entries/import/")[1].split("?")[0].split('"')[0]
    done = client.post(f"{boards.board.url}/entries/import/{draft}?key={LEDGER}")
    assert "导入完成" in text(done)
    assert Entry.objects.count() == 4
    bad = client.post(url, {"file": SimpleUploadedFile("台账.csv", data.replace(b"88", b"188"), "text/csv")})
    assert bad.status_code == 422
    assert "第2行“分值”" in text(bad)


# --- appeals -----------------------------------------------------------------------------------------


def test_a_community_appeals_with_a_photo_and_the_office_answers(boards):
    now_open(boards)
    sheet, uid = boards.sheet(boards.city.east_one), uuid4()
    sun, qian = boards.city.client("Sun"), boards.city.client("Qian")
    url = f"{sheet.url}/lines/1/appeal"
    assert "申诉理由" in text(sun.get(url))
    picture = SimpleUploadedFile("a.jpg", photo(), "image/jpeg")
    empty = sun.post(url, {"uid": uid, "reason": "", "photos": picture})
    assert empty.status_code == 422
    answer = sun.post(url, {"uid": uid, "reason": "当日已清运"})
    assert answer.status_code == 303
    # the photo sent with the first, wrong form is there
    assert Attachment.objects.filter(owner_kind="appeal", owner_uid=uid).count() == 1
    page = text(qian.get(f"/assessments/appeals/{uid}"))
    assert "当日已清运" in page
    assert "/files/" in page
    decide = f"/assessments/appeals/{uid}/decide"
    assert qian.post(decide, {"state": "partly", "reason": "部分属实", "restored": "2"}).status_code == 422
    assert qian.post(decide, {"state": "accepted", "reason": ""}).status_code == 422
    assert qian.post(decide, {"state": "accepted", "reason": "属实"}).status_code == 303
    assert qian.post(decide, {"state": "accepted", "reason": "属实"}).status_code == 409
    assert "采纳" in text(sun.get(f"/assessments/appeals/{uid}"))


def test_a_form_sent_twice_is_one_appeal(boards):
    now_open(boards)
    url, sent = f"{boards.sheet(boards.city.east_one).url}/lines/1/appeal", {"uid": uuid4(), "reason": "理由"}
    client = boards.city.client("Sun")
    assert [client.post(url, sent).status_code for _n in range(2)] == [303, 303]
    assert Appeal.objects.count() == 1


def test_material_is_added_while_the_appeal_waits_and_by_its_sender_only(boards):
    now_open(boards)
    appeal = boards.appeal()
    url = f"/assessments/appeals/{appeal.uid}/photos"
    boards.city.client("Sun").post(url, {"photos": SimpleUploadedFile("a.jpg", photo(), "image/jpeg")})
    boards.city.client("Qian").post(url, {"photos": SimpleUploadedFile("b.jpg", photo(), "image/jpeg")})
    assert Attachment.objects.filter(owner_kind="appeal").count() == 1
    done = Decision(Appeal.State.REJECTED, "照片清楚")
    decide_appeal(done, appeal=appeal, by=boards.city.actor("Qian"), at=boards.now)
    boards.city.client("Sun").post(url, {"photos": SimpleUploadedFile("c.jpg", photo(), "image/jpeg")})
    assert Attachment.objects.filter(owner_kind="appeal").count() == 1


def test_after_the_window_the_page_says_the_date(boards):
    boards.compute().confirm()
    Board.objects.update(appeal_until=timezone.localdate() - timedelta(days=1))
    answer = boards.city.client("Sun").get(f"{boards.sheet(boards.city.east_one).url}/lines/1/appeal")
    assert answer.status_code == 422
    assert f"{timezone.localdate() - timedelta(days=1)}" in text(answer)


def test_appeals_are_listed_where_the_object_is_covered(boards):
    now_open(boards)
    boards.appeal()
    for name, seen in (("Qian", True), ("Chen", True), ("Sun", True), ("Wu", False), ("Ne", False)):
        assert ("东一社区" in text(boards.city.client(name).get("/assessments/appeals"))) is seen, name


# --- today -------------------------------------------------------------------------------------------


def test_today_asks_the_office_to_confirm_answer_and_publish_and_the_object_to_check(boards):
    city, on = boards.city, boards.now.date()
    qian, sun = city.actor("Qian"), city.actor("Sun")

    def said(actor, day=on):
        return " ".join(one.text for one in todo_of(actor, day))

    assert said(qian) == ""
    boards.compute()
    assert "待确认公示" in said(qian)
    assert said(sun) == ""
    boards.confirm()
    assert said(qian) == ""
    assert "请核对本单位的评分表" in said(sun)
    appeal = boards.appeal()
    assert "1 件申诉待答复" in said(qian)
    decide_appeal(Decision(Appeal.State.REJECTED, "照片清楚"), appeal=appeal, by=qian, at=boards.now)
    later = on + timedelta(days=5)
    assert "公示期满，待公布" in said(qian, later)
    assert said(sun, later) == ""


# --- cost --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path", "most"),
    [
        ("Qian", "board", 20),
        ("Sun", "board", 16),
        ("Sun", "sheet", 26),
        ("Qian", "list", 12),
        ("Qian", "appeals", 12),
        ("Qian", "appeal", 24),
    ],
)
def test_a_page_costs_a_fixed_number_of_statements(boards, name, path, most):
    now_open(boards)
    appeal = boards.appeal()
    url = {
        "board": boards.board.url,
        "sheet": boards.sheet(boards.city.east_one).url,
        "list": "/assessments/",
        "appeals": "/assessments/appeals",
        "appeal": appeal.url,
    }[path]
    client = boards.city.client(name)
    client.get(url)
    with CaptureQueriesContext(connection) as made:
        assert client.get(url).status_code == 200
    assert len(made) <= most, len(made)


# --- units -------------------------------------------------------------------------------------------


def test_a_unit_reads_its_own_sheet_and_appeals_and_not_its_neighbours(boards):
    city = boards.city
    publish_scheme(city, "units", scheme_body(levels=["unit"]))
    city.finding(at=city.now + timedelta(minutes=30), unit=city.units["market"].uid)
    boards.board = make_board(
        area="320311", level="unit", scheme_key="units", period=Period.month("2026-10"), period_text="2026-10",
        by=city.actor("Qian"), at=boards.now,
    )  # fmt: skip
    now_open(boards)
    market, shop = (boards.sheet(str(city.units[name].uid)) for name in ("market", "shop"))
    zhao = city.client("Zhao")
    page = text(zhao.get(market.url))
    assert "垃圾未清" in page
    line = boards.losses(market.code, item="1.1")[0].number
    assert f"/lines/{line}/appeal" in page
    assert "逐条记录只对" in text(zhao.get(shop.url))
    answer = zhao.post(f"{market.url}/lines/{line}/appeal", {"uid": uuid4(), "reason": "不在本市场"})
    assert answer.status_code == 303
    assert zhao.get(answer["Location"]).status_code == 200
    assert city.client("Feng").get(answer["Location"]).status_code == 404
    assert city.client("Feng").get(f"{market.url}/lines/{line}/appeal").status_code == 404
