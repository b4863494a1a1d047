"""Pages and bytes of files. Every row is found through `visible_to`; foreign and absent answer alike."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.dateparse import parse_datetime
from django.utils.http import content_disposition_header, parse_etags
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from weicheng.evidence import actions, copies, documents, owners, pages, uploads
from weicheng.evidence.forms import VoidForm
from weicheng.evidence.models import Attachment
from weicheng.journal import actions as journal
from weicheng.journal.actions import Note
from weicheng.places.actor import Actor
from weicheng.places.decorators import to_sign_in
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.ui.replies import go_on

View = Callable[..., HttpResponseBase]

# Whatever a file contains, the browser runs none of it.
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def somebody_required(view: View) -> View:
    """Let in an actor of any kind, the holder of a case link too; the view shows what that one reaches."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.actor.key:
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


# --- bytes ---------------------------------------------------------------------------------------


@require_safe
@somebody_required
def file(request: HttpRequest, uid: UUID, variant: str) -> HttpResponseBase:
    """Answer the original, the display copy or the thumbnail of one attachment."""
    return file_response(request, request.actor, uid, variant)


def file_response(request: HttpRequest, actor: Actor, uid: UUID, variant: str) -> HttpResponseBase:
    """Return the bytes as this actor may have them; Http404 for foreign and absent alike.

    For pages whose actor is not `request.actor`, such as a case link's.
    """
    found = Attachment.objects.visible_to(actor).filter(uid=uid).select_related("stored").first()
    if found is None or variant not in ("original", *copies.VARIANTS):
        raise Http404
    stored = found.stored
    if variant != "original" and not stored.is_picture:
        raise Http404
    if stored.sensitive:
        _let_read(found, variant, actor)
    etag = _etag(found, variant)
    if not stored.sensitive and etag in parse_etags(request.headers.get("If-None-Match", "")):
        response: HttpResponseBase = HttpResponse(status=HTTPStatus.NOT_MODIFIED)
    elif variant == "original":
        response = StreamingHttpResponse(copies.open_original(stored), content_type=stored.media_type)
        response["Content-Length"] = str(stored.size)
        # A name chosen by the sender must not decide what the reader's computer does with the content.
        name = found.filename.rsplit(".", 1)[0] + documents.SUFFIXES[stored.media_type]
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name)
    else:
        content = b"".join(copies.open_copy(stored, variant, at=timezone.now()))
        response = HttpResponse(content, content_type="image/jpeg")
        response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = _SANDBOX
    if stored.sensitive:
        response["Cache-Control"] = "private, no-store"
        return response
    response["ETag"] = etag
    # Kept by this browser for ten minutes and for this cookie: the next person at the same desk has another.
    response["Cache-Control"] = "private, max-age=600"
    patch_vary_headers(response, ("Cookie",))
    return response


def _etag(found: Attachment, variant: str) -> str:
    """Return a tag that is stable, and tells neither digest nor path. Content behind a uid never changes."""
    return f'"{salted_hmac("evidence.etag", f"{found.uid}/{variant}").hexdigest()[:24]}"'


def _let_read(found: Attachment, variant: str, actor: Actor) -> None:
    """Let few read sealed content, and write down who did: ForbiddenError("sensitive")."""
    if not (actor.powers.reads_personal or found.by_key == actor.key):
        raise ForbiddenError(
            "sensitive", N_("这份材料含个人信息，您当前的岗位不能查看。请联系有权限的人员。")
        )
    note = Note("attachment.read", "attachment", str(found.uid), found.area, {"variant": variant})
    journal.record(note, by=actor, at=timezone.now())


# --- one photo -----------------------------------------------------------------------------------


@require_safe
@somebody_required
def photo(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One attachment with its four times, its place and its neighbours."""
    return _photo_page(request, uid, VoidForm())


@require_POST
@somebody_required
def void(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Declare an attachment void."""
    form = VoidForm(request.POST)
    if not form.is_valid():
        return _photo_page(request, uid, form, status=422)
    actions.void_attachment(
        uid=uid,
        reason=form.cleaned_data["reason"],
        by=request.actor,
        at=timezone.now(),
    )
    return go_on(request, reverse("photo", args=[uid]))


def _photo_page(request: HttpRequest, uid: UUID, form: VoidForm, status: int = 200) -> HttpResponse:
    actor: Actor = request.actor
    visible = Attachment.objects.visible_to(actor).select_related("stored", "voiding")
    found = visible.filter(uid=uid).first()
    if found is None:
        raise Http404
    beside = list(
        Attachment.objects.visible_to(actor)
        .of(found.owner_kind, found.owner_uid)
        .standing()
        .order_by("id")
        .values_list("uid", flat=True)
    )
    place = beside.index(uid) if uid in beside else None
    kind = owners.kind_of(found.owner_kind)
    context = {
        "photo": pages.shown([found], actor)[0],
        "attachment": found,
        "number": place + 1 if place is not None else None,
        "count": len(beside),
        "previous": beside[place - 1] if place else None,
        "next": beside[place + 1] if place is not None and place + 1 < len(beside) else None,
        "owner_label": pages.owner_label(found),
        "owner_url": pages.owner_url(found) if kind and not found.waiting else "",
        "may_void": found.by_key == actor.key and not hasattr(found, "voiding"),
        "form": form,
    }
    return render(request, "evidence/photo.html", context, status=status)


# --- parts, for the script of our own pages; the API calls the same verbs -------------------------


def answers_json(view: View) -> View:
    """Turn a refusal into {"code", "sentence", "details"} with the status of its kind."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.actor.key:
            return _refusal("signed-out", gettext("登录已失效。请重新登录后再传。"), 401)
        try:
            return view(request, *args, **kwargs)
        except RuleError as error:
            return _refusal(error.code, error.sentence(gettext), _status_of(error), error.values)

    return guarded


def _refusal(code: str, sentence: str, status: int, details: Mapping[str, Any] | None = None) -> JsonResponse:
    return JsonResponse({"code": code, "sentence": sentence, "details": dict(details or {})}, status=status)


def _status_of(error: RuleError) -> HTTPStatus:
    kinds = ((ConflictError, 409), (MissingError, 404), (ForbiddenError, 403))
    return HTTPStatus(next((status for kind, status in kinds if isinstance(error, kind)), 422))


@require_POST
@answers_json
def begin(request: HttpRequest) -> JsonResponse:
    """Announce a file: a JSON object with the arguments of `uploads.begin_upload`."""
    given = _json(request)
    status = uploads.begin_upload(
        uid=_uuid(given, "uid"),
        owner_kind=str(given.get("owner_kind", "")),
        owner_uid=_uuid(given, "owner_uid"),
        purpose=str(given.get("purpose", "")),
        filename=str(given.get("filename", "")),
        size=_whole(given, "size"),
        sha256=str(given.get("sha256") or ""),
        caption=str(given.get("caption") or ""),
        capture=_capture(given),
        by=request.actor,
        at=timezone.now(),
    )
    return _told(status)


@require_safe
@answers_json
def progress(request: HttpRequest, uid: UUID) -> JsonResponse:
    """Answer which parts are here."""
    return _told(uploads.upload_status(uid=uid, by=request.actor))


@require_http_methods(["PUT"])
@answers_json
def part(request: HttpRequest, uid: UUID, number: int) -> JsonResponse:
    """Take one part: the raw bytes are the body."""
    length = request.headers.get("Content-Length", "")
    if not length.isdigit() or int(length) > settings.UPLOAD_PART_KB * 1024:
        # Told by the header: a body above the limit is not read.
        raise RuleError(
            "part-too-large",
            N_("一次最多传 {limit_kb} KB。请把文件分段后再传。"),
            limit_kb=settings.UPLOAD_PART_KB,
        )
    actor: Actor = request.actor
    return _told(uploads.put_part(uid=uid, number=number, data=request.body, by=actor, at=timezone.now()))


@require_POST
@answers_json
def finish(request: HttpRequest, uid: UUID) -> JsonResponse:
    """Put the parts together and attach the file."""
    actor: Actor = request.actor
    done = uploads.finish_upload(uid=uid, by=actor, at=timezone.now())
    one = pages.shown([done.attachment], actor)[0]
    told = {
        "uid": str(uid),
        "created": done.created,
        "url": one.url,
        "thumb_url": one.thumb_url if one.is_picture else "",
        "used_label": one.used_label,
        "used_url": one.used_url,
        "remarks": list(one.remarks),
    }
    return JsonResponse(told, status=201 if done.created else 200)


def _told(status: uploads.Status) -> JsonResponse:
    return JsonResponse(
        {
            "uid": str(status.uid),
            "size": status.size,
            "part_size": status.part_size,
            "part_count": status.part_count,
            "have": list(status.have),
            "finished": status.finished,
        }
    )


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        # Exact numbers: a position must not pass through a binary fraction.
        given = json.loads(request.body, parse_float=Decimal)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise RuleError("json", N_("请求内容不是 JSON 对象。请按接口说明重新发送。"))
    return given


def _field(name: str) -> RuleError:
    return RuleError("field", N_("“{name}”缺少或写法不对。请按接口说明填写。"), name=name)


def _uuid(given: Mapping[str, Any], name: str) -> UUID:
    try:
        return UUID(str(given[name]))
    except (KeyError, ValueError):
        raise _field(name) from None


def _whole(given: Mapping[str, Any], name: str) -> int:
    value = given.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _field(name)
    return value


def _capture(given: Mapping[str, Any]) -> actions.Capture:
    said: dict[str, Any] = {}
    for name in ("device_at", "gps_at"):
        if given.get(name):
            try:
                said[name] = parse_datetime(str(given[name]))
            except ValueError:
                said[name] = None
            if said[name] is None:
                raise _field(name)
    for name in ("lon", "lat", "accuracy_m"):
        if given.get(name) is not None:
            try:
                said[name] = Decimal(str(given[name]))
            except InvalidOperation:
                raise _field(name) from None
            if not said[name].is_finite():
                raise _field(name)
    if given.get("datum"):
        said["datum"] = str(given["datum"])
    return actions.Capture(**said)
