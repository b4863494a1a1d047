"""How a day, a moment and a number are written: the same on the page, in a sheet and in print."""

import datetime as dt
from typing import Any

from django.utils import timezone


def day(value: Any) -> str:
    """Return a date as 2026-05-08; a moment is first brought to the site's zone; nothing gives ""."""
    if value is None or value == "":
        return ""
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
    return value.strftime("%Y-%m-%d") if isinstance(value, dt.date) else str(value)


def moment(value: Any) -> str:
    """Return a moment as 2026-05-08 14:30 in the site's zone; nothing gives ""."""
    if value is None or value == "":
        return ""
    if isinstance(value, dt.datetime):
        value = timezone.localtime(value) if timezone.is_aware(value) else value
        return value.isoformat(" ", "minutes")[:16]
    return day(value)
