"""Signing in and out, one's own sessions, password, posts and tokens."""

import math
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import auth, messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from weicheng.journal.models import Site
from weicheng.places import actions, sign_in
from weicheng.places.actors import actor_of
from weicheng.places.decorators import actor_required, user_required
from weicheng.places.forms import PasswordForm, SignInForm, TokenForm, attempt, typed
from weicheng.places.http import HttpRequest, UserRequest
from weicheng.places.models import ApiToken, Post, SignIn
from weicheng.places.passwords import PolicyValidator
from weicheng.ui.replies import form_page, go_on

DEMO_PREFIX = "demo-"
DEMO_PASSWORD = "weicheng-demo"  # noqa: S105 - shown on the sign-in page; production refuses the demo


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    back = _safe(request.POST.get("next") or request.GET.get("next", ""))
    if request.method == "GET":
        if request.actor.user_id is not None:
            return redirect(back)
        return _sign_in_form(request, SignInForm(initial={"next": back}))
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _sign_in_form(request, form, status=422)
    login, password = form.cleaned_data["login"].strip(), form.cleaned_data["password"]
    user = auth.authenticate(request, login=login, password=password)
    if user is None:
        if not getattr(request, "axes_locked_out", False):
            left = settings.AXES_FAILURE_LIMIT - AxesProxyHandler.get_failures(request, {"login": login})
            form.add_error(
                None,
                _("登录名或密码不对，请重新填写。再错 {left} 次，账号将锁定 {minutes} 分钟。").format(
                    left=max(left, 1), minutes=math.ceil(settings.AXES_COOLOFF_TIME * 60)
                ),
            )
        return _sign_in_form(request, form, status=422)
    sign_in.sign_in(request, user, at=timezone.now())
    return redirect(back)


def _sign_in_form(request: HttpRequest, form: SignInForm, status: int = 200) -> HttpResponse:
    return render(request, "places/sign_in.html", {"form": form, **demo_accounts()}, status=status)


def demo_accounts() -> dict[str, Any]:
    """Return the accounts a demo shows at its door; nothing anywhere else."""
    if not settings.DEMO or settings.PRODUCTION or not Site.objects.filter(pk=1, demo=True).exists():
        return {}
    posts = Post.objects.filter(user__login__startswith=DEMO_PREFIX, user__is_active=True)
    rows = posts.select_related("user", "unit").order_by("id")[:40]
    accounts = [
        {"login": post.user.login, "name": post.user.name, "label": actor_of(post).post_label}
        for post in rows
    ]
    return {"accounts": accounts, "demo_password": getattr(settings, "DEMO_PASSWORD", DEMO_PASSWORD)}


def _safe(url: str) -> str:
    return url if url and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else "/"


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    sign_in.sign_out(request, by=request.actor, at=timezone.now())
    return go_on(request, settings.LOGIN_URL)


@sensitive_post_parameters("old", "new", "again")
@never_cache
@user_required
def password(request: UserRequest) -> HttpResponse:
    user = request.user
    form = PasswordForm(typed(request))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data

        def change() -> Any:
            return actions.change_password(
                user=user,
                old=given["old"],
                new=given["new"],
                by=request.actor,
                at=timezone.now(),
                keep=request.session.session_key,
            )

        fields = {"password-wrong": "old", "password-same": "new", "password-weak": "new"}
        changed = attempt(form, change, fields)
        if changed:
            # The session's key changes with the password, and the list of sessions follows it.
            SignIn.objects.filter(session_key=request.session.session_key).delete()
            auth.update_session_auth_hash(request, changed)
            sign_in.enter(request, changed, at=timezone.now())
            messages.success(request, _("密码已修改，其他设备上的登录已结束。"))
            return go_on(request, "/")
    must = user.must_change_password and not settings.DEMO
    context = {
        "title": _("修改密码"),
        "subtitle": PolicyValidator().get_help_text(),
        "submit_label": _("修改密码"),
        "must_change": must,
    }
    return form_page(request, form, "places/password.html", context)


@require_GET
@user_required
def sessions(request: HttpRequest) -> HttpResponse:
    rows = SignIn.objects.visible_to(request.actor).order_by("-seen_at")
    own = request.session.session_key
    context = {
        "sessions": [(one, one.session_key == own) for one in rows],
        "most": settings.SESSIONS_PER_USER,
        "idle_minutes": settings.SESSION_IDLE_S // 60,
    }
    return render(request, "places/sessions.html", context)


@require_POST
@user_required
def end_other_sessions(request: UserRequest) -> HttpResponse:
    ended = actions.end_others(
        user=request.user, but=request.session.session_key, by=request.actor, at=timezone.now()
    )
    messages.success(request, _("已结束 {ended} 个其他登录。").format(ended=ended))
    return go_on(request, "/sessions")


@require_POST
@user_required
def switch_post(request: UserRequest, pk: int | None = None) -> HttpResponse:
    """Act in another of one's own posts from now on."""
    wanted = str(pk or request.POST.get("post", ""))
    post = next((held for held in request.posts if str(held.pk) == wanted), None)
    if post is None:
        raise Http404
    request.session[sign_in.POST] = post.pk
    actions.choose_post(user=request.user, post=post)
    # The page one comes from may not exist for the new post; the first page always does.
    messages.success(request, _("已切换到：{label}").format(label=actor_of(post).post_label))
    return go_on(request, "/")


@actor_required
def tokens(request: HttpRequest) -> HttpResponse:
    form = TokenForm(typed(request), initial={"days": settings.API_TOKEN_DAYS})
    secret = ""
    if request.method == "POST" and form.is_valid():
        post = get_object_or_404(Post.objects.visible_to(request.actor), pk=request.actor.post_id)

        def issue() -> Any:
            return actions.issue_token(post=post, by=request.actor, at=timezone.now(), **form.cleaned_data)

        issued = attempt(form, issue, {"token-days": "days"})
        if issued:
            secret = issued[1]
            form = TokenForm(initial={"days": settings.API_TOKEN_DAYS})
    rows = ApiToken.objects.visible_to(request.actor).select_related("post__unit", "post__user")
    context = {
        "tokens": [(token, actor_of(token.post).post_label) for token in rows.order_by("-id")[:50]],
        "secret": secret,
        "now": timezone.now(),
    }
    return form_page(request, form, "places/tokens.html", context)


@require_POST
@actor_required
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = get_object_or_404(ApiToken.objects.visible_to(request.actor), pk=pk)
    actions.revoke_token(token=token, by=request.actor, at=timezone.now())
    messages.success(request, _("令牌已作废。"))
    return go_on(request, "/tokens")
