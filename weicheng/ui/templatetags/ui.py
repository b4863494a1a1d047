"""Template words of the house: icons, files with their digest, forms, figures, days and moments."""

import datetime as dt
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.forms import BaseForm
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from weicheng.ui import formats
from weicheng.ui.columns import badge as badge_html
from weicheng.ui.forms import FormView
from weicheng.ui.kept import kept

register = template.Library()
register.tag(kept)
_addresses: dict[str, str] = {}

SPRITE = "vendor/icons.svg"
BAR_PLACES = 5  # of the phone's bottom bar


def asset_url(path: str) -> str:
    """Return the address of a static file with its digest, so that it may be cached for ever."""
    if path in _addresses and not settings.DEBUG:
        return _addresses[path]
    address = static(path)
    found = finders.find(path)
    if found:
        digest = hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10]
        address = f"{address}?v={digest}"
    _addresses[path] = address
    return address


@register.simple_tag
def asset(path: str) -> str:
    """{% asset "ui/weicheng.css" %}: the address with ?v=digest."""
    return asset_url(path)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """{% icon "bell" %}: a drawing beside words; with a label it speaks for itself."""
    if not label:
        return _drawing(name, asset_url(SPRITE))
    return format_html(
        '<svg class="wc-icon" role="img" aria-label="{}"><use href="{}#tabler-{}"></use></svg>',
        label,
        asset_url(SPRITE),
        name,
    )


@lru_cache(maxsize=256)
def _drawing(name: str, sprite: str) -> SafeString:
    return format_html(
        '<svg class="wc-icon" aria-hidden="true" focusable="false"><use href="{}#tabler-{}"></use></svg>',
        sprite,
        name,
    )


@register.simple_tag
def badge(label: Any, tone: str = "grey") -> SafeString:
    """{% badge case.state_label case.tone %}."""
    return badge_html(label, tone)


@register.filter
def moment(value: Any) -> str:
    """{{ case.opened_at|moment }}: 2026-05-08 14:30."""
    return formats.moment(value)


@register.filter
def day(value: Any) -> str:
    """{{ visit.held_on|day }}: 2026-05-08."""
    return formats.day(value)


@register.simple_tag
def time(value: Any) -> SafeString | str:
    """{% time case.due_at %}: a <time> element that machines read too."""
    if not value:
        return ""
    text = formats.moment(value) if isinstance(value, dt.datetime) else formats.day(value)
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), text)


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: Any) -> str:
    """{% query_with page=2 q=None %}: the address's query with some parts set, or taken out by None or ""."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            query.pop(name, None)
        elif isinstance(value, (list, tuple)):
            query.setlist(name, [str(one) for one in value])
        else:
            query[name] = str(value)
    text = query.urlencode(safe=",")
    return f"?{text}" if text else "?"


@register.inclusion_tag("ui/_form.html")
def form_fields(form: BaseForm) -> dict[str, Any]:
    """{% form_fields form %}: errors, hidden fields and all visible fields, without <form> and buttons."""
    return {"view": FormView(form), "form": form}


@register.inclusion_tag("ui/_figure.html")
def figure(figure: Any) -> dict[str, Any]:
    """{% figure f %}: a number that leads to its records and says what it counts."""
    return {"figure": figure}


@register.simple_tag(takes_context=True)
def mark_current(context: Context, menu: Any) -> list[dict[str, Any]]:
    """Return the menu, `current` set on this page's item: `menu_key`, or the longest address that fits."""
    items = [dict(item) for item in menu or []]
    key = context.get("menu_key")
    path = context["request"].path if "request" in context else ""
    if not key:
        under = [item for item in items if _is_under(path, item["url"])]
        key = max(under, key=lambda item: len(item["url"]))["key"] if under else None
    for item in items:
        item["current"] = item["key"] == key
    return items


def _is_under(path: str, url: str) -> bool:
    start = url.split("?")[0].rstrip("/")
    return path == url or (bool(start) and (path == start or path.startswith(f"{start}/")))


@register.filter
def face(menu: list[dict[str, Any]]) -> tuple[Any, ...]:
    """{% kept items|face %}: everything the menu is drawn from."""
    return tuple(
        (item["url"], item["icon"], str(item["label"]), item["badge"], item["current"], item["primary"])
        for item in menu
    )


@register.simple_tag
def bottom_bar(menu: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return {shown, rest} of the phone's bar: the primary items, a place kept for "more" if any are left."""
    shown = [item for item in menu if item.get("primary")][:BAR_PLACES]
    if len(shown) < len(menu):
        shown = shown[: BAR_PLACES - 1]
    keys = {item["key"] for item in shown}
    return {"shown": shown, "rest": [item for item in menu if item["key"] not in keys]}
