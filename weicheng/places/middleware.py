"""Find the actor of a request: session, user, the post acted in. At most three statements."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import auth, messages
from django.contrib.auth.models import AnonymousUser
from django.db.models.expressions import RawSQL
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.journal import site
from weicheng.places import sign_in
from weicheng.places.actors import NOBODY, actor_of, origin_of, posts_of, today
from weicheng.places.decorators import go
from weicheng.places.http import HttpRequest
from weicheng.places.models import Post, SignIn, User

# A session's last sight is written once in this many seconds, not with every request.
SEEN_EVERY_S = 60
# What a person may open before the first password has been changed.
ALWAYS_OPEN = ("/password", "/sign-out", "/sign-in", "/language", settings.STATIC_URL)

# What a page left open asks by itself: nobody is at work there, so an idle session still ends.
ASKED_BY_ITSELF = ("/notices/bell", "/progress")


class ActorMiddleware:
    """Set `request.actor`, `request.posts` (the user's posts today) and `request.user`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        site.learn(None)  # a thread serves many requests
        try:
            self._find(request)
            if self._must_change_password(request):
                return go(request, "/password")
            return self.get_response(request)
        finally:
            site.learn(None)

    def _find(self, request: HttpRequest) -> None:
        request.actor, request.posts = NOBODY, []
        # Without a cookie there is nobody, and finding that out costs no statement.
        if settings.SESSION_COOKIE_NAME not in request.COOKIES or auth.SESSION_KEY not in request.session:
            request.user = AnonymousUser()
            return
        now = timezone.now()
        one = self._session_of(request, now)
        if one is None:
            request.session.flush()
            request.user = AnonymousUser()
            return
        request.user = one.user
        request.posts = posts_today(one.user, now)
        wanted = request.session.get(sign_in.POST)
        post = next((held for held in request.posts if held.pk == wanted), None)
        if post is None and request.posts:
            post = request.posts[0]
        if post is None:
            request.actor = sign_in.person(request, one.user)
        else:
            request.actor = actor_of(post, origin=origin_of(request))

    def _session_of(self, request: HttpRequest, now: datetime) -> Any:
        """Return the live sign-in of the session, or None when it is over for any reason."""
        one = _sign_in_of(request.session.session_key)
        if one is None:
            if request.session.get(sign_in.MARK):
                messages.info(request, _("您的登录已在别处结束。请重新登录。"))
                return None
            user = auth.get_user(request)  # begun by other means than our page: enter it now
            if not user.is_authenticated:
                return None
            sign_in.enter(request, user, at=now)
            one = _sign_in_of(request.session.session_key)
            if one is None:
                return None
        site.learn(one.generation)
        reason = sign_in.lapsed(one, now)
        if reason or not one.user.is_active or not sign_in.is_of_password(request, one.user):
            sign_in.end([one])
            if reason == "idle":
                messages.info(request, _("您已较长时间没有操作，为安全起见已退出。请重新登录。"))
            elif reason == "old":
                messages.info(request, _("本次登录已满时限。请重新登录。"))
            else:
                messages.info(request, _("您的登录已失效。请重新登录。"))
            return None
        asked_by_itself = request.path.endswith(ASKED_BY_ITSELF)
        if one.seen_at + timedelta(seconds=SEEN_EVERY_S) < now and not asked_by_itself:
            SignIn.objects.filter(pk=one.pk).update(seen_at=now)
        return one

    def _must_change_password(self, request: HttpRequest) -> bool:
        return (
            request.user.is_authenticated
            and request.user.must_change_password
            and not settings.DEMO
            and not request.path.startswith(ALWAYS_OPEN)
        )


def _sign_in_of(session_key: str | None) -> Any:
    """Return the sign-in with its user and the site's generation, in one statement."""
    generation = RawSQL("SELECT generation FROM journal_site WHERE id = 1", [])
    rows = SignIn.objects.filter(session_key=session_key).select_related("user")
    return rows.annotate(generation=generation).first()


def posts_today(user: User, now: datetime) -> list[Post]:
    """Return the user's posts of today, the one used last first; kept while no post changes."""
    on = today(now)
    held = site.cached(("posts", user.pk, on), lambda: posts_of(user, on))
    for post in held:
        post.user = user  # as read with this request: a name may have changed since
    return sorted(held, key=lambda post: post.pk != user.last_post_id)
