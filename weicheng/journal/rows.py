"""New rows of hot tables: made without ceremony, inserted by statements that are made once."""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.models.base import ModelState
from django.db.models.fields import NOT_PROVIDED

# SQLite takes 32,766 values in one statement; PostgreSQL has no such limit here.
VALUES_LIMIT = 30_000
PLAIN = (str, int, bool)
M = TypeVar("M", bound=models.Model)


def new_row(model: type[M], **values: Any) -> M:
    """Return an unsaved row with these columns and the defaults of the others, for tables that grow fast.

    values: by the name of the column's attribute (`case_id`, not `case`), in the column's own type: nothing is
    converted. `model(...)` asks every field and every signal first, which costs five times as much.
    TypeError for a name that is no column.
    """
    plain, made = _blank(model)
    row = model.__new__(model)
    stored = row.__dict__
    stored["_state"] = ModelState()
    stored.update(plain)
    for name, default in made:
        if name not in values:
            stored[name] = default()
    expected = len(plain) + len(made) + 1
    stored.update(values)
    if len(stored) != expected:
        wrong = sorted(set(values) - set(plain) - {name for name, _default in made})
        if wrong:
            raise TypeError(f"{model.__name__} has no column {', '.join(wrong)}")
    return row


@cache
def _blank(model: type[models.Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """Return the defaults that are the same for every row, and those that are made anew."""
    plain: dict[str, Any] = {}
    made: list[tuple[str, Callable[[], Any]]] = []
    for one in model._meta.local_concrete_fields:
        if callable(one.default) and one.default is not NOT_PROVIDED:
            made.append((one.attname, one.default))
        else:
            plain[one.attname] = one.get_default()
    return plain, made


def insert_all(rows: Sequence[models.Model]) -> None:
    """Insert new rows of one table and give them their ids, in one statement: `bulk_create` for hot tables.

    The statement is made once, and values that a driver takes as they are go to it as they are. `bulk_create`
    builds both anew, field by field, which was two fifths of recording a finding.
    """
    if not rows:
        return
    model = type(rows[0])
    link = connections[DEFAULT_DB_ALIAS]
    fields = _insert_fields(model)
    step = max(1, VALUES_LIMIT // len(fields))
    # Rows written together share most of their moments and identities: each is prepared once.
    ready: dict[Any, Any] = {}
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        values: list[Any] = []
        for row in part:
            stored = row.__dict__
            for name, prepare, repeats in fields:
                value = stored[name]
                if value is None or type(value) in PLAIN:
                    values.append(value)
                elif not repeats:
                    values.append(prepare(value, link))
                elif value in ready:
                    values.append(ready[value])
                else:
                    ready[value] = prepare(value, link)
                    values.append(ready[value])
        with link.cursor() as cursor:
            cursor.execute(_insert_statement(model, len(part)), values)
            for row, (key,) in zip(part, cursor.fetchall(), strict=True):
                row.pk = key
                row._state.adding, row._state.db = False, link.alias


@cache
def _insert_fields(model: type[models.Model]) -> list[tuple[str, Callable[..., Any], bool]]:
    """Return (attribute, its way into the database, is it of a kind that repeats) of every column but the id."""
    return [
        (one.attname, one.get_db_prep_save, type(one) in {models.DateTimeField, models.UUIDField})
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
