"""Saving and dropping a view of a list."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from weicheng.ui import actions
from weicheng.ui.models import SavedView


def _reader(request: HttpRequest) -> Any:
    """Return the actor; somebody without an account has no views, and is told no more than that."""
    actor = getattr(request, "actor", None)
    if getattr(actor, "user_id", None) is None:
        raise Http404
    return actor


def _back(request: HttpRequest, query: str | None = None) -> HttpResponse:
    """Return to the list named by `path`; an address of another host leads home."""
    path = request.POST.get("path", "")
    if not path.startswith("/") or not url_has_allowed_host_and_scheme(path, allowed_hosts=None):
        path = "/"
    return HttpResponseRedirect(f"{path}?{query}" if query else path)


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    actor = _reader(request)
    view = actions.save_view(
        by=actor,
        list_key=request.POST.get("key", ""),
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        is_default=request.POST.get("is_default") == "1",
    )
    return _back(request, view.query)


@require_POST
def delete_view(request: HttpRequest, pk: int) -> HttpResponse:
    actor = _reader(request)
    view = get_object_or_404(SavedView.objects.visible_to(actor), pk=pk)
    actions.delete_view(by=actor, view=view)
    return _back(request)
