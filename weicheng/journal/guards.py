"""Database triggers that keep append-only tables append-only, whoever holds the connection."""

from typing import Any

from django.db import migrations

_SQLITE = (
    "CREATE TRIGGER {table}_no_update BEFORE UPDATE OF {columns} ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;",
    "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;",
)
_POSTGRES = (
    "CREATE OR REPLACE FUNCTION weicheng_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;",
    "CREATE TRIGGER {table}_no_update BEFORE UPDATE OF {columns} ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION weicheng_append_only();",
    "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION weicheng_append_only();",
)


def append_only(table: str, *, columns: tuple[str, ...] = ("at", "body", "digest")) -> migrations.RunPython:
    """Return a migration step that refuses updates of `columns` and every delete on `table`."""

    def add(apps: Any, schema_editor: Any) -> None:
        statements = _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRES
        for statement in statements:
            sql = statement.format(table=table, columns=", ".join(columns))
            # psycopg reads a lone % as a placeholder only when parameters are given: none are.
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(sql)

    return migrations.RunPython(add, migrations.RunPython.noop)
