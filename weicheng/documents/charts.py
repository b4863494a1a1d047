"""Charts of documents as PNG, drawn in the font that comes with the program: light, and legible in grey."""

from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

import weicheng.ui
from weicheng.rules.content import Chart

# 156 mm of text area at 200 dots an inch: sharp on paper, some 20 kB a chart.
WIDTH, HEIGHT = 1240, 520
_FONTS = Path(weicheng.ui.__file__).parent / "static" / "fonts"
_INK, _SOFT, _GRID = "#1d2b2a", "#4c5a58", "#d5dcda"
# Told apart by lightness, so that a copy in grey still says which is which.
_TONES = ("#0b5c58", "#e0913a", "#8aa6a3")
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 96, 72
_LABELS_AT_MOST = 26


@lru_cache(maxsize=8)
def _font(size: int, heavy: bool = False) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / f"noto-sans-sc-{600 if heavy else 400}.woff2"), size)


def drawn(chart: Chart) -> bytes:
    """Return the chart as PNG bytes; the same chart gives the same bytes.

    Labels that would run into each other are thinned out; a series without values draws nothing.
    """
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(image)
    draw.text((_LEFT, 14), chart.title, font=_font(28, heavy=True), fill=_INK)
    top = max([1, *(value for series in chart.series for value in series.values)])
    step = _step(top)
    ceiling = -(-top // step) * step
    _grid(draw, ceiling, step, chart.unit)
    _legend(draw, chart)
    count = max(1, len(chart.labels))
    room = (WIDTH - _LEFT - _RIGHT) / count
    for place, series in enumerate(chart.series):
        tone = _TONES[place % len(_TONES)]
        if chart.shape == "lines":
            _line(draw, series.values, ceiling, room, tone)
        else:
            _bars(draw, series.values, ceiling, room, tone, place, len(chart.series))
    _labels(draw, chart.labels, room)
    out = BytesIO()
    # A palette keeps the file small; no metadata, so that equal charts are equal files.
    image.quantize(64, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _step(top: int) -> int:
    """Return the distance of the grid lines: 1, 2 or 5 times a power of ten, at most six lines."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if top <= 5 * factor * size:
                return factor * size
        size *= 10


def _y(value: int, ceiling: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / ceiling


def _grid(draw: ImageDraw.ImageDraw, ceiling: int, step: int, unit: str) -> None:
    font = _font(20)
    for value in range(0, ceiling + 1, step):
        y = round(_y(value, ceiling))
        draw.line(
            (_LEFT, y, WIDTH - _RIGHT, y), fill=_INK if value == 0 else _GRID, width=2 if value == 0 else 1
        )
        text = str(value)
        draw.text((_LEFT - 10 - font.getlength(text), y - 13), text, font=font, fill=_SOFT)
    draw.text((_LEFT - 10 - font.getlength(unit), _TOP - 42), unit, font=font, fill=_SOFT)


def _legend(draw: ImageDraw.ImageDraw, chart: Chart) -> None:
    if len(chart.series) < 2:
        return
    font, x = _font(20), float(WIDTH - _RIGHT)
    for place, series in reversed(list(enumerate(chart.series))):
        x -= font.getlength(series.name)
        draw.text((x, 20), series.name, font=font, fill=_INK)
        draw.rectangle((x - 26, 26, x - 8, 40), fill=_TONES[place % len(_TONES)])
        x -= 52


def _bars(
    draw: ImageDraw.ImageDraw,
    values: tuple[int, ...],
    ceiling: int,
    room: float,
    tone: str,
    place: int,
    of: int,
) -> None:
    width = min(72.0, room * 0.72 / of)
    font = _font(18)
    for at, value in enumerate(values):
        left = _LEFT + room * at + (room - width * of) / 2 + width * place
        top = _y(value, ceiling)
        draw.rectangle((round(left), round(top), round(left + width - 2), HEIGHT - _BOTTOM), fill=tone)
        text = str(value)
        if font.getlength(text) <= room / of:
            draw.text((left + (width - 2 - font.getlength(text)) / 2, top - 26), text, font=font, fill=_INK)


def _line(draw: ImageDraw.ImageDraw, values: tuple[int, ...], ceiling: int, room: float, tone: str) -> None:
    points = [(_LEFT + room * (at + 0.5), _y(value, ceiling)) for at, value in enumerate(values)]
    if len(points) > 1:
        draw.line(points, fill=tone, width=4, joint="curve")
    for x, y in points:
        draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=tone)


def _labels(draw: ImageDraw.ImageDraw, labels: tuple[str, ...], room: float) -> None:
    """Write the labels under their places: in one row, in two where they are many, thinned out beyond."""
    font = _font(20)
    rows = 1 if all(font.getlength(label) <= room - 6 for label in labels) else 2
    every = -(-len(labels) // _LABELS_AT_MOST) if labels else 1
    for at, label in enumerate(labels):
        if at % every:
            continue
        text = _cut(label, font, room * every * rows - 8)
        x = _LEFT + room * (at + 0.5) - font.getlength(text) / 2
        x = min(max(x, 4), WIDTH - font.getlength(text) - 4)
        y = HEIGHT - _BOTTOM + 8 + 28 * (at // every % rows)
        draw.text((x, y), text, font=font, fill=_INK)


def _cut(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"
