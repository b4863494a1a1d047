"""The database's own refusal to touch an issued document, whoever holds the connection."""

from typing import Any

from django.db import migrations

# What is left open: the withdrawal, which only adds to the row.
_FROZEN = (
    "uid, kind, owner, owner_name, area, province, city, district, street, community, grid, title, period_start, "
    "period_end, period_label, case_id, unit_id, word, year, serial, version, content_digest, layout_edition, "
    "file_id, file_digest, writers, drafter_name, drafted_at, checker_key, checker_name, checked_at, issuer_key, "
    "issuer_name, issued_at, issued_on, batch, replaces_id"
)
_OUT = "OLD.state IN ('issued', 'withdrawn')"
_BACK = (
    "(OLD.state = 'issued' AND NEW.state NOT IN ('issued', 'withdrawn')) "
    "OR (OLD.state = 'withdrawn' AND NEW.state <> 'withdrawn')"
)
_TABLE = "documents_document"
_EVENTS = (
    (f"{_TABLE}_no_change", f"BEFORE UPDATE OF {_FROZEN}", _OUT),
    (f"{_TABLE}_no_return", "BEFORE UPDATE OF state", _BACK),
    (f"{_TABLE}_no_delete", "BEFORE DELETE", ""),
)


def issued_stays() -> migrations.RunPython:
    """Return a migration step that refuses changes of issued documents, and every delete.

    May run again after a migration in which SQLite rebuilt the table and lost its triggers.
    """

    def add(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            if schema_editor.connection.vendor == "sqlite":
                for name, event, when in _EVENTS:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {name};")
                    condition = f"WHEN {when} " if when else ""
                    cursor.execute(
                        f"CREATE TRIGGER {name} {event} ON {_TABLE} {condition}"
                        "BEGIN SELECT RAISE(ABORT, 'an issued document is never changed'); END;"
                    )
                return
            cursor.execute(
                "CREATE OR REPLACE FUNCTION documents_is_issued() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'an issued document is never changed'; END $$;"
            )
            for name, event, when in _EVENTS:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {_TABLE};")
                condition = f"WHEN ({when}) " if when else ""
                cursor.execute(
                    f"CREATE TRIGGER {name} {event} ON {_TABLE} FOR EACH ROW {condition}"
                    "EXECUTE FUNCTION documents_is_issued();"
                )

    return migrations.RunPython(add, migrations.RunPython.noop)
