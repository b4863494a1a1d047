"""Pages of cases: the list, one case and its moves, batches, and the page behind a link."""

import io
import uuid
from typing import Any
from uuid import UUID

import segno
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from weicheng.cases import actions, links
from weicheng.cases.actions import Step, take_step, take_steps
from weicheng.cases.deadlines import explain
from weicheng.cases.doors import on_page
from weicheng.cases.forms import MoveForm, SplitForm
from weicheng.cases.lists import STATE_TONES, CaseList, is_late, severity_names
from weicheng.cases.models import Case, Link
from weicheng.cases.parts import moves_for, parts_in
from weicheng.cases.split import split_case
from weicheng.cases.timeline import timeline
from weicheng.evidence.pages import photo_sets, save_photos
from weicheng.places.actor import Actor
from weicheng.places.actors import origin_of
from weicheng.places.areas import path_name
from weicheng.places.decorators import actor_required
from weicheng.places.http import HttpRequest
from weicheng.rules.cases import MOVE_LABELS, PARTS_MOST, STATE_LABELS, Move, Part, State
from weicheng.rules.errors import RuleError
from weicheng.ui.replies import go_on, status_of

BATCH_MOVES = (Move.DISPATCH, Move.PASS, Move.SUPERVISE)
BATCH_LIMIT = 200
SPLIT_ROWS = 3
# Offered as buttons of the first rank; the rest stands behind "更多".
MAIN_MOVES = (Move.DISPATCH, Move.ACCEPT, Move.HAND_IN, Move.PASS, Move.GRANT_EXTENSION)


@actor_required
def cases(request: HttpRequest) -> HttpResponseBase:
    """The list of cases in the reader's scope."""
    return CaseList(request).response("cases/cases.html")


def _visible(request: HttpRequest, uid: UUID) -> Case:
    return get_object_or_404(
        Case.objects.visible_to(request.actor).select_related(
            "responsible", "parent", "finding__answer", "parent__finding__answer"
        ),
        uid=uid,
    )


@actor_required
def case(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One case: what it is, what is due, what may be done, how it came to be so."""
    return render(request, "cases/case.html", _context(request, _visible(request, uid)))


@actor_required
def printed(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The same case on paper."""
    return render(request, "cases/case_print.html", _context(request, _visible(request, uid)))


def _context(request: HttpRequest, case: Case, bound: MoveForm | None = None) -> dict[str, Any]:
    """Return what the page of a case needs; `bound` is the form that was refused, drawn open again."""
    actor: Actor = request.actor
    moves = moves_for(case, actor)
    whole, parts = _family(case, actor)
    forms = []
    for move in moves:
        if move is Move.SPLIT:
            continue  # it has a page of its own
        form = bound if bound is not None and bound.move is move else MoveForm(move, case, actor)
        forms.append(
            {"move": move, "label": _(MOVE_LABELS[move]), "form": form, "open": form is bound,
             "main": move in MAIN_MOVES}
        )  # fmt: skip
    return {
        "case": case,
        "state_tone": STATE_TONES[State(case.state)],
        "late": is_late(case),
        "place": path_name(case.area, top=case.district[:6]),
        "severity": dict(severity_names(case.area)).get(case.severity, case.severity),
        "deadline": explain(case) if not case.extended else None,
        "forms": forms,
        # A refused move that is not on offer has no form to stand at: its sentence stands above them.
        "refusals": _sentences(bound) if bound is not None and bound.move not in moves else [],
        "todo": any(form["main"] for form in forms),
        "steps": timeline(case, actor),
        "finding": _finding(case),
        "photos": photo_sets(_photo_owners(case, whole, parts), actor),
        "may_split": Move.SPLIT in moves,
        "whole": whole,
        "parts": [{"case": part, "tone": STATE_TONES[State(part.state)], "late": is_late(part)} for part in parts],
        "before": _before(case, actor),
        "links": _links(case, actor),
        "may_link": case.open and case.responsible_id is not None
        and (Part.DISPATCHER in parts_in(case, actor) or case.filed_by_key == actor.key) and not actor.case_uid,
        "doors": on_page(case, actor),
        "own_work": actor.key in case.handler_keys and case.state == State.HANDED_IN.value,
    }  # fmt: skip


def _family(case: Case, actor: Actor) -> tuple[Case | None, list[Case]]:
    """Return the case this one is a part of, and the parts it was split into, as far as the reader sees them."""
    if case.parent_id is not None:
        return Case.objects.visible_to(actor).filter(pk=case.parent_id).first(), []
    if not case.pieces:
        return None, []
    parts = Case.objects.visible_to(actor).filter(parent=case).select_related("responsible").order_by("pk")
    return None, list(parts)


def _finding(case: Case) -> Any:
    """Return what was found, kept by a layer above; of a part, what its whole is about."""
    return getattr(case, "finding", None) or getattr(case.parent, "finding", None)


def _photo_owners(case: Case, whole: Case | None, parts: list[Case]) -> list[tuple[str, UUID]]:
    """Return whose photos stand on the page: of the finding, of the answer that made it, of the case, of its parts.

    A part shows the finding's to its unit too, which does not see the whole: it must see what is to be done.
    """
    found = case.parent.uid if case.parent is not None else case.uid
    # A line that failed again after its first case was withdrawn has a finding of another identity than its own.
    answer = getattr(_finding(case), "answer", None)
    return [
        ("finding", found),
        ("answer", answer.uid if answer is not None else found),
        ("case", case.uid),
        *(("case", part.uid) for part in parts),
    ]


def _before(case: Case, actor: Actor) -> Case | None:
    """Return the finding this one repeats, if the reader sees it."""
    if case.repeat_of_id is None:
        return None
    return Case.objects.visible_to(actor).filter(pk=case.repeat_of_id).first()


def _sentences(form: MoveForm) -> list[str]:
    return [str(sentence) for sentences in form.errors.values() for sentence in sentences]


def _links(case: Case, actor: Actor) -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {
            "link": link,
            "address": links.address_of(link),
            "live": link.revoked_at is None and link.expires_at > now,
        }
        for link in Link.objects.visible_to(actor)
        .filter(case=case)
        .select_related("unit")
        .order_by("-id")[:5]
    ]


def _move(text: str) -> Move:
    try:
        return Move(text)
    except ValueError:
        raise Http404 from None


@actor_required
@require_POST
def step(request: HttpRequest, uid: UUID, move: str) -> HttpResponse:
    """Make one move on one case."""
    found = _visible(request, uid)
    refused = _take(request, found, _move(move), request.actor)
    if refused is None:
        return go_on(request, found.url)
    form, status = refused
    return render(request, "cases/case.html", _context(request, _visible(request, uid), form), status=status)


def _take(request: HttpRequest, case: Case, move: Move, actor: Actor) -> tuple[MoveForm, int] | None:
    """Make the move a form asks for; return the form with what is wrong, or None when it is done.

    Photos and step are one transaction: a refused step leaves no photo behind, a broken photo no step.
    """
    form = MoveForm(move, case, actor, request.POST, request.FILES)
    if not form.is_valid():
        return form, 422
    data, now = form.cleaned_data, timezone.now()
    try:
        with transaction.atomic():
            save_photos(
                data.get("photos") or [],
                owner_kind="case",
                owner_uid=case.uid,
                purpose="after",
                by=actor,
                at=now,
            )
            take_step(
                Step(
                    case.uid,
                    move,
                    actor,
                    note=data["note"],
                    unit_uid=UUID(data["unit"]) if data.get("unit") else None,
                    until=data.get("until"),
                    base=data["base"],
                    uid=data["uid"],
                ),
                at=now,
            )
    except RuleError as error:
        form.add_error("photos" if error.code == "need-photo" else None, error.sentence(_))
        return form, status_of(error)
    return None


@actor_required
def split(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Split a case to several units: a row for each, more rows on request without losing what was typed."""
    found, actor = _visible(request, uid), request.actor
    if Move.SPLIT not in moves_for(found, actor) and request.method != "POST":
        return redirect(found.url)
    text = request.POST.get("rows", "")
    rows = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else SPLIT_ROWS
    if "more" in request.POST:
        form = SplitForm(found, actor, rows + 1, initial=request.POST.dict() | {"rows": rows + 1})
        return _split_page(request, found, form)
    form = SplitForm(found, actor, rows, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _split_page(request, found, form)
    if not form.is_valid():
        return _split_page(request, found, form, 422)
    data = form.cleaned_data
    try:
        split_case(
            case_uid=found.uid, pieces=form.pieces(), note=data["note"], base=data["base"], uid=data["uid"],
            by=actor, at=timezone.now(),
        )  # fmt: skip
    except RuleError as error:
        form.add_error(None, error.sentence(_))
        return _split_page(request, found, form, status_of(error))
    return go_on(request, found.url)


def _split_page(request: HttpRequest, case: Case, form: SplitForm, status: int = 200) -> HttpResponse:
    context = {"case": case, "form": form, "may_add": form.count < PARTS_MOST}
    return render(request, "cases/split.html", context, status=status)


# --- many at once ----------------------------------------------------------------------------------


@actor_required
@require_POST
def batch(request: HttpRequest, move: str) -> HttpResponse:
    """Make one move on many cases: first a page that says on which, then a result for each row."""
    wanted = _move(move)
    if wanted not in BATCH_MOVES:
        raise Http404
    ids = [
        int(text)
        for text in request.POST.getlist("ids")
        if text.isascii() and text.isdigit() and len(text) < 19
    ]
    chosen = list(
        Case.objects.visible_to(request.actor).filter(pk__in=ids[:BATCH_LIMIT]).select_related("responsible")
    )
    context: dict[str, Any] = {
        "move": wanted,
        "label": _(MOVE_LABELS[wanted]),
        "cases": chosen,
        "cut": max(0, len(ids) - BATCH_LIMIT),
    }
    if "confirmed" not in request.POST or not chosen:
        form = MoveForm(wanted, chosen[0] if chosen else None, request.actor)
        return render(request, "cases/batch.html", {**context, "form": form}, status=200 if chosen else 422)
    form = MoveForm(wanted, chosen[0], request.actor, request.POST)
    if not form.is_valid():
        return render(request, "cases/batch.html", {**context, "form": form}, status=422)
    data, now = form.cleaned_data, timezone.now()
    outcomes = take_steps(
        [
            Step(
                case.uid, wanted, request.actor, note=data["note"],
                unit_uid=UUID(data["unit"]) if data.get("unit") else None,
                # One form, many cases: each step has an identity of its own, the same when the form is sent again.
                uid=uuid.uuid5(data["uid"], str(case.uid)),
            )
            for case in chosen
        ],
        at=now,
    )  # fmt: skip
    by_uid = {case.uid: case for case in chosen}
    context["results"] = [
        {
            "case": outcome.case or by_uid[outcome.step.case_uid],
            "state": _(STATE_LABELS[State((outcome.case or by_uid[outcome.step.case_uid]).state)]),
            "sentence": outcome.error.sentence(_) if outcome.error else "",
            "again": outcome.again,
        }
        for outcome in outcomes
    ]
    context["done"] = sum(1 for outcome in outcomes if outcome.error is None)
    return render(request, "cases/batch_result.html", context)


# --- links -----------------------------------------------------------------------------------------


@actor_required
@require_POST
def make_link(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a link with which the charged unit acts on this case."""
    found = _visible(request, uid)
    actions.make_link(case=found, by=request.actor, at=timezone.now())
    return go_on(request, f"{found.url}#links")


@actor_required
@require_POST
def revoke_link(request: HttpRequest, uid: UUID, link: UUID) -> HttpResponse:
    """End a link."""
    found = _visible(request, uid)
    one = get_object_or_404(Link.objects.visible_to(request.actor), uid=link, case=found)
    actions.revoke_link(link=one, by=request.actor, at=timezone.now())
    return go_on(request, f"{found.url}#links")


@actor_required
def link_qr(request: HttpRequest, uid: UUID, link: UUID) -> HttpResponse:
    """The link as a QR code, to be scanned from the screen or from paper."""
    one = get_object_or_404(Link.objects.visible_to(request.actor), uid=link, case=_visible(request, uid))
    picture = io.BytesIO()
    segno.make(links.address_of(one), error="m").save(picture, kind="svg", scale=5, border=2)
    return HttpResponse(picture.getvalue(), "image/svg+xml", headers={"Cache-Control": "private, no-store"})


def _linked(request: HttpRequest, token: str) -> Case:
    link, actor = links.open_token(token, now=timezone.now(), origin=origin_of(request))
    request.actor = actor
    return link.case


def _link_page(
    request: HttpRequest, token: str, case: Case, form: MoveForm | None = None, status: int = 200
) -> HttpResponse:
    context = _context(request, case, form) | {"token": token}
    response = render(request, "cases/link.html", context, status=status)
    response.set_cookie(
        links.COOKIE, token, max_age=86_400, httponly=True, samesite="Lax", secure=request.is_secure()
    )
    return response


def link(request: HttpRequest, token: str) -> HttpResponse:
    """The one case of a link, for somebody without an account; works in WeChat's browser and without script."""
    return _link_page(request, token, _linked(request, token))


def link_step(request: HttpRequest, token: str, move: str) -> HttpResponse:
    """A move made by the holder of a link."""
    found = _linked(request, token)
    if request.method != "POST":
        return redirect("case_link", token)
    refused = _take(request, found, _move(move), request.actor)
    if refused is None:
        return redirect("case_link", token)
    form, status = refused
    found.refresh_from_db()
    return _link_page(request, token, found, form, status)
