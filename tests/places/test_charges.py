"""Who is in charge of which area: one liaison at a time, hand-over with dates, gaps that show."""

import io
from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tests.places.cast import LONG_AGO, NOW, TODAY, refused
from weicheng.journal.models import Entry
from weicheng.places import areas, charges
from weicheng.places.actions import close_area, merge_area, move_area
from weicheng.places.charges import ChargeIn
from weicheng.places.models import Charge
from weicheng.places.roles import Role
from weicheng.rules.errors import ConflictError, ForbiddenError


def day(month: int, number: int) -> date:
    return date(2026, month, number)


@pytest.fixture
def given(town):
    def make(**changes) -> ChargeIn:
        said = {"kind": "liaison", "area": town.east, "name": "王立新", "title": "科长", "from_on": LONG_AGO}
        return ChargeIn(**{**said, **changes})

    return make


@pytest.fixture
def wang(officer, given) -> Charge:
    return charges.set_charge(given=given(), by=officer, at=NOW)


def none_written(call, code, kind=None):
    before = list(Charge.objects.order_by("id").values())
    error = refused(call, code, *([kind] if kind else []))
    assert list(Charge.objects.order_by("id").values()) == before
    return error


def test_the_number_of_the_office_is_kept_as_it_is_dialled(town, officer, given, wang):
    row = charges.set_charge(given=given(area=town.west, phone=" 0516－83701234 "), by=officer, at=NOW)
    assert row.phone == "0516-83701234"
    assert wang.phone == ""
    taken_over = charges.hand_over(
        charge=row, on=TODAY, name="周海燕", phone="138 0000 0000", by=officer, at=NOW
    )
    assert taken_over.phone == "13800000000"
    error = none_written(
        lambda: charges.set_charge(given=given(kind="leader", phone="找小王"), by=officer, at=NOW),
        "phone-invalid",
    )
    assert "电话号码无法识别" in error.sentence()


def test_who_is_in_charge_of_several_areas_is_one_question(
    town, officer, given, wang, django_assert_num_queries
):
    leader = charges.set_charge(given=given(kind="leader", name="赵书记"), by=officer, at=NOW)
    with django_assert_num_queries(1):
        held = charges.in_charge_of([town.east, town.west], TODAY)
    assert held == {town.east: [leader, wang], town.west: []}


# --- one at a time -------------------------------------------------------------------------------


def test_a_street_has_one_liaison_at_a_time(town, officer, given, wang):
    def second(**changes):
        return charges.set_charge(given=given(name="周海燕", **changes), by=officer, at=NOW)

    error = none_written(lambda: second(from_on=TODAY), "charge-overlap")
    assert "王立新（科长）" in error.sentence()
    assert "2020-01-01" in error.sentence()
    assert second(area=town.west, from_on=TODAY).area == town.west
    # Several leaders may share a street, but nobody stands there twice.
    for name in ("赵书记", "钱区长"):
        charges.set_charge(given=given(kind="leader", name=name), by=officer, at=NOW)
    none_written(
        lambda: charges.set_charge(given=given(kind="leader", name="赵书记"), by=officer, at=NOW),
        "charge-overlap",
    )


def test_the_last_day_is_held_and_the_next_is_free(officer, given, wang):
    charges.end_charge(charge=wang, on=day(4, 30), by=officer, at=NOW)
    late = given(name="周海燕", from_on=day(4, 30))
    none_written(lambda: charges.set_charge(given=late, by=officer, at=NOW), "charge-overlap")
    charges.set_charge(given=given(name="周海燕", from_on=day(5, 1)), by=officer, at=NOW)
    # Nor may the first grow back over the second.
    wang.refresh_from_db()
    none_written(lambda: charges.end_charge(charge=wang, on=day(5, 1), by=officer, at=NOW), "charge-overlap")


def test_a_hand_over_leaves_no_day_between(town, officer, wang):
    zhou = charges.hand_over(charge=wang, on=day(5, 11), name="周海燕", by=officer, at=NOW)
    wang.refresh_from_db()
    assert (wang.to_on, zhou.from_on, zhou.to_on) == (day(5, 10), day(5, 11), None)
    assert zhou.follows_id == wang.pk
    (line, *_rest) = charges.table(town.district, TODAY)
    assert (line.liaison, line.gap, line.missing) == (wang, None, False)
    assert charges.in_charge(town.east, day(5, 11)) == [zhou]
    verbs = Entry.objects.filter(object_kind="charge").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["charge.set", "charge.end", "charge.set"]
    none_written(
        lambda: charges.hand_over(charge=wang, on=day(6, 1), name="孙大勇", by=officer, at=NOW),
        "charge-ended",
    )


def test_days_without_a_liaison_show(town, officer, given, wang):
    charges.end_charge(charge=wang, on=day(5, 20), by=officer, at=NOW)
    east, west = charges.table(town.district, TODAY)
    assert (east.missing, east.gap) == (False, (day(5, 21), TODAY + timedelta(days=90)))
    assert (west.missing, west.gap) == (True, (TODAY, TODAY + timedelta(days=90)))
    charges.set_charge(given=given(name="周海燕", from_on=day(6, 1)), by=officer, at=NOW)
    east, _west = charges.table(town.district, TODAY)
    assert east.gap == (day(5, 21), day(5, 31))


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"kind": "king"}, "charge-kind"),
        ({"area": "320311001001"}, "charge-level"),  # liaisons stand for streets
        ({"kind": "section"}, "charge-level"),  # sections for communities
        ({"area": "320322001"}, "foreign-area"),
        ({"area": "320311009"}, "unknown-area"),
        ({"name": "  "}, "charge-name"),
        ({"name": "长" * 61}, "charge-name"),
        ({"to_on": date(2019, 12, 31)}, "charge-dates"),
        ({"targets": "字" * 1001}, "charge-text"),
        ({"from_on": date(1900, 1, 1)}, "closed-area"),
    ],
)
def test_a_wrong_charge_is_refused(officer, given, changes, code):
    none_written(lambda: charges.set_charge(given=given(**changes), by=officer, at=NOW), code)


def test_a_closed_area_takes_no_new_charge(town, keeper, officer, given):
    close_area(code=town.east_two, on=day(5, 1), by=keeper, at=NOW)
    wanted = given(kind="section", area=town.east_two, name="城管科", from_on=TODAY)
    error = none_written(lambda: charges.set_charge(given=wanted, by=officer, at=NOW), "closed-area")
    assert "2026-05-01撤销" in error.sentence().replace(" ", "")


@pytest.mark.parametrize("merged", [False, True])
def test_charges_end_with_their_area_in_the_same_transaction(town, keeper, officer, given, wang, merged):
    leader = charges.set_charge(given=given(kind="leader", name="赵书记", to_on=TODAY), by=officer, at=NOW)
    later = charges.set_charge(
        given=given(kind="leader", name="钱书记", from_on=TODAY + timedelta(days=9)), by=officer, at=NOW
    )
    past = charges.set_charge(
        given=given(kind="leader", name="孙书记", to_on=TODAY - timedelta(days=30)), by=officer, at=NOW
    )
    other = charges.set_charge(given=given(area=town.west), by=officer, at=NOW)
    for child in (town.east_one, town.east_two):
        close_area(code=child, on=day(5, 1), by=keeper, at=NOW)
    if merged:
        merge_area(code=town.east, into=town.west, on=TODAY, by=keeper, at=NOW)
    else:
        close_area(code=town.east, on=TODAY, by=keeper, at=NOW)
    yesterday = TODAY - timedelta(days=1)
    for row in (wang, leader, later, past, other):
        row.refresh_from_db()
    assert [row.to_on for row in (wang, leader, past, other)] == [
        yesterday, yesterday, TODAY - timedelta(days=30), None,
    ]  # fmt: skip
    assert later.cancelled_for.startswith("区划已撤销")
    assert [wang.revision, past.revision] == [2, 1]
    assert charges.in_charge(town.east, TODAY) == []
    told = Entry.objects.filter(verb__in=["charge.end", "charge.cancel"])
    assert {each.object_key for each in told} == {str(row.uid) for row in (wang, leader, later)}
    closing = Entry.objects.get(verb="area.merge" if merged else "area.close", object_key=town.east)
    assert '"charges":3' in bytes(closing.body).decode().replace(" ", "")


def test_a_refused_closing_ends_no_charge(town, keeper, wang):
    refused(lambda: close_area(code=town.east, on=TODAY, by=keeper, at=NOW), "open-children")
    wang.refresh_from_db()
    assert (wang.to_on, wang.revision) == (None, 1)


def test_a_moved_area_keeps_who_is_in_charge_of_it(town, keeper, officer, given):
    row = charges.set_charge(
        given=given(kind="section", area=town.west_one, name="城管科"), by=officer, at=NOW
    )
    moved = move_area(code=town.west_one, to_code="320311001009", on=TODAY, by=keeper, at=NOW)
    assert charges.in_charge(moved.code, TODAY) == [row]
    row.refresh_from_db()
    assert (row.area, row.street, row.revision) == ("320311001009", town.east, 2)


def test_it_is_set_from_above(town, given, wang):
    street = town.actor("street", Role.STREET, town.east)
    leader = town.actor("leader", Role.LEADER, town.district)
    again = given(kind="leader", name="自己")
    none_written(
        lambda: charges.set_charge(given=again, by=street, at=NOW), "charge-from-above", ForbiddenError
    )
    none_written(lambda: charges.set_charge(given=again, by=leader, at=NOW), "no-power", ForbiddenError)
    none_written(
        lambda: charges.end_charge(charge=wang, on=TODAY, by=street, at=NOW),
        "charge-from-above",
        ForbiddenError,
    )
    section = given(kind="section", area=town.east_one, name="城管科", targets="楼道杂物\n污水井")
    assert charges.set_charge(given=section, by=street, at=NOW).owner == town.east


def test_two_editors_do_not_overwrite_each_other(officer, given, wang):
    uid = wang.uid
    changed = charges.change_charge(charge=wang, revision=1, given=given(title="处长"), by=officer, at=NOW)
    assert (changed.title, changed.revision) == ("处长", 2)
    none_written(
        lambda: charges.change_charge(charge=wang, revision=1, given=given(), by=officer, at=NOW),
        "charge-changed",
        ConflictError,
    )
    # Sent twice it is one charge.
    once = charges.set_charge(given=given(kind="leader"), by=officer, at=NOW, uid=uuid4())
    assert charges.set_charge(given=given(kind="leader"), by=officer, at=NOW, uid=once.uid) == once
    assert Charge.objects.get(uid=uid).title == "处长"


def test_a_mistake_is_called_off_and_holds_on_no_day(town, officer, given, wang):
    none_written(lambda: charges.cancel_charge(charge=wang, reason=" ", by=officer, at=NOW), "reason-missing")
    charges.cancel_charge(charge=wang, reason="登记错了街道", by=officer, at=NOW)
    assert charges.in_charge(town.east, TODAY) == []
    charges.set_charge(given=given(name="周海燕"), by=officer, at=NOW)
    none_written(lambda: charges.end_charge(charge=wang, on=TODAY, by=officer, at=NOW), "charge-cancelled")


def test_who_stands_over_an_area_and_above_it(town, officer, given, wang):
    section = given(kind="section", area=town.east_one, name="城管科")
    made = charges.set_charge(given=section, by=officer, at=NOW)
    leader = charges.set_charge(given=given(kind="leader", name="赵书记"), by=officer, at=NOW)
    assert charges.in_charge(town.east_one, TODAY) == [made]
    assert charges.in_charge(town.east_one, TODAY, above=True) == [made, leader, wang]
    assert charges.by_person([wang, leader]) == [("王立新（科长）", [wang]), ("赵书记（科长）", [leader])]


# --- scope ---------------------------------------------------------------------------------------


def test_a_community_sees_who_stands_above_it_and_a_neighbour_does_not(town, wang):
    east = town.actor("east", Role.COMMUNITY, town.east_one)
    west = town.actor("west", Role.STREET, town.west)
    beyond = town.actor("beyond", Role.DISTRICT_OFFICER, town.beyond)
    assert list(Charge.objects.visible_to(east)) == [wang]
    assert not Charge.objects.visible_to(west).exists()
    assert not Charge.objects.visible_to(beyond).exists()
    # The person sees the own charge from any post.
    wang.user = town.user("west")
    wang.save()
    assert list(Charge.objects.visible_to(west)) == [wang]


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
def desk(client, town, officer, pages):
    client.force_login(town.user("officer"))
    return client


@pytest.fixture
def pages(settings):
    """Render without the shell of `web`, which stands above this app."""
    settings.ROOT_URLCONF = "tests.standards.urls"
    options = settings.TEMPLATES[0]["OPTIONS"]
    kept = [each for each in options["context_processors"] if not each.startswith("weicheng.web")]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": kept}}]


def page(client, url: str, status: int = 200) -> str:
    response = client.get(url)
    assert response.status_code == status
    return response.content.decode()


def test_the_table_names_who_and_where_nobody_is(desk, town, wang):
    text = page(desk, "/charges")
    assert "王立新（科长）" in text
    assert "西街道" in text
    assert "无人联络" in text
    assert "王立新（科长）" not in page(desk, "/charges?on=2019-12-31")
    assert "王立新（科长）" in page(desk, "/charges?by=person")
    assert "东一社区" in page(desk, f"/charges?area={town.east}")
    page(desk, f"/charges?area={town.beyond}", 404)
    page(desk, "/charges?area=x", 404)
    page(desk, "/charges?on=odd")


def test_from_entry_to_hand_over_and_end(desk, town):
    typed = {
        "kind": "leader", "area": town.east, "user": "", "name": "赵书记", "title": "书记",
        "from_on": "2026-01-01", "to_on": "", "targets": "两个街道的社区创卫", "due_on": "", "uid": uuid4(),
        "revision": 1,
    }  # fmt: skip
    page(desk, "/charges/new")
    assert desk.post("/charges/new", {**typed, "from_on": ""}).status_code == 422
    assert desk.post("/charges/new", typed).status_code == 303
    row = Charge.objects.get(name="赵书记")
    text = page(desk, reverse("charge", args=[row.uid]))
    assert "两个街道的社区创卫" in text
    for name in ("charge_edit", "charge_end", "charge_hand_over", "charge_cancel"):
        page(desk, reverse(name, args=[row.uid]))
    assert desk.post(reverse("charge_edit", args=[row.uid]), {**typed, "title": "主任"}).status_code == 303
    over = {"on": "2026-05-09", "name": "钱区长", "title": "", "user": ""}
    assert desk.post(reverse("charge_hand_over", args=[row.uid]), over).status_code == 303
    new = Charge.objects.get(name="钱区长")
    assert (new.targets, new.follows.title) == ("两个街道的社区创卫", "主任")
    done = {"on": "2026-12-31", "result": "已完成", "solved": "1"}
    assert desk.post(reverse("charge_end", args=[new.uid]), done).status_code == 303
    assert Charge.objects.get(name="钱区长").solved is True
    assert "钱区长" in page(desk, "/charges/all?all=1")
    assert desk.get("/charges/all?export=csv").status_code == 200


def test_a_community_reads_and_is_offered_nothing_to_write(client, town, pages, wang):
    town.post("liu", Role.COMMUNITY, town.east_one)
    client.force_login(town.user("liu"))
    assert "王立新（科长）" in page(client, "/charges")
    text = page(client, reverse("charge", args=[wang.uid]))
    assert "交接" not in text
    assert client.post(reverse("charge_end", args=[wang.uid]), {"on": "2026-05-08"}).status_code == 403


def test_the_table_costs_a_constant_number_of_statements(
    desk, town, officer, given, django_assert_max_num_queries
):
    page(desk, "/charges")
    for number in range(20):
        made = given(kind="leader", name=f"领导{number}", area=town.east)
        charges.set_charge(given=made, by=officer, at=NOW)
    with django_assert_max_num_queries(8):
        page(desk, "/charges")


# --- the workbook --------------------------------------------------------------------------------

HEAD = "类别,区划,姓名,职务,开始日期,结束日期,目标任务\n"


def send(desk, text: str):
    file = SimpleUploadedFile("charges.csv", (HEAD + text).encode("utf-8-sig"))
    return desk.post("/charges/import", {"file": file})


def test_a_sheet_is_checked_then_written_and_doubles_nothing(desk, town):
    rows = "干部联络,东街道,王立新,科长,2026-01-01,2026-04-30,\n干部联络,东街道,周海燕,,2026/5/1,,督促\n领导包抓,320311002,赵书记,,2026-01-01,,\n"
    response = send(desk, rows)
    assert response.status_code == 200
    assert not Charge.objects.exists()
    draft = response.context["commit_url"]
    assert desk.post(draft).status_code == 200
    assert Charge.objects.count() == 3
    again = send(desk, rows)
    assert "没有需要写入的内容" in again.content.decode()
    book = desk.get("/charges/sheet?rows=1")
    data = io.BytesIO(b"".join(book.streaming_content)).getvalue()
    sent = desk.post("/charges/import", {"file": SimpleUploadedFile("again.xlsx", data)})
    assert sent.status_code == 200
    assert "没有需要写入的内容" in sent.content.decode()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("干部联络,外街道,王立新,,2026-01-01,,", "没有可登记的区划"),
        ("干部联络,东一社区,王立新,,2026-01-01,,", "只登记到街道"),
        ("国王,东街道,王立新,,2026-01-01,,", "类别"),
        ("干部联络,东街道,王立新,,2026-13-01,,", "无法识别"),
        ("干部联络,东街道,王立新,,2026-05-01,2026-04-01,", "早于开始日期"),
        ("干部联络,东街道,甲,,2026-01-01,,\n干部联络,东街道,乙,,2026-02-01,,", "日期重叠"),
    ],
)
def test_a_wrong_row_names_its_cell_and_nothing_is_written(desk, town, row, says):
    response = send(desk, f"{row}\n")
    assert response.status_code == 422
    assert says in response.content.decode()
    assert not Charge.objects.exists()
    assert desk.get(response.context["errors_url"]).status_code == 200


def test_the_names_of_areas_lead_from_the_district_down(town):
    from weicheng.places.templatetags.places import area_path

    assert area_path(town.east_one) == "泉山区 · 东街道 · 东一社区"
    assert areas.name_of(town.east) == "东街道"
    assert SimpleNamespace(who=Charge(name="甲").who).who == "甲"
