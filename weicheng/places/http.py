"""The request as every view gets it: Django's, and what the middleware of this package has found out about it.

For annotations. `ActorMiddleware` sets the attributes, so a view that reads `request.actor` says which request it
means by taking this name in the place of Django's.
"""

from django import http
from django.contrib.auth.models import AnonymousUser

from weicheng.places.actor import Actor
from weicheng.places.models import Post, User


class HttpRequest(http.HttpRequest):
    """actor: who acts, NOBODY when nobody is signed in; posts: what the user holds today, last used first."""

    actor: Actor
    posts: list[Post]
    user: User | AnonymousUser


class UserRequest(HttpRequest):
    """The request of a view behind `user_required`."""

    user: User
