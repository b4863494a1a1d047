"""Pictures of the demo: flat drawings of eight scenes, dirty before and clean after, each marked 演示图片.

A drawing is made once. Each use of it is made unique by an EXIF block and a comment set into its bytes, so
that no pixel is encoded twice and yet no two files are equal.
"""

import io
import struct
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

import weicheng.ui
from weicheng.evidence.photos import Picture
from weicheng.rules.moments import ZONE

WIDTH, HEIGHT = 480, 360
SCENES = ("street", "bins", "stall", "green", "pole", "pond", "corridor", "toilet")
VARIANTS = 3
CAPTION = "演示图片"
_FONT = Path(weicheng.ui.__file__).parent / "static" / "fonts" / "noto-sans-sc-400.woff2"

_STORED = Decimal("0.0000001")  # degrees as the column holds them
_SKIES = ("#cfe3ee", "#dfe9e4", "#e9e3d6")
_WALLS = ("#d8cdbb", "#c9d3d6", "#e2d5c8")
_DIRT = ("#6b5a45", "#8a7a5c", "#4f4a44", "#a14f3b", "#3f6f8f", "#d9d4c5")
Draw = ImageDraw.ImageDraw


def drawing(scene: str, variant: int, *, clean: bool) -> bytes:
    """Return one drawing as JPEG: the same arguments, the same bytes."""
    return _drawing(scene, variant % VARIANTS, clean)


@lru_cache(maxsize=128)
def _drawing(scene: str, variant: int, clean: bool) -> bytes:
    rng = Random(f"{scene}:{variant}")  # noqa: S311 - a drawing, not a secret
    image = Image.new("RGB", (WIDTH, HEIGHT), _SKIES[variant])
    draw = ImageDraw.Draw(image)
    _DRAWN[scene](draw, rng, variant, clean)
    _caption(draw)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=78)
    return out.getvalue()


def unique(
    jpeg: bytes, note: str, taken_at: datetime, lon: Decimal | None, lat: Decimal | None
) -> tuple[bytes, Picture]:
    """Return the JPEG with an EXIF block (DateTimeOriginal, GPS) and a comment set in behind its start marker,
    and what it now says about itself: the same as `evidence.photos.inspect` reads, a hundred times quicker.

    lon, lat: degrees with at most six decimals, so that arc seconds hold them exactly
    """
    exif = b"Exif\x00\x00" + _tiff(taken_at, lon, lat)
    comment = note.encode()
    said = Picture(
        "image/jpeg", WIDTH, HEIGHT, photo_at=taken_at.replace(microsecond=0),
        lon=None if lon is None else lon.quantize(_STORED), lat=None if lat is None else lat.quantize(_STORED),
    )  # fmt: skip
    return b"".join(
        (jpeg[:2], b"\xff\xe1", struct.pack(">H", len(exif) + 2), exif,
         b"\xff\xfe", struct.pack(">H", len(comment) + 2), comment, jpeg[2:])
    ), said  # fmt: skip


# --- EXIF ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Tag:
    """One entry of an IFD: its number, type (2 text, 4 long, 5 rational) and value bytes."""

    number: int
    kind: int
    count: int
    value: bytes


def _tiff(taken_at: datetime, lon: Decimal | None, lat: Decimal | None) -> bytes:
    """Return a little-endian TIFF header with IFD0, the Exif IFD and, where there is a point, the GPS IFD.

    Source: EXIF 2.32, 4.5-4.6; TIFF 6.0, section 2.
    """
    local = taken_at.astimezone(ZONE)
    shot = [_text(0x9003, f"{local:%Y:%m:%d %H:%M:%S}"), _text(0x9011, "+08:00")]
    gps = []
    if lon is not None and lat is not None:
        gps = [
            _text(1, "N" if lat >= 0 else "S"),
            _angle(2, lat),
            _text(3, "E" if lon >= 0 else "W"),
            _angle(4, lon),
        ]
    pointers = 2 if gps else 1
    exif_at = 8 + 2 + 12 * pointers + 4
    shot_bytes = _ifd(shot, exif_at)
    root = [_Tag(0x8769, 4, 1, struct.pack("<I", exif_at))]
    if gps:
        root.append(_Tag(0x8825, 4, 1, struct.pack("<I", exif_at + len(shot_bytes))))
    return b"II*\x00" + struct.pack("<I", 8) + _ifd(root, 8) + shot_bytes + (
        _ifd(gps, exif_at + len(shot_bytes)) if gps else b""
    )  # fmt: skip


def _ifd(tags: list[_Tag], at: int) -> bytes:
    """Return an IFD that stands at this offset; values above four bytes follow it."""
    behind = at + 2 + 12 * len(tags) + 4
    entries, values = struct.pack("<H", len(tags)), b""
    for tag in tags:
        value = tag.value
        if len(value) > 4:
            offset = struct.pack("<I", behind + len(values))
            values += value + b"\x00" * (len(value) % 2)
            value = offset
        entries += struct.pack("<HHI", tag.number, tag.kind, tag.count) + value.ljust(4, b"\x00")
    return entries + b"\x00\x00\x00\x00" + values


def _text(number: int, text: str) -> _Tag:
    raw = text.encode() + b"\x00"
    return _Tag(number, 2, len(raw), raw)


def _angle(number: int, degrees: Decimal) -> _Tag:
    millionths = round(abs(degrees) * 3_600_000_000)  # of an arc second
    whole, rest = divmod(millionths, 3_600_000_000)
    minutes, seconds = divmod(rest, 60_000_000)
    return _Tag(number, 5, 3, struct.pack("<6I", whole, 1, minutes, 1, seconds // 100, 10_000))


# --- scenes ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont | None:
    try:
        return ImageFont.truetype(str(_FONT), 18)
    except OSError:  # a Pillow whose FreeType cannot unpack woff2: the mark is then in Latin letters
        return None


def _caption(draw: Draw) -> None:
    draw.rectangle((WIDTH - 96, HEIGHT - 32, WIDTH - 6, HEIGHT - 6), fill="#ffffff")
    font = _font()
    if font is not None:
        draw.text((WIDTH - 87, HEIGHT - 33), CAPTION, font=font, fill="#33474b")
    else:
        draw.text((WIDTH - 66, HEIGHT - 25), "DEMO", fill="#33474b")


def _ground(draw: Draw, colour: str, top: int = 220) -> None:
    draw.rectangle((0, top, WIDTH, HEIGHT), fill=colour)


def _houses(draw: Draw, rng: Random, variant: int) -> None:
    left = 0
    while left < WIDTH:
        width, top = rng.randint(70, 130), rng.randint(50, 110)
        draw.rectangle((left, top, left + width, 220), fill=_WALLS[(variant + left) % 3], outline="#9a9a90")
        for x in range(left + 12, left + width - 16, 26):
            for y in range(top + 14, 190, 34):
                draw.rectangle((x, y, x + 13, y + 18), fill="#8fb0c0")
        left += width


def _litter(draw: Draw, rng: Random, box: tuple[int, int, int, int], pieces: int) -> None:
    for _n in range(pieces):
        x, y, size = rng.randint(box[0], box[2]), rng.randint(box[1], box[3]), rng.randint(4, 13)
        colour = rng.choice(_DIRT)
        if rng.random() < 0.5:
            draw.ellipse((x, y, x + size, y + size * 2 // 3), fill=colour)
        else:
            draw.polygon(
                ((x, y), (x + size, y + 2), (x + size - 2, y + size), (x - 2, y + size - 3)), fill=colour
            )


def _street(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    _houses(draw, rng, variant)
    _ground(draw, "#b9b6ae")
    draw.rectangle((0, 262, WIDTH, HEIGHT), fill="#77797a")
    for x in range(10, WIDTH, 90):
        draw.rectangle((x, 308, x + 50, 315), fill="#e8e4d0")
    if not clean:
        draw.ellipse((140, 285, 290, 325), fill="#5c6266")
        _litter(draw, rng, (20, 230, 440, 330), 42)


def _bins(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    draw.rectangle((0, 60, WIDTH, 230), fill=_WALLS[variant])
    _ground(draw, "#aaa69c", 230)
    for number, colour in enumerate(("#2f7d4f", "#2b5f8c", "#8c8c8c")):
        x = 90 + number * 105
        draw.rounded_rectangle((x, 150, x + 78, 275), 8, fill=colour)
        draw.rectangle((x - 5, 140, x + 83, 153), fill="#3c3f40")
        if not clean:
            for _bag in range(4):
                bag = x + rng.randint(-12, 60)
                top = rng.randint(108, 138)
                draw.ellipse((bag, top, bag + 34, top + 32), fill=rng.choice(_DIRT))
    if not clean:
        _litter(draw, rng, (60, 262, 420, 330), 46)


def _stall(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    _houses(draw, rng, variant)
    _ground(draw, "#b3aea2")
    for x in (60, 270):
        shift = 0 if clean else 46
        draw.rectangle((x, 190 + shift, x + 150, 245 + shift), fill="#a9825a")
        for stripe in range(0, 160, 20):
            colour = "#b9463c" if stripe % 40 else "#f1ede2"
            draw.rectangle((x - 5 + stripe, 130 + shift, x + 15 + stripe, 152 + shift), fill=colour)
        for _n in range(16):
            fx = x + rng.randint(4, 132)
            draw.ellipse(
                (fx, 178 + shift, fx + 14, 192 + shift), fill=rng.choice(("#d9802f", "#b43a33", "#5d8f3d"))
            )
    if not clean:
        _litter(draw, rng, (20, 270, 450, 335), 40)


def _green(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    _ground(draw, "#7fa262", 170)
    draw.rectangle((0, 315, WIDTH, HEIGHT), fill="#b4b0a6")
    for x in (70, 210, 360):
        draw.rectangle((x, 110, x + 12, 210), fill="#6d5138")
        draw.ellipse((x - 42, 38, x + 54, 134), fill=("#4f8048", "#5b8c4c", "#47754a")[variant])
    for x in range(0, WIDTH, 14):
        draw.ellipse((x, 292, x + 20, 318), fill="#4c7a45")
    if not clean:
        _litter(draw, rng, (20, 190, 450, 300), 48)


def _pole(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    draw.rectangle((0, 90, 300, 250), fill=_WALLS[variant])
    _ground(draw, "#a8a59d", 250)
    draw.rectangle((340, 20, 372, 300), fill="#5f6a6f")
    draw.ellipse((320, 4, 392, 40), fill="#e9e2b7")
    if not clean:
        for _n in range(12):
            x, y = rng.choice((rng.randint(20, 260), rng.randint(334, 350))), rng.randint(100, 225)
            draw.rectangle((x, y, x + rng.randint(24, 44), y + rng.randint(18, 36)), fill=rng.choice(
                ("#f4f1e6", "#f3d55b", "#e9b0a6", "#bfe0ea")))  # fmt: skip
            draw.line((x + 4, y + 7, x + 22, y + 7), fill="#3b3b3b", width=2)


def _pond(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    _ground(draw, "#86a668", 120)
    draw.ellipse((40, 150, 440, 330), fill="#5f93a6" if clean else "#64786a")
    for _n in range(7):
        y = rng.randint(180, 300)
        x = rng.randint(110, 300)
        draw.arc((x, y, x + 70, y + 12), 0, 180, fill="#cfe3e8", width=2)
    draw.rectangle((100 + variant * 40, 50, 112 + variant * 40, 150), fill="#6d5138")
    draw.ellipse((60 + variant * 40, 10, 150 + variant * 40, 90), fill="#4f8048")
    if not clean:
        _litter(draw, rng, (100, 180, 370, 300), 44)


def _corridor(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    draw.rectangle((0, 0, WIDTH, HEIGHT), fill=_WALLS[variant])
    draw.polygon(((0, HEIGHT), (WIDTH, HEIGHT), (320, 220), (160, 220)), fill="#9d988c")
    draw.rectangle((160, 70, 320, 220), fill="#c3bfb2", outline="#8c887c")
    draw.rectangle((205, 100, 275, 220), fill="#77604a")
    if not clean:
        for _n in range(11):
            x, y = rng.choice((rng.randint(10, 120), rng.randint(330, 420))), rng.randint(200, 290)
            draw.rectangle((x, y, x + rng.randint(30, 62), y + rng.randint(26, 52)),
                           fill=rng.choice(("#b58a55", "#a67a48", "#7d6a55", "#8f9aa0")), outline="#5c4a35")  # fmt: skip


def _toilet(draw: Draw, rng: Random, variant: int, clean: bool) -> None:
    draw.rectangle((0, 0, WIDTH, 240), fill="#e7eaea")
    for x in range(0, WIDTH, 40):
        draw.line((x, 0, x, 240), fill="#cdd3d4")
    for y in range(0, 240, 40):
        draw.line((0, y, WIDTH, y), fill="#cdd3d4")
    _ground(draw, "#bcc3c4", 240)
    for number in range(3):
        x = 50 + number * 140
        draw.rounded_rectangle((x, 150, x + 90, 205), 10, fill="#fbfbfb", outline="#9fa8aa", width=3)
        draw.rectangle((x + 40, 118, x + 50, 150), fill="#8b979b")
        draw.rectangle((x + 5, 30 + variant * 6, x + 85, 100), fill="#a9c4cf", outline="#7d8b90")
    if not clean:
        draw.ellipse((110, 265, 330, 320), fill="#8e9a8c")
        _litter(draw, rng, (30, 250, 440, 330), 32)


_DRAWN = {
    "street": _street, "bins": _bins, "stall": _stall, "green": _green, "pole": _pole, "pond": _pond,
    "corridor": _corridor, "toilet": _toilet,
}  # fmt: skip
