"""A column of a list: one formatter for the screen, the phone, print and the sheet."""

import datetime as dt
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from functools import lru_cache
from html import escape
from typing import Any, Literal

from django.utils import timezone
from django.utils.html import conditional_escape, format_html, strip_tags
from django.utils.safestring import SafeString, mark_safe

from weicheng.ui.formats import day, moment

Kind = Literal["text", "number", "date", "moment", "state", "html"]
Tone = Literal["green", "teal", "blue", "yellow", "orange", "red", "grey"]
Phone = Literal["title", "meta", "badge", "rest"]

TONES = ("green", "teal", "blue", "yellow", "orange", "red", "grey")


@dataclass(frozen=True)
class Column:
    """One column.

    key: its name in `cols=`; never changes, because saved views hold it
    label: the heading, translated lazily
    cell: row -> value; without it the attribute `key` of the row
    href: row -> address; the first shown column with one is where Enter leads
    kind: how the value is written and aligned; "html" takes a SafeString, "state" a label drawn with `tone`
    tone: row -> colour of a state; the text always says it too
    default: shown until the reader chooses columns
    export: written to sheets
    phone: part of the card on a narrow screen; left empty the list decides
    order: key of an `Order`; makes the heading sort
    plain: row -> text of an "html" column for sheets; without it the tags are cut away
    """

    key: str
    label: Any
    cell: Callable[[Any], Any] | None = None
    _: KW_ONLY
    href: Callable[[Any], str | None] | None = None
    kind: Kind = "text"
    tone: Callable[[Any], str] | None = None
    default: bool = True
    export: bool = True
    phone: Phone | Literal[""] = ""
    order: str = ""
    plain: Callable[[Any], str] | None = None

    def value(self, row: Any) -> Any:
        """Return what the cell is made from."""
        return self.cell(row) if self.cell else getattr(row, self.key)

    def text(self, row: Any) -> str:
        """Return the cell as plain text, as read on the screen and written to a sheet."""
        if self.plain:
            return str(self.plain(row))
        return self._written(self.value(row))

    def _written(self, value: Any) -> str:
        if value is None:
            return ""
        if self.kind == "moment":
            return moment(value)
        if self.kind == "date":
            return day(value)
        if self.kind == "html":
            return " ".join(strip_tags(str(value)).split())
        return str(value)

    def sheet(self, row: Any) -> str | int | float | Decimal | dt.date | dt.datetime:
        """Return the cell for a workbook: numbers and dates stay such, so that a sheet can reckon."""
        if self.kind in {"number", "date", "moment"} and not self.plain:
            value = self.value(row)
            if isinstance(value, dt.datetime):
                local = timezone.localtime(value) if timezone.is_aware(value) else value
                if self.kind == "date":
                    return local.date()
                # To the minute, as on the screen.
                return local.replace(tzinfo=None, second=0, microsecond=0)
            if isinstance(value, (int, float, Decimal, dt.date)) and not isinstance(value, bool):
                return value
        return self.text(row)

    def html(self, row: Any) -> SafeString:
        """Return the inside of the cell, escaped."""
        value = self.value(row)
        if value is None or value == "":
            return _NOTHING
        if self.kind == "html":
            inner = conditional_escape(value)
        elif self.kind == "state":
            inner = badge(value, self.tone(row) if self.tone else "grey")
        else:
            inner = escaped(self._written(value))
        address = self.href(row) if self.href else None
        return SafeString(f'<a href="{escaped(address)}">{inner}</a>') if address else inner


_NOTHING = mark_safe('<span class="wc-none">—</span>')


def escaped(text: str) -> SafeString:
    """Return text as HTML, like Django's `conditional_escape` without its look for what is lazy."""
    return text if isinstance(text, SafeString) else SafeString(escape(text))


def badge(label: Any, tone: str = "grey") -> SafeString:
    """Return a state or severity as a small label: colour helps, the word says it."""
    return _badge(label if isinstance(label, SafeString) else str(label), tone)


@lru_cache(maxsize=1024, typed=True)  # typed: "<b>" and what is safe as "<b>" are not the same
def _badge(label: str, tone: str) -> SafeString:
    return format_html(
        '<span class="wc-badge wc-tone-{}">{}</span>', tone if tone in TONES else "grey", label
    )
