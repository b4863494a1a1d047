"""Who may enter a view: somebody with a post, or somebody whose post has a power."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, ForbiddenError

View = Callable[..., HttpResponseBase]


def user_required(view: View) -> View:
    """Let a signed-in user in, with or without a post; others are led to the sign-in page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.actor.user_id is None:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


def actor_required(view: View) -> View:
    """Let somebody in who acts in a post; one who has none today reads so on a page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.actor.user_id is None:
            return to_sign_in(request)
        if request.actor.role is None:
            return render(request, "places/no_post.html", status=403)
        return view(request, *args, **kwargs)

    return guarded


def power_required(power: str) -> Callable[[View], View]:
    """Let in whose post has this power of `roles.Powers`; ForbiddenError("no-power") for the others."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            require_power(request.actor, power)
            return view(request, *args, **kwargs)

        return actor_required(guarded)

    return guard


def require_power(actor: Any, power: str) -> None:
    """Refuse an actor whose post lacks the power: ForbiddenError("no-power")."""
    if not getattr(actor.powers, power):
        raise ForbiddenError("no-power", N_("您当前的岗位不能做这件事。请切换岗位，或请有权限的人员办理。"))


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Lead to the sign-in page and back to where the reader was; a form cannot be led back to."""
    back = request.get_full_path() if request.method == "GET" and not is_htmx(request) else ""
    query = f"?{urlencode({'next': back})}" if back not in ("", "/") else ""
    return go(request, f"{settings.LOGIN_URL}{query}")


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect the page; htmx would otherwise put the target inside a fragment."""
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
