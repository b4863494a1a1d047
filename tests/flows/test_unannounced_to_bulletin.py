"""From the draw of a hidden round to the issued bulletin: six people, an appeal, and what anybody can compute again."""

import csv
import hashlib
import io
import json
import re
from decimal import Decimal

import docx
import pytest

from tests.flows.conftest import PHONE, Site, served
from tests.pictures import photo

pytestmark = pytest.mark.browser

AREA = "320311"
TITLE = "冬季环境卫生暗访"
WRONG = ("2", "3")  # items of the check list that fail, each two points
NO_WORD = (
    "/", "/visits/rounds/", "/visits/calendar", "/visits/", "/visits/mine?all=1", f"/search?q={TITLE[:4]}",
    "/notices", "/cases/?all=1",
)  # fmt: skip

CAST = """
import json
from datetime import date
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from weicheng.places.models import Area, Post, User
from weicheng.places.roles import Role

# A community whose name nobody shares, to be named beforehand.
rows = [area for area in Area.objects.filter(pk__startswith='320311').order_by('pk') if len(area.pk) == 12]
names = [area.name for area in rows]
place = next(area for area in rows if names.count(area.name) == 1)
for login, name, role, area in (
    ('planner', '钱起', Role.DISTRICT_OFFICER, '320311'),
    ('checker', '孙二', Role.DISTRICT_OFFICER, '320311'),
    ('leader', '李长', Role.LEADER, '320311'),
    ('finder', '林巡', Role.INSPECTOR, '320311'),
    ('street', '陈街', Role.STREET, place.pk[:9]),
    ('community', '周居', Role.COMMUNITY, place.pk),
):
    user = User.objects.create(login=login, name=name, password=make_password('weicheng-demo'),
                               must_change_password=False, created_at=timezone.now())
    Post(user=user, role=role.value, from_on=date(2020, 1, 1)).place_at(area).save()
print(json.dumps({'place': place.name, 'code': place.pk}))
"""


@pytest.fixture(scope="module")
def site(installations, tmp_path_factory):
    """A district with its real areas, seven people and nothing else: what the story counts, the story made."""
    place = installations.make(tmp_path_factory.mktemp("round") / "data")
    loaded = place.weicheng("init", "--area", AREA)
    assert loaded.returncode == 0, loaded.stderr
    cast = json.loads(place.python(CAST))
    with served(place) as address:
        yield Site(address, place, cast)


def test_a_hidden_round_becomes_a_score_an_appeal_and_an_issued_bulletin(site, visitor, tmp_path):
    planner = visitor("planner")
    finder = visitor("finder", PHONE)
    street = visitor("street")
    round_url = _plan_and_draw(planner, site)
    _sees_nothing(street, round_url)
    _look_by_thumb(finder, site, tmp_path)
    _look_by_keyboard(visitor("finder"))
    _sees_nothing(street, round_url)
    _publish(planner, round_url)
    _sees_cases(street, round_url)
    _verify(planner, site, round_url, tmp_path)
    board_url = _score(planner)
    sheet_url, before = _appeal(visitor("community", PHONE), site, tmp_path)
    _decide(planner, sheet_url, before)
    ranking = _publish_board(planner, board_url)
    _issue(planner, visitor("checker"), visitor("leader", PHONE), ranking, tmp_path)


def _plan_and_draw(planner, site):
    """The officer plans the round, names one place, draws another; return the round's address."""
    page = planner.go("/visits/rounds/new")
    planner.check()
    _choose(page, "kind", "unannounced")
    page.fill("[name=title]", TITLE)
    _choose(page, "checklists", "community-environment")
    _choose(page, "source", "communities")
    _send(page)
    page.wait_for_url(re.compile("/draw$"))
    planner.check()
    page.fill("[name=total]", "1")
    page.fill("[name=recommended]", site.cast["place"])
    page.click("label.wc-pill:has-text('林巡')")
    _send(page)
    page.wait_for_url(re.compile(r"/visits/rounds/[0-9a-f-]{36}$"))
    planner.check()
    text = page.inner_text("main")
    assert "保密" in text
    assert site.cast["place"] in text
    assert re.search(r"种子校验值 [0-9a-f]{64}", text)
    assert page.locator("a:has-text('下载抽取文件')").count() == 0  # sealed until it is published
    return page.url.removeprefix(site.address)


def _sees_nothing(street, round_url):
    """No page of the inspected side knows of the round: lists, calendar, search, notices, its own address."""
    for path in NO_WORD:
        page = street.go(path)
        assert TITLE not in page.inner_text("body"), path
        street.check()
    assert street.page.goto(street.address + round_url).status == 404
    street.complaints.clear()  # the refusal that was asked for


def _look_by_thumb(finder, site, tmp_path):
    """The inspector opens the own places on a phone and answers the list: two items fail, each with a photo."""
    page = finder.go("/visits/mine")
    finder.check()
    page.tap(f"a:has-text('{site.cast['place']}')")
    page.wait_for_url(re.compile("/visits/places/"))
    finder.check()
    _send(page)
    page.wait_for_url(re.compile(r"/visits/[0-9a-f-]{36}$"))
    finder.check()
    for number in range(1, 12):
        said = "fail" if str(number) in WRONG else "pass"
        with page.expect_response(re.compile("/answers")):
            page.tap(f"#a{number} label.wc-result-{said}")
    for number in WRONG:
        file = tmp_path / f"wrong-{number}.jpg"
        file.write_bytes(photo())
        line = page.locator(f"#a{number}")
        with page.expect_response(re.compile("/answers")):
            line.locator("[name$=-note]").fill("楼前积存烟头和纸屑")
            line.locator("[name$=-note]").blur()
        with page.expect_response(re.compile("/answers")):
            line.locator("[name$=-photos]").set_input_files(file)
    finder.settle()
    assert "11/11" in page.inner_text("#visit-progress")
    finder.check()
    _end_visit(finder)


def _look_by_keyboard(finder):
    """The drawn place: a desk, a keyboard, eleven times 1."""
    page = finder.go("/visits/mine")
    finder.check()
    page.click("main tbody a >> nth=0")
    page.wait_for_url(re.compile("/visits/places/"))
    _send(page)
    page.wait_for_url(re.compile(r"/visits/[0-9a-f-]{36}$"))
    for _line in range(11):
        with page.expect_response(re.compile("/answers")):
            page.keyboard.press("1")
    finder.settle()
    assert "11/11" in page.inner_text("#visit-progress")
    finder.check()
    _end_visit(finder)


def _end_visit(finder):
    finder.page.click("button:has-text('结束检查')")
    finder.page.wait_for_selector("text=检查已结束")
    finder.check()


def _publish(planner, round_url):
    page = planner.go(round_url)
    planner.check()
    page.click("a:has-text('公布')")
    page.wait_for_url(re.compile("/publish$"))
    planner.check()
    page.fill("[name=opinion]", "总体较好，楼前清扫不及时。")
    _send(page)
    page.wait_for_selector("text=已公布")
    planner.check()


def _sees_cases(street, round_url):
    """What failed has become cases of the street, and the round stands in its lists."""
    page = street.go("/cases/?all=1")
    street.check()
    assert page.locator("main tbody tr").count() == len(WRONG)
    page.click("main tbody a >> nth=0")
    street.settle()
    assert page.locator(".wc-photos img").count() == 1
    street.check()
    page = street.go(round_url)
    assert TITLE in page.inner_text("h1")
    street.check()
    assert TITLE in street.go("/visits/calendar").inner_text("main")


def _verify(planner, site, round_url, tmp_path):
    """Anybody computes the draw again from the file that is offered."""
    page = planner.go(round_url)
    with page.expect_download() as got:
        page.click("a:has-text('下载抽取文件')")
    file = tmp_path / "draw.json"
    got.value.save_as(file)
    said = site.installation.weicheng("draw", "--verify", file)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "一致" in said.stdout
    assert "不一致" not in said.stdout
    file.write_text(file.read_text().replace('"recommended":true', '"recommended":false'))
    assert site.installation.weicheng("draw", "--verify", file).returncode == 1


def _score(planner):
    """The board of this month is computed by the worker and confirmed; return its address."""
    page = planner.go("/assessments/new")
    planner.check()
    _choose(page, "level", "community")
    page.select_option("[name=period]", index=0)  # this month
    _send(page)
    page.wait_for_url(re.compile(r"/assessments/[0-9a-f-]{36}$"))
    planner.check()
    url = page.url
    page.click("form[action$='/compute'] button")
    page.wait_for_url(re.compile("job="))
    planner.check()
    page.wait_for_selector(".wc-job a:has-text('查看结果')")
    planner.check()
    page.click(".wc-job a:has-text('查看结果')")
    page.wait_for_url(url)
    planner.check()
    page.click("a:has-text('确认公示')")
    page.wait_for_url(re.compile("/confirm$"))
    planner.check()
    page.click("main form button:has-text('确认公示')")
    page.wait_for_selector("text=已公示")
    planner.check()
    return url


def _appeal(community, site, tmp_path):
    """The community finds its sheet from its first page, reads what a line cost, and objects with a photo."""
    page = community.go("/")
    community.check()
    page.tap("main a[href*='/assessments/sheets/']")
    page.wait_for_url(re.compile("/sheets/"))
    community.check()
    assert site.cast["place"] in page.inner_text("h1")
    text = page.inner_text("main")
    assert "路面积尘、烟头、纸团等" in text
    url = page.url
    before = _total(page)
    page.tap("a[href*='/appeal'] >> nth=0")
    page.wait_for_url(re.compile("/appeal$"))
    community.check()
    page.fill("[name=reason]", "检查当天正在集中清扫，照片为当日清扫后。")
    file = tmp_path / "clean.jpg"
    file.write_bytes(photo())
    page.set_input_files("[name=photos]", file)
    page.wait_for_timeout(600)
    _send(page)
    page.wait_for_url(re.compile(r"/assessments/appeals/[0-9a-f-]{36}$"))
    community.check()
    assert page.locator("main img").count() == 2  # the line's own and the appeal's
    return url, before


def _decide(planner, sheet_url, before):
    """The officer finds the appeal on the first page, gives the points back; the sheet says so, with its trace."""
    page = planner.go("/")
    planner.check()
    page.click("main a[href*='/assessments/appeals']")
    planner.check()
    page.click("main tbody a >> nth=0")
    page.wait_for_url(re.compile(r"/appeals/[0-9a-f-]{36}$"))
    planner.check()
    _choose(page, "state", "accepted")
    page.fill("main [name=reason]", "现场照片属实，采纳。")
    _send(page)
    page.wait_for_selector("dt:has-text('还回')")
    planner.check()
    page = planner.go(sheet_url)
    planner.check()
    assert _total(page) > before
    assert "申诉后重新计分" in page.inner_text(".wc-timeline")
    assert page.locator(".as-struck").count() == 1


def _publish_board(planner, board_url):
    """The ranking is published; return (rank, name, total) of each community as its sheet exports it."""
    page = planner.go(board_url)
    planner.check()
    page.click("a:has-text('公布')")
    page.wait_for_url(re.compile("/publish$"))
    planner.check()
    page.fill("[name=reason]", "各方均已核对，提前公布。")
    _send(page)
    page.wait_for_selector("text=已公布")
    planner.check()
    with page.expect_download() as got:
        page.click("summary:has-text('导出')")
        page.click("a:has-text('CSV')")
    head, *rows = csv.reader(io.StringIO(got.value.path().read_text("utf-8-sig")))
    columns = [head.index(title) for title in ("名次", "对象", "总分")]
    ranking = [[row[at] for at in columns] for row in rows if len(row) == len(head) and row[columns[0]]]
    first = page.locator("main tbody tr").first
    assert ranking[0][1] in first.inner_text()
    return ranking


def _issue(planner, checker, leader, ranking, tmp_path):
    """Drafted, checked and signed by three people; the Word file is the digest's, and its ranking the board's."""
    page = planner.go("/documents/bulletin")
    planner.check()
    page.select_option("[name=month]", index=0)  # this month
    _send(page)
    page.wait_for_url(re.compile(r"/documents/[0-9a-f-]{36}$"))
    planner.check()
    url = page.url
    assert page.locator("a:has-text('审核通过')").count() == 0  # one's own draft
    for someone, act in ((checker, "审核通过"), (leader, "签发")):
        page = someone.go("/")
        someone.check()
        page = someone.go(url)
        someone.check()
        page.click(f"a:has-text('{act}')")
        page.wait_for_url(re.compile("/acts/"))
        someone.check()
        _send(page)
        page.wait_for_url(url)
        someone.check()
    digest = page.inner_text(".wc-document-digest").split()[-1]
    shown = page.locator(".wc-paper-attachment table, .wc-paper > .wc-paper-scroll table")
    shown = next(rows for rows in map(_cells, shown.all()) if rows[0][0] == "名次")
    page = planner.go(url)
    with page.expect_download() as got:
        page.click("a:has-text('下载 Word')")
    file = tmp_path / "bulletin.docx"
    got.value.save_as(file)
    assert hashlib.sha256(file.read_bytes()).hexdigest() == digest
    written = docx.Document(str(file))
    tables = [[[cell.text.strip() for cell in row.cells] for row in one.rows] for one in written.tables]
    printed = next(rows for rows in tables if rows[0][0] == "名次")
    assert printed == shown
    said = [(rank, name, Decimal(total)) for rank, name, total in ranking]
    points = printed[0].index("得分")
    assert [(row[0], row[1], Decimal(row[points])) for row in printed[1:]] == said


def _cells(table):
    return [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in table.locator("tr").all()
    ]


# --- how a page is used --------------------------------------------------------------------------


def _choose(page, name, value):
    """Choose a pill as a person does: by its label."""
    page.locator(f"label.wc-pill:has([name={name}][value='{value}'])").click()


def _send(page):
    page.click("main form[method=post] button[type=submit]")


def _total(page):
    return Decimal(re.match(r"[0-9.]+", page.inner_text(".as-huge"))[0])
