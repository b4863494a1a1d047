"""The database's own refusal to touch a published edition, whoever holds the connection."""

from typing import Any

from django.db import migrations

# `leaf` is left out: a Merkle batch fills it after publication.
_COLUMNS = (
    "uid, kind, key, title, owner, city, district, edition, in_force_from, in_force_to, source, confidence, "
    "body, digest, state, revision, supersedes_id, created_at, created_by, created_by_name, "
    "published_at, published_by, published_by_name"
)
# Dropped first: a table that SQLite rebuilds for a migration comes back without its triggers.
_SQLITE = (
    "DROP TRIGGER IF EXISTS standards_edition_no_update;",
    "DROP TRIGGER IF EXISTS standards_edition_no_delete;",
    f"CREATE TRIGGER standards_edition_no_update BEFORE UPDATE OF {_COLUMNS} ON standards_edition "
    "WHEN OLD.state = 'published' "
    "BEGIN SELECT RAISE(ABORT, 'a published edition is never changed'); END;",
    "CREATE TRIGGER standards_edition_no_delete BEFORE DELETE ON standards_edition "
    "WHEN OLD.state = 'published' "
    "BEGIN SELECT RAISE(ABORT, 'a published edition is never deleted'); END;",
)
_POSTGRES = (
    "CREATE OR REPLACE FUNCTION standards_edition_is_published() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'a published edition is never changed'; END $$;",
    "DROP TRIGGER IF EXISTS standards_edition_no_update ON standards_edition;",
    "DROP TRIGGER IF EXISTS standards_edition_no_delete ON standards_edition;",
    f"CREATE TRIGGER standards_edition_no_update BEFORE UPDATE OF {_COLUMNS} ON standards_edition "
    "FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION standards_edition_is_published();",
    "CREATE TRIGGER standards_edition_no_delete BEFORE DELETE ON standards_edition "
    "FOR EACH ROW WHEN (OLD.state = 'published') EXECUTE FUNCTION standards_edition_is_published();",
)


def published_stays() -> migrations.RunPython:
    """Return a migration step that refuses every change of a published edition's row."""

    def add(apps: Any, schema_editor: Any) -> None:
        statements = _SQLITE if schema_editor.connection.vendor == "sqlite" else _POSTGRES
        for statement in statements:
            with schema_editor.connection.cursor() as cursor:
                cursor.execute(statement)

    return migrations.RunPython(add, migrations.RunPython.noop)
