"""How points are written on the pages of assessments."""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext

from weicheng.rules.figures import NOT_ASSESSED, round_half_up

register = template.Library()

TOTAL_PLACES = 2
POINT_PLACES = 3


@register.filter
def score(value: Any, places: int = TOTAL_PLACES) -> str:
    """{{ sheet.total|score:places }}: 87.50, to as many places as the scheme prints; "未评定" for no score."""
    if value in (None, ""):
        return gettext(NOT_ASSESSED)
    return f"{round_half_up(Decimal(value), places)}"


@register.filter
def points(value: Any, places: int = POINT_PLACES) -> str:
    """{{ loss.lost|points }}: 0.5, at most three places, no idle zeros; "" for none."""
    if value in (None, ""):
        return ""
    return f"{round_half_up(Decimal(value), places).normalize():f}"


@register.filter
def minus(value: Any, places: int = POINT_PLACES) -> str:
    """{{ item.effect|minus }}: −0.5 with the typographer's minus, 0 for nothing, +0.5 for what was given."""
    if value in (None, ""):
        return ""
    text = points(abs(Decimal(value)), places)
    return text if text == "0" else f"−{text}" if Decimal(value) > 0 else f"+{text}"
