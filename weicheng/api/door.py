"""Who comes in, and how every reply goes out."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from ninja.security import HttpBearer

from weicheng.journal import site
from weicheng.places.actor import Actor
from weicheng.places.actors import actor_of_token, origin_of
from weicheng.places.http import HttpRequest


class Bearer(HttpBearer):
    """`Authorization: Bearer …`: a token acts in the one post it was made for."""

    openapi_bearerFormat = "opaque"  # noqa: N815 - the library reads this name

    def authenticate(self, request: HttpRequest, token: str) -> Actor:  # type: ignore[override] # as every request
        actor = actor_of_token(token, now=timezone.now(), origin=origin_of(request))
        request.actor = actor
        return actor


bearer = Bearer()


def reply(payload: Any, status: int = 200) -> HttpResponse:
    """Return JSON with the site's epoch in a header, so that a client notices a restore on any answer."""
    response = HttpResponse(
        json.dumps(payload, ensure_ascii=False, default=_plain), "application/json", status
    )
    response["X-Weicheng-Epoch"] = site.epoch()
    return response


def _plain(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (UUID, Decimal)):
        return str(value)
    raise TypeError(f"{type(value).__name__} does not go into a reply")
