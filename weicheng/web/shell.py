"""The shell around every page: the menu of the post acted in, its other posts, the bell.

Everything is computed when the base page asks for it: a fragment, which has no menu, costs no statement.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weicheng.journal.site import cached, site
from weicheng.notices.bell import unread_count
from weicheng.places.actor import Actor
from weicheng.places.actors import NOBODY, actor_of
from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.ui.addresses import address


@dataclass(frozen=True)
class Door:
    """One entry of the menu.

    name: name of the URL; primary: stands in the phone's bottom bar; when: who is shown it
    """

    key: str
    label: Any
    name: str
    icon: str
    when: Callable[[Actor], bool]
    primary: bool = False


def _sees_cases(actor: Actor) -> bool:
    return actor.powers.sees_cases


def _has_area(actor: Actor) -> bool:
    return actor.powers.sees_cases and bool(actor.area)


def _records(actor: Actor) -> bool:
    return actor.powers.records


def _sees_visits(actor: Actor) -> bool:
    """Who looks at places, and who reads what was found in an area; a unit reads its cases."""
    return actor.powers.records or (actor.powers.sees_cases and bool(actor.area))


def _reads_only(actor: Actor) -> bool:
    return actor.powers.sees_cases and not actor.powers.records


DOORS = (
    Door("today", _("今天"), "today", "home", lambda actor: True, primary=True),
    Door("report", _("上报问题"), "finding_new", "camera", _records, primary=True),
    Door("cases", _("事项"), "cases", "clipboard-list", _sees_cases, primary=True),
    Door("visits", _("检查"), "visits", "clipboard-check", _sees_visits),
    Door("hot-spots", _("重点地段"), "hot_spots", "alert-triangle", _sees_cases),
    Door("map", _("地图"), "map", "map", _sees_cases, primary=True),
    Door("figures", _("指标"), "figures", "chart-bar", _sees_cases, primary=True),
    Door("assessments", _("考评"), "assessments:boards", "star", _sees_cases),
    Door("documents", _("文书"), "documents", "file-text", _sees_cases),
    Door("units", _("单位"), "units", "building", _sees_cases),
    Door("charges", _("包抓联络"), "charges", "user", _has_area),
    Door("standards", _("标准"), "standards:list", "file-text", _sees_cases),
    Door("people", _("人员"), "people", "users", lambda actor: actor.powers.keeps_posts, primary=True),
    Door(
        "areas",
        _("区划"),
        "areas",
        "building-community",
        lambda actor: actor.powers.keeps_areas,
        primary=True,
    ),
    Door("journal", _("日志"), "journal", "history", lambda actor: actor.powers.reads_journal, primary=True),
    Door("search", _("查找"), "search", "search", _sees_cases),
    Door("notices", _("通知"), "notices", "bell", lambda actor: True, primary=True),
)

WHO_LINKS = (
    ("jobs", _("我的任务"), "refresh"),
    ("sessions", _("登录记录"), "device-mobile"),
    ("password", _("修改密码"), "lock"),
    ("tokens", _("访问令牌"), "link"),
)


def menu(actor: Actor) -> list[dict[str, Any]]:
    """Return the menu of a post, as `ui/base.html` expects it."""
    if actor.role is None:
        return []
    return [
        {"key": door.key, "label": door.label, "url": address(door.name), "icon": door.icon, "badge": 0,
         "primary": door.primary}
        for door in DOORS if door.when(actor)
    ]  # fmt: skip


def site_name() -> str:
    """Return the name of the area this installation is for."""
    return cached(("site-area",), lambda: name_of(site().root_area) if site().root_area else "")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what `ui/base.html` expects; at most two statements, and none before it is used."""
    actor: Actor = getattr(request, "actor", NOBODY)
    if actor.user_id is None:
        # Sign-in page, link page, error page: no menu, and nothing asked of the database.
        return {"menu": [], "posts": []}
    return {
        "menu": cache(lambda: menu(actor)),
        "posts": cache(lambda: _posts(request, actor)),
        "post_switch_url": address("post_switch"),
        "notice_url": address("notices"),
        "notice_bell_url": address("notice_bell"),
        "bell_template": "notices/_bell.html",
        "poll_script": "notices/poll.js",
        "notice_count": cache(lambda: unread_count(actor, timezone.now())),
        "site_area": cache(site_name),
        "who_links": cache(_who_links),
        "sign_out_url": address("sign_out"),
    }


def _posts(request: HttpRequest, actor: Actor) -> list[dict[str, Any]]:
    held = getattr(request, "posts", [])
    if len(held) < 2:
        return []
    return [
        {"id": post.pk, "label": actor_of(post).post_label, "current": post.pk == actor.post_id}
        for post in held
    ]


def _who_links() -> list[dict[str, Any]]:
    return [{"url": address(name), "label": label, "icon": icon} for name, label, icon in WHO_LINKS]
