"""Drawings: the same arguments give the same bytes, each use is a file of its own that tells time and place."""

import io
from datetime import datetime
from decimal import Decimal

import pytest
from PIL import Image

from weicheng.demo import pictures
from weicheng.evidence import photos
from weicheng.rules.moments import ZONE

TAKEN = datetime(2026, 5, 8, 9, 30, 12, tzinfo=ZONE)


@pytest.mark.parametrize("scene", pictures.SCENES)
def test_each_scene_is_small_and_differs_before_and_after(scene):
    before, after = (pictures.drawing(scene, 0, clean=clean) for clean in (False, True))
    assert before != after
    for jpeg in (before, after):
        assert 4_000 < len(jpeg) < 25_000
        assert Image.open(io.BytesIO(jpeg)).size == (480, 360)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(Decimal("117.190123"), Decimal("34.244001")), (Decimal("-0.5"), Decimal("-33.999999")), (None, None)],
)
def test_what_a_picture_is_said_to_say_is_what_it_says(lon, lat):
    made, said = pictures.unique(pictures.drawing("pond", 1, clean=True), "one", TAKEN, lon, lat)
    assert photos.inspect(made, "a.jpg") == said
    assert said.photo_at == TAKEN
    Image.open(io.BytesIO(made)).load()


def test_two_uses_of_one_drawing_are_two_files():
    drawn = pictures.drawing("bins", 2, clean=False)
    assert (
        pictures.unique(drawn, "one", TAKEN, None, None)[0]
        != pictures.unique(drawn, "two", TAKEN, None, None)[0]
    )
