"""Turn a rule's refusal into one kind of answer, so that no view catches it."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError, RuleError


def status_of(error: RuleError) -> HTTPStatus:
    """Return the HTTP status that says what kind of refusal this is."""
    if isinstance(error, ConflictError):
        return HTTPStatus.CONFLICT
    if isinstance(error, MissingError):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, ForbiddenError):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.UNPROCESSABLE_ENTITY


class RefusalMiddleware:
    """A RuleError that leaves a view becomes a page with its sentence and the status of its kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, RuleError):
            return None
        context = {"code": exception.code, "sentence": exception.sentence(gettext)}
        return render(request, "ui/error.html", context, status=status_of(exception))
