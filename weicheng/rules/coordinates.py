"""Points in the four datums met in practice, and the one they are stored in.

Stored is CGCS2000; WGS-84 (what a phone's GPS gives) is taken as equal, the difference being under half a
metre. Web maps of 高德 and 腾讯 use GCJ-02, 百度 uses BD-09.

Source: `domain/standards/codes.md` section 4; the published offset formulas. Their constants are geodesy,
not an authority's numbers, and so are code. Inverses are found by iteration, to 1e-9 degrees.
"""

from collections.abc import Callable
from enum import StrEnum
from math import asin, atan2, cos, isfinite, pi, radians, sin, sqrt

from weicheng.rules.errors import N_, RuleError

Point = tuple[float, float]  # longitude, latitude, in degrees


class Datum(StrEnum):
    CGCS2000 = "cgcs2000"
    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def datum_of(name: str) -> Datum:
    """Return the datum of this name in any case; RuleError("datum") for one that is not met in practice."""
    try:
        return Datum(name.lower())
    except ValueError:
        raise RuleError(
            "datum",
            N_("不认识坐标系“{datum}”。请使用 CGCS2000、WGS84、GCJ02 或 BD09。"),
            datum=name[:20],
        ) from None


_A = 6378245.0  # Krasovsky 1940 semi-major axis, metres
_EE = 0.00669342162296594323  # its first eccentricity squared
_X_PI = pi * 3000.0 / 180.0
_EARTH_RADIUS_M = 6371008.8  # mean radius of GRS 80 (IUGG)
_CLOSE_ENOUGH = 1e-9  # degrees, a tenth of a millimetre


def to_cgcs2000(lon: float, lat: float, datum: Datum) -> Point:
    """Return (lon, lat) in CGCS2000; RuleError("coordinate-out-of-range") for what is no place on earth."""
    require_coordinates(lon, lat)
    if datum is Datum.BD09:
        return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))
    if datum is Datum.GCJ02:
        return gcj02_to_wgs84(lon, lat)
    return lon, lat


def require_coordinates(lon: float, lat: float) -> None:
    """Refuse a longitude beyond 180, a latitude beyond 90, and what is not a number."""
    if not (isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise RuleError(
            "coordinate-out-of-range",
            N_("经度 {lon}、纬度 {lat} 不在地球范围内。请检查是否填反，经度在前，纬度在后。"),
            lon=lon,
            lat=lat,
        )


def wgs84_to_gcj02(lon: float, lat: float) -> Point:
    """Return the point as web maps in China draw it; outside China it stays."""
    if not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    short_waves = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + short_waves
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + short_waves
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    curve = 1 - _EE * sin(radians(lat)) ** 2
    # Metres to degrees on the ellipsoid at this latitude.
    d_lat = north * 180.0 / (_A * (1 - _EE) / (curve * sqrt(curve)) * pi)
    d_lon = east * 180.0 / (_A / sqrt(curve) * cos(radians(lat)) * pi)
    return lon + d_lon, lat + d_lat


def gcj02_to_wgs84(lon: float, lat: float) -> Point:
    """Return the true point behind one on a web map."""
    return _inverse(wgs84_to_gcj02, lon, lat)


def gcj02_to_bd09(lon: float, lat: float) -> Point:
    """Return the point as 百度 draws it."""
    z = sqrt(lon * lon + lat * lat) + 0.00002 * sin(lat * _X_PI)
    theta = atan2(lat, lon) + 0.000003 * cos(lon * _X_PI)
    return z * cos(theta) + 0.0065, z * sin(theta) + 0.006


def bd09_to_gcj02(lon: float, lat: float) -> Point:
    """Return a 百度 point as the other web maps draw it."""
    return _inverse(gcj02_to_bd09, lon, lat)


def distance_m(a: Point, b: Point) -> float:
    """Return the distance of two points of the same datum, in metres along a sphere.

    Within half a per cent of the ellipsoid: enough to say "far from the unit", not to survey.
    """
    require_coordinates(*a)
    require_coordinates(*b)
    (lon_a, lat_a), (lon_b, lat_b) = a, b
    half_chord = (
        sin(radians(lat_b - lat_a) / 2) ** 2
        + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(radians(lon_b - lon_a) / 2) ** 2
    )
    # Rounding can push antipodes a hair beyond 1, where asin has no answer.
    return 2 * _EARTH_RADIUS_M * asin(sqrt(min(1.0, half_chord)))


def _inverse(forward: Callable[[float, float], Point], lon: float, lat: float) -> Point:
    """Return the point that `forward` moves to (lon, lat).

    Each round takes off what the last one missed by. The offset changes far more slowly than the point, so
    five or so rounds suffice; the bound only ends the see-saw at the border box, where no point may fit.
    """
    x, y = lon, lat
    for _ in range(20):
        moved_x, moved_y = forward(x, y)
        miss_x, miss_y = lon - moved_x, lat - moved_y
        x, y = x + miss_x, y + miss_y
        if abs(miss_x) < _CLOSE_ENOUGH and abs(miss_y) < _CLOSE_ENOUGH:
            break
    return x, y
