"""Signing in: sessions that are few, that lapse when idle or old, and that end when told to."""

import math
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from weicheng.journal.actions import Note, Who, record
from weicheng.places.actor import Actor
from weicheng.places.actors import origin_of
from weicheng.places.models import SignIn, User

# In the session: it has been entered as a SignIn. One that has the mark and no SignIn was ended elsewhere.
MARK = "sign_in"
POST = "post"


@transaction.atomic
def sign_in(request: HttpRequest, user: User, *, at: datetime) -> SignIn:
    """Begin a session of a user whose password was right; the oldest ends when there are too many."""
    auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    begun = enter(request, user, at=at)
    record(_note("session.begin", user), by=person(request, user), at=at)
    return begun


@transaction.atomic
def enter(request: HttpRequest, user: User, *, at: datetime) -> SignIn:
    """Enter the request's session among the user's, and end the oldest beyond the limit."""
    if not request.session.session_key:
        request.session.create()
    request.session[MARK] = True
    begun, _created = SignIn.objects.update_or_create(
        session_key=request.session.session_key,
        defaults={
            "user": user,
            "at": at,
            "seen_at": at,
            "origin": origin_of(request),
            "device": device_words(request.META.get("HTTP_USER_AGENT", "")),
        },
    )
    others = user.sign_ins.exclude(pk=begun.pk).order_by("-at", "-id")
    end(list(others[settings.SESSIONS_PER_USER - 1 :]))
    return begun


def end(sign_ins: list[SignIn]) -> int:
    """End these sessions; return how many."""
    keys = [one.session_key for one in sign_ins]
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        SignIn.objects.filter(session_key__in=keys).delete()
    return len(keys)


@transaction.atomic
def end_others(*, user: User, but: str | None, by: Who, at: datetime) -> int:
    """End every session of the user but the one with this key; return how many ended."""
    ended = end(list(user.sign_ins.exclude(session_key=but)))
    record(_note("session.end_others", user, ended=ended), by=by, at=at)
    return ended


@transaction.atomic
def sign_out(request: HttpRequest, *, by: Who, at: datetime) -> None:
    """End the request's own session."""
    key = request.session.session_key
    if request.user.is_authenticated:
        record(_note("session.end", request.user), by=by, at=at)
    SignIn.objects.filter(session_key=key).delete()
    auth.logout(request)


# The first that is found wins: a browser names its ancestors too.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def device_words(agent: str) -> str:
    """Return "Chrome · Windows" for what a browser says of itself, "" when it says nothing known."""
    found = [next((words for sign, words in signs if sign in agent), "") for signs in (_BROWSERS, _SYSTEMS)]
    return " · ".join(words for words in found if words)


def lapsed(one: SignIn, now: datetime) -> str:
    """Return why a session is over: "idle", "old" or ""."""
    if one.seen_at + timedelta(seconds=settings.SESSION_IDLE_S) < now:
        return "idle"
    # Saving a session moves Django's own expiry, so the absolute age is counted from the sign-in.
    if one.at + timedelta(seconds=settings.SESSION_COOKIE_AGE) < now:
        return "old"
    return ""


def is_of_password(request: HttpRequest, user: User) -> bool:
    """Was this session begun with the password the user has now? A changed password ends the others."""
    kept = request.session.get(auth.HASH_SESSION_KEY, "")
    return constant_time_compare(kept, user.get_session_auth_hash())


def locked_out(request: HttpRequest, *credentials: Any) -> HttpResponse:
    """Answer a locked-out sign-in with one sentence; called by django-axes."""
    from weicheng.places.forms import SignInForm

    form = SignInForm(initial={"login": request.POST.get("login", "")})
    context = {"form": form, "sentence": lockout_sentence()}
    return render(request, "places/sign_in.html", context, status=429)


def lockout_sentence() -> str:
    """Return what a locked-out person reads."""
    minutes = math.ceil(settings.AXES_COOLOFF_TIME * 60)
    return _(
        "密码连续输错 {tries} 次，该账号已锁定。请在 {minutes} 分钟后重试，或请安全管理员重置密码。"
    ).format(tries=settings.AXES_FAILURE_LIMIT, minutes=minutes)


def unlock(login: str) -> None:
    """Forget the failed tries of a login."""
    from axes.utils import reset

    reset(username=login)


def person(request: HttpRequest, user: User) -> Actor:
    """Return the user without a post: all that is known of somebody at the door."""
    return Actor(key=f"user:{user.pk}", name=user.name, user_id=user.pk, origin=origin_of(request))


def _note(verb: str, user: Any, **detail: Any) -> Note:
    # Under the area of a post, so that an audit administrator's reach finds it.
    area = user.posts.order_by("-from_on", "-id").values_list("area", flat=True).first() or user.created_in
    return Note(verb=verb, object_kind="user", object_key=str(user.pk), area=area, detail=detail)
