"""Pages of inspection: report a finding in four taps, visit with a check list."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.cases.actions import WITHDRAW_WINDOW
from weicheng.cases.models import Case
from weicheng.evidence.pages import save_photos
from weicheng.inspections import actions
from weicheng.inspections.forms import OWN_KINDS, FindingForm, VisitForm, units_near
from weicheng.inspections.lists import VisitList
from weicheng.inspections.models import Visit
from weicheng.places.areas import name_of
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.http import HttpRequest
from weicheng.places.models import Unit
from weicheng.rules.cases import State
from weicheng.rules.coordinates import distance_m, require_coordinates
from weicheng.rules.errors import ConflictError, RuleError
from weicheng.ui.replies import go_on

NEARBY_M = 300  # a phone in the street knows where it is to some tens of metres
NEARBY_DEGREES = Decimal("0.005")  # a box a little wider than that at any latitude of the country


@power_required("records")
def finding_new(request: HttpRequest) -> HttpResponse:
    """Report a finding. After sending, the form is there again for the next one."""
    actor, on = request.actor, timezone.localdate()
    unit = _chosen_unit(request)
    visit = _chosen_visit(request)
    if request.method != "POST":
        form = FindingForm(
            actor, on, unit=unit, visit=visit, initial={"item": request.GET.get("item", "")[:20]}
        )
        return render(request, "inspections/finding_new.html", _finding_context(request, form, visit))
    form = FindingForm(actor, on, request.POST, request.FILES, unit=unit, visit=visit)
    if not form.is_valid():
        return render(
            request, "inspections/finding_new.html", _finding_context(request, form, visit), status=422
        )
    now = timezone.now()
    try:
        with transaction.atomic():
            recorded = actions.record_finding(form.draft(), by=actor, at=now)
            if recorded.verdict.status == "created":
                save_photos(
                    form.cleaned_data["photos"],
                    owner_kind="finding",
                    owner_uid=form.cleaned_data["uid"],
                    purpose="before",
                    by=actor,
                    at=now,
                    capture=form.capture(),
                )
    except RuleError as error:
        form.add_error(None, error.sentence(_))
        status = 409 if isinstance(error, ConflictError) else 422
        return render(
            request, "inspections/finding_new.html", _finding_context(request, form, visit), status=status
        )
    assert recorded.case is not None
    messages.success(
        request, _("已上报，编号 {number}，期限 {due}。").format(
            number=recorded.case.number, due=f"{timezone.localtime(recorded.case.due_at):%m-%d %H:%M}"
            if recorded.case.due_at else "—",
        )
    )  # fmt: skip
    if form.cleaned_data["visit"]:
        return go_on(request, reverse("visit", args=[form.cleaned_data["visit"]]))
    return go_on(request, f"{reverse('finding_new')}?saved={recorded.case.uid}")


def _finding_context(request: HttpRequest, form: FindingForm, visit: Visit | None) -> dict[str, Any]:
    saved = None
    if text := request.GET.get("saved", ""):
        try:
            saved = (
                Case.objects.visible_to(request.actor)
                .filter(uid=UUID(text), filed_by_key=request.actor.key)
                .first()
            )
        except ValueError:
            saved = None
    may_withdraw = bool(
        saved
        and saved.state in (State.FILED.value, State.DISPATCHED.value)
        and timezone.now() <= saved.opened_at + WITHDRAW_WINDOW
    )
    return {
        "form": form,
        "visit": visit,
        "saved": saved,
        "may_withdraw": may_withdraw,
        "severities": form.offered,
    }


def _chosen_unit(request: HttpRequest) -> Unit | None:
    text = request.POST.get("unit") or request.GET.get("unit", "")
    try:
        return Unit.objects.visible_to(request.actor).filter(uid=UUID(text)).first() if text else None
    except ValueError:
        return None


def _chosen_visit(request: HttpRequest) -> Visit | None:
    text = request.POST.get("visit") or request.GET.get("visit", "")
    try:
        return Visit.objects.visible_to(request.actor).filter(uid=UUID(text)).first() if text else None
    except ValueError:
        return None


@power_required("records")
def nearby(request: HttpRequest) -> HttpResponse:
    """The units near a point, nearest first, so that a phone that knows where it is fills in the place."""
    try:
        lon, lat = float(request.GET.get("lon", "")), float(request.GET.get("lat", ""))
        require_coordinates(lon, lat)
    except (ValueError, RuleError):
        return JsonResponse({"units": []})
    box = Unit.objects.visible_to(request.actor).open().filter(
        lon__range=(Decimal(str(lon)) - NEARBY_DEGREES, Decimal(str(lon)) + NEARBY_DEGREES),
        lat__range=(Decimal(str(lat)) - NEARBY_DEGREES, Decimal(str(lat)) + NEARBY_DEGREES),
    )[:200]  # fmt: skip
    near = sorted(
        (
            (distance_m((lon, lat), (float(unit.lon), float(unit.lat))), unit)
            for unit in box
            if unit.lon and unit.lat
        ),
        key=lambda pair: pair[0],
    )
    return JsonResponse(
        {
            "units": [
                {"uid": str(unit.uid), "name": unit.name, "area": unit.area, "area_name": name_of(unit.area),
                 "address": unit.address, "metres": round(metres)}
                for metres, unit in near[:10]
                if metres <= NEARBY_M
            ]
        }
    )  # fmt: skip


@power_required("records")
def units_of(request: HttpRequest) -> HttpResponse:
    """The units to offer for a place, when the reporter changes it."""
    area = request.GET.get("area", "")
    near = units_near(request.actor, area) if area.isascii() and area.isdigit() else []
    return JsonResponse({"units": [{"uid": str(unit.uid), "name": unit.name} for unit in near]})


@actor_required
def from_qr(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A unit's QR code was scanned: report a finding there, or see the unit's cases."""
    if request.actor.powers.records:
        return redirect(f"{reverse('finding_new')}?unit={uid}")
    return redirect(f"{reverse('cases')}?unit={uid}&all=1")


@actor_required
def visits(request: HttpRequest) -> HttpResponseBase:
    """The list of visits."""
    return VisitList(request).response("inspections/visits.html")


@power_required("records")
def visit_new(request: HttpRequest) -> HttpResponse:
    """Begin a visit; place, unit, kind and list may come with the link, as from a yellow card."""
    on = timezone.localdate()
    known = {
        name: request.GET[name] for name in ("area", "place", "checklist", "kind") if name in request.GET
    }
    if known.get("kind") not in dict(OWN_KINDS):
        known.pop("kind", None)
    form = VisitForm(request.actor, on, request.POST or None, initial=known, unit=_chosen_unit(request))
    if request.method == "POST" and form.is_valid():
        try:
            made, _created = actions.record_visit(form.draft(), by=request.actor, at=timezone.now())
            return go_on(request, made.url)
        except RuleError as error:
            form.add_error(None, error.sentence(_))
    context = {
        "form": form,
        "title": _("开始检查"),
        "submit_label": _("开始"),
        "cancel_url": reverse("visits"),
    }
    return render(request, "ui/form.html", context, status=422 if request.method == "POST" else 200)
