"""Open cases on a map: at most 2,000 points, the newest of the part that is looked at.

Without configured tiles the ground is blank and the points themselves are the map. With tiles every point is
sent in the datum of the tiles, because a Chinese web map is shifted by some hundred metres.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.cases.lists import STATE_TONES
from weicheng.cases.models import Case
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.places.decorators import power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.cases import OPEN_STATES, STATE_LABELS, State
from weicheng.rules.coordinates import Datum, Point, gcj02_to_bd09, to_cgcs2000, wgs84_to_gcj02
from weicheng.rules.errors import N_, RuleError
from weicheng.ui.formats import moment
from weicheng.web.due import remaining
from weicheng.web.templatetags.web import words

MOST = 2000
# One letter a state, so that nobody has to tell five colours apart.
LETTERS = {
    State.FILED: "派",
    State.DISPATCHED: "接",
    State.HANDLING: "办",
    State.HANDED_IN: "核",
    State.REWORK: "返",
    State.SPLIT: "分",
}
Box = tuple[float, float, float, float]  # west, south, east, north, in the datum of the tiles


def tiles_datum() -> Datum:
    """Return the datum of the configured tiles; a blank map is drawn in the one points are stored in."""
    return Datum(settings.MAP_TILES_DATUM.lower()) if settings.MAP_TILES else Datum.CGCS2000


def to_tiles(lon: float, lat: float, datum: Datum) -> Point:
    """Return a stored point as the tiles draw it."""
    steps: dict[Datum, tuple[Callable[[float, float], Point], ...]] = {
        Datum.GCJ02: (wgs84_to_gcj02,),
        Datum.BD09: (wgs84_to_gcj02, gcj02_to_bd09),
    }
    for step in steps.get(datum, ()):
        lon, lat = step(lon, lat)
    return lon, lat


def read_box(text: str) -> Box | None:
    """Return the box "west,south,east,north", None for nothing; RuleError("map-box") for what is none."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text[:200].split(","))
        # Panned beyond the edge of the world a map asks for more than there is.
        west, east = max(west, -180.0), min(east, 180.0)
        south, north = max(south, -90.0), min(north, 90.0)
        if not (west <= east and south <= north):
            raise ValueError(text)
    except ValueError:
        raise RuleError(
            "map-box", N_("地图范围“{text}”无法识别。请刷新地图后再试。"), text=text[:60]
        ) from None
    return west, south, east, north


def points(actor: Actor, box: Box | None) -> tuple[list[Case], bool]:
    """Return the newest open cases with a point in the box that the actor sees, and whether there are more."""
    rows: QuerySet[Case] = Case.objects.visible_to(actor).filter(
        open=True, lon__isnull=False, lat__isnull=False
    )
    if box is not None:
        west, south, east, north = box
        datum = tiles_datum()
        (low_lon, low_lat), (high_lon, high_lat) = (
            to_cgcs2000(west, south, datum),
            to_cgcs2000(east, north, datum),
        )
        rows = rows.filter(lon__range=_decimals(low_lon, high_lon), lat__range=_decimals(low_lat, high_lat))
    found = list(rows.select_related("responsible").order_by("-id")[: MOST + 1])
    return found[:MOST], len(found) > MOST


def _decimals(low: float, high: float) -> tuple[str, str]:
    return f"{low:.7f}", f"{high:.7f}"


@power_required("sees_cases")
def page(request: HttpRequest) -> HttpResponse:
    """The map with its list."""
    legend = [(LETTERS[state], _(STATE_LABELS[state]), STATE_TONES[state]) for state in OPEN_STATES]
    context = {
        "tiles": settings.MAP_TILES,
        "legend": legend,
        "points_url": reverse("map_cases"),
        "list_url": reverse("cases"),
    }
    return render(request, "web/map.html", context)


@power_required("sees_cases")
def cases(request: HttpRequest) -> HttpResponse:
    """The points of the part that is looked at, as JSON; 422 with a sentence for a box that is none."""
    try:
        box = read_box(request.GET.get("box", ""))
    except RuleError as error:
        return JsonResponse({"code": error.code, "sentence": error.sentence(_)}, status=422)
    found, more = points(request.actor, box)
    datum = tiles_datum()
    reply = JsonResponse({"cases": [_feature(case, datum) for case in found], "more": more, "most": MOST})
    reply["Cache-Control"] = "private, no-store"
    return reply


def _feature(case: Case, datum: Datum) -> dict[str, Any]:
    lon, lat = to_tiles(float(case.lon or 0), float(case.lat or 0), datum)
    state = State(case.state)
    left = remaining(case.due_at, timezone.now()) if case.due_at and state is not State.HANDED_IN else None
    return {
        "lon": round(lon, 6),
        "lat": round(lat, 6),
        "letter": LETTERS[state],
        "tone": STATE_TONES[state],
        "state": case.state_label,
        "late": bool(left and left.late),
        "title": case.title,
        "number": case.number,
        "place": " · ".join(part for part in (name_of(case.community or case.street), case.address) if part),
        "unit": case.responsible.name if case.responsible else "",
        "due": words(left) if left else "",
        "due_at": moment(case.due_at),
        "url": case.url,
    }
