"""Datums: published example points, there and back again, and what is no place on earth."""

from math import hypot, inf, nan, pi

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.coordinates import (
    Datum,
    bd09_to_gcj02,
    datum_of,
    distance_m,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_cgcs2000,
    wgs84_to_gcj02,
)
from weicheng.rules.errors import RuleError

EXACT = 1e-9  # degrees


def near(point, other, within=EXACT):
    return hypot(point[0] - other[0], point[1] - other[1]) < within


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        # test points of the open implementations of the offset (Beijing, Shanghai, Shenzhen)
        ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        # outside the box nothing is moved
        ((139.6917, 35.6895), (139.6917, 35.6895)),
        ((72.0039, 30.0), (72.0039, 30.0)),
        ((137.8348, 30.0), (137.8348, 30.0)),
        ((100.0, 0.8292), (100.0, 0.8292)),
        ((100.0, 55.8272), (100.0, 55.8272)),
    ],
)
def test_gcj02_moves_points_in_china_and_no_others(wgs84, gcj02):
    assert near(wgs84_to_gcj02(*wgs84), gcj02)


@pytest.mark.parametrize("corner", [(72.004, 30.0), (137.8347, 30.0), (100.0, 0.8293), (100.0, 55.8271)])
def test_the_edge_of_the_box_belongs_to_it(corner):
    assert not near(wgs84_to_gcj02(*corner), corner)


def test_bd09_moves_a_gcj02_point_as_published():
    assert near(gcj02_to_bd09(116.404, 39.915), (116.41036949371029, 39.92133699351021))


def test_the_inverses_agree_with_the_rough_published_ones():
    # the published inverses are single steps: good to 1-2 m and to some decimetres
    assert near(gcj02_to_wgs84(116.404, 39.915), (116.39775550083061, 39.91359571849836), within=2e-5)
    assert near(bd09_to_gcj02(116.404, 39.915), (116.39762729119315, 39.90865673957631), within=5e-6)


@pytest.mark.parametrize(
    ("datum", "lon", "lat"),
    [
        (Datum.CGCS2000, 116.404, 39.915),
        (Datum.WGS84, 116.404, 39.915),
        (Datum.GCJ02, *wgs84_to_gcj02(116.404, 39.915)),
        (Datum.BD09, *gcj02_to_bd09(*wgs84_to_gcj02(116.404, 39.915))),
    ],
)
def test_one_place_told_in_any_datum_is_stored_as_one(datum, lon, lat):
    assert near(to_cgcs2000(lon, lat, datum), (116.404, 39.915), within=1e-7)


def test_what_needs_no_change_is_not_touched():
    assert to_cgcs2000(117.2, 34.2, Datum.WGS84) == (117.2, 34.2)
    assert to_cgcs2000(117.2, 34.2, Datum.CGCS2000) == (117.2, 34.2)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        (180.001, 0.0),
        (-180.001, 0.0),
        (0.0, 90.001),
        (0.0, -90.001),
        (34.2, 117.2),  # the wrong way round
        (nan, 34.2),
        (117.2, nan),
        (inf, 34.2),
        (117.2, -inf),
    ],
)
def test_what_is_no_place_on_earth_is_refused(lon, lat):
    for question in (
        lambda: to_cgcs2000(lon, lat, Datum.WGS84),
        lambda: distance_m((lon, lat), (117.2, 34.2)),
        lambda: distance_m((117.2, 34.2), (lon, lat)),
    ):
        with pytest.raises(RuleError) as caught:
            question()
        assert caught.value.code == "coordinate-out-of-range"
        assert f"经度 {lon}、纬度 {lat}" in caught.value.sentence()


@pytest.mark.parametrize(("lon", "lat"), [(180.0, 90.0), (-180.0, -90.0), (0.0, 0.0)])
def test_the_edges_of_the_earth_are_on_it(lon, lat):
    assert to_cgcs2000(lon, lat, Datum.WGS84) == (lon, lat)


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((117.2, 34.2), (117.2, 34.2), 0),
        ((0.0, 0.0), (1.0, 0.0), 6371008.8 * pi / 180),  # one degree of the equator: 111,195 m
        ((117.2, 34.0), (117.2, 35.0), 6371008.8 * pi / 180),  # one degree of any meridian
        ((0.0, 60.0), (180.0, 60.0), 6371008.8 * pi / 3),  # over the pole: 60 degrees
        ((0.0, 0.0), (180.0, 0.0), 6371008.8 * pi),  # half round the earth
        ((10.0, 20.0), (-170.0, -20.0), 6371008.8 * pi),
    ],
)
def test_distances_along_a_sphere(a, b, metres):
    assert distance_m(a, b) == pytest.approx(metres, abs=0.01)
    assert distance_m(b, a) == pytest.approx(metres, abs=0.01)


_inside_china = st.tuples(st.floats(74, 135), st.floats(4, 53))


@given(_inside_china)
def test_there_and_back_again_is_the_same_place(point):
    assert near(gcj02_to_wgs84(*wgs84_to_gcj02(*point)), point, within=1e-7)
    assert near(bd09_to_gcj02(*gcj02_to_bd09(*point)), point, within=1e-7)
    assert near(to_cgcs2000(*gcj02_to_bd09(*wgs84_to_gcj02(*point)), Datum.BD09), point, within=2e-7)


@given(_inside_china)
def test_the_offset_is_between_nothing_and_two_kilometres(point):
    assert 0 < distance_m(point, wgs84_to_gcj02(*point)) < 2000


@pytest.mark.parametrize("name", ["GCJ02", "gcj02", "Gcj02"])
def test_a_datum_is_known_in_any_case(name):
    assert datum_of(name) is Datum.GCJ02


def test_a_datum_not_met_in_practice_is_refused_and_quoted_in_part():
    with pytest.raises(RuleError) as caught:
        datum_of("Beijing54" * 9)
    assert caught.value.code == "datum"
    assert caught.value.values == {"datum": "Beijing54Beijing54Be"}
