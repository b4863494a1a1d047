"""Make an actor from a post, a token or a request; nothing else makes one."""

from dataclasses import replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.http import HttpRequest

from weicheng.journal import site
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of, within
from weicheng.places.models import Post, User
from weicheng.places.roles import LABELS, POWERS, Role
from weicheng.rules.digests import token_digest
from weicheng.rules.errors import N_, ForbiddenError
from weicheng.rules.moments import ZONE

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
    # Plain SQL for the few columns that decide: four tables of columns, compiled anew with every request,
    # took a quarter of the time of recording a finding. What a post is lives as long as the generation.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT token.post_id, person.name, site.generation, "
            "token.revoked_at IS NOT NULL OR token.expires_at <= %s OR NOT person.is_active "
            "FROM places_apitoken token JOIN places_post post ON post.id = token.post_id "
            "JOIN places_user person ON person.id = post.user_id "
            "LEFT JOIN journal_site site ON site.id = 1 WHERE token.token_digest = %s",
            [connection.ops.adapt_datetimefield_value(now), token_digest(secret)],
        )
        found = cursor.fetchone()
    if found is None:
        raise ForbiddenError("token", N_("访问令牌无效。请重新登录获取令牌。"))
    post_id, name, generation, over = found
    site.learn(generation)
    if over:
        raise ForbiddenError("token", N_("访问令牌已失效。请重新登录获取令牌。"))
    post = site.cached(("post", post_id), lambda: Post.objects.select_related("user", "unit").get(pk=post_id))
    on = today(now)
    if post.from_on > on or (post.to_on is not None and post.to_on < on):
        raise ForbiddenError("post-ended", N_("令牌所属的岗位不在任期内。请用现任岗位重新登录。"))
    return replace(actor_of(post, origin=origin), name=name)  # a name may have changed since


@lru_cache(maxsize=1024)
def today(now: datetime) -> date:
    """Return the day of a moment in the one zone of the site."""
    return now.astimezone(ZONE).date()


def origin_of(request: HttpRequest) -> str:
    """Return the network address a request came from, for the journal."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def actor_of_request(request: Any) -> Actor:
    """Return the actor that the middleware found; NOBODY where nobody is signed in."""
    return getattr(request, "actor", NOBODY)
