"""New rows of hot tables, inserted by statements that are made once."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

from django.db import connection, models

# SQLite takes 32,766 values in one statement; PostgreSQL has no such limit here.
VALUES_LIMIT = 30_000
PLAIN = (str, int, bool)


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one table and give them their ids, in one statement: `bulk_create` for hot tables.

    The statement is made once, and values that a driver takes as they are go to it as they are. `bulk_create`
    builds both anew, field by field, which was two fifths of recording a finding.
    """
    if not rows:
        return
    fields = _insert_fields(type(rows[0]))
    step = max(1, VALUES_LIMIT // len(fields))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        values: list[Any] = []
        for row in part:
            stored = row.__dict__
            for name, prepare in fields:
                value = stored[name]
                plain = value is None or type(value) in PLAIN
                values.append(value if plain else prepare(value, connection))
        with connection.cursor() as cursor:
            cursor.execute(_insert_statement(type(rows[0]), len(part)), values)
            for row, (key,) in zip(part, cursor.fetchall(), strict=True):
                row.pk = key
                row._state.adding, row._state.db = False, connection.alias


@cache
def _insert_fields(model: type[models.Model]) -> list[tuple[str, Callable[..., Any]]]:
    """Return (attribute, its way into the database) of every column but the id, in the statement's order."""
    return [
        (one.attname, one.get_db_prep_save)
        for one in model._meta.local_concrete_fields
        if not one.primary_key
    ]


@lru_cache(maxsize=256)
def _insert_statement(model: type[models.Model], count: int) -> str:
    quote = connection.ops.quote_name
    names = [quote(str(one.column)) for one in model._meta.local_concrete_fields if not one.primary_key]
    line = f"({', '.join(['%s'] * len(names))})"
    return (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) "  # noqa: S608 - names of our own columns
        f"VALUES {', '.join([line] * count)} RETURNING {quote(str(model._meta.pk.column))}"
    )
