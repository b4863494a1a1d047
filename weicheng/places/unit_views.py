"""单位: list, detail, forms, the printable QR sheet, the workbook in and out."""

import json
import uuid
from datetime import date
from typing import Any

import segno
from django.conf import settings
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from weicheng.places import actions, areas, kinds, unit_versions
from weicheng.places.actors import today
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.forms import UNIT_FIELDS, CloseForm, MergeUnitForm, UnitForm, attempt, typed
from weicheng.places.http import HttpRequest
from weicheng.places.models import Unit
from weicheng.places.sheet_views import SheetPages
from weicheng.places.unit_import import UnitImport
from weicheng.places.unit_verbs import canonical_of, newest
from weicheng.ui import imports
from weicheng.ui.lists import BatchAction, Choices, Column, ListPage, Order, Search
from weicheng.ui.replies import form_page, go_on

MOST_CODES = 300  # on one QR sheet
STATES = [("open", gettext_lazy("在用")), ("closed", gettext_lazy("已停用"))]


def _kind_options(request: HttpRequest) -> list[tuple[str, str]]:
    return list(kinds.names(request.actor.area, today(timezone.now())).items())


def _area_options(request: HttpRequest) -> list[tuple[str, str]]:
    if not request.actor.area:
        return []
    return [(one.code, one.name) for one in areas.children(request.actor.area, today(timezone.now()))]


def _in_area(rows: QuerySet, code: str) -> QuerySet:
    wanted = Q(pk__in=[])
    for column, one in areas.within(code):
        wanted |= Q(**{column: one})
    return rows.filter(wanted)


def _in_state(rows: QuerySet, state: str) -> QuerySet:
    on = today(timezone.now())
    gone = Q(closed_on__isnull=False, closed_on__lte=on)
    return rows.filter(gone) if state == "closed" else rows.exclude(gone)


def _containing(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(Q(name__contains=words) | Q(address__contains=words))


class UnitList(ListPage):
    key = "units"
    title = gettext_lazy("单位")
    filters = [
        Choices("kind", gettext_lazy("类别"), options=_kind_options),
        Choices("area", gettext_lazy("区划"), options=_area_options, apply=_in_area),
        Choices("state", gettext_lazy("状态"), options=STATES, apply=_in_state),
        Search("q", gettext_lazy("查找"), apply=_containing, placeholder=gettext_lazy("名称或地址")),
    ]
    orders = [Order("name", gettext_lazy("名称"), "name")]
    default = {"state": "open"}
    empty = gettext_lazy(
        "这里将列出本辖区的市场、商铺、小区、公厕等单位。可以逐个登记，也可以从 Excel 导入。"
    )
    batch = [BatchAction("qr", gettext_lazy("打印二维码"), lambda request: reverse("units_qr"))]

    @cached_property
    def kind_names(self) -> dict[str, str]:
        return kinds.names(self.request.actor.area, today(timezone.now()))

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("name", _("名称"), href=lambda unit: reverse("unit", args=[unit.uid]), order="name"),
            Column("kind", _("类别"), lambda unit: self.kind_names.get(unit.kind, unit.kind)),
            Column("area", _("区划"), lambda unit: areas.path_name(unit.area, top=unit.district)),
            Column("address", _("地址")),
            Column("contact", _("联系人"), lambda unit: unit.contact_masked),
            Column(
                "state",
                _("状态"),
                lambda unit: _("已停用") if _is_closed(unit) else _("在用"),
                kind="state",
                tone=lambda unit: "grey" if _is_closed(unit) else "green",
            ),
            Column("credit_code", _("统一社会信用代码"), default=False),
            Column("opened_on", _("启用日期"), kind="date", default=False),
            Column("code", _("系统编号"), lambda unit: str(unit.uid), default=False),
        ]


def _is_closed(unit: Unit) -> bool:
    return unit.closed_on is not None and unit.closed_on <= today(timezone.now())


@actor_required
def units(request: HttpRequest) -> HttpResponseBase:
    keeps = request.actor.powers.keeps_units
    page = UnitList(request, Unit.objects.visible_to(request.actor))
    if keeps:
        page.empty_action = (_("登记单位"), reverse("unit_new"))
    return page.response("places/units.html", {"keeps": keeps})


def _found(request: HttpRequest, uid: uuid.UUID) -> Unit:
    return get_object_or_404(Unit.objects.visible_to(request.actor), uid=uid)


def _kind(code: str, area: str, on: date) -> Any:
    """Return the kind of a unit, or None when it is no longer in force."""
    return next((kind for kind in kinds.of(area, on) if kind.code == code), None)


def _keeps(request: HttpRequest, unit: Unit) -> bool:
    return request.actor.powers.keeps_units and request.actor.covers(unit.area)


@require_GET
@actor_required
def unit(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    return _unit_page(request, _found(request, uid))


def _unit_page(request: HttpRequest, found: Unit, contact: dict[str, str] | None = None) -> HttpResponse:
    on = today(timezone.now())
    kind = _kind(found.kind, found.area, on)
    heir = canonical_of(found)
    context = {
        "unit": found,
        "kind_name": kind.name if kind else found.kind,
        "place": areas.path_name(found.area, top=found.city),
        "particulars": kinds.shown_particulars(kind, found.particulars),
        "services": [areas.path_name(one.area, top=found.city) for one in found.services.order_by("area")],
        "steps": unit_versions.history(found),
        "keeps": _keeps(request, found) and found.closed_on is None,
        "may_read": request.actor.powers.reads_personal and bool(found.contact_masked),
        "contact": contact,
        "heir": heir if heir.pk != found.pk else None,
        "address": code_address(found),
        "qr": segno.make(code_address(found), error="m").svg_data_uri(scale=4, border=2),
    }
    return render(request, "places/unit.html", context)


def code_address(unit: Unit) -> str:
    """Return what a unit's QR code says: the address that opens a finding about it."""
    return f"{settings.SITE_URL}/u/{unit.uid}"


@require_POST
@actor_required
def contact(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Show the contact in full, once; the reading is journalled."""
    found = _found(request, uid)
    return _unit_page(request, found, actions.read_contact(unit=found, by=request.actor, at=timezone.now()))


@power_required("keeps_units")
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    on = today(now)
    known = kinds.of(request.actor.area, on)
    code = request.GET.get("kind", "")
    kind = next((one for one in known if one.code == code), None)
    if known and kind is None:
        return render(request, "places/unit_kinds.html", {"kinds": known})
    form = UnitForm(
        typed(request),
        actor=request.actor,
        kind=kind,
        on=on,
        initial={"area": request.actor.area, "datum": "cgcs2000"},
    )
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: actions.create_unit(
                fields=form.values(), by=request.actor, at=now, uid=form.cleaned_data["uid"]
            ),
            UNIT_FIELDS,
        )
        if made:
            messages.success(request, _("已登记：{name}").format(name=made.name))
            return go_on(request, reverse("unit", args=[made.uid]))
    title = _("登记{kind}").format(kind=kind.name if kind else _("单位"))
    context = {"title": title, "submit_label": _("登记"), "cancel_url": reverse("units")}
    return form_page(request, form, context=context)


@power_required("keeps_units")
def edit(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _found(request, uid), timezone.now()
    on = today(now)
    kind = _kind(request.GET.get("kind") or found.kind, found.area, on)
    form = UnitForm(
        typed(request), actor=request.actor, kind=kind, on=on, unit=found, initial=_initial(found, kind)
    )
    if request.method == "POST" and form.is_valid():
        changed = attempt(
            form,
            lambda: actions.change_unit(
                unit=found, fields=form.values(), by=request.actor, at=now, base=form.cleaned_data["base"]
            ),
            UNIT_FIELDS,
        )
        if changed:
            messages.success(request, _("已保存：{name}").format(name=changed.name))
            return go_on(request, reverse("unit", args=[uid]))
    context = {"title": _("修改 {name}").format(name=found.name), "cancel_url": reverse("unit", args=[uid])}
    return form_page(request, form, context=context)


def _initial(found: Unit, kind: Any) -> dict[str, Any]:
    stored = json.loads(found.particulars or "{}")
    values = {
        "base": newest(found),
        "uid": found.uid,
        "name": found.name,
        "area": found.area,
        "address": found.address,
        "credit_code": found.credit_code,
        "lon": found.lon,
        "lat": found.lat,
        "datum": "cgcs2000",
        "accuracy_m": found.accuracy_m,
        "services": list(found.services.values_list("area", flat=True)),
    }
    for one in kind.fields if kind else ():
        value = stored.get(kinds.attribute(one, "id"))
        values[f"p_{kinds.attribute(one, 'id')}"] = (
            {True: "是", False: "否"}.get(value, value) if isinstance(value, bool) else value
        )
    return values


@power_required("keeps_units")
def close(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _found(request, uid), timezone.now()
    form = CloseForm(typed(request), initial={"on": today(now)})
    form.fields["on"].label = _("停用日期")
    if request.method == "POST" and form.is_valid():
        done = attempt(
            form,
            lambda: actions.close_unit(unit=found, by=request.actor, at=now, **form.cleaned_data),
            {"before-opening": "on"},
        )
        if done:
            messages.success(request, _("已停用：{name}").format(name=found.name))
            return go_on(request, reverse("unit", args=[uid]))
    context = {
        "title": _("停用 {name}").format(name=found.name),
        "submit_label": _("停用"),
        "cancel_url": reverse("unit", args=[uid]),
    }
    return form_page(request, form, context=context)


@power_required("keeps_units")
def merge(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _found(request, uid), timezone.now()
    others = Unit.objects.filter(request.actor.reach_q(Unit)).open().exclude(pk=found.pk).order_by("name")
    form = MergeUnitForm(typed(request), units=others)
    if request.method == "POST" and form.is_valid():
        done = attempt(
            form,
            lambda: actions.merge_units(unit=found, by=request.actor, at=now, **form.cleaned_data),
            {"merge-into-itself": "into", "unit-closed": "into"},
        )
        if done:
            messages.success(request, _("已并入：{name}").format(name=done.name))
            return go_on(request, reverse("unit", args=[done.uid]))
    context = {
        "title": _("{name} 并入其他单位").format(name=found.name),
        "submit_label": _("并入"),
        "cancel_url": reverse("unit", args=[uid]),
    }
    return form_page(request, form, context=context)


@actor_required
def qr_sheet(request: HttpRequest) -> HttpResponse:
    """An A4 sheet of codes: of the selected units, or of all in use."""
    rows = _in_state(Unit.objects.visible_to(request.actor), "open").order_by("street", "community", "name")
    ids = [one for one in request.POST.getlist("ids") or request.GET.getlist("ids") if one.isdigit()]
    if ids:
        rows = rows.filter(pk__in=ids[:MOST_CODES])
    shown = list(rows[: MOST_CODES + 1])
    codes = [
        {
            "unit": one,
            "place": areas.name_of(one.area),
            "number": str(one.uid)[:8].upper(),
            "image": segno.make(code_address(one), error="m").svg_data_uri(scale=4, border=1),
        }
        for one in shown[:MOST_CODES]
    ]
    pages = [codes[start : start + 15] for start in range(0, len(codes), 15)]
    context = {"pages": pages, "cut": len(shown) > MOST_CODES, "most": MOST_CODES, "count": len(codes)}
    return render(request, "places/qr_sheet.html", context)


# --- the workbook --------------------------------------------------------------------------------


@require_GET
@power_required("keeps_units")
def sheet(request: HttpRequest) -> HttpResponseBase:
    """The template to fill in; with `?rows=1` the units in use, to be edited and sent again."""
    importer = UnitImport(request.actor, timezone.now())
    if request.GET.get("rows") != "1":
        return imports.template(importer.sheet)
    rows = Unit.objects.filter(request.actor.reach_q(Unit)).open().order_by("area", "name")
    return imports.template(importer.sheet, importer.rows_of(rows[: imports.MOST_ROWS]))


SHEETS = SheetPages(
    gettext_lazy("导入单位"),
    gettext_lazy("单位"),
    "units",
    "units_import",
    lambda request: UnitImport(request.actor, timezone.now()),
)


@power_required("keeps_units")
def upload(request: HttpRequest) -> HttpResponse:
    return SHEETS.upload(request)


@require_POST
@power_required("keeps_units")
def commit(request: HttpRequest, draft: uuid.UUID) -> HttpResponse:
    return SHEETS.commit(request, draft)


@require_GET
@power_required("keeps_units")
def errors(request: HttpRequest, draft: uuid.UUID) -> HttpResponseBase:
    return SHEETS.errors(request, draft)
