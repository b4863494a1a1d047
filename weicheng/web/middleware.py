"""Turn a rule's refusal into one kind of answer, so that no view catches it."""

from collections.abc import Callable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from weicheng.places.http import HttpRequest
from weicheng.rules.errors import RuleError
from weicheng.ui.replies import status_of


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
