"""Keyset pages over one or several branches of a table.

A list is read as branches: each scope of the reader times each chosen state. Every branch is a bounded walk
along an index (equality on scope and state, then the key); one statement merges the heads of all branches. So
a page costs the same at a thousand rows and at a million, whereas `state IN (…) ORDER BY id` sorts or scans.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, ValidationError
from django.db import connections, models
from django.db.models import F, Q, QuerySet

BIGGEST_ID = 2**63 - 1
Hook = Callable[[QuerySet], QuerySet]


@dataclass(frozen=True)
class Ordering:
    """What a page is ordered by; ties are broken by id in the same direction, empty values come last.

    field: path of the column, "" for the id alone
    column: the model field behind it
    """

    field: str = ""
    descending: bool = True
    column: models.Field | None = None

    @property
    def segments(self) -> tuple[str, ...]:
        if not self.field:
            return ("id",)
        return ("value", "empty") if self.column is None or self.column.null else ("value",)


@dataclass(frozen=True)
class Cursor:
    """The row a page starts behind."""

    id: int
    segment: str = "id"
    value: Any = None


def cursor_text(row: Any, ordering: Ordering) -> str:
    """Return how `row` is named in `after=` and `before=`."""
    if not ordering.field:
        return str(row.pk)
    value = row
    for part in ordering.field.split("__"):
        value = None if value is None else getattr(value, part)
    if value is None:
        return f"~{row.pk}"
    return f"={value.isoformat() if isinstance(value, (dt.date, dt.datetime)) else value}~{row.pk}"


def read_cursor(text: str, ordering: Ordering) -> Cursor:
    """Return the cursor named by a URL.

    Raises ValueError when the text names none.
    """
    value, mark, number = text.rpartition("~")
    if not (number.isascii() and number.isdigit()) or int(number) > BIGGEST_ID or "\x00" in text:
        raise ValueError(text)
    if bool(mark) != bool(ordering.field):
        raise ValueError(text)
    if not mark:
        return Cursor(int(number))
    if not value:
        return Cursor(int(number), "empty")
    if not value.startswith("="):
        raise ValueError(text)
    try:
        typed = ordering.column.to_python(value[1:]) if ordering.column is not None else value[1:]
    except ValidationError as error:
        raise ValueError(text) from error
    if isinstance(typed, int) and abs(typed) > BIGGEST_ID:
        raise ValueError(text)
    return Cursor(int(number), "value", typed)


def page(
    branches: Sequence[QuerySet],
    ordering: Ordering,
    *,
    limit: int,
    cursor: Cursor | None = None,
    backward: bool = False,
    rows: Hook = lambda queryset: queryset,
) -> list[Any]:
    """Return at most `limit` rows behind `cursor` (in front of it when `backward`), in reading order.

    rows: dresses the final query (select_related, only); at most two statements per segment are sent
    """
    segments = ordering.segments[::-1] if backward else ordering.segments
    if cursor and cursor.segment in segments:
        segments = segments[segments.index(cursor.segment) :]
    found: list[Any] = []
    for segment in segments:
        here = cursor if cursor and cursor.segment == segment else None
        found += _walk(branches, ordering, segment, here, backward, limit - len(found), rows)
        if len(found) >= limit:
            break
    return found[::-1] if backward else found


def every_row(
    branches: Sequence[QuerySet], ordering: Ordering, *, rows: Hook, chunk: int = 1000
) -> Iterator[list]:
    """Yield all rows in reading order, a bounded chunk at a time, by the same walk as the pages."""
    cursor = None
    while found := page(branches, ordering, limit=chunk, cursor=cursor, rows=rows):
        yield found
        if len(found) < chunk:
            return
        cursor = read_cursor(cursor_text(found[-1], ordering), ordering)


def count_up_to(branches: Sequence[QuerySet], most: int) -> int:
    """Return how many rows the branches hold, counting no further than `most`."""
    sql, params = _union([branch.order_by()[:most] for branch in branches], "")
    if not sql:
        return 0
    with connections[branches[0].db].cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM ({sql} LIMIT {int(most)}) AS counted", params)  # noqa: S608 - compiled by Django
        return cursor.fetchone()[0]


def _walk(
    branches: Sequence[QuerySet],
    ordering: Ordering,
    segment: str,
    cursor: Cursor | None,
    backward: bool,
    limit: int,
    rows: Hook,
) -> list[Any]:
    descending = ordering.descending != backward
    walks = [_ordered(branch, ordering, segment, cursor, descending) for branch in branches]
    if len(walks) == 1:
        return list(rows(walks[0])[:limit])
    field = ordering.field if segment == "value" else ""
    sql, params = _union([walk[:limit] for walk in walks], field)
    if not sql:
        return []
    way = "DESC" if descending else "ASC"
    order = f"key_value {way}, key_id {way}" if field else f"key_id {way}"
    with connections[branches[0].db].cursor() as db:
        db.execute(f"{sql} ORDER BY {order} LIMIT {int(limit)}", params)
        ids = [line[0] for line in db.fetchall()]
    manager = branches[0].model._base_manager.using(branches[0].db)
    by_id = {row.pk: row for row in rows(manager.filter(pk__in=ids))}
    return [by_id[pk] for pk in ids if pk in by_id]


def _ordered(
    branch: QuerySet, ordering: Ordering, segment: str, cursor: Cursor | None, descending: bool
) -> QuerySet:
    past = "lt" if descending else "gt"
    sign = "-" if descending else ""
    if segment != "value":
        if segment == "empty":
            branch = branch.filter(**{f"{ordering.field}__isnull": True})
        if cursor:
            branch = branch.filter(**{f"pk__{past}": cursor.id})
        return branch.order_by(f"{sign}pk")
    field = ordering.field
    if "empty" in ordering.segments:
        branch = branch.filter(**{f"{field}__isnull": False})
    if cursor:
        # The first half is what an index can seek to; the second settles ties.
        branch = branch.filter(
            Q(**{f"{field}__{past}e": cursor.value})
            & (Q(**{f"{field}__{past}": cursor.value}) | Q(**{f"pk__{past}": cursor.id}))
        )
    return branch.order_by(f"{sign}{field}", f"{sign}pk")


def _union(branches: Sequence[QuerySet], field: str) -> tuple[str, list[Any]]:
    """Return SQL giving the ids (and values of `field`) of all branches, each id once."""
    parts: list[str] = []
    params: list[Any] = []
    for number, branch in enumerate(branches):
        names = {"key_id": F("pk")} | ({"key_value": F(field)} if field else {})
        # Django cannot put a sliced query into a union on SQLite, so each becomes a derived table by hand.
        query = _renamed(branch, names)
        try:
            sql, values = query.query.get_compiler(using=branch.db).as_sql()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT * FROM ({sql}) AS branch_{number}")  # noqa: S608 - compiled by Django
        params += values
    # UNION, not UNION ALL: a row reached by place and by responsibility is one row.
    return " UNION ".join(parts), params


def _renamed(branch: QuerySet, names: dict[str, F]) -> QuerySet:
    low, high = branch.query.low_mark, branch.query.high_mark
    whole = branch.all()
    whole.query.clear_limits()
    whole = whole.annotate(**names).values_list(*names)
    whole.query.set_limits(low, high)
    return whole
