"""Tags of the standards' pages."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.standards.clause_views import title_of
from weicheng.standards.kinds import Clause, Clauses, Confidence
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


_MODES = {
    "per_finding": gettext_lazy("每处"),
    "per_place": gettext_lazy("每个点位"),
    "range": gettext_lazy("按程度"),
    "once": gettext_lazy("每项扣一次"),
    "ratio": gettext_lazy("按比率"),
    "gap": gettext_lazy("按差距"),
    "threshold": gettext_lazy("达不到即扣"),
    "veto": gettext_lazy("一票否决"),
    "bonus": gettext_lazy("加分"),
}


@register.filter
def mode_words(mode: Any) -> Any:
    """{{ item.mode|mode_words }}: how a line costs points, in words."""
    return _MODES.get(str(mode), mode)


_FINDERS = {
    "province": gettext_lazy("省级"),
    "city": gettext_lazy("市级"),
    "district": gettext_lazy("区级"),
    "street": gettext_lazy("街道"),
    "community": gettext_lazy("社区"),
    "unit": gettext_lazy("单位"),
}


@register.filter
def finder_words(levels: dict[str, Any]) -> str:
    """{{ item.levels|finder_words }}: points by the level of who found it, "市级 1、区级 0.5"."""
    return "、".join(f"{label} {levels[level]}" for level, label in _FINDERS.items() if level in levels)


@register.filter
def clause_title(clause: Clause) -> str:
    """{{ clause|clause_title }}: by what a clause is known."""
    return title_of(clause)


@register.filter
def sources_of(body: Clauses, clause: Clause) -> str:
    """{{ body|sources_of:clause }}: where it can be looked up, for a title."""
    return "；".join(body.sources_of(clause))
