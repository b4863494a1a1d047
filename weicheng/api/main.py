"""The API: one object with one shape of error, and the routers of each noun."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.openapi.docs import Swagger

from weicheng import __version__
from weicheng.api import answers, cases, findings, tokens
from weicheng.api.door import bearer, reply
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, RuleError
from weicheng.ui.replies import status_of

api = NinjaAPI(
    title="卫城 Weicheng",
    version=__version__,
    description="一次记录,处处可用。每个回复带 epoch:它改变时,请重新提交最近 30 天已确认的采集。",
    auth=bearer,
    docs=Swagger(),
    urls_namespace="api",
)
api.add_router("/token", tokens.router)
api.add_router("/findings", findings.router)
api.add_router("/visits", findings.visits)
api.add_router("/visits", answers.router)
api.add_router("/cases", cases.router)
api.add_router("/counts", cases.counts)


@api.exception_handler(RuleError)
def refused(request: HttpRequest, error: RuleError) -> HttpResponse:
    details = {name: str(value) for name, value in error.values.items()}
    return failure(error.code, error.sentence(gettext), status_of(error), details)


@api.exception_handler(ValidationError)
def misshapen(request: HttpRequest, error: ValidationError) -> HttpResponse:
    places = {".".join(str(part) for part in problem["loc"]): problem["msg"] for problem in error.errors}
    return failure("shape", shape_sentence(places), 422, places)


@api.exception_handler(HttpError)
def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    if error.status_code == 401:
        return failure(
            "no-token", gettext("请求没有带访问令牌。请先登录获取令牌，放在 Authorization 头中。"), 401
        )
    return failure("http", str(error), error.status_code)


def shape_sentence(places: dict[str, Any]) -> str:
    """Return one sentence naming the fields that could not be read."""
    return gettext(N_("以下字段缺失或格式不对：{fields}。请按接口文档修改后重发。")).format(
        fields="、".join(sorted(place.removeprefix("body.") for place in places))[:300]
    )


def failure(code: str, sentence: str, status: int, details: dict[str, Any] | None = None) -> HttpResponse:
    """Return the one shape of an error."""
    return reply({"error": {"code": code, "sentence": sentence, "details": details or {}}}, status)
