"""Is it really a photo, what does it say about itself, and how is it shown.

`inspect` reads the header and walks the structure, and decodes nothing: a hostile header is refused before a
pixel is unpacked, and an attachment costs milliseconds. `copies` decodes, later and at most once; a picture
that breaks only there is flagged as broken, its original kept.

Source: JFIF/JPEG markers (ITU-T T.81 B.1), PNG chunks (ISO/IEC 15948), RIFF/WebP, EXIF 2.32 tags.
"""

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from PIL import ExifTags, Image

from weicheng.evidence import storage
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.moments import ZONE

# Our own check on the header stands before Pillow's, which would only warn at its limit.
Image.MAX_IMAGE_PIXELS = None
# It tells the server's log of "corrupt EXIF data"; for us that is a photo that says nothing about itself.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

DISPLAY_PX, THUMB_PX = 1600, 320  # long edge
_QUALITY = 80
_ICC_LIMIT = 16 * 1024  # bytes; a camera's profile has some hundreds
# A picture at the pixel limit takes some hundred megabytes while it is decoded: two at a time.
_decoders = threading.BoundedSemaphore(2)

_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis"}
_OTHER_PICTURES = {b"GIF8": "GIF", b"BM": "BMP", b"II*\x00": "TIFF", b"MM\x00*": "TIFF"}
_NOT_PICTURES = ((b"%PDF", "PDF"), (b"PK\x03\x04", "ZIP/Office"), (b"MZ", "程序"), (b"\x7fELF", "程序"))


@dataclass(frozen=True)
class Picture:
    """What a photo says about itself.

    width, height: pixels as stored; orientation: EXIF 1–8, 1 where it says nothing
    photo_at: DateTimeOriginal with its offset; zone_assumed: it had none, China standard time was taken
    gps_at: the satellites' time; lon, lat: position as written, WGS-84 by the standard
    """

    media_type: str
    width: int
    height: int
    orientation: int = 1
    photo_at: datetime | None = None
    zone_assumed: bool = False
    gps_at: datetime | None = None
    lon: Decimal | None = None
    lat: Decimal | None = None


# --- looking, without decoding -------------------------------------------------------------------


def inspect(source: storage.Source, filename: str) -> Picture:
    """Return what the photo is and says, or refuse it.

    RuleError: "empty", "too-large", "heic", "image-format", "disguised", "not-an-image", "truncated",
    "too-many-pixels"
    """
    require_size(source, filename)
    with storage.mapped(source) as buffer:
        media_type = _media_type(buffer, filename)
        if not _WHOLE[media_type](buffer):
            raise RuleError(
                "truncated",
                N_("照片“{filename}”不完整，可能没有传完。请重新选择原图上传。"),
                filename=filename,
            )
    return _header(source, media_type, filename)


def require_size(source: storage.Source, filename: str) -> None:
    """Refuse what is empty or above the site's limit, by length alone: RuleError("empty" | "too-large")."""
    size = storage.size_of(source)
    if size == 0:
        raise RuleError("empty", N_("文件“{filename}”是空的。请重新拍照或重新选择。"), filename=filename)
    require_length(size, filename)


def require_length(size: int, filename: str) -> None:
    """Refuse a length above the site's limit: RuleError("too-large")."""
    limit_mb = settings.UPLOAD_LIMIT_MB
    if size > limit_mb * 1024 * 1024:
        raise RuleError(
            "too-large",
            N_(
                "文件“{filename}”有 {size_mb} MB，超过上限 {limit_mb} MB。"
                "请选用较小的照片，或调低相机分辨率后重拍。"
            ),
            filename=filename,
            size_mb=-(-size // (1024 * 1024)),
            limit_mb=limit_mb,
        )


def _media_type(buffer: storage.Buffer, filename: str) -> str:
    """Return the type by content; the name is only quoted, never believed."""
    head = bytes(buffer[:64])
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        raise RuleError(
            "heic",
            N_(
                "照片“{filename}”是 HEIC/AVIF 格式，多数电脑打不开。"
                "请在手机相机设置中改为“兼容性最佳/JPEG”后重拍，或导出为 JPEG 再上传。"
            ),
            filename=filename,
        )
    for start, name in _OTHER_PICTURES.items():
        if head.startswith(start):
            raise RuleError(
                "image-format",
                N_("图片“{filename}”是 {format} 格式，不能作为照片。请上传 JPEG、PNG 或 WebP 照片。"),
                filename=filename,
                format=name,
            )
    disguise = _disguise(head)
    if disguise:
        raise RuleError(
            "disguised",
            N_("“{filename}”的内容是 {format}，不是照片。请上传手机或相机拍摄的 JPEG、PNG 或 WebP 照片。"),
            filename=filename,
            format=disguise,
        )
    raise _not_an_image(filename)


def _disguise(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<script")):
        return "HTML"
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype")):
        return "SVG/XML"
    return next((name for start, name in _NOT_PICTURES if head.startswith(start)), "")


def _not_an_image(filename: str) -> RuleError:
    return RuleError(
        "not-an-image",
        N_("“{filename}”不是能识别的图片。请上传手机或相机拍摄的 JPEG、PNG 或 WebP 照片。"),
        filename=filename,
    )


def _jpeg_is_whole(data: storage.Buffer) -> bool:
    """Is there an end marker after the first scan begins?

    Inside a scan FF is always followed by 00 or a restart, so the first FFD9 is the end. Phones put more
    behind it (a second picture, a film), so the end of the file says nothing; the preview in the EXIF lies
    before the scan and has an end of its own.
    """
    at, end = 2, len(data)
    while at + 4 <= end:
        if data[at] != 0xFF:
            return False
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == 0xDA:
            return data.find(b"\xff\xd9", at) != -1
        elif marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return False


def _png_is_whole(data: storage.Buffer) -> bool:
    """Does the chain of chunks lead to IEND within the file?"""
    at, end = 8, len(data)
    while at + 12 <= end:
        length, name = struct.unpack(">I4s", data[at : at + 8])
        at += 12 + length
        if name == b"IEND":
            return at <= end
    return False


def _webp_is_whole(data: storage.Buffer) -> bool:
    return 8 + int.from_bytes(data[4:8], "little") <= len(data)


_WHOLE = {"image/jpeg": _jpeg_is_whole, "image/png": _png_is_whole, "image/webp": _webp_is_whole}
_FORMATS = ("JPEG", "PNG", "WEBP")


@contextmanager
def _opened(source: storage.Source | IO[bytes]) -> Iterator[Image.Image]:
    """Open without decoding; Pillow tries no other reader than our three."""
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with Image.open(stream, formats=_FORMATS) as image:
        yield image


def _header(source: storage.Source, media_type: str, filename: str) -> Picture:
    # Pillow raises many kinds on a hostile header (SyntaxError and struct.error too); all mean the same.
    try:
        with _opened(source) as image:
            width, height = image.size
            said = _said(image)
    except Exception:
        raise _not_an_image(filename) from None
    limit = settings.PHOTO_LIMIT_MP
    if width * height > limit * 1_000_000:
        raise RuleError(
            "too-many-pixels",
            N_("照片“{filename}”有 {width}×{height} 像素，超过上限 {limit} 百万像素。请缩小后再上传。"),
            filename=filename,
            width=width,
            height=height,
            limit=limit,
        )
    return Picture(media_type, width, height, **said)


def _said(image: Image.Image) -> dict[str, Any]:
    """Return what EXIF says; a broken EXIF block says nothing, the photo is none the worse."""
    try:
        exif = image.getexif()
        if not exif:
            return {}
        shot, gps = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:
        return {}
    base = ExifTags.Base
    photo_at, assumed = _moment(
        shot.get(base.DateTimeOriginal), shot.get(base.OffsetTimeOriginal) or shot.get(base.OffsetTime)
    )
    lon, lat = _position(gps)
    orientation = exif.get(base.Orientation, 1)
    return {
        "orientation": orientation if orientation in range(1, 9) else 1,
        "photo_at": photo_at,
        "zone_assumed": assumed,
        "gps_at": _gps_moment(gps),
        "lon": lon,
        "lat": lat,
    }


def _moment(text: Any, offset: Any) -> tuple[datetime | None, bool]:
    """Return (moment, zone assumed) of "2026:05:08 09:30:00" and "+08:00"; (None, False) for no time."""
    try:
        plain = datetime.strptime(str(text).strip("\x00 ")[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None, False
    try:
        sign, rest = str(offset).strip("\x00 ")[:1], str(offset).strip("\x00 ")[1:6]
        ahead = timedelta(hours=int(rest[:2]), minutes=int(rest[3:5]))
        moment = plain.replace(tzinfo=timezone({"+": ahead, "-": -ahead}[sign]))
        return _storable(moment), False
    except (ValueError, KeyError):
        moment_here = _storable(plain.replace(tzinfo=ZONE))
        return moment_here, moment_here is not None


def _storable(moment: datetime) -> datetime | None:
    """A camera that lost its clock says year 1 or 9999; such a moment cannot be turned into UTC."""
    return moment if 1900 <= moment.year <= 9000 else None


def _gps_moment(gps: Any) -> datetime | None:
    tags = ExifTags.GPS
    try:
        day = datetime.strptime(str(gps[tags.GPSDateStamp]).strip("\x00 "), "%Y:%m:%d")  # noqa: DTZ007
        hours, minutes, seconds = (float(part) for part in gps[tags.GPSTimeStamp])
        return _storable(
            day.replace(tzinfo=UTC) + timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
        )
    except (KeyError, ValueError, TypeError, OverflowError, ZeroDivisionError):
        return None


def _position(gps: Any) -> tuple[Decimal | None, Decimal | None]:
    tags = ExifTags.GPS
    try:
        lat = _degrees(gps[tags.GPSLatitude], gps.get(tags.GPSLatitudeRef), "S")
        lon = _degrees(gps[tags.GPSLongitude], gps.get(tags.GPSLongitudeRef), "W")
    except (KeyError, ValueError, TypeError, ArithmeticError):
        return None, None
    # 0, 0 lies in the Gulf of Guinea: what a camera without a fix writes.
    if not (abs(lon) <= 180 and abs(lat) <= 90) or (lon == 0 and lat == 0):
        return None, None
    return lon, lat


def _degrees(parts: Any, side: Any, negative: str) -> Decimal:
    degrees, minutes, seconds = (Decimal(str(float(part))) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not value.is_finite():
        raise ValueError("not a number")
    value = value.quantize(Decimal("0.0000001"))
    return -value if str(side).strip("\x00 ").upper() == negative else value


# --- showing -------------------------------------------------------------------------------------


class BrokenPictureError(Exception):
    """The pixels cannot be decoded although the header was right."""


def copies(source: Path | IO[bytes]) -> dict[str, bytes]:
    """Return {"display": JPEG, "thumb": JPEG}: upright, sRGB-like, without any metadata. BrokenPictureError.

    One decode for both. The first frame of a moving picture; transparent parts on white; 16 bits cut to 8.
    """
    try:
        with _decoders, _opened(source) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            profile = image.info.get("icc_profile") if image.mode == "RGB" else None
            # JPEG alone can decode at a half, a quarter or an eighth: never below what is shown.
            image.draft(None, (DISPLAY_PX, DISPLAY_PX))

            picture = _on_white(image)
    except Exception as error:
        raise BrokenPictureError(str(error)) from error
    picture.thumbnail((DISPLAY_PX, DISPLAY_PX), Image.Resampling.LANCZOS)
    turn = _TURNS.get(orientation)
    if turn is not None:
        picture = picture.transpose(turn)
    display = _jpeg(picture, profile)
    picture.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
    return {"display": display, "thumb": _jpeg(picture, profile)}


# EXIF 2.32, tag 0112: what has to be done so that the top is up.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _on_white(image: Image.Image) -> Image.Image:
    """Return a new 8-bit RGB image that carries nothing but pixels."""
    if image.mode.startswith("I"):  # 16 bits a pixel
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        layer = image.convert("RGBA")
        clean = Image.new("RGB", layer.size, "white")
        clean.paste(layer, mask=layer.getchannel("A"))
        return clean
    clean = Image.new("RGB", image.size)
    clean.paste(image.convert("RGB"))
    return clean


def _jpeg(picture: Image.Image, profile: bytes | None) -> bytes:
    out = io.BytesIO()
    # The colour profile stays: without it a phone's wide colours look dull. It says nothing about the taker.
    keep = profile if profile and len(profile) <= _ICC_LIMIT else None
    picture.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True, icc_profile=keep)
    return out.getvalue()
