"""The pages for what went wrong outside a rule: absent, forbidden, malformed, broken."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Foreign and absent are told alike."""
    sentence = _("没有找到这一页，或您当前的岗位看不到它。请返回上一页，或切换岗位。")
    return render(request, "ui/error.html", {"code": "not-found", "sentence": sentence}, status=404)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = _("您当前的岗位不能做这件事。请切换岗位，或请有权限的人员办理。")
    return render(request, "ui/error.html", {"code": "forbidden", "sentence": sentence}, status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    sentence = _("请求不完整或过大。请返回上一页重新填写。")
    return render(request, "ui/error.html", {"code": "bad-request", "sentence": sentence}, status=400)


def broken(request: HttpRequest) -> HttpResponse:
    """Says nothing about the inside; the log has the rest. Rendered without context: that may be what broke."""
    return HttpResponse(
        "<!doctype html><meta charset=utf-8><title>卫城</title>"
        "<p>系统出错，刚才的操作没有保存。请稍后重试；若仍出错，请告知系统管理员。</p>",
        status=500,
    )
