"""区划: the tree with lazy branches, a node with its history, the forms of the system administrator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from weicheng.places import actions, areas
from weicheng.places.actors import today
from weicheng.places.decorators import actor_required, power_required
from weicheng.places.forms import (
    CloseForm,
    GridsForm,
    MergeAreaForm,
    MoveAreaForm,
    OpenAreaForm,
    RenameAreaForm,
    area_choices,
    attempt,
    typed,
)
from weicheng.places.http import HttpRequest
from weicheng.places.models import Area, AreaChange
from weicheng.places.roles import LEVEL_NAMES
from weicheng.rules.areas import Level
from weicheng.ui.replies import form_page, go_on


def _node(code: str) -> dict[str, Any]:
    on = today(timezone.now())
    area = areas.area(code)
    return {"area": area, "level": LEVEL_NAMES[area.level], "children": areas.children(code, on)}


@require_GET
@actor_required
def tree(request: HttpRequest) -> HttpResponse:
    tops = [code for _column, code in request.actor.reach[:1]]
    if request.actor.unit_id is not None:
        tops = []
    query = " ".join(request.GET.get("q", "").split())[:60]
    found: list[tuple[Area, str]] = []
    if query:
        rows = Area.objects.visible_to(request.actor)
        match = rows.filter(pk__startswith=query) if query.isdigit() else rows.filter(name__contains=query)
        found = [(area, areas.path_name(area.pk)) for area in match.order_by("pk")[:50]]
    context = {"nodes": [_node(code) for code in tops], "query": query, "found": found}
    return render(request, "places/areas.html", context)


@require_GET
@actor_required
def branch(request: HttpRequest, code: str) -> HttpResponse:
    """The children of a node, fetched when it is unfolded."""
    area = get_object_or_404(Area.objects.visible_to(request.actor), pk=code)
    on = today(timezone.now())
    nodes = [
        {"area": child, "leaf": len(child.code) == Level.GRID} for child in areas.children(area.code, on)
    ]
    return render(request, "places/_area_branch.html", {"nodes": nodes})


@require_GET
@actor_required
def area(request: HttpRequest, code: str) -> HttpResponse:
    found = get_object_or_404(Area.objects.visible_to(request.actor), pk=code)
    changes = AreaChange.objects.visible_to(request.actor).filter(area=found).select_related("to")
    came = AreaChange.objects.visible_to(request.actor).filter(to=found).select_related("area")
    context = {
        **_node(code),
        "path": [(step, areas.name_of(step)) for step in _steps(code)],
        "heir": areas.successor(code),
        "steps": _history(list(changes), list(came)),
        "forms": _offered(request, found),
    }
    return render(request, "places/area.html", context)


def _steps(code: str) -> list[str]:
    return [code[:level] for level in Level if level < len(code)]


def _history(changes: list[AreaChange], came: list[AreaChange]) -> list[dict[str, Any]]:
    steps = [
        {"at": change.on, "title": change.get_kind_display(), "note": _said(change)} for change in changes
    ]
    steps += [
        {
            "at": change.on,
            "title": _("承接"),
            "note": _("{name}（{code}）{kind}本区划").format(
                name=change.area.name, code=change.area_id, kind=change.get_kind_display()
            ),
        }
        for change in came
    ]
    return sorted(steps, key=lambda step: step["at"], reverse=True)


def _said(change: AreaChange) -> str:
    if change.kind == AreaChange.Kind.RENAME:
        return _("{old} → {new}").format(old=change.old_name, new=change.new_name)
    if change.to:
        return _("现为{name}（{code}）").format(name=change.to.name, code=change.to_id)
    return change.new_name


# --- forms of the system administrator -----------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """One thing the system administrator may do to an area."""

    title: str
    make: Callable[..., forms.Form]
    do: Callable[..., Any]
    fits: Callable[[Area], bool] = lambda area: True
    fields: tuple[tuple[str, str], ...] = ()


def _open(code: str, given: dict[str, Any], **who: Any) -> Area:
    return actions.open_area(parent=code, **given, **who)


def _grids(code: str, given: dict[str, Any], **who: Any) -> Any:
    return actions.create_grids(community=code, names=given["names"].splitlines(), on=given["on"], **who)


def _plain(verb: Callable[..., Any]) -> Callable[..., Any]:
    def do(code: str, given: dict[str, Any], **who: Any) -> Any:
        return verb(code=code, **given, **who)

    return do


def steps() -> dict[str, Step]:
    """Return what may be done, by the name in the address."""
    return {
        "open": Step(
            _("设立下级"),
            OpenAreaForm,
            _open,
            lambda area: area.level < Level.COMMUNITY,
            (
                ("area-code", "code"),
                ("code-not-below", "code"),
                ("code-taken", "code"),
                ("area-name", "name"),
                ("before-opening", "on"),
            ),
        ),
        "grids": Step(
            _("划分网格"),
            GridsForm,
            _grids,
            lambda area: area.level == Level.COMMUNITY,
            (
                ("same-name", "names"),
                ("too-many-grids", "names"),
                ("area-name", "names"),
                ("before-opening", "on"),
            ),
        ),
        "rename": Step(
            _("更名"),
            RenameAreaForm,
            _plain(actions.rename_area),
            fields=(
                ("area-name", "name"),
                ("same-name", "name"),
                ("before-opening", "on"),
                ("before-last-change", "on"),
            ),
        ),
        "merge": Step(
            _("并入"),
            MergeAreaForm,
            _plain(actions.merge_area),
            fields=(("merge-level", "into"), ("before-opening", "on"), ("future-change", "on")),
        ),
        "move": Step(
            _("改隶"),
            MoveAreaForm,
            _plain(actions.move_area),
            fields=(
                ("area-code", "to_code"),
                ("merge-level", "to_code"),
                ("move-into-itself", "to_code"),
                ("code-taken", "to_code"),
                ("unknown-area", "to_code"),
                ("foreign-area", "to_code"),
                ("before-opening", "on"),
                ("future-change", "on"),
            ),
        ),
        "close": Step(_("撤销"), CloseForm, _plain(actions.close_area), fields=(("before-opening", "on"),)),
    }


def _offered(request: HttpRequest, area: Area) -> list[tuple[str, str]]:
    if not request.actor.powers.keeps_areas or not request.actor.covers(area.code) or area.closed_on:
        return []
    return [
        (reverse("area_change", args=[area.code, name]), step.title)
        for name, step in steps().items()
        if step.fits(area)
    ]


@power_required("keeps_areas")
def change(request: HttpRequest, code: str, name: str) -> HttpResponse:
    found = get_object_or_404(Area.objects.visible_to(request.actor), pk=code)
    step = steps().get(name)
    if step is None or not step.fits(found) or not request.actor.covers(code):
        raise Http404
    now = timezone.now()
    more: dict[str, Any] = {"initial": {"on": today(now), "code": code, "name": ""}}
    if step.make is MergeAreaForm:
        same = area_choices(request.actor, today(now), [found.level])
        more["choices"] = [("", _("请选择")), *(one for one in same if one[0] != code)]
    form = step.make(typed(request), **more)
    if request.method == "POST" and form.is_valid():
        done = attempt(
            form,
            lambda: step.do(code, form.cleaned_data, by=request.actor, at=now),
            dict(step.fields),
        )
        if done is not None:
            messages.success(request, _("{title}已办理：{name}").format(title=step.title, name=found.name))
            shown = done.code if isinstance(done, Area) and name != "open" else code
            return go_on(request, reverse("area", args=[shown]))
    context = {
        "title": _("{name} · {title}").format(name=found.name, title=step.title),
        "subtitle": _("代码 {code}").format(code=code),
        "submit_label": step.title,
        "cancel_url": reverse("area", args=[code]),
    }
    return form_page(request, form, context=context)
