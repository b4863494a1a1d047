"""Pages of a clause tree: what is shown of it, and one clause with all that is known about it."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.places.decorators import actor_required
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, MissingError
from weicheng.standards import kinds
from weicheng.standards.editions import checklists
from weicheng.standards.kinds import Confidence
from weicheng.standards.models import Edition

LONGEST_SEARCH = 40  # characters


def tree(request: HttpRequest, body: kinds.Clauses) -> dict[str, Any]:
    """Return what the page of an edition shows: the tree, narrowed by `?q=` and `?confidence=`."""
    words = " ".join(request.GET.get("q", "").split())[:LONGEST_SEARCH]
    asked = request.GET.get("confidence", "")
    chosen = asked if asked in set(Confidence) else ""

    def wanted(clause: kinds.Clause) -> bool:
        return (not chosen or clause.confidence == chosen) and words.casefold() in _text(clause)

    chapters = []
    for chapter in body.chapters:
        items = []
        for item in body.items_of(chapter):
            rows = body.indicators_of(item)
            kept = [row for row in rows if wanted(row)]
            # An item that is meant itself shows all its rows; otherwise it heads those that are meant.
            if wanted(item):
                items.append((item, kept if chosen else rows))
            elif kept:
                items.append((item, kept))
        if items:
            chapters.append((chapter, items))
    counted = Counter(clause.confidence for clause in (*body.items, *body.indicators, *body.vetoes))
    return {
        "q": words,
        "chosen": chosen,
        "narrowed": bool(words or chosen),
        "chapters": chapters,
        "loose": [row for row in body.loose if wanted(row)],
        "vetoes": [veto for veto in body.vetoes if wanted(veto)],
        "unsure": sum(not each.is_law for each in body.indicators),
        "confidences": [(each.value, each.label, counted[each]) for each in Confidence if counted[each]],
    }


def _text(clause: kinds.Clause) -> str:
    names = ("id", "number", "title", "name", "topic", "theme", "requirement", "threshold", "words", "note")
    return " ".join(str(getattr(clause, name, None) or "") for name in names).casefold()


def title_of(clause: kinds.Clause) -> str:
    """Return by what a clause is known: its title, its topic or its name."""
    for name in ("title", "topic", "name"):
        if hasattr(clause, name):
            return str(getattr(clause, name))
    return clause.id


def sort_of(clause: kinds.Clause) -> str:
    """Return what a clause is, in words."""
    sorts = {
        kinds.Chapter: _("章"),
        kinds.ClauseItem: _("条目"),
        kinds.Indicator: _("指标"),
        kinds.Veto: _("必备条件"),
    }
    return sorts[type(clause)]


@actor_required
def clause(request: HttpRequest, uid: UUID, clause: str) -> HttpResponse:
    """One clause: what it asks, how far it can be relied on, and what is cut from it."""
    row = get_object_or_404(Edition.objects.visible_to(request.actor), uid=uid, kind="clauses")
    body = kinds.read_bytes(row.kind, bytes(row.body))
    assert isinstance(body, kinds.Clauses)
    found = body.by_id.get(clause)
    if found is None:
        raise MissingError("unknown-clause", N_("没有这一条款。请从条款列表中选择。"))
    is_item = isinstance(found, kinds.ClauseItem)
    items = [each for each in body.items if found.id in (each.id, *each.indicators)]
    context = {
        "row": row,
        "body": body,
        "clause": found,
        "title": title_of(found),
        "sort": sort_of(found),
        "is_indicator": isinstance(found, kinds.Indicator),
        "chapter": body.by_id.get(items[0].chapter) if items else None,
        "parents": [] if is_item else items,
        "rows": body.indicators_of(found) if isinstance(found, kinds.ClauseItem) else (),
        "sources": body.sources_of(found),
        "same": _same_theme(request, row, items[0].theme) if items else [],
        "lines": _lines_cut_from(request, found.id),
        "link": request.build_absolute_uri(reverse("standards:clause", args=[uid, found.id])),
    }
    return render(request, "standards/clause.html", context)


def _same_theme(request: HttpRequest, row: Edition, theme: str) -> list[tuple[Edition, kinds.ClauseItem]]:
    """Return the items of other editions that are about the same."""
    others = Edition.objects.visible_to(request.actor).filter(kind="clauses").exclude(pk=row.pk)
    found = []
    for other in others.order_by("-in_force_from", "key")[:10]:
        body = kinds.read_bytes(other.kind, bytes(other.body))
        found += [(other, item) for item in getattr(body, "items", ()) if item.theme == theme]
    return found


def _lines_cut_from(request: HttpRequest, clause_id: str) -> list[tuple[Any, kinds.CheckItem]]:
    """Return the lines of the check lists in force that name the clause."""
    lists = checklists(request.actor.area, timezone.localdate())
    return [(each, item) for each in lists for item in each.body.items if clause_id in (item.clauses or ())]
