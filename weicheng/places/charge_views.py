"""包抓联络: who is in charge of each area, of which areas each person is, and the forms of those who set it."""

import uuid
from datetime import date
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from weicheng.places import areas, charges, contacts
from weicheng.places.actors import today
from weicheng.places.charge_forms import (
    CHARGE_FIELDS,
    CancelForm,
    ChargeForm,
    EndForm,
    HandOverForm,
    user_of,
)
from weicheng.places.charge_import import ChargeImport
from weicheng.places.decorators import View, actor_required, power_required
from weicheng.places.forms import attempt, typed
from weicheng.places.http import HttpRequest
from weicheng.places.models import CHARGE_LABELS, Charge
from weicheng.places.sheet_views import SheetPages
from weicheng.rules.areas import Level
from weicheng.rules.errors import N_, ForbiddenError, MissingError
from weicheng.ui import imports
from weicheng.ui.lists import Choices, Column, ListPage, Order, Search
from weicheng.ui.replies import form_page, go_on

MOST_SHOWN = 1000  # charges on the page by person
STATES = [
    ("now", gettext_lazy("在任")),
    ("later", gettext_lazy("将任")),
    ("past", gettext_lazy("已结束")),
    ("cancelled", gettext_lazy("已作废")),
]
TONES = {"now": "green", "later": "blue", "past": "grey", "cancelled": "grey"}


def state_of(row: Charge, on: date) -> str:
    """Return now, later, past or cancelled."""
    if row.cancelled_at is not None:
        return "cancelled"
    if row.from_on > on:
        return "later"
    return "now" if row.span.holds(on) else "past"


def _in_state(rows: Any, state: str) -> QuerySet:
    on = today(timezone.now())
    if state == "cancelled":
        return rows.filter(cancelled_at__isnull=False)
    rows = rows.valid()
    if state == "later":
        return rows.filter(from_on__gt=on)
    return rows.held_on(on) if state == "now" else rows.filter(to_on__lt=on)


def _containing(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(Q(name__contains=words) | Q(title__contains=words) | Q(targets__contains=words))


class ChargeList(ListPage):
    key = "charges"
    title = gettext_lazy("包抓联络登记")
    filters = [
        Choices(
            "kind",
            gettext_lazy("类别"),
            options=[(kind.value, label) for kind, label in CHARGE_LABELS.items()],
        ),
        Choices("state", gettext_lazy("状态"), options=STATES, apply=_in_state),
        Search("q", gettext_lazy("查找"), apply=_containing, placeholder=gettext_lazy("姓名、职务或任务")),
    ]
    orders = [Order("from", gettext_lazy("开始日期"), field="from_on")]
    empty = gettext_lazy("这里将列出领导包抓、干部联络和科室承包的每一次登记，结束的也保留。")

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        on = today(timezone.now())
        return [
            Column(
                "name", _("姓名或科室"), href=lambda row: reverse("charge", args=[row.uid]), phone="title"
            ),
            Column("title", _("职务或负责人"), phone="meta"),
            Column("phone", _("办公电话"), default=False),
            Column("kind", _("类别"), lambda row: row.kind_label, phone="meta"),
            Column("area", _("区划"), lambda row: areas.path_name(row.area, top=row.district), phone="meta"),
            Column("from_on", _("开始"), kind="date", order="from", phone="meta"),
            Column("to_on", _("结束"), kind="date"),
            Column(
                "state",
                _("状态"),
                lambda row: dict(STATES)[state_of(row, on)],
                kind="state",
                tone=lambda row: TONES[state_of(row, on)],
                phone="badge",
            ),
            Column("targets", _("目标任务")),
            Column("due_on", _("完成期限"), kind="date", default=False),
            Column("result", _("结果"), default=False),
            Column("code", _("系统编号"), lambda row: str(row.uid), default=False),
        ]


def _day(request: HttpRequest) -> date:
    """Return the day asked for, today where it is none."""
    try:
        return date.fromisoformat(request.GET.get("on", ""))
    except ValueError:
        return today(timezone.now())


@require_GET
@actor_required
def charges_page(request: HttpRequest) -> HttpResponse:
    """The table of a day: by area, or by person."""
    actor, on = request.actor, _day(request)
    code = request.GET.get("area") or actor.area
    if not actor.area or not actor.covers(code):
        raise MissingError("unknown-area", N_("没有这个区划，或不在您的辖区内。请从列表中选择。"))
    place = areas.area(code)
    visible = Charge.objects.visible_to(actor)
    by_person = request.GET.get("by") == "person"
    lines = [] if by_person else charges.table(code, on)
    here = charges.in_charge(code, on, above=True)
    named = _named(visible.held_on(on), code) if by_person else []
    mine = list(visible.held_on(on).filter(user_id=actor.user_id or 0))
    held = [row for line in lines for row in (*line.leaders, *line.sections, line.liaison) if row]
    contacts.attach([*held, *here, *named, *mine], actor, on)
    context = {
        "place": place,
        "on": on,
        "is_today": on == today(timezone.now()),
        "by_person": by_person,
        "lines": lines,
        "missing": [line for line in lines if line.missing],
        "here": here,
        "people": charges.by_person(named),
        "mine": mine,
        "keeps": _may_set(request),
        "deeper": place.level < Level.STREET,
        "districts": place.level < Level.DISTRICT,
        "shows_sections": place.level == Level.STREET,
    }
    return render(request, "places/charges.html", context)


def _named(rows: QuerySet, code: str) -> list[Charge]:
    wanted = Q(pk__in=[])
    for column, one in areas.within(code):
        wanted |= Q(**{column: one})
    return list(rows.filter(wanted).order_by("area", "kind", "id")[:MOST_SHOWN])


def _may_set(request: HttpRequest) -> bool:
    level = request.actor.level
    return request.actor.powers.keeps_units and level is not None and level < Level.COMMUNITY


@actor_required
def charge_list(request: HttpRequest) -> HttpResponseBase:
    page = ChargeList(request, Charge.objects.visible_to(request.actor))
    if _may_set(request):
        page.empty_action = (_("登记包抓联络"), reverse("charge_new"))
    return page.response("places/charge_list.html", {"keeps": _may_set(request)})


def _found(request: HttpRequest, uid: uuid.UUID) -> Charge:
    return get_object_or_404(
        Charge.objects.visible_to(request.actor).select_related("user", "follows"), uid=uid
    )


@require_GET
@actor_required
def charge(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found = _found(request, uid)
    on = today(timezone.now())
    state = state_of(found, on)
    above = request.actor.covers(found.area) and len(request.actor.area) < len(found.area)
    contacts.attach([found], request.actor, on)
    others = Charge.objects.visible_to(request.actor).valid().filter(area=found.area, kind=found.kind)
    context = {
        "charge": found,
        "place": areas.path_name(found.area, top=found.city),
        "area": areas.area(found.area),
        "state": dict(STATES)[state],
        "tone": TONES[state],
        "keeps": _may_set(request) and above and found.cancelled_at is None,
        "runs": state in ("now", "later"),
        "history": others.exclude(pk=found.pk).order_by("-from_on")[:20],
    }
    return render(request, "places/charge.html", context)


def setter_required(view: View) -> View:
    """Let in who may set charges: an officer of a level that has areas below to put somebody in charge of."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not _may_set(request):
            raise ForbiddenError("no-power", N_("您当前的岗位不能登记包抓联络。请由街道或区里登记。"))
        return view(request, *args, **kwargs)

    return power_required("keeps_units")(guarded)


def _to_change(request: HttpRequest, uid: uuid.UUID) -> Charge:
    found = _found(request, uid)
    charges.require_above(request.actor, found.area)
    return found


@setter_required
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    on = today(now)
    initial = {"from_on": on, "kind": request.GET.get("kind"), "area": request.GET.get("area")}
    form = ChargeForm(typed(request), actor=request.actor, on=on, initial=initial)
    if request.method == "POST" and form.is_valid():
        made = attempt(
            form,
            lambda: charges.set_charge(
                given=form.given(), by=request.actor, at=now, uid=form.cleaned_data["uid"]
            ),
            CHARGE_FIELDS,
        )
        if made:
            return _done(request, made, _("已登记：{name}").format(name=made.who))
    context = {
        "title": _("登记包抓联络"),
        "submit_label": _("登记"),
        "cancel_url": reverse("charges"),
    }
    return form_page(request, form, context=context)


@setter_required
def edit(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _to_change(request, uid), timezone.now()
    names = ("name", "title", "phone", "from_on", "to_on", "targets", "due_on", "revision")
    initial = {name: getattr(found, name) for name in names} | {"user": str(found.user_id or "")}
    form = ChargeForm(typed(request), actor=request.actor, on=today(now), fixed=True, initial=initial)

    def save() -> Charge:
        given = form.given(found.kind, found.area)
        revision = form.cleaned_data["revision"]
        return charges.change_charge(charge=found, revision=revision, given=given, by=request.actor, at=now)

    return _step(request, form, found, save, _("修改登记"), _("保存"))


@setter_required
def end(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _to_change(request, uid), timezone.now()
    form = EndForm(typed(request), initial={"on": today(now)})

    def save() -> Charge:
        return charges.end_charge(charge=found, by=request.actor, at=now, **form.cleaned_data)

    return _step(
        request, form, found, save, _("结束"), _("结束"), {"charge-dates": "on", "charge-overlap": "on"}
    )


@setter_required
def hand_over(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _to_change(request, uid), timezone.now()
    form = HandOverForm(typed(request), actor=request.actor, on=today(now), initial={"on": today(now)})

    def save() -> Charge:
        said = form.cleaned_data
        return charges.hand_over(
            charge=found, on=said["on"], name=said["name"], title=said["title"], phone=said["phone"], user=user_of(said["user"]),
            by=request.actor, at=now,
        )  # fmt: skip

    return _step(
        request,
        form,
        found,
        save,
        _("交接"),
        _("交接"),
        {"charge-dates": "on", "charge-overlap": "on", "phone-invalid": "phone"},
    )


@setter_required
def cancel(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    found, now = _to_change(request, uid), timezone.now()
    form = CancelForm(typed(request))

    def save() -> Charge:
        return charges.cancel_charge(charge=found, by=request.actor, at=now, **form.cleaned_data)

    return _step(request, form, found, save, _("作废登记"), _("作废"))


def _step(
    request: HttpRequest, form: Any, found: Charge, save: Any, title: str, label: str, fields: Any = None
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        done = attempt(form, save, {**CHARGE_FIELDS, **(fields or {})})
        if done:
            return _done(request, done, _("已保存：{name}").format(name=done.who))
    context = {
        "title": title,
        "subtitle": f"{found.kind_label} · {areas.path_name(found.area, top=found.city)} · {found.who}",
        "submit_label": label,
        "cancel_url": reverse("charge", args=[found.uid]),
    }
    return form_page(request, form, context=context)


def _done(request: HttpRequest, row: Charge, words: str) -> HttpResponse:
    messages.success(request, words)
    return go_on(request, reverse("charge", args=[row.uid]))


# --- the workbook --------------------------------------------------------------------------------

SHEETS = SheetPages(
    gettext_lazy("导入包抓联络"),
    gettext_lazy("包抓联络"),
    "charges",
    "charges_import",
    lambda request: ChargeImport(request.actor, timezone.now()),
)


@require_GET
@setter_required
def sheet(request: HttpRequest) -> HttpResponseBase:
    """The template to fill in; with `?rows=1` those in force or to come, to be edited and sent again."""
    importer = ChargeImport(request.actor, timezone.now())
    if request.GET.get("rows") != "1":
        return imports.template(importer.sheet)
    rows = Charge.objects.valid().filter(request.actor.reach_q(Charge))
    rows = rows.filter(Q(to_on__isnull=True) | Q(to_on__gte=today(timezone.now())))
    shown = [
        row for row in rows.order_by("area", "kind", "from_on") if len(row.area) > len(request.actor.area)
    ]
    return imports.template(importer.sheet, importer.rows_of(shown[: imports.MOST_ROWS]))


@setter_required
def upload(request: HttpRequest) -> HttpResponse:
    return SHEETS.upload(request)


@require_POST
@setter_required
def commit(request: HttpRequest, draft: uuid.UUID) -> HttpResponse:
    return SHEETS.commit(request, draft)


@require_GET
@setter_required
def errors(request: HttpRequest, draft: uuid.UUID) -> HttpResponseBase:
    return SHEETS.errors(request, draft)
