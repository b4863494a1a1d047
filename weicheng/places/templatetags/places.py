"""Tags of the pages of places."""

from django import template

from weicheng.places import areas

register = template.Library()

_CITY = 4  # digits: from the district down is what readers of a city need


@register.filter
def area_path(code: str) -> str:
    """{{ charge.area|area_path }}: the names from the district down to the area."""
    return areas.path_name(code, top=code[:_CITY])
