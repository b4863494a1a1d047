"""The filters of a list: read from the URL, never trusted, shown as chips, written back to the URL.

Each filter answers five questions: what did the URL say (`read`), what is wrong with it (a sentence), how are
rows narrowed (`narrow`), how is it told to the reader (`chips`), how is it written in a URL (`pairs`).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

Option = tuple[str, Any]  # (value in the URL, label)
Pairs = list[tuple[str, str]]
LONGEST = 200  # characters of one value; a longer one is no filter but an accident or an attack


@dataclass
class Bound:
    """A filter with what this request says about it."""

    filter: "Filter"
    value: Any = None
    options: list[Option] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.value not in (None, [], "", False)

    @property
    def pairs(self) -> Pairs:
        return self.filter.pairs(self.value) if self.active else []

    @property
    def chips(self) -> list[tuple[str, Pairs]]:
        """What is filtered, each with the URL parts that stay when it is taken away."""
        return self.filter.chips(self) if self.active else []

    @property
    def count(self) -> int:
        return len(self.value) if isinstance(self.value, list) else int(self.active)


def model_field(model: type[models.Model], path: str) -> models.Field | None:
    """Return the column behind a path such as `unit__name`, or None."""
    found: Any = None
    for part in path.split("__"):
        try:
            found = model._meta.get_field(part)
        except (FieldDoesNotExist, AttributeError):
            return None
        if found.related_model:
            model = found.related_model
    return found if isinstance(found, models.Field) else None


class Filter:
    """What all filters share.

    key: name in the URL; saved views hold it, so it never changes
    apply: (queryset, value) -> queryset, or the name of a method of the list; without it `field` is compared
    field: path of the column; without it `key`
    """

    template = ""

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        field: str = "",
        apply: Callable[[QuerySet, Any], QuerySet] | str | None = None,
    ) -> None:
        self.key = key
        self.label = label
        self.field = field or key
        self.apply = apply

    @property
    def params(self) -> tuple[str, ...]:
        return (self.key,)

    def bind(self, query: QueryDict, request: HttpRequest) -> Bound:
        bound = Bound(self)
        for name in self.params:
            for text in query.getlist(name):
                if "\x00" in text or len(text) > LONGEST:
                    bound.problems.append(
                        _("“{label}”的筛选值无法识别，已忽略。请重新选择。").format(label=self.label)
                    )
                    return bound
        self.read(query, bound, request)
        return bound

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        raise NotImplementedError

    def narrow(self, rows: QuerySet, value: Any) -> QuerySet:
        raise NotImplementedError

    def pairs(self, value: Any) -> Pairs:
        return [(self.key, str(value))]

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        return [(f"{self.label}：{bound.value}", [])]


class Choices(Filter):
    """One or several of a list of options.

    options: (value, label) pairs, or a function of the request giving them
    multiple: several may be chosen
    """

    template = "ui/filters/choices.html"

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        options: Iterable[Option] | Callable[[Any], Iterable[Option]],
        multiple: bool = False,
        field: str = "",
        apply: Callable[[QuerySet, Any], QuerySet] | str | None = None,
    ) -> None:
        super().__init__(key, label, field=field, apply=apply)
        self.options = options if callable(options) else list(options)
        self.multiple = multiple

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        found = self.options(request) if callable(self.options) else self.options
        bound.options = [(str(value), label) for value, label in found]
        known = {value for value, _label in bound.options}
        wanted = [value for value in dict.fromkeys(query.getlist(self.key)) if value != ""]
        for value in wanted:
            if value not in known:
                bound.problems.append(
                    _("“{value}”不是“{label}”的选项，已忽略。请从列表中选择。").format(
                        value=value, label=self.label
                    )
                )
        chosen = [value for value, _label in bound.options if value in wanted]
        bound.value = chosen if self.multiple else chosen[:1]

    def narrow(self, rows: QuerySet, value: list[str]) -> QuerySet:
        if len(value) == 1:  # equality keeps the index order, IN does not
            return rows.filter(**{self.field: value[0]})
        return rows.filter(**{f"{self.field}__in": value})

    def pairs(self, value: list[str]) -> Pairs:
        return [(self.key, one) for one in value]

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        labels = dict(bound.options)
        return [
            (f"{self.label}：{labels[one]}", self.pairs([other for other in bound.value if other != one]))
            for one in bound.value
        ]


class Exact(Filter):
    """One value reached by a link (a figure's drill-down, "of this unit"), shown only as a chip.

    show: (value, request) -> what the chip says, or None when the reader may not see such a thing
    """

    template = "ui/filters/exact.html"

    def __init__(
        self,
        key: str,
        label: Any,
        *,
        show: Callable[[str, Any], Any],
        field: str = "",
        apply: Callable[[QuerySet, Any], QuerySet] | str | None = None,
    ) -> None:
        super().__init__(key, label, field=field, apply=apply)
        self.show = show

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        text = query.get(self.key, "").strip()
        if not text:
            return
        try:
            shown = self.show(text, request)
        except (ValueError, OverflowError):
            shown = None
        if shown is None:
            bound.problems.append(
                _("没有找到“{label}”为“{value}”的内容，已忽略。请从链接重新进入。").format(
                    label=self.label, value=text
                )
            )
            return
        bound.value = text
        bound.options = [(text, shown)]

    def narrow(self, rows: QuerySet, value: str) -> QuerySet:
        return rows.filter(**{self.field: value})

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        return [(f"{self.label}：{bound.options[0][1]}", [])]


class Search(Filter):
    """Words typed by the reader; `apply` decides what they are looked for in."""

    template = "ui/filters/search.html"

    def __init__(
        self, key: str, label: Any, *, apply: Callable[[QuerySet, str], QuerySet] | str, placeholder: Any = ""
    ) -> None:
        super().__init__(key, label, apply=apply)
        self.placeholder = placeholder or label

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        bound.value = " ".join(query.get(self.key, "").split())

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        return [(_("含“{words}”").format(words=bound.value), [])]


@dataclass(frozen=True)
class Days:
    """From one day to another, both included; either may be open."""

    start: dt.date | None = None
    end: dt.date | None = None


class Dates(Filter):
    """A stretch of days of a date or moment column: `<key>_from` and `<key>_to`, both included."""

    template = "ui/filters/dates.html"

    @property
    def params(self) -> tuple[str, ...]:
        return (f"{self.key}_from", f"{self.key}_to")

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        days: list[dt.date | None] = []
        for name in self.params:
            text = query.get(name, "").strip()
            try:
                days.append(dt.date.fromisoformat(text) if text else None)
            except ValueError:
                days.append(None)
                bound.problems.append(
                    _("“{value}”不是有效日期，已忽略。请写成 2026-05-08 的样子。").format(value=text)
                )
        start, end = days
        if start and end and end < start:
            bound.problems.append(
                _("“{label}”的结束日期 {end} 早于开始日期 {start}，已忽略。请对调两个日期。").format(
                    label=self.label, start=start, end=end
                )
            )
            return
        bound.value = Days(start, end) if start or end else None

    def narrow(self, rows: QuerySet, value: Days) -> QuerySet:
        column = model_field(rows.model, self.field)
        moments = isinstance(column, models.DateTimeField)
        if value.start:
            rows = rows.filter(**{f"{self.field}__gte": _midnight(value.start) if moments else value.start})
        if value.end and moments:
            if value.end < dt.date.max:
                rows = rows.filter(**{f"{self.field}__lt": _midnight(value.end + dt.timedelta(days=1))})
        elif value.end:
            rows = rows.filter(**{f"{self.field}__lte": value.end})
        return rows

    def pairs(self, value: Days) -> Pairs:
        return [
            (name, day.isoformat())
            for name, day in zip(self.params, (value.start, value.end), strict=True)
            if day
        ]

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        start, end = bound.value.start, bound.value.end
        if start and end:
            words = _("{start} 至 {end}").format(start=start, end=end) if start != end else str(start)
        elif start:
            words = _("{start} 起").format(start=start)
        else:
            words = _("至 {end}").format(end=end)
        return [(f"{self.label}：{words}", [])]


def _midnight(day: dt.date) -> dt.datetime:
    """Return the first moment of a day here, clamped where the calendar ends and UTC has none."""
    day = min(max(day, dt.date(2, 1, 1)), dt.date(9998, 12, 31))
    return timezone.make_aware(dt.datetime.combine(day, dt.time()))


class Flag(Filter):
    """Yes or not asked: `<key>=1`; `apply` gets (queryset, True)."""

    template = "ui/filters/flag.html"

    def read(self, query: QueryDict, bound: Bound, request: HttpRequest) -> None:
        text = query.get(self.key, "")
        if text not in {"", "0", "1"}:
            bound.problems.append(
                _("“{value}”不是“{label}”的选项，已忽略。请从列表中选择。").format(
                    value=text, label=self.label
                )
            )
        bound.value = text == "1"

    def narrow(self, rows: QuerySet, value: bool) -> QuerySet:
        return rows.filter(**{self.field: True})

    def pairs(self, value: bool) -> Pairs:
        return [(self.key, "1")]

    def chips(self, bound: Bound) -> list[tuple[str, Pairs]]:
        return [(str(self.label), [])]


Filters = Sequence[Filter]
