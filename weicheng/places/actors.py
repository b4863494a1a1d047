"""Make an actor from a post, a token or a request; nothing else makes one."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest

from weicheng.journal import site
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of, within
from weicheng.places.models import ApiToken, Post, User
from weicheng.places.roles import LABELS, POWERS, Role
from weicheng.rules.digests import token_digest
from weicheng.rules.errors import N_, ForbiddenError

NOBODY = Actor(key="", name="")


def actor_of(post: Post, *, origin: str = "") -> Actor:
    """Return the actor for a post, whose user (and unit) are loaded. The caller has checked its dates."""
    role = Role(post.role)
    where = post.unit.name if post.unit_id and post.unit else name_of(post.area)
    return Actor(
        key=f"user:{post.user_id}",
        name=post.user.name,
        user_id=post.user_id,
        post_id=post.pk,
        post_label=f"{where} · {post.title or LABELS[role]}",
        role=role,
        powers=POWERS[role],
        area="" if post.unit_id else post.area,
        area_name=where,
        unit_id=post.unit_id,
        reach=() if post.unit_id else within(post.area),
        origin=origin[:64],
    )


def posts_of(user: User, on: date) -> list[Post]:
    """Return the posts a user holds on the day, the one used last first."""
    held = list(user.posts.held_on(on).select_related("unit", "user").order_by("id"))
    return sorted(held, key=lambda post: post.pk != user.last_post_id)


def actor_of_token(secret: str, *, now: datetime, origin: str = "") -> Actor:
    """Return the actor of an API token, in one statement that also learns the site's generation.

    ForbiddenError("token"): unknown, expired, revoked, its user was shut out, or its post has ended.
    """
    rows = ApiToken.objects.filter(token_digest=token_digest(secret)).select_related(
        "post__user", "post__unit"
    )
    token = rows.extra(select={"generation": "SELECT generation FROM journal_site WHERE id = 1"}).first()
    if token is None:
        raise ForbiddenError("token", N_("访问令牌无效。请重新登录获取令牌。"))
    site.learn(token.generation)
    if token.revoked_at or token.expires_at <= now or not token.post.user.is_active:
        raise ForbiddenError("token", N_("访问令牌已失效。请重新登录获取令牌。"))
    on = today(now)
    if token.post.from_on > on or (token.post.to_on is not None and token.post.to_on < on):
        raise ForbiddenError("post-ended", N_("令牌所属的岗位不在任期内。请用现任岗位重新登录。"))
    return actor_of(token.post, origin=origin)


def today(now: datetime) -> date:
    """Return the day of a moment in the one zone of the site."""
    from django.utils.timezone import localtime

    return localtime(now).date()


def origin_of(request: HttpRequest) -> str:
    """Return the network address a request came from, for the journal."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def actor_of_request(request: Any) -> Actor:
    """Return the actor that the middleware found; NOBODY where nobody is signed in."""
    return getattr(request, "actor", NOBODY)
