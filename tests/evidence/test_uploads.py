"""Parts come in any order, twice, after a kill; the file is attached once and whole."""

import json
import uuid
from datetime import timedelta

import pytest

from tests.evidence.samples import NOW, attach, jpeg, on_disk, rows
from weicheng.evidence import actions, copies, storage, uploads
from weicheng.evidence.models import Attachment, StoredFile, Upload, UploadPart
from weicheng.journal.models import Entry
from weicheng.rules.errors import ConflictError, MissingError, RuleError

pytestmark = pytest.mark.django_db

PART = 16 * 1024
DATA = jpeg(size=(900, 700), quality=97) + bytes(3 * PART)  # four parts and a bit


@pytest.fixture(autouse=True)
def _small_parts(settings):
    settings.UPLOAD_PART_KB = 16


def begin(town, owner, **more):
    given = {
        "uid": uuid.uuid4(),
        "owner_kind": "box",
        "owner_uid": owner.uid,
        "purpose": "before",
        "filename": "IMG_1.jpg",
        "size": len(DATA),
        "by": town.chen,
        "at": NOW,
    }
    return uploads.begin_upload(**(given | more))


def part_of(number: int, data: bytes = DATA) -> bytes:
    return data[number * PART : (number + 1) * PART]


def put(town, status, number, data=None, **more):
    given = {"uid": status.uid, "number": number, "data": part_of(number) if data is None else data}
    return uploads.put_part(**(given | {"by": town.chen, "at": NOW} | more))


def finish(town, status):
    return uploads.finish_upload(uid=status.uid, by=town.chen, at=NOW)


def test_parts_in_any_order_and_twice_make_one_whole_file(town, files):
    status = begin(town, town.box(), sha256=storage.digest_of(DATA).upper(), caption="门口")
    assert status.part_count == -(-len(DATA) // PART)
    for number in [*reversed(range(status.part_count)), 0, 2]:
        latest = put(town, status, number)
    assert latest.missing == ()
    done = finish(town, status)
    assert done.created
    assert done.attachment.uid == status.uid
    assert done.attachment.caption == "门口"
    assert b"".join(copies.open_original(done.attachment.stored)) == DATA
    assert on_disk(files) == [f"{done.attachment.stored.sha256[:2]}/{done.attachment.stored.sha256[2:]}"]
    again = finish(town, status)
    assert (again.created, again.attachment) == (False, done.attachment)
    assert begin(town, done.attachment, uid=status.uid, owner_uid=done.attachment.owner_uid,
                 sha256=storage.digest_of(DATA)).finished  # fmt: skip
    assert Entry.objects.filter(verb="attachment.add").count() == 1
    assert UploadPart.objects.count() == 0


def test_missing_parts_are_named_and_the_upload_goes_on(town):
    status = begin(town, town.box())
    for number in range(status.part_count):
        if number not in (1, 3):
            put(town, status, number)
    with pytest.raises(RuleError, match="parts-missing") as refusal:
        finish(town, status)
    assert refusal.value.values["numbers"] == [1, 3]
    assert uploads.upload_status(uid=status.uid, by=town.chen).missing == (1, 3)
    put(town, status, 1)
    put(town, status, 3)
    assert finish(town, status).created


def test_a_part_lost_from_the_disk_is_asked_for_again(town, files):
    status = begin(town, town.box())
    for number in range(status.part_count):
        put(town, status, number)
    next(path for path in storage.upload_folder(status.uid).iterdir() if path.name.startswith("2-")).unlink()
    with pytest.raises(RuleError) as refusal:
        finish(town, status)
    assert refusal.value.values["numbers"] == [2]
    put(town, status, 2)
    assert finish(town, status).created


def test_the_same_part_with_other_content_is_a_conflict_and_changes_nothing(town, files):
    status = begin(town, town.box())
    put(town, status, 0)
    before = rows(), on_disk(files)
    with pytest.raises(ConflictError, match="part-conflict"):
        put(town, status, 0, bytes(PART))
    assert (rows(), on_disk(files)) == before


@pytest.mark.parametrize(
    ("number", "data", "code"),
    [(99, b"x", "part-number"), (-1, b"x", "part-number"), (0, b"x", "part-size"), (0, b"", "part-size")],
)
def test_a_part_that_cannot_belong_is_refused(town, files, number, data, code):
    status = begin(town, town.box())
    before = rows(), on_disk(files)
    with pytest.raises(RuleError, match=code):
        put(town, status, number, data)
    assert (rows(), on_disk(files)) == before


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"size": 0}, "empty"),
        ({"size": 60 * 1024 * 1024}, "too-large"),
        ({"sha256": "abc"}, "digest-form"),
        ({"purpose": "x"}, "purpose"),
        ({"owner_kind": "nothing"}, "no-owner"),
        ({"owner_uid": uuid.uuid4()}, "no-box"),
    ],
)
def test_what_could_never_be_attached_is_refused_before_the_first_byte(town, files, more, code):
    before = rows()
    with pytest.raises(RuleError, match=code):
        begin(town, town.box(), **more)
    assert (rows(), on_disk(files)) == (before, [])


def test_a_uid_is_one_upload(town):
    box = town.box()
    status = begin(town, box)
    put(town, status, 0)
    assert begin(town, box, uid=status.uid).have == (0,)
    with pytest.raises(ConflictError, match="upload-conflict"):
        begin(town, box, uid=status.uid, size=len(DATA) + 1)
    sent = attach(town, box).attachment
    with pytest.raises(ConflictError, match="photo-conflict"):
        begin(town, box, uid=sent.uid)


def test_an_upload_is_its_senders_alone(town):
    status = begin(town, town.box())
    for call in (
        lambda: uploads.upload_status(uid=status.uid, by=town.leader),
        lambda: put(town, status, 0, by=town.leader),
        lambda: uploads.finish_upload(uid=status.uid, by=town.leader, at=NOW),
    ):
        with pytest.raises(MissingError, match="no-upload"):
            call()


def test_a_whole_that_differs_from_its_digest_is_sent_again(town, files):
    status = begin(town, town.box(), sha256="0" * 64)
    for number in range(status.part_count):
        put(town, status, number)
    with pytest.raises(RuleError, match="digest-mismatch"):
        finish(town, status)
    assert uploads.upload_status(uid=status.uid, by=town.chen).have == ()
    assert Attachment.objects.count() == 0
    assert on_disk(files) == []


def test_parts_that_make_no_photo_are_given_up(town, files):
    text = b"<html>" + bytes(PART)
    status = begin(town, town.box(), size=len(text))
    for number in range(status.part_count):
        put(town, status, number, part_of(number, text))
    with pytest.raises(RuleError, match="disguised"):
        finish(town, status)
    assert (Upload.objects.count(), on_disk(files)) == (0, [])


def test_sealed_parts_never_lie_open_on_the_disk(town, files, monkeypatch):
    seen = []
    put_file = storage.put

    def watched(*args, **kwargs):
        put_file(*args, **kwargs)
        seen.extend(path.read_bytes() for path in files.rglob("*") if path.is_file())

    monkeypatch.setattr(storage, "put", watched)
    status = begin(town, town.box(), sensitive=True)
    for number in range(status.part_count):
        put(town, status, number)
    done = finish(town, status)
    assert b"".join(copies.open_original(done.attachment.stored)) == DATA
    assert seen
    assert not any(DATA[:200] in content or b"JFIF" in content for content in seen)


class Killed(BaseException):
    """The process ends here: nothing after it runs, nothing catches it."""


def test_killed_between_file_and_commit_nothing_is_half_and_the_next_try_is_whole(town, files, monkeypatch):
    box, uid = town.box(), uuid.uuid4()
    before = rows()

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(actions.journal, "record", killed)
        with pytest.raises(Killed):
            attach(town, box, uid=uid)
    assert rows() == before
    assert len(on_disk(files)) == 1  # a file without a row: harmless
    done = attach(town, box, uid=uid)
    assert done.created
    assert copies.check_digest(done.attachment.stored)


def test_killed_while_writing_no_half_file_stands_under_its_digest(town, files, monkeypatch):
    def killed(*args):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(storage.os, "replace", killed)
        with pytest.raises(Killed):
            attach(town, town.box())
    assert StoredFile.objects.count() == 0
    assert on_disk(files) == []


def test_killed_between_part_file_and_its_row_the_part_is_sent_again(town, monkeypatch):
    status = begin(town, town.box())

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(UploadPart.objects, "create", killed)
        with pytest.raises(Killed):
            put(town, status, 0)
    for number in uploads.upload_status(uid=status.uid, by=town.chen).missing:
        put(town, status, number)
    assert finish(town, status).created


def test_killed_after_the_attachment_was_committed_finishing_again_gives_it(town, files, monkeypatch):
    status = begin(town, town.box())
    for number in range(status.part_count):
        put(town, status, number)

    def killed(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "_close", killed)
        with pytest.raises(Killed):
            finish(town, status)
    done = finish(town, status)
    assert (done.created, Attachment.objects.count()) == (False, 1)
    assert len(on_disk(files)) == 1


def test_the_sweep_removes_orphans_and_nothing_else(town, files):
    kept = attach(town, town.box()).attachment.stored
    sealed = attach(town, town.box(), sensitive=True).attachment.stored
    list(copies.open_copy(kept, "thumb", at=NOW))
    before = on_disk(files)
    storage.put(b"orphan", storage.original_path("ab" + "0" * 62))
    storage.put(b"orphan", storage.sealed_path(uuid.uuid4()))
    storage.put(b"orphan", storage.derived_path(uuid.uuid4(), "thumb"))
    storage.put_part(uuid.uuid4(), "0-x", b"orphan")
    storage.draft_path().write_bytes(b"half")
    from django.utils import timezone

    now = timezone.now()
    assert storage.sweep_orphans(timedelta(days=1), at=now) == 0
    assert storage.sweep_orphans(timedelta(0), at=now + timedelta(seconds=5)) == 5
    assert on_disk(files) == before
    assert copies.check_digest(kept)
    assert copies.check_digest(sealed)


def test_a_sweep_that_was_killed_gives_back_what_it_held(town, files):
    stored = attach(town, town.box()).attachment.stored
    path = copies.original_path(stored)
    (files / "aside").mkdir()
    path.rename(files / "aside" / f"{stored.sha256[:2]}-{stored.sha256[2:]}")
    storage.sweep_orphans(timedelta(days=1), at=NOW)
    assert copies.check_digest(stored)


def test_a_file_whose_row_is_committed_during_the_sweep_stays(town, files):
    stored = attach(town, town.box()).attachment.stored
    path = copies.original_path(stored)
    # The sweep saw no row a moment ago; asked again with the file aside, there is one.
    from django.utils import timezone

    assert storage._sweep_file(path, timezone.now() + timedelta(hours=1), lambda: True) == 0
    assert copies.check_digest(stored)


def test_uploads_are_kept_seven_days(town, files):
    old = begin(town, town.box(), at=NOW - timedelta(days=7, seconds=1))
    put(town, old, 0)
    young = begin(town, town.box(), at=NOW - timedelta(days=7))
    put(town, young, 0)
    assert uploads.sweep_uploads(at=NOW) == 1
    with pytest.raises(MissingError):
        uploads.upload_status(uid=old.uid, by=town.chen)
    assert uploads.upload_status(uid=young.uid, by=town.chen).have == (0,)
    assert len(on_disk(files)) == 1


def test_after_the_sweep_the_uid_still_answers_for_what_was_attached(town):
    box = town.box()
    status = begin(town, box)
    for number in range(status.part_count):
        put(town, status, number)
    finish(town, status)
    uploads.sweep_uploads(at=NOW + timedelta(days=8))
    assert begin(town, box, uid=status.uid).finished


def test_open_uploads_of_one_sender_are_limited(town, monkeypatch):
    monkeypatch.setattr(uploads, "OPEN_UPLOADS_PER_SENDER", 2)
    box = town.box()
    for _n in range(2):
        begin(town, box)
    with pytest.raises(RuleError, match="too-many-uploads"):
        begin(town, box)


# --- over HTTP -----------------------------------------------------------------------------------


def announce(client, box, **more):
    given = {
        "uid": str(uuid.uuid4()),
        "owner_kind": "box",
        "owner_uid": str(box.uid),
        "purpose": "before",
        "filename": "IMG_1.jpg",
        "size": len(DATA),
        "device_at": "2026-11-22T10:29:00+08:00",
        "lon": 117.1857,
        "lat": "34.26",
        "accuracy_m": 8,
    }
    return client.post("/uploads", json.dumps(given | more), content_type="application/json")


def test_the_pages_script_sends_begins_resumes_and_finishes(town, client):
    client.force_login(town.chen_user)
    told = announce(client, town.box()).json()
    address = f"/uploads/{told['uid']}"
    for number in range(told["part_count"]):
        reply = client.put(
            f"{address}/parts/{number}", part_of(number), content_type="application/octet-stream"
        )
        assert reply.status_code == 200
    assert client.get(address).json()["have"] == list(range(told["part_count"]))
    done = client.post(f"{address}/finish")
    assert done.status_code == 201
    assert client.get(done.json()["thumb_url"]).status_code == 200
    assert client.post(f"{address}/finish").status_code == 200
    row = Attachment.objects.get()
    assert (str(row.lon), str(row.lat), str(row.accuracy_m)) == ("117.1857000", "34.2600000", "8.0")


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"uid": "x"}, 422, "field"),
        ({"size": "many"}, 422, "field"),
        ({"size": True}, 422, "field"),
        ({"lon": "east"}, 422, "field"),
        ({"lon": "NaN"}, 422, "field"),
        ({"device_at": "yesterday"}, 422, "field"),
        ({"device_at": "2026-13-40T00:00:00"}, 422, "field"),
        ({"device_at": "2026-11-22T10:29:00"}, 422, "naive-moment"),
        ({"owner_uid": str(uuid.uuid4())}, 404, "no-box"),
        ({"size": 60 * 1024 * 1024}, 422, "too-large"),
    ],
)
def test_a_bad_announcement_is_answered_with_a_code_and_a_sentence(town, client, more, status, code):
    client.force_login(town.chen_user)
    before = rows()
    reply = announce(client, town.box(), **more)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.json()["sentence"].endswith("。")
    assert rows() == before


def test_what_is_no_json_nobody_and_too_large_a_part_are_refused(town, client):
    assert announce(client, town.box()).status_code == 401
    client.force_login(town.chen_user)
    for body in ("{", "[]", "\xff", "[" * 100_000):
        assert client.post("/uploads", body, content_type="application/json").json()["code"] == "json"
    told = announce(client, town.box()).json()
    reply = client.put(
        f"/uploads/{told['uid']}/parts/0", bytes(PART + 1), content_type="application/octet-stream"
    )
    assert reply.json()["code"] == "part-too-large"
    foreign = client.get(f"/uploads/{uuid.uuid4()}")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "no-upload")
