"""Scope is closed by default: models from the registry, addresses from the resolver, nothing by hand-picked list.

Each object answers its owner before it answers 404 to the neighbour, so that a broken page cannot pass for a
closed one. A new address with an object in it fails here until it is entered in `ADDRESSES`.
"""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from tests.pictures import photo
from weicheng.assessments.actions import confirm_board
from weicheng.assessments.appeals import Objection, file_appeal
from weicheng.assessments.boards import make_board
from weicheng.assessments.compute import compute_board
from weicheng.assessments.models import Sheet
from weicheng.cases.actions import make_link
from weicheng.cases.links import token_of
from weicheng.cases.models import HotSpot
from weicheng.documents.actions import draft_bulletin
from weicheng.evidence.actions import attach
from weicheng.evidence.uploads import begin_upload
from weicheng.inspections.actions import record_visit
from weicheng.inspections.drafts import VisitIn
from weicheng.inspections.draws import DrawIn, draw_round
from weicheng.inspections.rounds import RoundIn, plan_round
from weicheng.inspections.yellow_cards import CardIn, issue_card
from weicheng.journal.models import Entry
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.notices.models import Job, Notice
from weicheng.places import drafts
from weicheng.places.actions import issue_token
from weicheng.places.actors import NOBODY
from weicheng.places.charges import ChargeIn, set_charge
from weicheng.rules.areas import cut
from weicheng.rules.figures import Period
from weicheng.standards.actions import Head, draft_edition
from weicheng.standards.kinds import Confidence
from weicheng.ui.models import SavedView

EXEMPT = yaml.safe_load((Path(__file__).parent / "scope_exemptions.yaml").read_text())
GONE = 404


def our_models() -> list[Any]:
    return [model for model in apps.get_models() if model.__module__.startswith("weicheng.")]


def addresses() -> dict[str, str]:
    """Return every address that has an object in it: route → name (with its namespace)."""

    def walk(patterns: list[Any], prefix: str, space: str) -> Any:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
                yield from walk(pattern.url_patterns, route, inner)
            elif isinstance(pattern, URLPattern) and "<" in route:
                yield route, f"{space}{pattern.name}"

    return dict(walk(get_resolver().url_patterns, "", ""))


def test_there_are_at_most_ten_exemptions_each_with_a_reason():
    entries = [*EXEMPT["models"].items(), *EXEMPT["urls"].items()]
    assert len(entries) <= 10
    assert all(reason for _name, reason in entries)


@pytest.mark.parametrize("model", our_models(), ids=lambda model: model._meta.label)
def test_every_model_is_scoped_and_closed_to_nobody(model, db):
    if model._meta.label in EXEMPT["models"]:
        return
    assert not model.objects.visible_to(NOBODY).exists()


@pytest.fixture
def world(city):
    """One object of every kind that an address names, each owned by somebody named beside it."""
    now = timezone.now()
    made: dict[str, Any] = {}
    case = made["case"] = city.case(at=now)
    lin, zhao, qian = city.actor("Lin"), city.actor("Zhao"), city.actor("Qian")
    made["link"] = make_link(case=case, by=city.actor("Chen"), at=now)
    made["photo"] = attach(
        uid=uuid4(), owner_kind="finding", owner_uid=case.uid, purpose="before", data=photo(), filename="a.jpg",
        by=lin, at=now,
    ).attachment  # fmt: skip
    made["upload"] = uuid4()
    begin_upload(
        uid=made["upload"], owner_kind="case", owner_uid=case.uid, purpose="after", filename="b.jpg", size=999,
        by=zhao, at=now,
    )  # fmt: skip
    made["visit"], _new = record_visit(VisitIn(uid=uuid4(), area=city.east_one), by=lin, at=now)
    notify_many([NoticeDraft(key="k", kind="x", title="t", to_user_id=city.user("Chen").pk)], now)
    made["notice"] = Notice.objects.get(to_user=city.user("Chen"))
    made["job"] = Job.objects.create(kind="x", title="t", user=city.user("Chen"), at=now)
    made["token"], _secret = issue_token(post=city.posts["Chen"], by=city.actor("Chen"), at=now)
    made["view"] = SavedView.objects.create(user=city.user("Chen"), list_key="cases", name="v", query="q=1")
    head = Head(
        title="泉山日历", edition="草", source="测试", confidence=Confidence.LOCAL, in_force_from=now.date()
    )
    body = {"announced_years": [2026], "hours": [["09:00", "17:00"]], "off_days": {}, "make_up_days": {}}
    made["draft"] = draft_edition(kind="calendar", owner="320311", head=head, body=body, by=qian, at=now)
    contact = ChargeIn(kind="liaison", area=city.east, name="周强", from_on=now.date())
    made["charge"] = set_charge(given=contact, by=qian, at=now)
    for name in ("charges", "charges too"):
        made[name] = drafts.keep(b"x", "a.csv", qian.user_id)
    chapter = {"id": "x-c1", "number": "一", "title": "组织", "confidence": "local"}
    tree, own = {"sources": {}, "chapters": [chapter]}, replace(head, key="own")
    made["clauses"] = draft_edition(kind="clauses", owner="320311", head=own, body=tree, by=qian, at=now)
    today = now.date()
    plan = RoundIn(uid=uuid4(), kind="routine", title="巡查", starts_on=today, ends_on=today)
    made["round"] = plan_round(plan, by=qian, at=now)
    draw_round(made["round"], DrawIn(total=1, inspectors=(lin.key,)), version=1, by=qian, at=now)
    made["place"] = made["round"].places.get()
    made["planned"] = plan_round(replace(plan, uid=uuid4()), by=qian, at=now)
    found = city.finding(at=now, visit=made["visit"].uid).finding
    given = CardIn(uid=uuid4(), to="area", reason="垃圾堆积", findings=(found.uid,))
    made["card"] = issue_card(made["visit"], given, by=qian, at=now)
    made["spot"] = HotSpot.objects.create(
        place_key=case.place_key, category=case.category, times=2, last_on=now.date(), last_case=case, listed_at=now,
        **cut(case.area), area=case.area,
    )  # fmt: skip
    made["document"] = draft_bulletin(period=Period.month("2026-10"), by=qian, at=now)
    made["entry"] = Entry.objects.filter(district="320311").first()
    _assessed(city, made, now)
    return city, made


def _assessed(city, made, now):
    """A board of last month that is not confirmed, and this month's, shown in public with an appeal."""
    qian, this = city.actor("Qian"), Period.month(f"{timezone.localdate(now):%Y-%m}")
    board = make_board(area="320311", level="community", period=this.previous(), by=qian, at=now)
    made["board"] = compute_board(board, at=now)
    for name in ("kept", "kept too"):
        made[name] = drafts.keep("区划代码,分值\n320311001001,90".encode(), "a.csv", qian.user_id)
    shown = compute_board(make_board(area="320311", level="community", period=this, by=qian, at=now), at=now)
    made["shown"] = confirm_board(shown, base=None, by=qian, at=now)
    made["sheet"] = Sheet.objects.get(board=shown, code=city.east_one)
    made["line"] = made["sheet"].losses.filter(record=str(made["case"].uid)).first().number
    sent = Objection(uuid4(), made["line"], "不属于本社区")
    made["appeal"], _new = file_appeal(sent, sheet=made["sheet"], by=city.actor("Sun"), at=now)


# name of the address → (arguments, method, owner, neighbour)
def table(city, made):
    case, unit, draft = made["case"].uid, city.units["market"].uid, made["draft"].uid
    document = made["document"].uid
    link, token = made["link"], token_of(made["link"])
    photo_uid, upload = made["photo"].uid, made["upload"]
    sun = city.user("Sun").pk
    return {
        "journal_entry": ([made["entry"].pk], "GET", "Shen", "Qian"),
        "post_switch_to": ([city.posts["Chen"].pk], "POST", "Chen", "Wu"),
        "token_revoke": ([made["token"].pk], "POST", "Chen", "Wu"),
        "area_change": (["320311001", "rename"], "GET", "Xi", "Wu"),
        "unit": ([unit], "GET", "Chen", "Wu"),
        "unit_edit": ([unit], "GET", "Chen", "Wu"),
        "unit_close": ([unit], "GET", "Chen", "Wu"),
        "unit_merge": ([unit], "GET", "Chen", "Wu"),
        "unit_contact": ([unit], "POST", "Chen", "Wu"),
        "person": ([sun], "GET", "An", "Chen"),
        "person_edit": ([sun], "GET", "An", "Chen"),
        "person_reset": ([sun], "POST", "An", "Chen"),
        "person_active": ([sun], "POST", "An", "Chen"),
        "post_give": ([sun], "GET", "An", "Chen"),
        "post_end": ([city.posts["Sun"].pk], "GET", "An", "Chen"),
        "ui:delete_view": ([made["view"].pk], "POST", "Chen", "Wu"),
        "file": ([photo_uid, "thumb"], "GET", "Chen", "Wu"),
        "photo": ([photo_uid], "GET", "Chen", "Wu"),
        "photo_void": ([photo_uid], "POST", "Lin", "Wu"),
        "upload": ([upload], "GET", "Zhao", "Wu"),
        "upload_part": ([upload, 0], "PUT", "Zhao", "Wu"),
        "upload_finish": ([upload], "POST", "Zhao", "Wu"),
        "standards:edition": ([draft], "GET", "Qian", "Ne"),
        "standards:compare": ([draft], "GET", "Qian", "Ne"),
        "standards:body": ([draft], "GET", "Qian", "Ne"),
        "standards:copy": ([draft], "POST", "Qian", "Ne"),
        "standards:edit": ([draft], "GET", "Qian", "Ne"),
        "standards:publish": ([draft], "GET", "Qian", "Ne"),
        "charge": ([made["charge"].uid], "GET", "Qian", "Ne"),
        "charge_edit": ([made["charge"].uid], "GET", "Qian", "Ne"),
        "charge_end": ([made["charge"].uid], "GET", "Qian", "Ne"),
        "charge_hand_over": ([made["charge"].uid], "GET", "Qian", "Ne"),
        "charge_cancel": ([made["charge"].uid], "GET", "Qian", "Ne"),
        "charges_import_commit": ([made["charges"]], "POST", "Qian", "Ne"),
        "charges_import_errors": ([made["charges too"]], "GET", "Qian", "Ne"),
        "standards:discard": ([draft], "GET", "Qian", "Ne"),
        "standards:clause": ([made["clauses"].uid, "x-c1"], "GET", "Qian", "Ne"),
        "notice": ([made["notice"].pk], "GET", "Chen", "Wu"),
        "notice_read": ([made["notice"].pk], "POST", "Chen", "Wu"),
        "job": ([made["job"].uid], "GET", "Chen", "Wu"),
        "job_progress": ([made["job"].uid], "GET", "Chen", "Wu"),
        "case": ([case], "GET", "Chen", "Wu"),
        "case_print": ([case], "GET", "Chen", "Wu"),
        "case_step": ([case, "note"], "POST", "Chen", "Wu"),
        "case_link_make": ([case], "POST", "Chen", "Wu"),
        "case_link_revoke": ([case, link.uid], "POST", "Chen", "Wu"),
        "case_link_qr": ([case, link.uid], "GET", "Chen", "Wu"),
        "case_link": ([token], "GET", None, "forged"),
        "case_link_step": ([token, "note"], "POST", None, "forged"),
        "case_split": ([case], "GET", "Chen", "Wu"),
        "hot_spot": ([made["spot"].uid], "GET", "Chen", "Wu"),
        "hot_spot_guard": ([made["spot"].uid], "POST", "Chen", "Wu"),
        "hot_spot_off": ([made["spot"].uid], "POST", "Chen", "Wu"),
        "visit": ([made["visit"].uid], "GET", "Chen", "Wu"),
        "card_new": ([made["visit"].uid], "GET", "Qian", "Ne"),
        "yellow_card": ([made["card"].uid], "GET", "Sun", "Wu"),
        "round": ([made["round"].uid], "GET", "Qian", "Ne"),
        "round_edit": ([made["planned"].uid], "GET", "Qian", "Chen"),
        "round_draw": ([made["round"].uid], "GET", "Qian", "Chen"),
        "draw_file": ([made["round"].uid, 1], "GET", "Qian", "Ne"),
        "round_publish": ([made["round"].uid], "GET", "Qian", "Chen"),
        "round_place": ([made["place"].uid], "GET", "Lin", "Ne"),
        "round_assign": ([made["place"].uid], "GET", "Qian", "Ne"),
        "visit_end": ([made["visit"].uid], "POST", "Lin", "Wu"),
        "visit_answers": ([made["visit"].uid], "POST", "Lin", "Wu"),
        "visit_answers_file": ([made["visit"].uid], "GET", "Chen", "Wu"),
        "visit_sheet": ([made["visit"].uid], "GET", "Chen", "Wu"),
        "assessments:board": ([made["board"].uid], "GET", "Qian", "Chen"),
        "assessments:board_compute": ([made["board"].uid], "POST", "Qian", "Chen"),
        "assessments:board_confirm": ([made["board"].uid], "GET", "Qian", "Chen"),
        "assessments:board_publish": ([made["shown"].uid], "GET", "Qian", "Chen"),
        "assessments:board_beside": ([made["shown"].uid], "POST", "Qian", "Chen"),
        "assessments:entries": ([made["board"].uid], "GET", "Qian", "Chen"),
        "assessments:entries_sheet": ([made["board"].uid], "GET", "Qian", "Chen"),
        "assessments:entries_import": ([made["board"].uid], "GET", "Qian", "Chen"),
        "assessments:entries_import_commit": ([made["board"].uid, made["kept"]], "POST", "Qian", "Chen"),
        "assessments:entries_import_errors": ([made["board"].uid, made["kept too"]], "GET", "Qian", "Chen"),
        "assessments:sheet": ([made["sheet"].uid], "GET", "Sun", "Ne"),
        "assessments:appeal_new": ([made["sheet"].uid, made["line"]], "GET", "Sun", "Wu"),
        "assessments:appeal": ([made["appeal"].uid], "GET", "Sun", "Wu"),
        "assessments:appeal_photos": ([made["appeal"].uid], "POST", "Sun", "Wu"),
        "assessments:appeal_decide": ([made["appeal"].uid], "POST", "Qian", "Wu"),
        "document": ([document], "GET", "Qian", "Chen"),
        "document_words": ([document], "GET", "Qian", "Chen"),
        "document_count": ([document], "POST", "Qian", "Chen"),
        "document_redraft": ([document], "POST", "Qian", "Chen"),
        "document_act": ([document, "check"], "GET", "Li", "Chen"),
        "document_file": ([document], "GET", "Qian", "Chen"),
        "document_picture": ([document, 0], "GET", "Qian", "Chen"),
        "document_version": ([document, 1], "GET", "Qian", "Chen"),
        "api:detail": ([case], "GET", "Chen", "Wu"),
        "api:add_photo": ([case], "PHOTO", "Zhao", "Wu"),
        "api:step": ([case], "STEP", "Chen", "Wu"),
        "api:answers_of": ([made["visit"].uid], "GET", "Chen", "Wu"),
    }


# A power that the post lacks altogether is told as such: 403 says nothing about the object.
REFUSED = (GONE, 403)


def ask(city, who, route, arguments, method):
    queue = [str(argument) for argument in arguments]
    path = "/" + re.sub(r"<[^>]+>", lambda _match: queue.pop(0), route)
    if route.startswith("api/"):
        _token, secret = issue_token(post=city.posts[who], by=city.actor(who), at=timezone.now())
        headers = {"Authorization": f"Bearer {secret}"}
        client = Client()
        if method == "PHOTO" or "photos" in route:
            data = {"uid": str(uuid4()), "photo": SimpleUploadedFile("a.jpg", photo(), "image/jpeg")}
            return client.post(path, data, headers=headers).status_code
        if "steps" in route:
            return client.post(
                path, {"move": "note", "note": "看"}, "application/json", headers=headers
            ).status_code
        return client.get(path, headers=headers).status_code
    client = city.client(who) if who else Client()
    if method == "PUT":
        return client.put(path, b"x" * 999, "application/octet-stream").status_code
    return getattr(client, method.lower())(path).status_code


def test_every_address_with_an_object_is_in_the_table():
    missing = set(addresses().values()) - set(ADDRESS_NAMES) - set(EXEMPT["urls"])
    assert not missing, f"enter these addresses in the table of {__name__}: {sorted(missing)}"


ADDRESS_NAMES = [
    "journal_entry",
    "post_switch_to",
    "token_revoke",
    "area_change",
    "unit",
    "unit_edit",
    "unit_close",
    "unit_merge",
    "unit_contact",
    "person",
    "person_edit",
    "person_reset",
    "person_active",
    "post_give",
    "post_end",
    "ui:delete_view",
    "file",
    "photo",
    "photo_void",
    "upload",
    "upload_part",
    "upload_finish",
    "standards:edition",
    "standards:compare",
    "standards:body",
    "standards:copy",
    "standards:edit",
    "standards:publish",
    "charge",
    "charge_edit",
    "charge_end",
    "charge_hand_over",
    "charge_cancel",
    "charges_import_commit",
    "charges_import_errors",
    "standards:discard",
    "standards:clause",
    "notice",
    "notice_read",
    "job",
    "job_progress",
    "case",
    "case_print",
    "case_step",
    "case_link_make",
    "case_link_revoke",
    "case_link_qr",
    "case_link",
    "case_link_step",
    "case_split",
    "hot_spot",
    "hot_spot_guard",
    "hot_spot_off",
    "visit",
    "card_new",
    "yellow_card",
    "round",
    "round_edit",
    "round_draw",
    "draw_file",
    "round_publish",
    "round_place",
    "round_assign",
    "visit_end",
    "visit_answers",
    "visit_answers_file",
    "visit_sheet",
    "assessments:board",
    "assessments:board_compute",
    "assessments:board_confirm",
    "assessments:board_publish",
    "assessments:board_beside",
    "assessments:entries",
    "assessments:entries_sheet",
    "assessments:entries_import",
    "assessments:entries_import_commit",
    "assessments:entries_import_errors",
    "assessments:sheet",
    "assessments:appeal_new",
    "assessments:appeal",
    "assessments:appeal_photos",
    "assessments:appeal_decide",
    "document",
    "document_words",
    "document_count",
    "document_redraft",
    "document_act",
    "document_file",
    "document_picture",
    "document_version",
    "api:detail",
    "api:add_photo",
    "api:step",
    "api:answers_of",
]


def test_each_object_answers_its_owner_and_then_is_not_there_for_the_neighbour(world):
    city, made = world
    rows = table(city, made)
    wrong = []
    # The link first: another row of the table revokes it.
    for route, name in sorted(
        addresses().items(), key=lambda pair: rows.get(pair[1], (0, 0, ""))[2] is not None
    ):
        if {name, route} & set(EXEMPT["urls"]):
            continue
        arguments, method, owner, neighbour = rows[name]
        if owner is None:
            assert ask(city, None, route, arguments, method) in (200, 302, 422), name
            forged = [str(arguments[0])[:-3] + "xxx", *arguments[1:]]
            assert ask(city, None, route, forged, method) == 403, name
            continue
        foreign = ask(city, neighbour, route, arguments, method)
        own = ask(city, owner, route, arguments, method)
        if own >= 500 or own in REFUSED:
            wrong.append(f"{name}: the owner {owner} was answered {own}")
        if foreign not in REFUSED:
            wrong.append(f"{name}: the neighbour {neighbour} was answered {foreign}")
    assert not wrong, "\n".join(wrong)


def test_foreign_and_absent_answer_alike(world):
    city, made = world
    wu = city.client("Wu")
    for path in ("/cases/{}", "/visits/{}", "/units/{}", "/files/{}/thumb", "/photos/{}"):
        uid = {"/units/{}": city.units["market"].uid, "/visits/{}": made["visit"].uid}.get(
            path, made["case"].uid
        )
        if "files" in path or "photos" in path:
            uid = made["photo"].uid
        foreign, absent = wu.get(path.format(uid)), wu.get(path.format(uuid4()))
        assert foreign.status_code == absent.status_code == GONE
        assert len(foreign.content) == len(absent.content)


def test_a_batch_page_takes_only_the_own_cases(world):
    city, made = world
    answer = city.client("Wu").post("/cases/batch/dispatch", {"ids": [made["case"].pk]})
    assert answer.status_code == 422
    assert made["case"].title not in answer.content.decode()


def test_the_holder_of_a_link_reaches_the_one_case_and_nothing_else(world, client):
    city, made = world
    other = city.case(at=timezone.now() - timedelta(minutes=1))
    token = token_of(made["link"])
    assert client.get(f"/l/{token}").status_code == 200  # leaves the cookie
    assert client.get(f"/files/{made['photo'].uid}/thumb").status_code == 200
    for path in (
        "/cases/",
        f"/cases/{other.uid}",
        f"/cases/{made['case'].uid}",
        "/",
        "/units",
        "/figures/",
        "/map",
    ):
        assert client.get(path).status_code in (302, 403, 404), path
