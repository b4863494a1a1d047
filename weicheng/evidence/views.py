"""Pages and bytes of files. Every row is found through `visible_to`; foreign and absent answer alike."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac
from django.utils.http import content_disposition_header, parse_etags
from django.views.decorators.http import require_safe

from weicheng.evidence import copies, documents
from weicheng.evidence.models import Attachment
from weicheng.journal import actions as journal
from weicheng.journal.actions import Note
from weicheng.places.actor import Actor
from weicheng.places.decorators import to_sign_in
from weicheng.rules.errors import N_, ForbiddenError

View = Callable[..., HttpResponseBase]

# Whatever a file contains, the browser runs none of it.
_SANDBOX = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def somebody_required(view: View) -> View:
    """Let in an actor of any kind, the holder of a case link too; the view shows what that one reaches."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.actor.key:  # type: ignore[attr-defined]
            return to_sign_in(request)
        return view(request, *args, **kwargs)

    return guarded


# --- bytes ---------------------------------------------------------------------------------------


@require_safe
@somebody_required
def file(request: HttpRequest, uid: UUID, variant: str) -> HttpResponseBase:
    """Answer the original, the display copy or the thumbnail of one attachment."""
    return file_response(request, request.actor, uid, variant)  # type: ignore[attr-defined]


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
