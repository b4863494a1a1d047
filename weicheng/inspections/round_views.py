"""Pages of rounds: plan, draw, carry out, publish; the calendar; yellow cards."""

from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.inspections import draws, rounds, yellow_cards
from weicheng.inspections.calendar import month_of
from weicheng.inspections.models import (
    CardStep,
    Draw,
    Finding,
    Round,
    RoundPlace,
    Visit,
    YellowCard,
    runs_rounds,
)
from weicheng.inspections.round_forms import (
    SOURCES,
    AssignForm,
    BeginForm,
    CardForm,
    DrawForm,
    FrameForm,
    LiftForm,
    PlanForm,
    PublishForm,
    QuotaForm,
    RoundForm,
)
from weicheng.inspections.round_lists import ROUND_TONES, CardList, MyPlaceList, PlaceList, RoundList
from weicheng.places.areas import name_of, path_name
from weicheng.places.decorators import actor_required
from weicheng.places.forms import attempt, typed
from weicheng.places.http import HttpRequest
from weicheng.rules import draws as rule
from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Period
from weicheng.standards import editions
from weicheng.ui.replies import form_page, go_on

STEP_MARKS = {
    CardStep.Verb.ISSUE: {"tone": "yellow", "icon": "flag"},
    CardStep.Verb.PLAN: {"tone": "blue", "icon": "edit"},
    CardStep.Verb.LIFT: {"tone": "green", "icon": "check"},
}
STRATA_SHOWN = 60  # strata that get a field of their own; with more, quotas follow the sizes


def _round(request: HttpRequest, uid: UUID) -> Round:
    return get_object_or_404(Round.objects.visible_to(request.actor), uid=uid)


def _own_round(request: HttpRequest, uid: UUID) -> Round:
    """Return a round of the reader's own office: for every other reader its desk is not there."""
    found = _round(request, uid)
    if not (runs_rounds(request.actor) and found.area == request.actor.area):
        raise Http404
    return found


# --- lists ---------------------------------------------------------------------------------------


@actor_required
def round_list(request: HttpRequest) -> HttpResponseBase:
    """The list of rounds."""
    return RoundList(request).response("inspections/rounds.html", {"may_plan": runs_rounds(request.actor)})


@actor_required
def my_places(request: HttpRequest) -> HttpResponseBase:
    """The places the reader is sent to."""
    return MyPlaceList(request).response("inspections/my_places.html")


@actor_required
def calendar(request: HttpRequest) -> HttpResponse:
    """A month of rounds and visits."""
    problem, today = "", timezone.localdate()
    try:
        period = Period.month(request.GET.get("month", "") or f"{today:%Y-%m}")
    except RuleError as error:
        problem, period = error.sentence(_), Period.month(f"{today:%Y-%m}")
    following = date(period.start.year + period.start.month // 12, period.start.month % 12 + 1, 1)
    weeks = month_of(request.actor, period)
    context = {
        "period": period, "weeks": weeks, "today": today, "problem": problem,
        "previous": f"{period.previous().start:%Y-%m}", "next": f"{following:%Y-%m}",
        "empty": not any(day.rounds or day.visits for week in weeks for day in week if day.inside),
        "weekdays": [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")],
        "may_plan": runs_rounds(request.actor),
    }  # fmt: skip
    return render(request, "inspections/calendar.html", context)


# --- one round -----------------------------------------------------------------------------------


@actor_required
def round_new(request: HttpRequest) -> HttpResponse:
    """Plan a round."""
    rounds.require_office(request.actor)
    form = RoundForm(request.actor, timezone.localdate(), typed(request))
    if form.is_bound and form.is_valid():
        made = attempt(
            form,
            lambda: rounds.plan_round(form.draft(), by=request.actor, at=timezone.now()),
            {"round-ends-before-start": "ends_on", "round-too-long": "ends_on",
             "hidden-without-list": "checklists", "joint-without-departments": "departments",
             "round-without-leader": "leader"},
        )  # fmt: skip
        if made is not None:
            return go_on(request, reverse("round_draw", args=[made.uid]))
    context = {"title": _("建立检查任务"), "submit_label": _("保存并抽取"), "cancel_url": reverse("rounds")}
    return form_page(request, form, "ui/form.html", context)


@actor_required
def round_edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Change a round that is not drawn yet."""
    found = _own_round(request, uid)
    form = RoundForm(request.actor, timezone.localdate(), typed(request), round=found)
    if form.is_bound and form.is_valid():
        version = form.cleaned_data["version"] or 0
        made = attempt(
            form,
            lambda: rounds.change_round(
                found, form.draft(), version=version, by=request.actor, at=timezone.now()
            ),
            {"round-ends-before-start": "ends_on"},
        )
        if made is not None:
            return go_on(request, made.url)
    context = {"title": _("修改检查任务"), "cancel_url": found.url}
    return form_page(request, form, "ui/form.html", context)


@actor_required
def round_page(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    """One round: how far it is, its places with who looks, its draws."""
    found = _round(request, uid)
    actor = request.actor
    places = RoundPlace.objects.visible_to(actor).filter(round=found, current=True)
    titles = {one.key: one.title for one in editions.checklists(found.area, found.starts_on)}
    facts = found.facts
    kinds = {kind.code: kind.name for kind in editions.unit_kinds_or_none(found.area, found.starts_on)}
    context: dict[str, Any] = {
        "round": found, "tone": ROUND_TONES[Round.State(found.state)], "owner": name_of(found.area),
        "checklists": [titles.get(key, key) for key in found.checklist_keys],
        "facts": facts, "source": SOURCES[facts.get("source", rounds.Source.UNITS)],
        "unit_kinds": [kinds.get(code, code) for code in facts.get("unit_kinds", [])],
        "progress": rounds.progress(found, actor),
        "runs": runs_rounds(actor) and found.area == actor.area,
        "draws": Draw.objects.visible_to(actor).filter(round=found).defer("body").order_by("-number"),
    }  # fmt: skip
    return PlaceList(request, places).response("inspections/round.html", context)


@actor_required
def round_draw(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Draw the places of a round: what may be drawn, by strata, and how many."""
    found = _own_round(request, uid)
    last = found.draws.defer("body").order_by("-number").first()
    given = typed(request)
    chosen = given if given is not None else request.GET
    apart, by, problem = chosen.get("apart", "quarter"), chosen.get("by") or "both", ""
    try:
        frame = draws.frame_of(found, apart, by)
    except RuleError as error:
        problem, apart, by = error.sentence(_), "quarter", "both"
        frame = draws.frame_of(found, apart, by)
    strata = rule.sizes(frame.places)
    form = DrawForm(found, frame, draws.people_for(found), last, given, initial={"apart": apart, "by": by})
    quotas = QuotaForm(strata if len(strata) <= STRATA_SHOWN else {}, given)
    if form.is_bound and not quotas.is_valid():
        form.add_error(None, _("逐组填写的数量有误。请改正后再抽取。"))
    if form.is_bound and form.is_valid():
        ask, version = form.draft(quotas.quotas()), form.cleaned_data["version"]
        made = attempt(
            form,
            lambda: draws.draw_round(found, ask, version=version, by=request.actor, at=timezone.now()),
            {"draw-too-large": "total", "draw-nothing": "total", "recommended-unknown": "recommended",
             "inspector-own": "inspectors", "place-without-inspector": "inspectors",
             "no-such-inspector": "inspectors", "draw-without-reason": "reason"},
        )  # fmt: skip
        if made is not None:
            messages.success(
                request, _("已抽取 {count} 处，种子校验值 {digest}…").format(
                    count=made.drawn, digest=made.seed_digest[:12]
                )
            )  # fmt: skip
            return go_on(request, found.url)
    context = {
        "round": found, "strata": strata, "size": sum(strata.values()), "left_out": frame.left_out,
        "quotas": quotas, "last": last, "problem": problem, "by": by,
        "frame_form": FrameForm(initial={"apart": apart, "by": by}, auto_id="frame_%s"),
        "is_over": found.state in (Round.State.RUNNING, Round.State.PUBLISHED),
    }  # fmt: skip
    return form_page(request, form, "inspections/round_draw.html", context)


@actor_required
def draw_file(request: HttpRequest, uid: UUID, number: int) -> HttpResponse:
    """The document of a draw, exact bytes, for anybody to compute again."""
    found = _round(request, uid)
    draw = get_object_or_404(Draw.objects.visible_to(request.actor), round=found, number=number)
    response = HttpResponse(draws.published_document(draw), content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{found.number}-draw-{number}.json"'
    return response


@actor_required
def round_publish(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Publish what a round found."""
    found = _own_round(request, uid)
    form = PublishForm(typed(request))
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        made = attempt(
            form,
            lambda: rounds.publish_round(
                found, conclusion=data["conclusion"], opinion=data["opinion"], by=request.actor,
                at=timezone.now(),
            ),
            {"round-conclusion": "conclusion", "round-opinion": "opinion"},
        )  # fmt: skip
        if made is not None:
            messages.success(request, _("已公布。受检方已收到通知。"))
            return go_on(request, found.url)
    going = rounds.progress(found, request.actor)
    subtitle = _("共 {places} 处，已检查 {visited} 处，未检查 {left} 处。公布后不能撤回。").format(
        places=going.places, visited=going.visited, left=going.left
    )
    if found.is_hidden:
        subtitle += _("暗访的问题在公布时立案，期限从公布起算。")
    context = {"title": _("公布“{title}”").format(title=found.title), "subtitle": subtitle,
               "submit_label": _("公布"), "cancel_url": found.url}  # fmt: skip
    return form_page(request, form, "ui/form.html", context)


# --- one place -----------------------------------------------------------------------------------


@actor_required
def round_place(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Begin the visit of a place, by one of the round's check lists."""
    place = _place(request, uid)
    form = BeginForm(place.round, timezone.localdate(), typed(request))
    if form.is_bound and form.is_valid():
        data = form.cleaned_data
        made = attempt(
            form,
            lambda: rounds.begin_visit(
                place, uid=data["uid"], checklist=data.get("checklist", ""), by=request.actor,
                at=timezone.now(),
            ),
        )  # fmt: skip
        if made is not None:
            return go_on(request, made.url)
    visits = Visit.objects.visible_to(request.actor).filter(round_place=place).order_by("pk")
    context = {
        "place": place, "round": place.round, "area": path_name(place.area, top=place.district),
        "visits": visits, "may_visit": rounds.may_visit(place, request.actor),
        "runs": runs_rounds(request.actor) and place.round.area == request.actor.area,
    }  # fmt: skip
    return form_page(request, form, "inspections/round_place.html", context)


def _place(request: HttpRequest, uid: UUID) -> RoundPlace:
    rows = RoundPlace.objects.visible_to(request.actor).select_related("round", "unit")
    return get_object_or_404(rows, uid=uid)


@actor_required
def round_assign(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send another inspector to a place."""
    place = _place(request, uid)
    _own_round(request, place.round.uid)
    people = draws.may_go(place.round, place)
    form = AssignForm(people, place, typed(request))
    if form.is_bound and form.is_valid():
        key = form.cleaned_data["inspector"]
        made = attempt(
            form,
            lambda: rounds.assign(
                place, inspector_key=key, people=people, by=request.actor, at=timezone.now()
            ),
        )
        if made is not None:
            return go_on(request, place.round.url)
    context = {"title": _("改派检查人"), "subtitle": f"{place.name} · {place.inspector_name or '—'}",
               "submit_label": _("改派"), "cancel_url": place.round.url}  # fmt: skip
    return form_page(request, form, "ui/form.html", context)


# --- yellow cards --------------------------------------------------------------------------------


@actor_required
def cards(request: HttpRequest) -> HttpResponseBase:
    """The list of yellow cards."""
    return CardList(request).response("inspections/cards.html")


@actor_required
def card_new(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Give the place of a visit a yellow card."""
    visit = get_object_or_404(Visit.objects.visible_to(request.actor).select_related("unit"), uid=uid)
    rounds.require_office(request.actor)
    findings = list(Finding.objects.filter(visit=visit).select_related("case").order_by("pk")[:200])
    form = CardForm(visit, findings, typed(request))
    if form.is_bound and form.is_valid():
        made = attempt(
            form,
            lambda: yellow_cards.issue_card(visit, form.draft(), by=request.actor, at=timezone.now()),
            {"card-without-findings": "findings", "card-reason": "reason", "duty-order": "duty_to",
             "card-threshold": "threshold", "card-place": "to"},
        )  # fmt: skip
        if made is not None:
            return go_on(request, made.url)
    context = {"title": _("发黄牌"), "subtitle": f"{visit.place} · {visit.number}",
               "submit_label": _("发牌"), "cancel_url": visit.url}  # fmt: skip
    return form_page(request, form, "ui/form.html", context)


@actor_required
def card(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One yellow card: what for, how it is put right, what still keeps it from being lifted."""
    found = get_object_or_404(
        YellowCard.objects.visible_to(request.actor).select_related("unit", "visit", "lifted_by"), uid=uid
    )
    actor, is_open = request.actor, found.state == YellowCard.State.OPEN
    above = is_open and yellow_cards.is_above(actor, found.area, found.unit_id)
    rechecks = yellow_cards.rechecks(found, actor) if above else []
    action = request.POST.get("action", "")
    plan = PlanForm(request.POST if action == "plan" else None, initial={"plan": found.plan})
    lift = LiftForm(found, rechecks, request.POST if action == "lift" else None)
    if plan.is_bound and plan.is_valid():
        text = plan.cleaned_data["plan"]
        if attempt(plan, lambda: yellow_cards.write_plan(found, plan=text, by=actor, at=timezone.now())):
            return go_on(request, found.url)
    if lift.is_bound and lift.is_valid():
        visit = next(one for one in rechecks if str(one.uid) == lift.cleaned_data["visit"])
        if attempt(lift, lambda: yellow_cards.lift_card(found, visit, by=actor, at=timezone.now())):
            messages.success(request, _("已摘牌。"))
            return go_on(request, found.url)
    findings = Finding.objects.visible_to(actor).filter(yellow_cards=found).select_related("case")
    latest = rechecks[0] if rechecks else None
    context: dict[str, Any] = {
        "card": found, "place": path_name(found.area, top=found.district), "is_open": is_open,
        "days": found.days(timezone.localdate()), "issuer": name_of(found.issued_area),
        "findings": list(findings.order_by("pk")), "above": above, "rechecks": rechecks, "latest": latest,
        "against": [e.sentence(_) for e in yellow_cards.obstacles(found, latest, actor)] if latest else [],
        "plan_form": plan if is_open and yellow_cards.may_plan(found, actor) else None, "lift_form": lift,
        "steps": [
            {"at": step.at, "title": step.get_verb_display(), "actor": step.by_name, **STEP_MARKS[CardStep.Verb(step.verb)],
             "note": step.words.get("plan") or step.words.get("reason", "")}
            for step in found.steps.order_by("-number")
        ],
        "recheck_url": f"{reverse('visit_new')}?{urlencode(yellow_cards.recheck_query(found))}"
        if is_open and actor.powers.records and actor.covers(found.area) else "",
        "visit": found.visit if Visit.objects.visible_to(actor).filter(pk=found.visit_id).exists() else None,
    }  # fmt: skip
    status = 422 if plan.errors or lift.errors else 200
    return render(request, "inspections/card.html", context, status=status)
