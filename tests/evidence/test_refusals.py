"""What is no photo is refused in one sentence, and nothing is left behind: no row, no file."""

import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from PIL import Image

from tests.evidence.samples import attach, jpeg, on_disk, png, rows
from weicheng.evidence import photos
from weicheng.rules.errors import RuleError

pytestmark = pytest.mark.django_db


def huge_png(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes whose header promises this many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def gif() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, "GIF")
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "WEBP")
    return out.getvalue()


REFUSED = [
    ("empty", b"", "是空的"),
    ("not-an-image", b"hello, this is text", "不是能识别的图片"),
    ("not-an-image", b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xda\x00\x02\xff\xd9", "不是能识别的图片"),
    ("disguised", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG/XML"),
    ("disguised", b'\xef\xbb\xbf <?xml version="1.0"?><svg/>', "SVG/XML"),
    ("disguised", b"<!DOCTYPE html><p>hi", "HTML"),
    ("disguised", b"%PDF-1.7 ...", "PDF"),
    ("disguised", b"MZ\x90\x00", "程序"),
    ("heic", b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "兼容性最佳/JPEG"),
    ("image-format", gif(), "GIF"),
    ("truncated", jpeg(size=(300, 300))[:-200], "不完整"),
    ("truncated", jpeg()[:100], "不完整"),
    ("truncated", png()[:-6], "不完整"),
    ("truncated", webp()[:-10], "不完整"),
    ("too-many-pixels", huge_png(40_000, 40_000), "40000×40000 像素，超过上限 120 百万像素"),
]


@pytest.mark.parametrize(("code", "data", "said"), REFUSED)
def test_what_is_no_photo_is_refused_in_words_and_leaves_nothing(town, files, code, data, said):
    box, before = town.box(), rows()
    with pytest.raises(RuleError) as refusal:
        attach(town, box, data, filename="门口.jpg")
    assert refusal.value.code == code
    assert said in refusal.value.sentence()
    assert "门口.jpg" in refusal.value.sentence()
    assert rows() == before
    assert on_disk(files) == []


def test_a_photo_of_exactly_the_limit_passes_and_one_byte_more_does_not(town, settings, tmp_path):
    settings.UPLOAD_LIMIT_MB = 1
    fits = jpeg()
    fits += bytes(1024 * 1024 - len(fits))  # phones put a film behind the picture
    assert attach(town, town.box(), fits).created
    with pytest.raises(RuleError, match="too-large"):
        attach(town, town.box(), fits + b"\0")


def test_sixty_megabytes_are_refused_without_being_read(town, files, tmp_path):
    big = tmp_path / "big.jpg"
    with big.open("wb") as file:
        file.write(jpeg())
        file.truncate(60 * 1024 * 1024)
    before = rows()
    tracemalloc.start()
    with pytest.raises(RuleError) as refusal:
        attach(town, town.box(), path=big)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refusal.value.code == "too-large"
    assert "60 MB，超过上限 50 MB" in refusal.value.sentence()
    assert peak < 4 * 1024 * 1024
    assert (rows()["evidence_attachment"], on_disk(files)) == (before["evidence_attachment"], [])


def test_a_large_file_within_the_limit_is_not_held_in_memory(town, tmp_path):
    big = tmp_path / "big.jpg"
    with big.open("wb") as file:
        file.write(jpeg())
        file.truncate(40 * 1024 * 1024)
    tracemalloc.start()
    assert attach(town, town.box(), path=big).created
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize(
    "data",
    [jpeg(), png(), webp(), png("teal", mode="L"), jpeg(size=(9, 9), progressive=True)],
    ids=["jpeg", "png", "webp", "grey", "progressive"],
)
def test_a_photo_is_a_photo_whatever_it_is_called(town, data):
    assert attach(town, town.box(), data, filename="x.txt").created


def test_a_photo_with_a_preview_inside_is_still_found_cut_off(town):
    """The preview in the EXIF has an end marker of its own."""
    exif = b"Exif\x00\x00" + jpeg(size=(16, 16))
    data = jpeg(size=(300, 300))
    with_preview = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    assert attach(town, town.box(), with_preview).created
    with pytest.raises(RuleError, match="truncated"):
        attach(town, town.box(), with_preview[:-300])


def office(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name in ("[Content_Types].xml", *names):
            bundle.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    "data", [b"%PDF-1.4\n1 0 obj\n%%EOF\n", office("word/document.xml"), office("xl/workbook.xml"), jpeg()]
)
def test_material_may_be_a_pdf_or_an_office_file(town, data):
    box = town.box()
    assert attach(town, box, data, purpose="document").created
    if not data.startswith(b"\xff\xd8"):
        with pytest.raises(RuleError, match="disguised"):
            attach(town, box, data, purpose="before")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"%PDF-1.4 and then nothing", "truncated"),
        (office("word/document.xml", "word/vbaProject.bin"), "document-format"),
        (office("other/thing"), "document-format"),
        (b"PK\x03\x04 broken", "document-format"),
        (b"MZ\x90\x00", "document-format"),
        (b"<html>", "document-format"),
    ],
)
def test_other_material_is_refused(town, files, data, code):
    with pytest.raises(RuleError, match=code):
        attach(town, town.box(), data, purpose="document")
    assert on_disk(files) == []


def test_an_unknown_purpose_is_refused(town):
    with pytest.raises(RuleError, match="purpose"):
        attach(town, town.box(), purpose="during")


def exif_of(**tags) -> Image.Exif:
    exif = Image.Exif()
    for number, value in tags.get("shot", {}).items():
        exif.get_ifd(0x8769)[number] = value
    for number, value in tags.get("gps", {}).items():
        exif.get_ifd(0x8825)[number] = value
    return exif


@pytest.mark.parametrize(
    ("shot", "moment", "assumed"),
    [
        ({36867: "2026:05:08 09:30:00", 36881: "+08:00"}, "2026-05-08T01:30:00+00:00", False),
        ({36867: "2026:05:08 09:30:00", 36880: "+09:00"}, "2026-05-08T00:30:00+00:00", False),
        ({36867: "2026:05:08 09:30:00"}, "2026-05-08T01:30:00+00:00", True),
        ({36867: "2026:05:08 09:30:00", 36881: "   :  "}, "2026-05-08T01:30:00+00:00", True),
        ({36867: "    :  :     :  :  "}, None, False),
        ({36867: "0001:01:01 00:00:00"}, None, False),
        ({}, None, False),
    ],
)
def test_the_photos_own_time_is_read_with_its_offset_or_as_china_time(shot, moment, assumed):
    from datetime import UTC

    said = photos.inspect(jpeg(exif=exif_of(shot=shot)), "x.jpg")
    found = said.photo_at.astimezone(UTC).isoformat() if said.photo_at else None
    assert (found, said.zone_assumed) == (moment, assumed)


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        ({1: "N", 2: (34.0, 15.0, 41.4), 3: "E", 4: (117.0, 11.0, 8.6)}, ("117.1857222", "34.2615000")),
        ({1: "S", 2: (34.0, 0.0, 0.0), 3: "W", 4: (7.0, 30.0, 0.0)}, ("-7.5000000", "-34.0000000")),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (134.0, 0.0, 0.0), 3: "E", 4: (117.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (34.0, 0.0, 0.0)}, (None, None)),
    ],
)
def test_the_photos_own_place_is_read_where_it_is_one(gps, place):
    said = photos.inspect(jpeg(exif=exif_of(gps=gps)), "x.jpg")
    assert (said.lon and str(said.lon), said.lat and str(said.lat)) == place


def test_the_satellites_time_is_read_in_universal_time():
    said = photos.inspect(jpeg(exif=exif_of(gps={29: "2026:05:08", 7: (1.0, 29.0, 58.0)})), "x.jpg")
    assert said.gps_at.isoformat() == "2026-05-08T01:29:58+00:00"


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16", "CMYK"])
def test_every_kind_of_pixel_becomes_a_picture(mode):
    """Transparent becomes white; 16 bits are cut to 8, not to black or white."""
    out = io.BytesIO()
    if mode == "I;16":
        Image.new("I;16", (20, 10), 32768).save(out, "PNG")
    elif mode == "CMYK":
        Image.new("CMYK", (20, 10), (0, 0, 0, 128)).save(out, "JPEG")
    elif mode == "P":
        Image.new("RGBA", (20, 10), (0, 0, 0, 0)).convert("P").save(out, "PNG", transparency=0)
    else:
        Image.new(mode, (20, 10), 0).save(out, "PNG")
    photos.inspect(out.getvalue(), "x")
    made = photos.copies(io.BytesIO(out.getvalue()))
    with Image.open(io.BytesIO(made["thumb"])) as shown:
        assert (shown.mode, shown.size) == ("RGB", (20, 10))
        level = shown.getpixel((5, 5))[0]
    if mode in {"RGBA", "LA"}:
        assert level > 250
    if mode in {"I;16", "CMYK"}:
        assert 110 < level < 145


def test_a_moving_picture_shows_its_first_frame():
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    with Image.open(io.BytesIO(photos.copies(io.BytesIO(out.getvalue()))["thumb"])) as shown:
        assert shown.getpixel((5, 5))[0] > 200
