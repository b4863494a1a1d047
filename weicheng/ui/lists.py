"""The one list engine: filters in the URL, keyset pages, columns, export, saved views, keyboard.

A list is declared once (`class CaseList(ListPage)`) and used in a view in one line:

    return CaseList(request, Case.objects.visible_to(request.actor)).response("cases/cases.html")

It answers with the page, with the list alone when htmx asks, with a file for `?export=`, and with the total
for `?count=1`. It never counts before the first page is painted, and a page costs a constant number of
statements. A value in the URL that makes no sense gives one sentence on the page and is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.functional import cached_property
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.ui import exports, paging
from weicheng.ui.columns import Column, badge
from weicheng.ui.filters import Bound, Choices, Dates, Days, Exact, Filter, Flag, Pairs, Search, model_field
from weicheng.ui.models import SavedView

__all__ = [
    "BatchAction",
    "Choices",
    "Column",
    "Dates",
    "Days",
    "Exact",
    "Filter",
    "Flag",
    "ListPage",
    "Order",
    "Search",
    "badge",
]

COUNT_LIMIT = 10_000
# Parts of a URL that say what to send, not what to show.
SENDING = {"export", "count"}


@dataclass(frozen=True)
class Order:
    """Another order than newest first.

    key: name in `order=` (with a leading - for the other direction) and in `Column.order`
    label: what the reader chooses, translated lazily
    field: path of the column; it should stand in an index behind what the list is narrowed by
    """

    key: str
    label: Any
    field: str = ""


@dataclass(frozen=True)
class BatchAction:
    """Something done to all selected rows: their ids are posted as `ids` to `url`.

    url: an address, or request -> address
    confirm: a question asked first, or ""
    """

    name: str
    label: Any
    url: str | Callable[[Any], str]
    confirm: Any = ""
    tone: str = "primary"


@dataclass
class Row:
    """One row as the template needs it; `cells` is ready HTML."""

    object: Any
    href: str
    cells: SafeString


@dataclass
class Head:
    column: Column
    url: str = ""  # where a click on the heading leads; "" when it does not sort
    sorted: str = ""  # "ascending", "descending" or ""


@dataclass
class Rows:
    """The rows of one page and whether there are more on either side."""

    objects: list[Any] = field(default_factory=list)
    more_after: bool = False
    more_before: bool = False


class ListPage:
    """Declare a list by subclassing; see the module for how it is used.

    key: names the list in saved views; never changes
    title: heading and file name
    columns, filters, orders, batch: what the list offers
    default: filter values used when the URL says nothing at all, {name in the URL: value or list of values}
    merge_on: key of a `Choices` filter whose options are all values its column may have; a page over several
        of them is merged from one bounded walk per value, so that an index (scope, column, id) serves it
    empty, empty_action: what will be here, and (label, address) of the first step
    exports: kinds of files offered

    rows: what the reader may see: one queryset, or several whose union it is (by place, by responsibility).
        Joins and annotations for showing rows belong in `queryset`, not here.
    """

    key: str = ""
    title: Any = ""
    columns: Sequence[Column] = ()
    filters: Sequence[Filter] = ()
    orders: Sequence[Order] = ()
    default: Mapping[str, Any] = {}
    merge_on: str = ""
    page_size: int = 20
    empty: Any = gettext_lazy("这里还没有内容。")
    empty_action: tuple[Any, str] | None = None
    exports: Sequence[str] = ("xlsx", "csv")
    batch: Sequence[BatchAction] = ()

    def __init__(self, request: HttpRequest, rows: QuerySet | Sequence[QuerySet]) -> None:
        self.request: Any = request  # the apps above hang an actor on it
        self.scopes: list[QuerySet] = [rows] if isinstance(rows, QuerySet) else list(rows)
        if not self.scopes:
            raise ValueError("A list needs at least one queryset; pass Model.objects.none() for nothing.")
        self.problems: list[str] = []
        self.path = request.path
        query = self._query()
        self.bound: list[Bound] = [one.bind(query, request) for one in self.filters]
        for bound in self.bound:
            self.problems += bound.problems
        self.order, self.descending = self._read_order(query.get("order", ""))
        self.shown, self.columns_chosen = self._read_columns(query.get("cols", ""))
        self._after, self._before = query.get("after", ""), query.get("before", "")

    # --- hooks a list may override ---------------------------------------------------------------
    def queryset(self, rows: QuerySet) -> QuerySet:
        """Dress the query that fetches the rows of a page: select_related, only, annotate."""
        return rows

    # --- what the URL says -----------------------------------------------------------------------
    def _query(self) -> QueryDict:
        """Return the URL's query, or the reader's own default view, or the list's default."""
        query = self.request.GET
        if any(name not in SENDING for name in query):
            return query
        own = next((view for view in self.saved_views if view.is_default), None)
        if own:
            return QueryDict(own.query)
        made = QueryDict(mutable=True)
        for name, value in self.default.items():
            made.setlist(
                name, [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value)]
            )
        return made

    def _read_order(self, text: str) -> tuple[Order | None, bool]:
        if not text:
            return None, True
        for order in self.orders:
            if text in {order.key, f"-{order.key}"}:
                return order, text.startswith("-")
        self.problems.append(
            _("不能按“{value}”排序，已改为最新在前。请点击表头排序。").format(value=text[:40])
        )
        return None, True

    def _read_columns(self, text: str) -> tuple[list[Column], bool]:
        standard = [column for column in self.columns if column.default]
        if not text:
            return standard, False
        wanted = [key for key in text.replace("\x00", "").split(",") if key]
        known = {column.key for column in self.columns}
        for key in wanted:
            if key not in known:
                self.problems.append(
                    _("没有“{value}”这一列，已忽略。请在“列”中选择。").format(value=key[:40])
                )
        chosen = [column for column in self.columns if column.key in wanted]
        return (chosen, True) if chosen else (standard, False)

    # --- rows ------------------------------------------------------------------------------------
    @cached_property
    def ordering(self) -> paging.Ordering:
        if self.order is None:
            return paging.Ordering()
        name = self.order.field or self.order.key
        return paging.Ordering(name, self.descending, model_field(self.scopes[0].model, name))

    def branches(self) -> list[QuerySet]:
        """Return the filtered querysets whose union is the list: one per scope and merged value."""
        found = self.scopes
        values: list[Any] = [None]
        merged: Bound | None = None
        for bound in self.bound:
            if self.merge_on and bound.filter.key == self.merge_on:
                merged = bound
                values = bound.value or [value for value, _label in bound.options]
            elif bound.active:
                found = [self._narrow(rows, bound) for rows in found]
        if merged is None or not values:
            return found
        return [rows.filter(**{merged.filter.field: value}) for rows in found for value in values]

    def _narrow(self, rows: QuerySet, bound: Bound) -> QuerySet:
        apply = bound.filter.apply
        if isinstance(apply, str):
            apply = getattr(self, apply)
        value = bound.value
        if isinstance(bound.filter, Choices) and not bound.filter.multiple and apply:
            value = bound.value[0]
        return apply(rows, value) if apply else bound.filter.narrow(rows, value)

    @cached_property
    def page(self) -> Rows:
        branches, size = self.branches(), self.page_size
        for name, text, backward in (("after", self._after, False), ("before", self._before, True)):
            if not text:
                continue
            try:
                cursor = paging.read_cursor(text, self.ordering)
            except ValueError:
                self.problems.append(
                    _("翻页位置“{name}={value}”无法识别，已从第一页开始。").format(name=name, value=text[:40])
                )
                continue
            objects = paging.page(
                branches, self.ordering, limit=size + 1, cursor=cursor, backward=backward, rows=self.queryset
            )
            if not backward:
                return Rows(objects[:size], more_after=len(objects) > size, more_before=True)
            if len(objects) > size:
                return Rows(objects[1:], more_after=True, more_before=True)
            break  # at the beginning: a full first page is better than the few rows before the cursor
        objects = paging.page(branches, self.ordering, limit=size + 1, rows=self.queryset)
        return Rows(objects[:size], more_after=len(objects) > size)

    @cached_property
    def rows(self) -> list[Row]:
        phone = self._phone()
        parts = [(column, self._cell_start(column, phone[column.key])) for column in self.shown]
        linked = next((column for column in self.shown if column.href), None)
        made = []
        for item in self.page.objects:
            # Each part is escaped where it is made; a join of safe parts is safe.
            cells = mark_safe("".join(f"{start}{column.html(item)}</td>" for column, start in parts))  # noqa: S308
            href = linked.href(item) if linked and linked.href else ""
            made.append(Row(item, href or "", cells))
        return made

    def _phone(self) -> dict[str, str]:
        """Return which part of the card each shown column is: a title, a badge, two lines of the rest."""
        parts: dict[str, str] = {column.key: column.phone for column in self.shown if column.phone}
        free = [column for column in self.shown if not column.phone]
        if free and "title" not in parts.values():
            title = next((column for column in free if column.href), free[0])
            parts[title.key] = "title"
        if "badge" not in parts.values():
            state = next(
                (column for column in free if column.kind == "state" and column.key not in parts), None
            )
            if state:
                parts[state.key] = "badge"
        room = 4 - sum(part == "meta" for part in parts.values())
        for column in free:
            if column.key not in parts:
                parts[column.key] = "meta" if room > 0 else "rest"
                room -= 1
        return parts

    @staticmethod
    def _cell_start(column: Column, part: str) -> SafeString:
        return format_html(
            '<td class="wc-cell-{} wc-phone-{}" data-label="{}">', column.kind, part, column.label
        )

    @property
    def body(self) -> SafeString:
        """Return the table's rows as HTML: made here, because a template loop costs too much."""
        choose = ""
        if self.batch:
            choose = format_html(
                '<td class="wc-cell-check"><label><input class="form-check-input" type="checkbox" name="ids"'
                ' value="{{}}" data-select><span class="visually-hidden">{}</span></label></td>',
                _("选择这一行"),
            )
        lines = []
        for row in self.rows:
            address = format_html(' data-href="{}"', row.href) if row.href else ""
            box = choose.replace("{}", str(conditional_escape(row.object.pk)), 1)
            lines.append(f"<tr data-row{address}>{box}{row.cells}</tr>")
        return mark_safe("\n".join(lines))  # noqa: S308 - joined from escaped parts

    # --- addresses -------------------------------------------------------------------------------
    @cached_property
    def pairs(self) -> Pairs:
        """Return the canonical query: filters, columns, order."""
        return self._with([pair for bound in self.bound for pair in bound.pairs])

    def _with(self, filters: Pairs) -> Pairs:
        pairs = list(filters)
        if self.columns_chosen:
            pairs.append(("cols", ",".join(column.key for column in self.shown)))
        if self.order:
            pairs.append(("order", self._order_text))
        # Without any part the defaults would come back, so "nothing filtered" has to be said.
        if not pairs and (self.default or any(view.is_default for view in self.saved_views)):
            pairs.append(("all", "1"))
        return pairs

    @property
    def _order_text(self) -> str:
        return f"{'-' if self.descending else ''}{self.order.key}" if self.order else ""

    def url(self, *extra: tuple[str, str], pairs: Pairs | None = None) -> str:
        """Return an address of this list: its own query, or `pairs`, and what is added."""
        query = urlencode([*(self.pairs if pairs is None else pairs), *extra], safe=",")
        return f"{self.path}?{query}" if query else self.path

    @property
    def query(self) -> str:
        """Return the query a saved view keeps."""
        return urlencode(self.pairs, safe=",")

    @property
    def next_url(self) -> str:
        if not self.page.more_after or not self.page.objects:
            return ""
        return self.url(("after", paging.cursor_text(self.page.objects[-1], self.ordering)))

    @property
    def previous_url(self) -> str:
        if not self.page.more_before:
            return ""
        if not self.page.objects:  # past the end: the way back is the beginning
            return self.url()
        return self.url(("before", paging.cursor_text(self.page.objects[0], self.ordering)))

    @property
    def first_url(self) -> str:
        return self.url() if self.page.more_before else ""

    @property
    def count_url(self) -> str:
        return self.url(("count", "1"))

    @property
    def clear_url(self) -> str:
        return self.url(pairs=self._with([]))

    @property
    def export_links(self) -> list[tuple[str, str]]:
        names = {"xlsx": _("Excel 工作簿"), "csv": _("CSV 文件")}
        return [(names[kind], self.url(("export", kind))) for kind in self.exports]

    # --- what the template shows -----------------------------------------------------------------
    @property
    def search(self) -> Bound | None:
        return next((bound for bound in self.bound if isinstance(bound.filter, Search)), None)

    @property
    def fields(self) -> list[Bound]:
        """Return the filters drawn as controls, the search apart."""
        return [bound for bound in self.bound if not isinstance(bound.filter, (Search, Exact))]

    @property
    def hidden(self) -> Pairs:
        """Return what the filter form must carry along."""
        kept = [pair for bound in self.bound if isinstance(bound.filter, Exact) for pair in bound.pairs]
        if self.columns_chosen:
            kept.append(("cols", ",".join(column.key for column in self.shown)))
        if self.order:
            kept.append(("order", self._order_text))
        # An emptied form still has to say that it was filled in.
        kept.append(("all", "1"))
        return kept

    @property
    def active_filters(self) -> int:
        return sum(bound.count for bound in self.bound)

    @property
    def chips(self) -> list[tuple[str, str]]:
        """Return (what is filtered, address without it)."""
        made = []
        for bound in self.bound:
            others = [pair for other in self.bound if other is not bound for pair in other.pairs]
            made += [(text, self.url(pairs=self._with(others + kept))) for text, kept in bound.chips]
        return made

    @property
    def heads(self) -> list[Head]:
        orders = {order.key: order for order in self.orders}
        made = []
        filters = [pair for bound in self.bound for pair in bound.pairs]
        if self.columns_chosen:
            filters.append(("cols", ",".join(column.key for column in self.shown)))
        for column in self.shown:
            order = orders.get(column.order)
            if order is None:
                made.append(Head(column))
                continue
            now = self.order is order
            # First click ascending, second descending, third back to newest first.
            following = "" if now and self.descending else f"-{order.key}" if now else order.key
            pairs = [*filters, ("order", following)] if following else filters or [("all", "1")]
            state = ("descending" if self.descending else "ascending") if now else ""
            made.append(Head(column, self.url(pairs=pairs), state))
        return made

    @property
    def order_choices(self) -> list[tuple[str, str, bool]]:
        """Return (label, address, chosen) of every order, for screens without headings."""
        made = []
        base = [pair for pair in self.pairs if pair[0] not in {"order", "all"}]
        for key, label in [("", _("最新在前")), *((order.key, order.label) for order in self.orders)]:
            pairs = [*base, ("order", key)] if key else base or [("all", "1")]
            made.append((str(label), self.url(pairs=pairs), self._order_text.lstrip("-") == key))
        return made

    @property
    def column_choices(self) -> list[tuple[Column, bool]]:
        return [(column, column in self.shown) for column in self.columns]

    @property
    def column_form(self) -> Pairs:
        """Return what the form that chooses columns must carry along."""
        return [pair for pair in self.pairs if pair[0] != "cols"]

    @property
    def batch_actions(self) -> list[tuple[BatchAction, str]]:
        return [(one, one.url(self.request) if callable(one.url) else one.url) for one in self.batch]

    @cached_property
    def face(self) -> tuple[Any, ...]:
        """Return everything the controls around the rows are drawn from, for `{% kept %}`."""
        offered = [
            (bound.filter.key, *[(value, str(label)) for value, label in bound.options])
            for bound in self.bound
            if bound.options and callable(getattr(bound.filter, "options", callable))
        ]
        columns = tuple([column.key for column in self.columns])
        own_default = any(view.is_default for view in self.saved_views)
        return (
            type(self), str(self.title), self.path, tuple(self.pairs), self.columns_chosen, own_default, columns,
            tuple(offered), tuple([(one.name, url) for one, url in self.batch_actions]),
        )  # fmt: skip

    @property
    def is_filtered(self) -> bool:
        return self.active_filters > 0

    @property
    def known_total(self) -> int | None:
        """Return the total when the first page shows everything, so that nobody has to count."""
        whole = not self.page.more_after and not self.page.more_before
        return len(self.page.objects) if whole else None

    @cached_property
    def saved_views(self) -> list[SavedView]:
        actor = getattr(self.request, "actor", None)
        if not self.key or getattr(actor, "user_id", None) is None:
            return []
        return list(SavedView.objects.visible_to(actor).filter(list_key=self.key).order_by("name"))

    @property
    def current_view(self) -> SavedView | None:
        query = self.query
        return next((view for view in self.saved_views if view.query == query), None)

    @property
    def view_links(self) -> list[tuple[SavedView, str]]:
        return [(view, f"{self.path}?{view.query}") for view in self.saved_views]

    @property
    def can_save(self) -> bool:
        return bool(self.key) and getattr(getattr(self.request, "actor", None), "user_id", None) is not None

    # --- answers ---------------------------------------------------------------------------------
    def total_text(self) -> str:
        """Return how many rows there are in words, counted no further than 10,000."""
        total = paging.count_up_to(self.branches(), COUNT_LIMIT + 1)
        if total > COUNT_LIMIT:
            return _("共 {total}+ 条").format(total=f"{COUNT_LIMIT:,}")
        return _("共 {total} 条").format(total=f"{total:,}")

    def response(
        self, template: str = "ui/list.html", context: Mapping[str, Any] | None = None
    ) -> HttpResponseBase:
        """Answer the request: page, fragment, file or total."""
        kind = self.request.GET.get("export")
        if kind and kind in self.exports:
            return self.export(kind)
        if kind:
            self.problems.append(_("不能导出为“{value}”。请使用列表上方的导出按钮。").format(value=kind[:40]))
        if self.request.GET.get("count"):
            return self._private(HttpResponse(self.total_text(), content_type="text/plain; charset=utf-8"))
        self.page  # noqa: B018 - fetched here so that its problems are known before the template asks
        headers = self.request.headers
        alone = (
            headers.get("HX-Request") == "true"
            and headers.get("HX-History-Restore-Request") != "true"
            and headers.get("HX-Boosted") != "true"
        )
        name = "ui/_list.html" if alone else template
        response = render(self.request, name, {**(context or {}), "list": self})
        if alone:
            # The form sends empty fields too; the address bar shows the canonical query.
            response["HX-Push-Url"] = self._here
        return self._private(response)

    @property
    def _here(self) -> str:
        for name, text in (("after", self._after), ("before", self._before)):
            if text and self.page.more_before:
                return self.url((name, text))
        return self.url()

    @staticmethod
    def _private(response: HttpResponse) -> HttpResponse:
        # The same address gives a page or a fragment: no cache may mistake one for the other.
        patch_vary_headers(response, ["HX-Request"])
        patch_cache_control(response, private=True, no_cache=True)
        return response

    def export(self, kind: str) -> HttpResponseBase:
        """Return all filtered rows as a file: the chosen columns, or every column there is."""
        limit = getattr(settings, "EXPORT_LIMIT_ROWS", 200_000)
        source = self.shown if self.columns_chosen else self.columns
        columns = [column for column in source if column.export]
        last_words: list[str] = []
        # Translated now: the body is sent when the language of the request is no longer active.
        cut = _("只导出了前 {limit} 行。请缩小筛选范围后分次导出。").format(limit=f"{limit:,}")

        def chunks() -> Any:
            sent = 0
            for chunk in paging.every_row(self.branches(), self.ordering, rows=self.queryset):
                yield chunk[: limit - sent]
                if sent + len(chunk) > limit:
                    last_words.append(cut)
                    return
                sent += len(chunk)

        name = f"{self.title}_{timezone.localtime():%Y%m%d-%H%M}"
        if kind == "csv":
            return exports.csv_response(name, columns, chunks(), last_words)
        return exports.xlsx_response(name, str(self.title), columns, chunks(), last_words)
