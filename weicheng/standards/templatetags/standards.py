"""Tags of the standards' pages."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from weicheng.standards.kinds import Confidence
from weicheng.ui.columns import badge

register = template.Library()

_TONES = {
    Confidence.CONFIRMED: "green",
    Confidence.NAME_CONFIRMED: "yellow",
    Confidence.INFERRED: "blue",
    Confidence.RECALLED: "orange",
    Confidence.LOCAL: "teal",
}


@register.simple_tag
def confidence(own: Any, otherwise: Any = "", source: str = "") -> SafeString:
    """{% confidence item.confidence row.confidence item.source %}: how far the number beside it can be relied on.

    own: the number's own; otherwise: the edition's, taken where the number has none
    """
    value = Confidence(own or otherwise)
    label = badge(value.label, _TONES[value])
    return (
        format_html('<span title="{}">{}</span>', _("来源：{source}").format(source=source), label)
        if source
        else label
    )


@register.filter
def lookup(names: dict[str, str], key: str) -> str:
    """{{ names|lookup:code }}: the name, or the code where there is none."""
    return names.get(key, key or "")
