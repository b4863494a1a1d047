"""Photos on pages: by purpose, with remarks on their times, earlier uses linked for those who see them."""

import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.utils.datastructures import MultiValueDict

from tests.evidence.samples import NOW, attach, jpeg, rows
from weicheng.evidence import actions, pages
from weicheng.evidence.forms import PhotosMixin
from weicheng.evidence.models import Attachment

pytestmark = pytest.mark.django_db


def test_photos_stand_by_purpose_and_void_ones_are_left_out(town):
    box = town.box()
    attach(town, box, jpeg("red"), purpose="after")
    attach(town, box, jpeg("blue"))
    void = attach(town, box, jpeg("green")).attachment
    actions.void_attachment(uid=void.uid, reason="传错", by=town.chen, at=NOW)
    sets = pages.photo_sets([("box", box.uid), ("find", uuid.uuid4())], town.leader)
    assert [(one.title, len(one.photos)) for one in sets] == [("整改前", 1), ("整改后", 1)]
    assert pages.photo_sets([("box", box.uid)], town.wang) == []


def test_the_statements_do_not_grow_with_the_photos(town, django_assert_num_queries):
    box = town.box()
    for n in range(3):
        attach(town, box, jpeg((n, 0, 0)))
    with django_assert_num_queries(1):
        assert len(pages.photo_sets([("box", box.uid)], town.chen)[0].photos) == 3


def test_the_page_of_a_photo_tells_its_times_and_its_neighbours(town, client):
    box = town.box()
    capture = actions.Capture(device_at=NOW - timedelta(days=3), lon=117, lat=34, accuracy_m=8)
    first = attach(town, box, jpeg("red"), capture=capture, caption="北门垃圾桶").attachment
    second = attach(town, box, jpeg("blue")).attachment
    client.force_login(town.leader_user)
    page = client.get(f"/photos/{first.uid}").content.decode()
    for said in (
        "2026-11-19 10:30",
        "2026-11-22 10:30",
        "117.0000000",
        "北门垃圾桶",
        "可能是离线后补传",
        "第 1 个，共 2 个",
    ):
        assert said in page
    assert f"/photos/{second.uid}" in page
    assert "作废这个附件" not in page
    client.force_login(town.wang_user)
    assert client.get(f"/photos/{first.uid}").status_code == 404
    assert client.get(f"/photos/{uuid.uuid4()}").status_code == 404


def test_an_earlier_use_is_linked_only_for_who_sees_it(town, client):
    here, abroad = town.box(), town.box("320302001")
    first = attach(town, here).attachment
    again = attach(town, town.box()).attachment
    far = attach(town, abroad, by=town.wang).attachment
    client.force_login(town.chen_user)
    page = client.get(f"/photos/{again.uid}").content.decode()
    assert "此照片曾用于" in page
    assert f"/photos/{first.uid}" in page
    client.force_login(town.wang_user)
    assert "此照片曾用于" not in client.get(f"/photos/{far.uid}").content.decode()


def test_the_sender_declares_void_on_the_page_with_a_reason(town, client):
    sent = attach(town, town.box()).attachment
    client.force_login(town.chen_user)
    before = rows()
    refused = client.post(f"/photos/{sent.uid}/void", {"reason": ""})
    assert refused.status_code == 422
    assert "请填写原因" in refused.content.decode()
    assert rows() == before
    assert client.post(f"/photos/{sent.uid}/void", {"reason": "传错照片"}).status_code == 303
    assert "已将其作废，原因：传错照片" in client.get(f"/photos/{sent.uid}").content.decode()
    client.force_login(town.wang_user)
    assert client.post(f"/photos/{sent.uid}/void", {"reason": "x"}).status_code == 404


def upload(data: bytes, name: str = "IMG.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


def keep(town, owner, *files):
    form = PhotosMixin({}, MultiValueDict({"photos": list(files)}))
    form.is_valid()
    kept = form.keep_photos(owner_kind="find", owner_uid=owner, purpose="before", by=town.chen, at=NOW)
    return form, kept


def test_good_photos_of_a_form_are_kept_when_another_is_refused(town):
    owner = uuid.uuid4()
    form, kept = keep(town, owner, upload(jpeg()), upload(b"<svg>", "b.jpg"), upload(jpeg("red")))
    assert len(kept) == 2
    assert "b.jpg" in form.errors["photos"][0]
    again, _kept = keep(town, owner, upload(jpeg()))
    assert not again.errors
    assert Attachment.objects.count() == 2


def test_a_form_sent_twice_gives_one_attachment_but_a_void_one_may_come_again(town):
    owner = uuid.uuid4()
    _form, (first,) = keep(town, owner, upload(jpeg()))
    _form, (again,) = keep(town, owner, upload(jpeg()))
    assert again.attachment == first.attachment
    actions.void_attachment(uid=first.attachment.uid, reason="传错", by=town.chen, at=NOW)
    _form, (anew,) = keep(town, owner, upload(jpeg()))
    assert anew.attachment != first.attachment


def test_a_form_photo_that_came_through_the_disk_is_attached_from_there(town):
    file = TemporaryUploadedFile("IMG.jpg", "image/jpeg", len(jpeg()), None)
    file.write(jpeg())
    file.flush()
    done = pages.attach_uploaded(
        file, owner_kind="box", owner_uid=town.box().uid, purpose="before", by=town.chen, at=NOW
    )
    assert done.attachment.stored.size == len(jpeg())
