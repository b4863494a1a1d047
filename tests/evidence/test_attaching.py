"""A file is kept once, byte for byte, and hangs on its owner."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from tests.evidence.samples import NOW, attach, jpeg, on_disk, png, rows
from weicheng.evidence import actions, copies
from weicheng.evidence.models import Attachment, StoredFile
from weicheng.journal.models import AppendOnlyError, Entry
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError

pytestmark = pytest.mark.django_db


def test_the_original_is_kept_byte_for_byte_under_its_digest(town, files):
    data = jpeg()
    done = attach(town, town.box(), data)
    stored = done.attachment.stored
    assert b"".join(copies.open_original(stored)) == data
    assert on_disk(files) == [f"{stored.sha256[:2]}/{stored.sha256[2:]}"]
    assert copies.check_digest(stored)
    assert (stored.width, stored.height, stored.size) == (64, 48, len(data))


def test_a_file_from_a_path_is_the_same_as_from_bytes(town, tmp_path):
    (tmp_path / "in.jpg").write_bytes(jpeg())
    done = attach(town, town.box(), path=tmp_path / "in.jpg")
    assert b"".join(copies.open_original(done.attachment.stored)) == jpeg()


def test_one_attachment_writes_one_journal_entry_without_names(town):
    done = attach(town, town.box(), filename="张某.jpg", caption="门口")
    entry = Entry.objects.get()
    assert (entry.verb, entry.object_key) == ("attachment.add", str(done.attachment.uid))
    assert entry.district == "320311"
    assert "张某" not in bytes(entry.body).decode()


def test_sent_twice_it_is_there_once(town, files):
    box, uid = town.box(), uuid.uuid4()
    first = attach(town, box, uid=uid)
    before = rows(), on_disk(files)
    again = attach(town, box, uid=uid)
    assert (first.created, again.created) == (True, False)
    assert again.attachment == first.attachment
    assert (rows(), on_disk(files)) == before


def test_the_same_uid_with_other_content_is_a_conflict(town, files):
    box, uid = town.box(), uuid.uuid4()
    attach(town, box, uid=uid)
    before = rows(), on_disk(files)
    for other in (
        {"data": jpeg("red")},
        {"purpose": "after"},
        {"by": town.leader},
        {"owner_uid": town.box().uid},
    ):
        with pytest.raises(ConflictError, match="photo-conflict"):
            attach(town, box, uid=uid, **other)
    assert (rows(), on_disk(files)) == before


def test_a_foreign_owner_and_an_absent_one_are_refused_alike(town, files):
    foreign = town.box("320302001")
    for owner in (foreign.uid, uuid.uuid4()):
        with pytest.raises(MissingError) as refusal:
            attach(town, owner)
        assert refusal.value.code == "no-box"
    with pytest.raises(MissingError):
        attach(town, town.box(), kind="nothing")
    assert Attachment.objects.count() == 0
    assert on_disk(files) == []


def test_twenty_files_stand_at_one_owner_and_a_voided_one_makes_room(town):
    box = town.box()
    last = [attach(town, box, jpeg((n, 0, 0))) for n in range(20)][-1]
    with pytest.raises(RuleError, match="too-many-photos"):
        attach(town, box, jpeg("white"))
    actions.void_attachment(uid=last.attachment.uid, reason="传错照片", by=town.chen, at=NOW)
    assert attach(town, box, jpeg("white")).created


def test_what_the_device_says_is_kept_as_it_was_said(town):
    capture = actions.Capture(
        device_at=NOW - timedelta(minutes=2),
        gps_at=NOW - timedelta(minutes=3),
        lon=Decimal("117.18573219"),
        lat=Decimal("34.2615"),
        accuracy_m=Decimal("8.04"),
        datum="GCJ02",
    )
    done = attach(town, town.box(), capture=capture)
    row = Attachment.objects.get(pk=done.attachment.pk)
    assert (row.device_at, row.gps_at, row.received_at) == (capture.device_at, capture.gps_at, NOW)
    assert (row.lon, row.lat) == (Decimal("117.1857322"), Decimal("34.2615000"))
    assert (row.accuracy_m, row.datum) == (Decimal("8.0"), "gcj02")


@pytest.mark.parametrize(
    ("capture", "code"),
    [
        (actions.Capture(device_at=datetime(2026, 5, 8, 9, 30)), "naive-moment"),
        (actions.Capture(lon=Decimal(34), lat=Decimal(117)), "coordinate-out-of-range"),
        (actions.Capture(lon=Decimal(117), lat=Decimal(34), datum="mars"), "datum"),
    ],
)
def test_an_impossible_place_or_time_is_refused(town, files, capture, code):
    before = rows()
    with pytest.raises(RuleError, match=code):
        attach(town, town.box(), capture=capture)
    assert rows() == before
    assert on_disk(files) == []


def test_the_same_photo_used_before_is_flagged_for_those_who_see_the_first_use(town, files):
    here, there, abroad = town.box(), town.box(), town.box("320302001")
    first = attach(town, here)
    second = attach(town, there)
    assert second.duplicates == (first.attachment,)
    third = attach(town, abroad, by=town.wang)
    assert third.attachment.duplicate_of == first.attachment
    assert third.duplicates == ()  # Wang does not learn where
    assert StoredFile.objects.count() == 1
    assert len(on_disk(files)) == 1


def test_a_before_photo_used_again_as_after_photo_is_flagged(town):
    box = town.box()
    first = attach(town, box)
    assert attach(town, box).duplicates == ()  # the same photo twice for the same purpose deceives nobody
    assert attach(town, box, purpose="after").duplicates == (first.attachment,)


def test_a_photo_waits_for_its_finding_and_is_then_seen_by_others(town):
    uid = uuid.uuid4()
    sent = attach(town, uid, kind="find").attachment
    assert sent.waiting
    assert list(Attachment.objects.visible_to(town.chen)) == [sent]
    assert list(Attachment.objects.visible_to(town.leader)) == []
    town.box(maker=town.chen, uid=uid)
    assert list(Attachment.objects.visible_to(town.leader)) == [sent]
    assert list(Attachment.objects.visible_to(town.wang)) == []


def test_a_stranger_cannot_hang_a_photo_on_a_finding(town):
    owner = town.box(maker=town.chen)
    sent = attach(town, owner, by=town.wang, kind="find").attachment
    assert sent.waiting  # answered as if the finding were still to come
    assert list(Attachment.objects.visible_to(town.chen)) == []
    assert list(Attachment.objects.visible_to(town.wang)) == [sent]


def test_a_strangers_photos_do_not_use_up_the_twenty(town):
    owner = town.box(maker=town.chen)
    for n in range(20):
        attach(town, owner, jpeg((n, 0, 0)), by=town.wang, kind="find")
    assert attach(town, owner, kind="find").created


def test_only_the_sender_declares_void_and_says_why(town):
    sent = attach(town, town.box()).attachment
    with pytest.raises(MissingError):
        actions.void_attachment(uid=sent.uid, reason="x", by=town.wang, at=NOW)
    with pytest.raises(ForbiddenError, match="not-sender"):
        actions.void_attachment(uid=sent.uid, reason="x", by=town.leader, at=NOW)
    with pytest.raises(RuleError, match="need-reason"):
        actions.void_attachment(uid=sent.uid, reason="  ", by=town.chen, at=NOW)
    actions.void_attachment(uid=sent.uid, reason="传错照片", by=town.chen, at=NOW)
    actions.void_attachment(uid=sent.uid, reason="再次", by=town.chen, at=NOW)
    assert sent.voiding.reason == "传错照片"
    assert Entry.objects.filter(verb="attachment.void").count() == 1
    assert not Attachment.objects.standing().exists()
    assert Attachment.objects.visible_to(town.leader).exists()


def test_an_attachment_is_never_changed(town):
    sent = attach(town, town.box()).attachment
    with pytest.raises(AppendOnlyError):
        sent.save()
    with pytest.raises(AppendOnlyError):
        Attachment.objects.update(photo_at=NOW)
    for sql in ("UPDATE evidence_attachment SET purpose = 'after'", "DELETE FROM evidence_attachment"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)


def test_a_sealed_file_does_not_lie_open_on_the_disk_and_is_never_shared(town, files):
    data = png(size=(300, 300))
    one = attach(town, town.box(), data, sensitive=True, filename="李某身份证.png").attachment
    two = attach(town, town.box(), data, sensitive=True).attachment
    assert one.stored != two.stored
    assert two.duplicate_of is None
    assert b"".join(copies.open_original(one.stored)) == data
    list(copies.open_copy(one.stored, "thumb", at=NOW))
    for path in files.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert data[:64] not in content
            assert b"IHDR" not in content
            assert b"JFIF" not in content
            assert one.stored.sha256[2:] not in path.name
    assert "李某" not in one.filename


def test_an_erased_sealed_file_cannot_be_opened(town):
    sent = attach(town, town.box(), sensitive=True).attachment
    StoredFile.objects.update(wrapped_key=b"")
    sent.stored.refresh_from_db()
    with pytest.raises(RuleError, match="sealed"):
        copies.open_original(sent.stored)


def test_a_sealed_file_that_was_tampered_with_is_not_shown(town, files):
    sent = attach(town, town.box(), jpeg(size=(900, 900), quality=100), sensitive=True).attachment
    path = copies.original_path(sent.stored)
    raw = bytearray(path.read_bytes())
    raw[-30] ^= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(RuleError, match="file-damaged"):
        b"".join(copies.open_original(sent.stored))
    assert not copies.check_digest(sent.stored)


def test_a_changed_original_is_found_by_its_digest(town):
    good = attach(town, town.box()).attachment.stored
    bad = attach(town, town.box(), jpeg("red")).attachment.stored
    path = copies.original_path(bad)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert list(copies.check_digests()) == [bad]
    copies.original_path(good).unlink()
    assert list(copies.check_digests()) == [good, bad]


def test_attaching_takes_few_statements(town, django_assert_max_num_queries):
    box = town.box()
    # found?, the owner, same bytes?, BEGIN, file, attachment, journal, COMMIT (a savepoint inside a test)
    with django_assert_max_num_queries(8):
        attach(town, box)


def test_a_moment_outside_the_calendar_in_exif_is_no_reason_to_refuse(town):
    from PIL import Image

    exif = Image.Exif()
    exif.get_ifd(0x8769)[36867] = "0000:00:00 00:00:00"
    sent = attach(town, town.box(), jpeg(exif=exif)).attachment
    assert sent.photo_at is None
    assert sent.received_at == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
