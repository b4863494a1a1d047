"""Links to one case for a unit without an account: signed, expiring, useless for anything else."""

import contextlib
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.cases.models import Link
from weicheng.places.actor import Actor
from weicheng.places.actors import origin_of
from weicheng.places.http import HttpRequest
from weicheng.places.roles import LINK_POWERS
from weicheng.rules.errors import N_, ForbiddenError

COOKIE = "weicheng_link"
_SALT = "weicheng.cases.link"


def token_of(link: Link) -> str:
    """Return the signed token of a link; the address is /l/<token>."""
    return signing.dumps(link.uid.hex, salt=_SALT)


def address_of(link: Link) -> str:
    """Return the whole address, to be sent or drawn as a QR code."""
    return settings.SITE_URL + reverse("case_link", args=[token_of(link)])


def open_token(token: str, *, now: datetime, origin: str = "") -> tuple[Link, Actor]:
    """Return the link and the actor it makes.

    ForbiddenError: "link-forged" when the signature is wrong, "link-expired", "link-over" when it was revoked,
    or the case has been given to another unit.
    """
    try:
        uid = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        raise ForbiddenError(
            "link-forged", N_("链接不完整或已被改动。请重新打开收到的原链接，或请派遣单位重新发送。")
        ) from None
    link = Link.objects.filter(uid=uid).select_related("case__responsible", "unit").first()
    if link is None or link.revoked_at is not None:
        raise ForbiddenError("link-over", N_("链接已作废。请向派遣单位索取新的链接。"))
    if link.expires_at <= now:
        raise ForbiddenError("link-expired", N_("链接已过期。请向派遣单位索取新的链接。"))
    if link.case.responsible_id != link.unit_id:
        raise ForbiddenError("link-over", N_("该事项已改派其他单位，本链接已失效。"))
    actor = Actor(
        key=f"link:{link.pk}",
        name=link.unit.name[:60],
        post_label=_("办理链接"),
        powers=LINK_POWERS,
        area_name=link.unit.name,
        unit_id=link.unit_id,
        case_uid=str(link.case.uid),
        origin=origin,
    )
    return link, actor


class LinkMiddleware:
    """Let the holder of a link see the photos of its case: the link's page leaves its token in a cookie.

    Somebody who is signed in stays who they are.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request.COOKIES.get(COOKIE)
        if token and not request.actor.key:
            # An old cookie is no error: the page that needs the link will say so.
            with contextlib.suppress(ForbiddenError):
                _link, request.actor = open_token(token, now=timezone.now(), origin=origin_of(request))
        return self.get_response(request)
