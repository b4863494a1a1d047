"""Pages of the standards: what holds, what it says, how it came to be so; and a keeper's drafts."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.template.loader import select_template
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from weicheng.places.decorators import actor_required, power_required
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, ConflictError, RuleError
from weicheng.standards import actions, clause_views, kinds, sheets
from weicheng.standards.compare import body_lines, differences, kept_confidence
from weicheng.standards.editions import Clauses, Loaded, by_id, clause_homes, find_in_force
from weicheng.standards.forms import EditionForm, body_text
from weicheng.standards.lists import TONES, EditionList, owner_name, standing_label, standing_of
from weicheng.standards.models import Edition
from weicheng.standards.months import year_of
from weicheng.ui.replies import form_page, go_on

# More than this is no longer read line by line; the two texts can be downloaded.
DIFFERENCES_SHOWN = 200


@actor_required
def standards(request: HttpRequest) -> HttpResponseBase:
    return EditionList(request, Edition.objects.visible_to(request.actor)).response()


@actor_required
def edition(request: HttpRequest, uid: UUID) -> HttpResponseBase:
    row = _visible(request, uid)
    if request.GET.get("export"):
        return sheets.response(row, _body(row), request.GET["export"])
    standing = standing_of(row, request.actor.area, timezone.localdate())
    body = _body(row)
    mine = row.owner == request.actor.area and request.actor.powers.keeps_standards
    context = {
        "row": row,
        "body": body,
        "kind": kinds.KINDS[row.kind],
        "owner": owner_name(row.owner),
        "standing": standing_label(standing),
        "tone": TONES[standing],
        "part": select_template(
            [f"standards/_{row.kind.replace('-', '_')}.html", "standards/_body.html"]
        ).template.name,
        "can_export": sheets.can_export(body),
        "replaces": row.supersedes,
        "replaced_by": row.superseded_by.published().order_by("in_force_from").first(),
        "others": _others(request, row),
        "may_copy": request.actor.powers.keeps_standards,
        "may_edit": mine and not row.is_published,
        **_shown(request, row, body),
    }
    if context["may_edit"]:
        before = find_in_force(row.kind, row.key, row.owner, row.in_force_from)
        context |= {
            "warnings": actions.gap_warnings(row) + (kept_confidence(before.body, body) if before else []),
            "before": before,
            "changes": differences(before.body, body)[:DIFFERENCES_SHOWN] if before else [],
        }
    return render(request, "standards/edition.html", context)


@actor_required
def compare(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say what this edition (`uid`) changed against another (`with`) of the same kind."""
    row = _visible(request, uid)
    try:
        other = _visible(request, UUID(request.GET.get("with", "")), _same_kind(request, row))
    except ValueError:
        raise RuleError("no-other-edition", N_("没有选择要比较的版本。请返回后从列表中选择。")) from None
    said = differences(_body(other), _body(row))
    context = {
        "row": row,
        "other": other,
        "changes": said[:DIFFERENCES_SHOWN],
        "left_out": max(0, len(said) - DIFFERENCES_SHOWN),
        "owner": owner_name(row.owner),
        "other_owner": owner_name(other.owner),
    }
    return render(request, "standards/compare.html", context)


@actor_required
def body(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Send the body as YAML: to read elsewhere, to edit and upload again."""
    row = _visible(request, uid)
    response = HttpResponse(body_text(row), content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.kind}-{row.in_force_from}.yaml"'
    return response


@power_required("keeps_standards")
def copy(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a draft of the own area from any edition that can be seen; samples are adopted this way."""
    row = _visible(request, uid)
    initial = {**EditionForm.initial_of(row), "edition": "", "in_force_to": None}
    if row.owner != request.actor.area:
        initial["in_force_from"] = timezone.localdate()
    form = EditionForm(request.POST or None, request.FILES or None, kind=row.kind, initial=initial)
    context = {
        "title": _("复制为本级草稿"),
        "subtitle": f"{row.title} · {row.edition}",
        "submit_label": _("保存草稿"),
        "cancel_url": reverse("standards:edition", args=[uid]),
    }

    def save() -> Edition:
        return actions.draft_edition(
            kind=row.kind,
            owner=request.actor.area,
            head=form.head,
            body=form.parsed,
            by=request.actor,
            at=timezone.now(),
        )

    return _saved(request, form, context, save)


@power_required("keeps_standards")
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    row = _visible(request, uid, _own_drafts(request))
    form = EditionForm(
        request.POST or None, request.FILES or None, kind=row.kind, initial=EditionForm.initial_of(row)
    )
    context = {
        "title": _("编辑草稿"),
        "subtitle": f"{row.title} · {row.edition}",
        "submit_label": _("保存草稿"),
        "cancel_url": reverse("standards:edition", args=[uid]),
    }

    def save() -> Edition:
        return actions.change_draft(
            edition=row,
            revision=form.cleaned_data["revision"],
            head=form.head,
            body=form.parsed,
            by=request.actor,
            at=timezone.now(),
        )

    return _saved(request, form, context, save)


@power_required("keeps_standards")
@require_POST
def discard(request: HttpRequest, uid: UUID) -> HttpResponse:
    row = _visible(request, uid, Edition.objects.filter(owner=request.actor.area))
    actions.discard_draft(edition=row, by=request.actor, at=timezone.now())
    messages.success(request, _("已放弃草稿“{title}”。").format(title=f"{row.title} · {row.edition}"))
    return go_on(request, reverse("standards:list"))


@power_required("keeps_standards")
@require_POST
def publish(request: HttpRequest, uid: UUID) -> HttpResponse:
    # A published one too: publishing twice is told in words, not as absence.
    row = _visible(request, uid, Edition.objects.filter(owner=request.actor.area))
    actions.publish_edition(edition=row, by=request.actor, at=timezone.now())
    messages.success(request, _("已发布，自 {day} 起生效。").format(day=row.in_force_from))
    return go_on(request, reverse("standards:edition", args=[uid]))


# --- shared steps --------------------------------------------------------------------------------


def _visible(request: HttpRequest, uid: UUID, among: QuerySet | None = None) -> Edition:
    rows = Edition.objects.visible_to(request.actor)
    if among is not None:
        rows = rows.filter(pk__in=among.values("pk"))
    return get_object_or_404(rows, uid=uid)


def _own_drafts(request: HttpRequest) -> QuerySet:
    return Edition.objects.filter(owner=request.actor.area, state=Edition.State.DRAFT)


def _same_kind(request: HttpRequest, row: Edition) -> QuerySet:
    return Edition.objects.visible_to(request.actor).filter(kind=row.kind).exclude(pk=row.pk)


def _body(row: Edition) -> kinds.Part:
    loaded: Loaded | None = by_id(row.pk) if row.is_published else None
    return loaded.body if loaded else kinds.read_bytes(row.kind, bytes(row.body))


def _others(request: HttpRequest, row: Edition) -> list[tuple[Edition, str]]:
    """Return the editions it can be compared with, newest first, with their owners' names."""
    rows = _same_kind(request, row).filter(key=row.key).defer("body").order_by("-in_force_from", "-id")[:50]
    return [(other, owner_name(other.owner)) for other in rows]


def _saved(request: HttpRequest, form: EditionForm, context: dict[str, Any], save: Any) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            row = save()
        except ConflictError:
            raise
        except RuleError as error:
            form.add_error(None, error.sentence(_))
        else:
            messages.success(request, _("草稿已保存。核对后再发布。"))
            return go_on(request, reverse("standards:edition", args=[row.uid]))
    return form_page(request, form, "standards/form.html", context)


def _shown(request: HttpRequest, row: Edition, body: kinds.Part) -> dict[str, Any]:
    """Return what one kind's page needs besides its body."""
    if isinstance(body, kinds.Calendar):
        return _year_shown(request, body)
    if isinstance(body, kinds.CaseCategories):
        words = " ".join(request.GET.get("q", "").split())[:40]
        return {
            "q": words,
            "found": body.search(words, limit=100) if words else [],
            "severity_names": _severity_names(row),
        }
    if isinstance(body, kinds.TimeLimits):
        return {"severity_names": _severity_names(row)}
    if isinstance(body, kinds.CheckListBody):
        catalogue = find_in_force("case-categories", "categories", row.owner, row.in_force_from)
        named = getattr(catalogue.body, "by_code", {}) if catalogue else {}
        homes = clause_homes(row.owner or request.actor.area)
        sections = [
            (head, [(item, named.get(item.category or ""), _cut_from(item, homes)) for item in items])
            for head, items in body.by_section
        ]
        return {
            "sections": sections,
            "has_clauses": any(item.clauses for item in body.items),
            "has_categories": any(item.category for item in body.items),
        }
    if isinstance(body, kinds.Clauses):
        return clause_views.tree(request, body)
    if isinstance(body, kinds.SchemeBody):
        return {"names": {source.key: source.title for source in body.sources}}
    return {"facts": body_lines(body)}


def _cut_from(item: kinds.CheckItem, homes: dict[str, Clauses]) -> list[tuple[kinds.Clause, UUID]]:
    """Return the clauses of a line, each with the edition it can be read in."""
    known = [(clause, homes[clause]) for clause in item.clauses or () if clause in homes]
    return [(home.clause(clause), home.uid) for clause, home in known]


def _year_shown(request: HttpRequest, body: kinds.Calendar) -> dict[str, Any]:
    today = timezone.localdate()
    announced = sorted(body.announced_years)
    # The year after the last announced one is offered too, so that "not yet announced" can be seen.
    years = [*announced, *([announced[-1] + 1] if announced else [today.year])]
    asked = request.GET.get("year", "")
    chosen = int(asked) if asked.isdecimal() and int(asked) in years else today.year
    if chosen not in years:
        chosen = years[-1]
    return {"years": years, "year": year_of(body, chosen), "weekdays": _("一 二 三 四 五 六 日").split()}


def _severity_names(row: Edition) -> dict[str, str]:
    on: date = max(row.in_force_from, timezone.localdate()) if not row.in_force_to else row.in_force_from
    scale = find_in_force("severity-scale", "severity", row.owner, on)
    return {each.code: each.name for each in scale.body.severities} if scale else {}  # type: ignore[attr-defined]
