"""Bytes over HTTP: to whoever sees the owner, without a trace of digest, path or EXIF."""

import io
import uuid

import pytest
from PIL import Image

from tests.evidence.samples import attach, jpeg, png
from weicheng.evidence import storage
from weicheng.evidence.models import StoredFile
from weicheng.journal.models import Entry

pytestmark = pytest.mark.django_db

VARIANTS = ("original", "display", "thumb")


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_owner_gets_the_file_and_then_the_neighbour_gets_what_an_absent_one_gets(town, client, variant):
    sent = attach(town, town.box()).attachment
    client.force_login(town.chen_user)
    assert client.get(f"/files/{sent.uid}/{variant}").status_code == 200
    client.force_login(town.wang_user)
    foreign = client.get(f"/files/{sent.uid}/{variant}")
    absent = client.get(f"/files/{uuid.uuid4()}/{variant}")
    assert (foreign.status_code, absent.status_code) == (404, 404)


def test_nobody_is_led_to_the_sign_in_page(town, client):
    sent = attach(town, town.box()).attachment
    assert client.get(f"/files/{sent.uid}/original").status_code == 302


def test_the_original_is_a_download_that_no_browser_runs(town, client):
    data = jpeg()
    sent = attach(town, town.box(), data, filename="门口.jpg.html").attachment
    client.force_login(town.chen_user)
    response = client.get(f"/files/{sent.uid}/original")
    assert body(response) == data
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Disposition"].startswith("attachment; filename*=")
    assert response["Content-Disposition"].endswith(".jpg")
    assert ".html" not in response["Content-Disposition"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Cache-Control"].startswith("private")
    told = str(dict(response.headers))
    assert sent.stored.sha256[:16] not in told
    assert sent.stored.uid.hex not in told


def test_a_seen_thumbnail_is_not_sent_again(town, client):
    sent = attach(town, town.box()).attachment
    client.force_login(town.chen_user)
    first = client.get(f"/files/{sent.uid}/thumb")
    again = client.get(f"/files/{sent.uid}/thumb", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    # A tag that was learned does not open the door.
    client.force_login(town.wang_user)
    assert client.get(f"/files/{sent.uid}/thumb", headers={"if-none-match": first["ETag"]}).status_code == 404


def test_derived_copies_come_back_when_they_were_deleted(town, client, files):
    sent = attach(town, town.box()).attachment
    client.force_login(town.chen_user)
    first = client.get(f"/files/{sent.uid}/display").content
    storage.derived_path(sent.stored.uid, "display").unlink()
    assert client.get(f"/files/{sent.uid}/display").content == first


def test_a_picture_that_breaks_on_decoding_is_flagged_and_its_original_stays(town, client):
    data = bytearray(png(size=(400, 300)))
    at = data.index(b"IDAT") + 4
    data[at : at + 20] = bytes(20)  # header and chain of chunks are whole, the pixels are not
    broken = bytes(data)
    sent = attach(town, town.box(), broken).attachment
    client.force_login(town.chen_user)
    for _again in range(2):
        response = client.get(f"/files/{sent.uid}/display")
        assert response.status_code == 422
        assert "照片已损坏" in response.content.decode()
    assert StoredFile.objects.get().broken_at is not None
    assert body(client.get(f"/files/{sent.uid}/original")) == broken


def test_each_reading_of_a_sealed_file_is_journalled_and_few_may(town, client):
    sent = attach(town, town.box(), sensitive=True).attachment
    client.force_login(town.leader_user)
    assert client.get(f"/files/{sent.uid}/display").status_code == 403
    client.force_login(town.chen_user)
    response = client.get(f"/files/{sent.uid}/display")
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert body(client.get(f"/files/{sent.uid}/original")) == jpeg()
    assert Entry.objects.filter(verb="attachment.read").count() == 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_display_copy_stands_upright_and_says_nothing_about_its_taker(town, client, orientation):
    """The camera writes the picture turned, and in tag 0112 how; all eight must come out the same."""
    upright = Image.new("RGB", (400, 300), "white")
    upright.paste((200, 0, 0), (0, 0, 100, 75))  # a red corner, top left
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "CameraMaker"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (34.0, 15.0, 41.4)
    exif.get_ifd(0x8825)[3] = "E"
    exif.get_ifd(0x8825)[4] = (117.0, 11.0, 8.6)
    out = io.BytesIO()
    stored.save(out, "JPEG", quality=95, exif=exif, comment=b"secret remark")
    sent = attach(town, town.box(), out.getvalue()).attachment
    assert (str(sent.photo_lon), str(sent.photo_lat)) == ("117.1857222", "34.2615000")
    client.force_login(town.chen_user)
    for variant in ("display", "thumb"):
        content = client.get(f"/files/{sent.uid}/{variant}").content
        with Image.open(io.BytesIO(content)) as shown:
            assert shown.width * 3 == shown.height * 4
            at = (shown.width // 16, shown.height // 16)
            red, green, _blue = shown.getpixel(at)
            assert (red > 150, green < 60) == (True, True)
            assert shown.getpixel((shown.width - at[0], shown.height - at[1]))[1] > 200
            assert dict(shown.getexif()) == {}
        for trace in (b"Exif", b"CameraMaker", b"secret", b"http"):
            assert trace not in content


def test_the_copies_are_no_larger_than_asked(town, client):
    sent = attach(town, town.box(), jpeg(size=(4000, 3000))).attachment
    client.force_login(town.chen_user)
    sizes = {}
    for variant in ("display", "thumb"):
        with Image.open(io.BytesIO(client.get(f"/files/{sent.uid}/{variant}").content)) as shown:
            sizes[variant] = shown.size
    assert sizes == {"display": (1600, 1200), "thumb": (320, 240)}
    assert StoredFile.objects.get().checked_at is not None
