"""The pages: each answers its owner before it answers the neighbour, and loses nothing that was typed."""

import io
from datetime import timedelta

import pytest
import xlsxwriter
from django.test import Client

from tests.places.cast import NOW, PASSWORD, TODAY
from weicheng.journal.models import Entry
from weicheng.places import actions
from weicheng.places.models import ApiToken, Area, Post, Unit, UnitVersion, User
from weicheng.places.roles import Role

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def enter(town):
    def enter(login: str, role: Role, area: str = "", unit: Unit | None = None) -> Client:
        town.post(login, role, area, unit)
        client = Client()
        client.force_login(User.objects.get(login=login), "django.contrib.auth.backends.ModelBackend")
        return client

    return enter


@pytest.fixture
def east(enter, town):
    return enter("east", Role.STREET, town.east)


@pytest.fixture
def west(enter, town):
    return enter("west", Role.STREET, town.west)


@pytest.fixture
def keeper_page(enter, town):
    return enter("keeper_page", Role.SYSTEM_ADMIN, town.district)


@pytest.fixture
def guard_page(enter, town):
    return enter("guard_page", Role.SECURITY_ADMIN, town.district)


@pytest.fixture
def shop(town):
    return town.unit(
        "老张面馆", town.east_one, contact={"name": "张大山", "phone": "13800135678"}, address="湖北路"
    )


def test_a_unit_answers_its_street_and_not_the_next(east, west, shop):
    for path in ("", "/edit", "/close", "/merge"):
        assert east.get(f"/units/{shop.uid}{path}").status_code == 200
        assert west.get(f"/units/{shop.uid}{path}").status_code == 404
    assert east.post(f"/units/{shop.uid}/contact").status_code == 200
    assert west.post(f"/units/{shop.uid}/contact").status_code == 404
    assert Entry.objects.filter(verb="unit.read_contact").count() == 1


def test_nobody_is_asked_to_sign_in_and_led_back(shop):
    client = Client()
    assert client.get(f"/units/{shop.uid}").headers["Location"] == f"/sign-in?next=%2Funits%2F{shop.uid}"
    assert client.get("/units", headers=HTMX).headers["HX-Redirect"] == "/sign-in"
    assert client.post(f"/units/{shop.uid}/contact").headers["Location"] == "/sign-in"


def test_the_contact_is_masked_until_it_is_asked_for(east, shop):
    page = east.get(f"/units/{shop.uid}").content.decode()
    assert "张** 138****5678" in page
    assert "13800135678" not in page
    assert "13800135678" in east.post(f"/units/{shop.uid}/contact").content.decode()
    export = b"".join(east.get("/units?export=csv").streaming_content).decode()
    assert "138****5678" in export
    assert "13800135678" not in export


def test_who_may_not_unmask_has_no_button(enter, town, shop):
    leader = enter("leader", Role.LEADER, town.district)
    assert "/contact" not in leader.get(f"/units/{shop.uid}").content.decode()
    assert leader.post(f"/units/{shop.uid}/contact").status_code == 403
    assert leader.get("/units/new").status_code == 403


def test_a_list_of_units_takes_a_constant_number_of_statements(
    east, town, shop, django_assert_max_num_queries, django_assert_num_queries
):
    east.get("/units")
    with django_assert_max_num_queries(9) as few:
        assert "老张面馆" in east.get("/units").content.decode()
    for number in range(15):
        town.unit(f"店{number}", town.east_two)
    with django_assert_num_queries(len(few.captured_queries)):
        east.get("/units")


def test_filters_of_the_list(east, town, shop):
    town.unit("菜场", town.east_two)
    seen = lambda query: [row.object.name for row in east.get(f"/units{query}").context["list"].rows]  # noqa: E731
    assert seen(f"?area={town.east_two}") == ["菜场"]
    assert seen("?q=湖北") == ["老张面馆"]
    assert seen("?kind=market") == []
    assert seen("?state=closed") == []
    assert len(seen("?order=name")) == 2


def test_registering_a_unit_begins_with_its_kind(east, town):
    assert "农贸市场" in east.get("/units/new").content.decode()
    typed = {"name": "新菜场", "area": town.east_one, "p_stalls": "", "address": "长长的地址"}
    refused = east.post("/units/new?kind=market", typed)
    assert refused.status_code == 422
    assert "长长的地址" in refused.content.decode()
    assert not Unit.objects.exists()
    done = east.post("/units/new?kind=market", {**typed, "p_stalls": "40"})
    unit = Unit.objects.get()
    assert done.headers["Location"] == f"/units/{unit.uid}"
    assert "40 个" in east.get(f"/units/{unit.uid}").content.decode()


def test_a_form_sent_twice_registers_once(east, town):
    typed = {
        "name": "菜场",
        "area": town.east_one,
        "p_stalls": "40",
        "uid": "6f1f2f9e-3f34-4c8f-9c39-0b6f5f3c1a11",
    }
    for _each in range(2):
        assert east.post("/units/new?kind=market", typed).status_code == 303
    assert Unit.objects.count() == 1


def test_a_foreign_area_is_not_among_the_choices(east, town):
    refused = east.post("/units/new?kind=shop", {"name": "店", "area": town.west_one})
    assert refused.status_code == 422
    assert not Unit.objects.exists()


def test_a_unit_is_changed_and_its_history_shown(east, shop, town):
    form = east.get(f"/units/{shop.uid}/edit").context["form"]
    assert "13800135678" not in str(form.as_p())
    typed = {
        "name": shop.name,
        "area": shop.area,
        "address": "徐州路",
        "base": form.initial["base"],
        "datum": "cgcs2000",
    }
    assert east.post(f"/units/{shop.uid}/edit", typed).status_code == 303
    assert "湖北路 → 徐州路" in east.get(f"/units/{shop.uid}").content.decode()
    stale = east.post(f"/units/{shop.uid}/edit", {**typed, "address": "别的路"})
    assert stale.status_code == 422
    assert "已被他人修改" in stale.content.decode()
    assert "别的路" in stale.content.decode()
    shop.refresh_from_db()
    assert shop.contact_masked == "张** 138****5678"


def test_closing_and_merging_by_page(east, shop, town):
    other = town.unit("对门", town.east_one)
    assert east.post(f"/units/{shop.uid}/merge", {"into": other.pk}).status_code == 303
    assert "已并入" in east.get(f"/units/{shop.uid}").content.decode()
    early = {"on": (other.opened_on - timedelta(days=1)).isoformat()}
    assert east.post(f"/units/{other.uid}/close", early).status_code == 422
    assert east.post(f"/units/{other.uid}/close", {"on": other.opened_on.isoformat()}).status_code == 303


def test_the_qr_sheet_prints_what_was_selected(east, shop, town):
    town.unit("对门", town.east_one)
    assert east.get("/units/qr").context["count"] == 2
    page = east.post("/units/qr", {"ids": [shop.pk]})
    assert page.context["count"] == 1
    assert "data:image/svg+xml" in page.content.decode()
    assert east.post("/units/qr", {"ids": ["x"]}).context["count"] == 2


# --- the workbook --------------------------------------------------------------------------------


def workbook(rows) -> io.BytesIO:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    page = book.add_worksheet()
    for line, cells in enumerate(rows):
        for at, cell in enumerate(cells):
            page.write(line, at, cell)
    book.close()
    file.seek(0)
    file.name = "单位.xlsx"
    return file


HEAD = [
    "名称（必填）",
    "类别",
    "所属区划",
    "地址",
    "联系人",
    "联系电话",
    "面积",
    "业态",
    "摊位数",
    "签订门前三包",
]
ROWS = [
    ["东街菜场", "农贸市场", "东一社区", "一号", "王小明", "0516-83701234", "", "", 40, ""],
    ["面馆", "商铺", "320311001002", "二号", "", "", 36.5, "餐饮", "", "是"],
]


def send(client, rows):
    return client.post("/units/import", {"file": workbook(rows)})


def test_a_workbook_is_checked_confirmed_and_then_adds_nothing(east, west, town):
    report = send(east, [HEAD, *ROWS])
    assert report.status_code == 200
    assert not Unit.objects.exists()
    assert report.context["report"].new == 2
    url = f"/units/import/{report.context['draft']}"
    assert west.post(url).status_code == 404  # another's upload
    assert east.post(url).context["report"].done
    assert east.post(url).status_code == 404  # done, and gone
    market = Unit.objects.get(name="东街菜场")
    assert (market.area, market.particulars) == (town.east_one, '{"stalls":40}')
    assert Unit.objects.get(name="面馆").particulars == '{"area_m2":"36.5","frontage":true,"trade":"餐饮"}'
    assert UnitVersion.objects.count() == Entry.objects.count() == 2
    again = send(east, [HEAD, *ROWS])
    assert (again.context["report"].new, again.context["report"].same) == (0, 2)


def test_export_then_import_changes_nothing_and_an_edit_updates(east, town):
    east.post(f"/units/import/{send(east, [HEAD, *ROWS]).context['draft']}")
    exported = b"".join(east.get("/units/sheet?rows=1").streaming_content)
    file = io.BytesIO(exported)
    file.name = "单位.xlsx"
    report = east.post("/units/import", {"file": file}).context["report"]
    assert report.errors == []
    assert (report.new, report.changed, report.same) == (0, 0, 2)
    from weicheng.ui.imports import read_table

    rows = read_table(exported, "单位.xlsx").rows
    rows[1][3] = "新地址"
    edited = send(east, rows)
    assert (edited.context["report"].changed, edited.context["report"].same) == (1, 1)
    east.post(f"/units/import/{edited.context['draft']}")
    assert Unit.objects.filter(address="新地址").count() == 1
    assert Unit.objects.get(name="东街菜场").contact_masked == "王** ***********34"
    assert Unit.objects.count() == 2


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (0, "", "第2行“名称”：不能为空"),
        (1, "城堡", "第2行“类别”：“城堡”不在可选范围内"),
        (2, "西一社区", "第2行“所属区划”：本辖区没有名称或代码为“西一社区”"),
        (2, "320322001", "第2行“所属区划”"),
        (5, "12", "第2行“联系电话”：电话号码无法识别"),
        (4, "王*", "第2行“联系电话”：联系人或电话含有星号"),
        (8, "许多", "第2行“类别”：“摊位数”的内容“许多”不符合要求"),
        (8, "", "第2行“类别”：“农贸市场”需要填写“摊位数”"),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(east, at, value, said):
    row = list(ROWS[0])
    row[at] = value
    page = send(east, [HEAD, row, ROWS[1]])
    assert page.status_code == 422
    assert said in "".join(map(str, page.context["report"].errors))
    coloured = east.get(f"/units/import/{page.context['draft']}/errors")
    assert b"".join(coloured.streaming_content)[:2] == b"PK"
    again = east.post(f"/units/import/{page.context['draft']}")
    assert again.status_code == 422
    assert not Unit.objects.exists()


def test_what_is_no_workbook_is_said_at_the_form(east):
    broken = io.BytesIO(b"\x89PNG\r\n")
    broken.name = "照片.xlsx"
    page = east.post("/units/import", {"file": broken})
    assert page.status_code == 422
    assert "不是可读取的表格" in page.content.decode()
    assert east.post("/units/import", {}).status_code == 422
    assert "还没有保存" not in east.get("/units/import").content.decode()


# --- areas ---------------------------------------------------------------------------------------


def test_the_tree_unfolds_branch_by_branch(keeper_page, town):
    page = keeper_page.get("/areas").content.decode()
    assert "东街道" in page
    assert "东一社区" not in page
    assert "东一社区" in keeper_page.get(f"/areas/{town.east}/branch").content.decode()
    assert "东一社区" in keeper_page.get("/areas?q=东一").content.decode()
    assert keeper_page.get("/areas/999999").status_code == 404


def test_the_system_administrator_changes_areas_and_others_do_not(keeper_page, east, town):
    assert east.get(f"/areas/{town.east}").status_code == 200
    assert east.get(f"/areas/{town.east}/rename").status_code == 403
    renamed = keeper_page.post(f"/areas/{town.east}/rename", {"name": "泰山街道", "on": TODAY.isoformat()})
    assert renamed.status_code == 303
    assert "东街道 → 泰山街道" in keeper_page.get(f"/areas/{town.east}").content.decode()
    refused = keeper_page.post(f"/areas/{town.east}/close", {"on": TODAY.isoformat()})
    assert refused.status_code == 422
    assert "请先撤销、并入或改隶这些下级" in refused.content.decode()
    assert keeper_page.get(f"/areas/{town.beyond}/rename").status_code == 404
    assert keeper_page.get(f"/areas/{town.east}/grids").status_code == 404
    assert keeper_page.get(f"/areas/{town.east}/explode").status_code == 404


def test_every_form_of_an_area_by_page(keeper_page, town):
    on = TODAY.isoformat()
    post = lambda where, do, **typed: keeper_page.post(f"/areas/{where}/{do}", {"on": on, **typed})  # noqa: E731
    assert post(town.east, "open", code="320311001003", name="东三社区").status_code == 303
    assert post(town.east_one, "grids", names="一网格\n二网格").status_code == 303
    assert post(town.east_two, "merge", into=town.west_one).status_code == 303
    assert post("320311001003", "move", to_code="320311002009").headers["Location"] == "/areas/320311002009"
    assert post("320311002009", "close").status_code == 303
    assert Area.objects.filter(pk__startswith="320311001001").count() == 3
    assert "承接" in keeper_page.get(f"/areas/{town.west_one}").content.decode()


# --- people --------------------------------------------------------------------------------------


def test_a_person_is_made_given_a_post_and_relieved_of_it(guard_page, town):
    page = guard_page.post("/people/new", {"login": "zhao", "name": "赵六", "email": ""})
    password = page.context["password"]
    assert page.headers["Cache-Control"] == "no-store"
    zhao = User.objects.get(login="zhao")
    assert password not in guard_page.get(f"/people/{zhao.pk}").content.decode()
    wrong = guard_page.post(
        f"/people/{zhao.pk}/post", {"role": "street", "area": town.east_one, "from_on": "2026-01-01"}
    )
    assert wrong.status_code == 422
    assert "街道只能设在街道" in wrong.content.decode()
    right = {"role": "street", "area": town.east, "from_on": "2020-01-01"}
    assert guard_page.post(f"/people/{zhao.pk}/post", right).status_code == 303
    client = Client()
    assert client.post("/sign-in", {"login": "zhao", "password": password}).status_code == 302
    post = Post.objects.get(user=zhao)
    heir = town.post("heir", Role.STREET, town.east)
    assert guard_page.get(f"/posts/{post.pk}/end").status_code == 200
    ended = guard_page.post(f"/posts/{post.pk}/end", {"on": "2026-01-01", "to_post": heir.pk})
    assert ended.status_code == 303
    assert client.get("/sessions").status_code == 302


def test_people_of_another_district_do_not_exist(guard_page, enter, town):
    enter("mine", Role.STREET, town.east)
    foreign = town.post("foreign", Role.STREET, town.beyond_street)
    mine = User.objects.get(login="mine")
    for path in ("", "/edit", "/post"):
        assert guard_page.get(f"/people/{mine.pk}{path}").status_code == 200
        assert guard_page.get(f"/people/{foreign.user_id}{path}").status_code == 404
    for path in ("reset", "active"):
        assert guard_page.post(f"/people/{foreign.user_id}/{path}").status_code == 404
    assert guard_page.get(f"/posts/{foreign.pk}/end").status_code == 404
    assert "人foreign" not in guard_page.get("/people").content.decode()


def test_only_the_security_administrator_sees_people(east, keeper_page, guard_page):
    assert east.get("/people").status_code == 403
    assert keeper_page.get("/people").status_code == 403
    assert guard_page.get("/people").status_code == 200


def test_the_list_of_people_takes_a_constant_number_of_statements(
    guard_page, town, django_assert_max_num_queries, django_assert_num_queries
):
    guard_page.get("/people")
    with django_assert_max_num_queries(8) as few:
        guard_page.get("/people")
    spent = len(few.captured_queries)
    for number in range(10):
        town.post(f"p{number}", Role.STREET, town.east)
    guard_page.get("/people")
    with django_assert_num_queries(spent):
        assert len(guard_page.get("/people").context["list"].rows) == 11


def test_shutting_out_and_letting_in_by_page(guard_page, enter, town):
    client = enter("chen", Role.STREET, town.east)
    chen = User.objects.get(login="chen")
    assert client.get("/sessions").status_code == 200
    guard_page.post(f"/people/{chen.pk}/active", {"active": "0"})
    assert client.get("/sessions").status_code == 302
    guard_page.post(f"/people/{chen.pk}/active", {"active": "1"})
    assert Client().post("/sign-in", {"login": "chen", "password": PASSWORD}).status_code == 302
    page = guard_page.post(f"/people/{chen.pk}/reset")
    assert User.objects.get(pk=chen.pk).check_password(page.context["password"])


def test_a_token_is_shown_once_and_revoked_by_its_owner(east, west):
    page = east.post("/tokens", {"label": "大屏", "days": "5"})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert secret not in east.get("/tokens").content.decode()
    token = ApiToken.objects.get()
    assert west.post(f"/tokens/{token.pk}/revoke").status_code == 404
    assert east.post(f"/tokens/{token.pk}/revoke").status_code == 303
    assert ApiToken.objects.get().revoked_at
    assert east.post("/tokens", {"label": "x", "days": "99"}).status_code == 422


def test_moving_a_post_shows_at_once(east, town, keeper):
    assert east.get("/areas").context["nodes"][0]["area"].code == town.east
    actions.rename_area(code=town.east, name="泰山街道", on=TODAY, by=keeper, at=NOW)
    assert "泰山街道" in east.get("/areas").content.decode()
