"""Pages of hot spots (重点地段): the list, one place with its findings, its guard, and taking it off."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from weicheng.cases import repeats
from weicheng.cases.lists import STATE_TONES, area_name
from weicheng.cases.models import Case, HotSpot
from weicheng.places.areas import inside, name_of, path_name
from weicheng.places.decorators import power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.cases import State
from weicheng.rules.errors import RuleError
from weicheng.ui.lists import Choices, Column, Dates, Exact, ListPage
from weicheng.ui.replies import go_on, status_of

CASES_SHOWN = 30
# The map opens on this many degrees each way, some eight hundred metres: wide enough for tiles of another datum.
_BOX = 0.008


def place_of(spot: HotSpot) -> str:
    """Return what the place is called; a community's name where neither unit nor address is known."""
    return spot.place or name_of(spot.area)


def category_of(spot: HotSpot) -> str:
    return repeats.category_title(spot.area, spot.category, spot.last_on)


class HotSpotList(ListPage):
    """Hot spots, newest on the list first; those taken off are one filter away."""

    key = "hot-spots"
    title = gettext_lazy("重点地段")
    columns = [
        Column("place", gettext_lazy("地段"), place_of, phone="title", href=lambda spot: spot.url),
        Column("address", gettext_lazy("地点"), phone="rest"),
        Column("category", gettext_lazy("问题"), category_of, phone="meta"),
        Column("times", gettext_lazy("反复次数"), kind="number", phone="meta"),
        Column("last_on", gettext_lazy("最近一次"), kind="date", phone="meta"),
        Column("area", gettext_lazy("区划"), lambda spot: name_of(spot.area), phone="meta"),
        Column("measure", gettext_lazy("防控措施"), phone="rest"),
        Column("owner", gettext_lazy("责任人"), phone="rest"),
        Column("guarded", gettext_lazy("状态"), lambda spot: _guarded(spot), kind="state", tone=lambda spot: _tone(spot)),
        Column("off_at", gettext_lazy("移出时间"), kind="moment", default=False),
        Column("off_reason", gettext_lazy("移出理由"), default=False),
    ]  # fmt: skip
    filters = [
        Choices(
            "listed",
            gettext_lazy("名单"),
            options=[("1", gettext_lazy("在名单上")), ("0", gettext_lazy("已移出"))],
            multiple=True,
        ),
        Dates("last_on", gettext_lazy("最近一次")),
        Exact(
            "area", gettext_lazy("区划"), show=area_name, apply=lambda rows, code: rows.filter(inside(code))
        ),
    ]
    default = {"listed": ["1"]}
    empty = gettext_lazy("还没有重点地段。同一地点反复出现同类问题时，系统会自动列入，便于重点看守。")

    def __init__(self, request: HttpRequest) -> None:
        self.empty_action = (gettext_lazy("查看事项"), reverse("cases"))
        super().__init__(request, HotSpot.objects.visible_to(request.actor))

    @property
    def is_filtered(self) -> bool:
        """The list as it opens is not a search that found nothing: it says what will be here."""
        return super().is_filtered and self.pairs != [("listed", "1")]

    def queryset(self, rows: QuerySet[HotSpot]) -> QuerySet[HotSpot]:
        return rows.select_related("unit")


def _guarded(spot: HotSpot) -> str:
    if not spot.listed:
        return _("已移出")
    return _("已布控") if spot.measure else _("待布控")


def _tone(spot: HotSpot) -> str:
    if not spot.listed:
        return "grey"
    return "teal" if spot.measure else "orange"


class GuardForm(forms.Form):
    """What is done to keep the place in order, and who answers for it."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)
    measure = forms.CharField(
        label=gettext_lazy("防控措施"),
        max_length=repeats.MEASURE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("例如：早晚各巡一次，增设垃圾桶，安排专人看守。"),
        error_messages={"required": gettext_lazy("请写明防控措施。")},
    )
    owner = forms.CharField(
        label=gettext_lazy("责任人"),
        max_length=repeats.OWNER_LIMIT,
        help_text=gettext_lazy("姓名和职务，例如：王建国（社区网格员）。"),
        error_messages={"required": gettext_lazy("请写明责任人。")},
    )


class TakeOffForm(forms.Form):
    """Why the place no longer needs a guard."""

    base = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1)
    reason = forms.CharField(
        label=gettext_lazy("移出理由"),
        max_length=repeats.MEASURE_LIMIT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("移出后再次反复，系统会自动重新列入。"),
        error_messages={"required": gettext_lazy("请用一句话写明移出理由。")},
    )


@power_required("sees_cases")
def hot_spots(request: HttpRequest) -> HttpResponseBase:
    """The list of hot spots in the reader's scope."""
    return HotSpotList(request).response("ui/list.html")


def _visible(request: HttpRequest, uid: UUID) -> HotSpot:
    rows = HotSpot.objects.visible_to(request.actor).select_related("unit", "last_case")
    return get_object_or_404(rows, uid=uid)


@power_required("sees_cases")
def hot_spot(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One hot spot: how often, since when, who guards it, and the findings that made it one."""
    return render(request, "cases/hot_spot.html", _context(request, _visible(request, uid)))


def _context(request: HttpRequest, spot: HotSpot, bound: forms.Form | None = None) -> dict[str, Any]:
    given = {"base": spot.version, "measure": spot.measure, "owner": spot.owner}
    may = repeats.may_guard(spot, request.actor)
    return {
        "spot": spot,
        "place": place_of(spot),
        "where": path_name(spot.area, top=spot.city),
        "category": category_of(spot),
        "state": _guarded(spot),
        "tone": _tone(spot),
        "cases": [{"case": case, "tone": STATE_TONES[State(case.state)]} for case in _chain(request, spot)],
        "map_box": _box(spot),
        "guard_form": (bound if isinstance(bound, GuardForm) else GuardForm(initial=given)) if may else None,
        "off_form": (bound if isinstance(bound, TakeOffForm) else TakeOffForm(initial=given))
        if may and spot.listed
        else None,
        "bound": bound,
    }


def _chain(request: HttpRequest, spot: HotSpot) -> list[Case]:
    """Return the findings that made the spot, newest first, as far as the reader sees them."""
    rows = Case.objects.visible_to(request.actor).filter(pk__in=repeats.findings_at(spot))
    return list(rows.order_by("-occurred_on", "-id")[:CASES_SHOWN])


def _box(spot: HotSpot) -> str:
    if spot.lon is None or spot.lat is None:
        return ""
    lon, lat = float(spot.lon), float(spot.lat)
    return f"{lon - _BOX:.5f},{lat - _BOX:.5f},{lon + _BOX:.5f},{lat + _BOX:.5f}"


@power_required("sees_cases")
@require_POST
def guard(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Set measure and owner."""
    spot = _visible(request, uid)
    form = GuardForm(request.POST)
    if form.is_valid():
        try:
            repeats.guard(spot=spot, by=request.actor, at=timezone.now(), **form.cleaned_data)
            return go_on(request, spot.url)
        except RuleError as error:
            return _refused(request, spot, form, error)
    return render(request, "cases/hot_spot.html", _context(request, spot, form), status=422)


@power_required("sees_cases")
@require_POST
def take_off(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take the place off the list, with a reason."""
    spot = _visible(request, uid)
    form = TakeOffForm(request.POST)
    if form.is_valid():
        try:
            repeats.take_off(spot=spot, by=request.actor, at=timezone.now(), **form.cleaned_data)
            return go_on(request, spot.url)
        except RuleError as error:
            return _refused(request, spot, form, error)
    return render(request, "cases/hot_spot.html", _context(request, spot, form), status=422)


def _refused(request: HttpRequest, spot: HotSpot, form: forms.Form, error: RuleError) -> HttpResponse:
    form.add_error(None, error.sentence(_))
    context = _context(request, spot, form)
    if not repeats.may_guard(spot, request.actor):
        context["refusal"] = error.sentence(_)
    return render(request, "cases/hot_spot.html", context, status=status_of(error))
