"""Sign in by API: login and password for a token that acts in one post."""

from django.contrib.auth import authenticate
from django.http import HttpResponse
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from weicheng.api.door import reply
from weicheng.places.actions import issue_token
from weicheng.places.actors import actor_of, origin_of, posts_of, today
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import N_, ForbiddenError

router = Router(tags=["登录"])


class SignInIn(Schema):
    login: str = Field(max_length=40)
    password: str = Field(max_length=200)
    post: int | None = Field(default=None, description="以哪个岗位登录；空为最近使用的岗位")
    label: str = Field(default="", max_length=60, description="这台设备的名字")


@router.post("", auth=None, summary="登录，获取访问令牌")
def sign_in(request: HttpRequest, payload: SignInIn) -> HttpResponse:
    user = authenticate(request, login=payload.login, username=payload.login, password=payload.password)
    if user is None:
        raise ForbiddenError("sign-in", N_("账号或密码不对，或已被锁定。请核对；连续输错会锁定一段时间。"))
    now = timezone.now()
    posts = posts_of(user, today(now))
    if payload.post is not None:
        posts = [post for post in posts if post.pk == payload.post]
    if not posts:
        raise ForbiddenError("no-post", N_("您没有可用的岗位。请联系安全管理员。"))
    if user.must_change_password:
        raise ForbiddenError("change-password", N_("首次登录须先修改密码。请在网页登录并修改密码。"))
    actor = actor_of(posts[0], origin=origin_of(request))
    token, secret = issue_token(post=posts[0], label=payload.label, by=actor, at=now)
    return reply(
        {"token": secret, "expires_at": token.expires_at, "post": posts[0].pk, "as": actor.post_label}, 201
    )
