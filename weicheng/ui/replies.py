"""How a view answers a form: invalid with 422 and what was typed, done by going on."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError


def form_page(
    request: HttpRequest,
    form: BaseForm,
    template: str = "ui/form.html",
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Return a page with `form`: 422 when it was sent and is wrong, 200 otherwise. htmx swaps both."""
    status = 422 if form.is_bound and not form.is_valid() else 200
    return render(request, template, {**(context or {}), "form": form}, status=status)


def go_on(request: HttpRequest, url: str) -> HttpResponse:
    """Return a redirect after a write; htmx is told to load the page, not to swap it into a corner."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        response["HX-Redirect"] = url
        return response
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def status_of(error: RuleError) -> HTTPStatus:
    """Return the HTTP status that says what kind of refusal this is."""
    if isinstance(error, ConflictError):
        return HTTPStatus.CONFLICT
    if isinstance(error, MissingError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, ForbiddenError):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.UNPROCESSABLE_ENTITY
