"""The accounts of the demo: who may be signed in as, and with which password."""

from dataclasses import dataclass

from django.conf import settings

from weicheng.places.actors import actor_of
from weicheng.places.models import Post
from weicheng.places.views import DEMO_PASSWORD, DEMO_PREFIX


@dataclass(frozen=True)
class Account:
    login: str
    name: str
    label: str


def password() -> str:
    """Return the one password of all accounts; production refuses a demo, so it guards nothing."""
    return getattr(settings, "DEMO_PASSWORD", DEMO_PASSWORD)


def accounts() -> list[Account]:
    """Return every demo account with its post, one of each role first."""
    posts = Post.objects.filter(user__login__startswith=DEMO_PREFIX, user__is_active=True)
    rows = posts.select_related("user", "unit").order_by("id")
    return [Account(post.user.login, post.user.name, actor_of(post).post_label) for post in rows]
