"""The load: the story done again by the real verbs, on an empty installation."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.contrib.auth.hashers import check_password
from django.db import transaction

from weicheng.assessments.models import Board, Loss
from weicheng.cases.actions import Step, take_steps
from weicheng.cases.models import Case, Event
from weicheng.demo import pictures, words
from weicheng.demo.accounts import accounts, password
from weicheng.demo.load import Summary, load_demo
from weicheng.documents.actions import file_of
from weicheng.documents.models import Document
from weicheng.evidence import copies
from weicheng.evidence.actions import Capture, attach
from weicheng.evidence.models import Attachment, StoredFile
from weicheng.indicators.figures import figures
from weicheng.inspections.models import Answer, Draw, Finding, Round, Visit
from weicheng.journal import site
from weicheng.journal.models import Entry
from weicheng.notices.models import Notice
from weicheng.places.actor import Actor
from weicheng.places.actors import actor_of
from weicheng.places.charges import in_charge
from weicheng.places.models import Area, Post, Unit, User
from weicheng.places.roles import ADMINISTRATORS, Role
from weicheng.rules.cases import Move
from weicheng.rules.digests import digest
from weicheng.rules.draws import differences
from weicheng.rules.figures import Period
from weicheng.rules.moments import ZONE

AT = datetime(2026, 11, 23, 10, 40, tzinfo=ZONE)
SEED = 7


@dataclass
class Demo:
    made: Summary
    files: Path


def load(**changes: Any) -> Summary:
    site.forget()
    given: dict[str, Any] = {
        "area": "320311",
        "seed": SEED,
        "at": AT,
        "months": 1,
        "progress": lambda _line: None,
    }
    return load_demo(**given | changes)


@pytest.fixture(scope="module")
def loaded(django_db_setup: Any, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Demo]:
    """One month, loaded once for the whole file and taken back at its end."""
    before, site_settings.FILES = site_settings.FILES, tmp_path_factory.mktemp("demo") / "files"
    with django_db_blocker.unblock():
        with transaction.atomic():
            yield Demo(load(), site_settings.FILES)
            transaction.set_rollback(True)
        site.forget()
    site_settings.FILES = before


@pytest.fixture
def demo(loaded: Demo, db: Any, settings: Any) -> Demo:
    settings.FILES = loaded.files
    return loaded


def actor(login: str) -> Actor:
    return actor_of(Post.objects.select_related("user", "unit").get(user__login=login))


def month() -> Period:
    return Period((AT - timedelta(days=40)).date(), AT.date(), "近四十天")


def test_a_month_has_its_twelfth_of_the_year(demo):
    assert (demo.made.findings, demo.made.visits) == (333, 55)
    wholes = Case.objects.filter(parent__isnull=True)
    assert demo.made.cases == wholes.count() == Finding.objects.count()
    assert demo.made.overdue > 5


def test_loading_again_changes_nothing(demo):
    before = (Case.objects.count(), Entry.objects.count())
    assert load() == demo.made
    assert (Case.objects.count(), Entry.objects.count()) == before


def test_all_times_are_in_order(demo):
    for case in Case.objects.prefetch_related("finding", "events"):
        events = list(case.events.all())
        if case.parent_id is None:
            assert case.finding.found_at <= case.finding.received_at == case.opened_at
        moments = [event.at for event in events]
        assert moments[0] == case.opened_at
        assert moments == sorted(moments)
        assert moments[-1] <= AT
        assert [event.number for event in events] == list(range(1, len(events) + 1))
        assert case.version == len(events)
    assert not Visit.objects.filter(ended_at__gt=AT).exists()


def test_nobody_verified_their_own_work(demo):
    looked = Event.objects.filter(move__in=[Move.PASS, Move.FAIL]).select_related("case")
    assert looked.exists()
    assert all(event.by_key not in event.case.handler_keys for event in looked)


def test_every_hand_in_has_its_after_photo_of_the_round(demo):
    for event in Event.objects.filter(move=Move.HAND_IN).select_related("case"):
        received = Attachment.objects.of("case", event.case.uid).filter(purpose="after", at__lte=event.at)
        assert received.exists()
        assert received.order_by("-at").first().by_key == event.by_key


def test_every_stored_digest_holds_and_every_file_is_there(demo):
    for model in (Event, Attachment, Entry):
        assert all(
            digest(bytes(body)) == stored for body, stored in model.objects.values_list("body", "digest")
        )
    assert all(copies.check_digest(stored) for stored in StoredFile.objects.all()[:40])
    stored = StoredFile.objects.first()
    assert b"".join(copies.open_copy(stored, "thumb", at=AT)).startswith(b"\xff\xd8")


def test_a_demo_photo_is_the_row_that_the_verb_would_have_made(demo):
    row = (
        Attachment.objects.filter(owner_kind="finding", photo_lon__isnull=False)
        .select_related("stored")
        .first()
    )
    by = actor_of(Post.objects.select_related("user", "unit").get(pk=row.post_id))
    data = b"".join(copies.open_original(row.stored))
    # The same capture under another uid: `attach` finds the bytes known and says so, all else must agree.
    capture = Capture(
        device_at=row.device_at, lon=row.lon, lat=row.lat, accuracy_m=row.accuracy_m, datum=row.datum
    )
    other = attach(
        uid=uuid.uuid4(), owner_kind=row.owner_kind, owner_uid=row.owner_uid, purpose=row.purpose, data=data,
        filename=row.filename, capture=capture, by=by, at=row.at,
    ).attachment  # fmt: skip
    differ = {"id", "uid", "body", "digest"}
    for field in Attachment._meta.concrete_fields:
        if field.attname not in differ:
            assert getattr(other, field.attname) == getattr(row, field.attname), field.attname
    assert _said(other) == _said(row)


def _said(row: Attachment) -> dict[str, Any]:
    """Return what the digest covers, moments as moments: the same one may be spelled in two zones."""
    body = json.loads(bytes(row.body))
    moments = {
        key: datetime.fromisoformat(value) for key, value in body.items() if key.endswith("_at") and value
    }
    return body | moments | {"uid": ""}


def test_a_stored_file_is_the_row_that_the_verb_would_have_made_but_already_looked_at(demo):
    old = Attachment.objects.filter(owner_kind="finding").select_related("stored").first()
    by = actor_of(Post.objects.select_related("user", "unit").get(pk=old.post_id))
    data, _said = pictures.unique(pictures.drawing("pole", 0, clean=False), "new", AT, None, None)
    new = attach(
        uid=uuid.uuid4(), owner_kind="finding", owner_uid=old.owner_uid, purpose="before", data=data,
        filename="a.jpg", by=by, at=AT,
    ).attachment.stored  # fmt: skip
    for name in ("media_type", "width", "height", "sensitive", "sealed_key", "wrapped_key", "broken_at"):
        assert getattr(new, name) == getattr(old.stored, name), name
    assert old.stored.checked_at is not None


def test_what_the_clock_did_is_not_done_again(demo):
    from weicheng.cases import clock

    assert clock.tick(AT) == 0
    assert Event.objects.filter(move=Move.OVERDUE).exists()
    late = Event.objects.filter(move=Move.OVERDUE).first()
    assert late.at == datetime.fromisoformat(late.detail["due_at"]) + timedelta(seconds=1)


def test_notices_are_of_the_last_days_and_the_older_ones_are_read(demo):
    assert not Event.objects.filter(delivered=False).exists()
    assert Notice.objects.filter(at__gte=AT - timedelta(days=15)).count() == Notice.objects.count() > 50


def test_every_account_signs_in_and_no_name_is_from_elsewhere(demo, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]  # as it was loaded with
    listed = accounts()
    assert {"demo-qu", "demo-ducha1", "demo-jiedao1", "demo-shenji"} <= {one.login for one in listed}
    user = User.objects.get(login="demo-qu")
    assert check_password(password(), user.password)
    assert not User.objects.filter(must_change_password=True).exists()
    for name in User.objects.values_list("name", flat=True):
        assert name[0] in words.SURNAMES
        assert set(name[1:]) <= set(words.GIVEN)
    contact = Unit.objects.exclude(contact_masked="").first()
    assert "*" in contact.contact_masked


def test_altering_one_record_changes_the_figure(demo):
    by = actor("demo-qu")
    before = figures(actor=by, area="320311", period=month(), as_of=AT)
    case = Case.objects.filter(state="handed_in").exclude(handlers__contains=by.key).first()
    take_steps([Step(case.uid, Move.PASS, by)], at=AT)
    after = figures(actor=by, area="320311", period=month(), as_of=AT)
    assert after["closed"].value == before["closed"].value + 1
    assert after["open"].value == before["open"].value - 1


def test_every_round_was_drawn_and_can_be_drawn_again_by_anybody(demo):
    assert Round.objects.filter(kind="monthly").exists()
    assert Draw.objects.count() == Round.objects.count()
    for draw in Draw.objects.all():
        assert differences(json.loads(bytes(draw.body))) == []
    for visit in Visit.objects.filter(round__isnull=False).select_related("round_place"):
        assert visit.by_key == visit.round_place.inspector_key


def test_a_check_list_is_answered_line_by_line_and_what_failed_is_a_finding(demo):
    sheets = Visit.objects.filter(checklist_edition__isnull=False, ended_at__isnull=False)
    assert sheets.count() > 10
    for visit in sheets.prefetch_related("answers__finding"):
        assert len(visit.answers.all()) == 11
        for answer in visit.answers.all():
            opened = answer.result in ("fail", "partly") and not visit.hidden
            assert (answer.finding is not None) == opened
    assert not Finding.objects.exclude(item="").filter(answer__isnull=True).exists()
    assert Answer.objects.filter(result="pass").count() > Answer.objects.exclude(result="pass").count()


def test_the_present_unannounced_round_is_there_for_those_who_carry_it_out_only(demo):
    hidden = Round.objects.get(kind="unannounced", state__in=("drawn", "running"))
    seen = {
        login: (
            Round.objects.visible_to(actor(login)).filter(pk=hidden.pk).exists(),
            Visit.objects.visible_to(actor(login)).filter(round=hidden).exists(),
        )
        for login in ("demo-qu", "demo-ducha1", "demo-jiedao1", "demo-shequ1", "demo-lingdao")
    }
    assert seen["demo-qu"] == (True, True)
    assert seen["demo-ducha1"][0]
    assert {seen[login] for login in ("demo-jiedao1", "demo-shequ1", "demo-lingdao")} == {(False, False)}
    assert Answer.objects.filter(visit__round=hidden).exclude(result="pass").exists()
    assert not Finding.objects.filter(visit__round=hidden).exists()


def test_the_last_month_is_published_and_the_present_one_waits(demo):
    states = dict(Board.objects.filter(level="street").values_list("period", "state"))
    assert states == {"2026-10": "published", "2026-11": "computed"}
    board = Board.objects.get(period="2026-10")
    streets = [code for code in Area.objects.values_list("pk", flat=True) if len(code) == 9]
    assert sorted(board.sheets.values_list("code", flat=True)) == sorted(streets)
    assert Loss.objects.filter(sheet__board=board, record_kind="finding").exists()


def test_bulletins_go_through_three_hands(demo):
    bulletins = list(Document.objects.order_by("period_start"))
    assert [one.state for one in bulletins] == ["issued", "checked"]
    first = bulletins[0]
    assert first.serial == 1
    assert len({first.drafter_name, first.checker_name, first.issuer_name}) == 3
    assert file_of(first, at=AT)[:2] == b"PK"


def test_a_leader_and_one_liaison_are_in_charge_of_each_street(demo):
    for code in Area.objects.filter(pk__startswith="320311").values_list("pk", flat=True):
        if len(code) == 9:
            kinds = [one.kind for one in in_charge(code, AT.date())]
            assert sorted(kinds) == ["leader", "liaison"]


def test_two_units_share_one_case(demo):
    whole = Case.objects.get(state="split")
    assert whole.pieces == whole.parts.count() == 2
    assert whole.parts.values("responsible").distinct().count() == 2


def test_two_streets_stand_out_by_what_is_late(demo):
    late = (
        Case.objects.filter(open=True, due_at__lt=AT)
        .exclude(state="handed_in")
        .values_list("street", flat=True)
    )
    share = {street: list(late).count(street) for street in set(late)}
    worst = sorted(share.values(), reverse=True)
    assert sum(worst[:2]) > 0.4 * sum(worst)


def test_there_is_something_to_do_in_every_state_that_today_shows(demo):
    states = set(Case.objects.values_list("state", flat=True))
    assert states >= {"filed", "dispatched", "handling", "handed_in", "closed", "cancelled"}
    mine = {
        login: Case.objects.visible_to(actor(login))
        for login in ("demo-jiedao1", "demo-danwei1", "demo-ducha1")
    }
    assert all(cases.filter(open=True).exists() for cases in mine.values())
    for role in Role:
        assert Post.objects.filter(role=role.value).exists(), role


@pytest.mark.parametrize("role", list(Role))
def test_the_first_page_of_every_role_has_something_to_do(demo, client, monkeypatch, role):
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)
    post = Post.objects.filter(role=role.value).select_related("user").order_by("id").first()
    client.force_login(post.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/")
    assert answer.status_code == 200
    if role not in ADMINISTRATORS:
        assert sum(block.count for block in answer.context["blocks"]) > 0
