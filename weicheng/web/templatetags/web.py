"""Template words of the pages above cases: a deadline in words."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from weicheng.cases.lists import STATE_TONES
from weicheng.cases.models import Case
from weicheng.journal.models import Entry
from weicheng.rules.cases import State
from weicheng.ui.columns import badge
from weicheng.ui.formats import moment
from weicheng.web.due import Remaining
from weicheng.web.due import remaining as reckon
from weicheng.web.journal_words import thing_of, verb_of

register = template.Library()


def words(left: Remaining) -> str:
    """Return the time left or over as a reader says it."""
    if left.late:
        sentences = {"day": _("已超期{n}天"), "hour": _("已超期{n}小时"), "minute": _("已超期{n}分钟")}
    else:
        sentences = {"day": _("还剩{n}天"), "hour": _("还剩{n}小时"), "minute": _("还剩{n}分钟")}
    return sentences[left.unit].format(n=left.amount)


@register.filter
def remaining(due_at: datetime | None) -> str:
    """{{ case.due_at|remaining }}: 还剩3小时, 已超期2天; "" without a deadline."""
    return words(reckon(due_at, timezone.now())) if due_at else ""


@register.simple_tag
def due(case: Case) -> SafeString | str:
    """{% due case %}: the time left as a label, the deadline itself in its title; the state of a case that is over."""
    if case.state == State.HANDED_IN.value:
        return badge(_("已上报，等核查"), "yellow")
    if not case.open:
        return badge(case.state_label, STATE_TONES[State(case.state)])
    if case.due_at is None:
        return ""
    left = reckon(case.due_at, timezone.now())
    tone = "red" if left.late else "orange" if left.soon else "grey"
    return format_html(
        '<time class="wc-badge wc-tone-{}" datetime="{}" title="{}">{}</time>',
        tone,
        case.due_at.isoformat(),
        moment(case.due_at),
        words(left),
    )


@register.simple_tag
def spell(count: int, most: int) -> str:
    """{% spell count 99 %}: the count, or "99+" where nobody counted further."""
    return f"{most}+" if count > most else str(count)


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """{{ names|lookup:code }}: the value, or the key itself where there is none."""
    return mapping.get(key, key) if mapping else key


@register.filter
def localday(value: datetime) -> str:
    """{{ now|localday }}: 2026年11月22日 星期日."""
    here = timezone.localtime(value)
    return _("{year}年{month}月{day}日 {weekday}").format(
        year=here.year, month=here.month, day=here.day, weekday=WEEKDAYS[here.weekday()]
    )


@register.filter
def verb(entry: Entry) -> str:
    """{{ entry|verb }}: what a journal entry did."""
    return verb_of(entry)


@register.filter
def thing(entry: Entry) -> str:
    """{{ entry|thing }}: on what kind of thing."""
    return thing_of(entry)
