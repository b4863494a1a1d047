"""Load findings with their cases, versions, steps and journal entries, many thousand a second.

One finding was recorded by the real verb. Every other row is a copy of its rows, read as the database stores
them, with the columns changed that differ between findings; so a new column needs no change here. Secondary
indexes are dropped for the load and made again from their own definitions: the result is the real schema.

Which finding is where follows from its number: one in 10,000 is in the small community (0.01 %), one in 1,000
is the liaison's unit's, and one in 2,000 is in the rare state, spread over the whole table.
"""

import random
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

COMMON, RARE = "closed", "rework"
SMALL_EVERY, LIAISON_EVERY, RARE_EVERY = 10_000, 1_000, 2_000
# Of a year's cases most are closed; what is open is a small part that is always being worked off.
STATES = ["closed"] * 90 + ["cancelled"] * 3 + ["dispatched"] * 3 + ["handling"] * 2 + ["handed_in"] * 2
TABLES = (
    "cases_case",
    "inspections_finding",
    "inspections_findingversion",
    "cases_event",
    "journal_entry",
)
CHUNK = 20_000


def load(database: "Sqlite | Postgres", cast: dict[str, Any], rows: int) -> None:
    """Bring the site to `rows` findings more than it has; the tables keep every index and constraint."""
    template = cast["template"]
    first = database.value("SELECT max(id) FROM cases_case") + 1000
    plans = [
        ("cases_case", f"id = {template['case']}", _cases),
        ("inspections_finding", f"id = {template['finding']}", _findings),
        ("inspections_findingversion", f"finding_id = {template['finding']}", _versions),
        ("cases_event", f"case_id = {template['case']} AND number = 1", _first_steps),
        ("cases_event", f"case_id = {template['case']} AND number = 2", _second_steps),
        ("journal_entry", f"object_kind = 'finding' AND object_key = '{template['uid']}'", _entries),
    ]
    with database.without_indexes(TABLES):
        for table, where, make in plans:
            columns, changes = make(cast, first, rows)
            database.copy(table, where, columns, changes)
    database.settle()


# --- what differs between the copies -----------------------------------------------------------------


def _uid(number: int) -> str:
    """Return the identity of a finding: scattered like a real one, yet computable in any table."""
    return f"{(number * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128:032x}"


Rows = tuple[list[str], Iterator[Sequence[Any]]]


def _cases(cast: dict[str, Any], first: int, rows: int) -> Rows:
    columns = [
        "id", "uid", "state", "open", "area", "province", "city", "district", "street", "community",
        "desk", "responsible_id", "opened_on", "opened_at", "occurred_on", "due_at", "next_at", "closed_at",
        "closed_on", "on_time",
    ]  # fmt: skip
    return columns, _case_rows(cast, first, rows)


def _case_rows(cast: dict[str, Any], first: int, rows: int) -> Iterator[Sequence[Any]]:
    dice = random.Random(20261122)
    small, communities = cast["small"], cast["communities"]
    units = [unit[0] for unit in cast["units"]]
    now = datetime.now(UTC).replace(microsecond=0)
    step = timedelta(days=365) / rows
    later = (now + timedelta(days=400)).strftime("%Y-%m-%d %H:%M:%S")  # the clock leaves these cases alone
    for number in range(rows):
        area = small if number % SMALL_EVERY == SMALL_EVERY // 2 else dice.choice(communities)
        unit = units[0] if number % LIAISON_EVERY == 7 else units[1 + dice.randrange(len(units) - 1)]
        state = dice.choice(STATES)
        if (
            number % RARE_EVERY == 3
            or (area == small and number // SMALL_EVERY % 5 == 0)
            or (unit == units[0] and number // LIAISON_EVERY % 50 == 0)
        ):
            state = RARE
        opened = now - timedelta(days=366) + step * number
        due = opened + timedelta(days=2)
        closed = opened + timedelta(days=1) if state == "closed" else None
        is_open = state not in ("closed", "cancelled")
        yield (
            first + number, _uid(number), state, int(is_open), area, area[:2], area[:4], area[:6], area[:9],
            area, area[:9], unit, f"{opened:%Y-%m-%d}", f"{opened:%Y-%m-%d %H:%M:%S}", f"{opened:%Y-%m-%d}",
            f"{due:%Y-%m-%d %H:%M:%S}", later if is_open else None,
            f"{closed:%Y-%m-%d %H:%M:%S}" if closed else None, f"{closed:%Y-%m-%d}" if closed else None,
            1 if closed else None,
        )  # fmt: skip


def _findings(cast: dict[str, Any], first: int, rows: int) -> Rows:
    return ["id", "uid", "case_id"], (
        (first + number, _uid(number), first + number) for number in range(rows)
    )


def _versions(cast: dict[str, Any], first: int, rows: int) -> Rows:
    return ["id", "finding_id"], ((first + number, first + number) for number in range(rows))


def _first_steps(cast: dict[str, Any], first: int, rows: int) -> Rows:
    return _steps(2 * first, first, rows)


def _second_steps(cast: dict[str, Any], first: int, rows: int) -> Rows:
    return _steps(2 * first + 1, first, rows)


def _steps(start: int, first: int, rows: int) -> Rows:
    # Told already: the worker must not find a million steps in its outbox.
    return ["id", "case_id", "delivered"], ((start + 2 * number, first + number, 1) for number in range(rows))


def _entries(cast: dict[str, Any], first: int, rows: int) -> Rows:
    return ["id", "object_key"], ((first + number, _uid(number)) for number in range(rows))


# --- the two databases -------------------------------------------------------------------------------


class Sqlite:
    """Writes into the file of a site that is not running."""

    def __init__(self, path: Path) -> None:
        self.link = sqlite3.connect(path, isolation_level=None)
        for pragma in ("synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY", "foreign_keys=OFF"):
            self.link.execute(f"PRAGMA {pragma}")

    def value(self, sql: str) -> Any:
        return self.link.execute(sql).fetchone()[0]

    def without_indexes(self, tables: Sequence[str]) -> "_Without":
        names = ", ".join(f"'{table}'" for table in tables)
        found = self.link.execute(
            f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
        ).fetchall()
        return _Without(self.link.execute, found)

    def copy(self, table: str, where: str, columns: list[str], rows: Iterator[Sequence[Any]]) -> None:
        names = [line[1] for line in self.link.execute(f"PRAGMA table_info({table})")]
        literals = self.link.execute(
            f"SELECT {', '.join(f'quote(`{name}`)' for name in names)} FROM {table} WHERE {where}"
        ).fetchone()
        # The changed columns come first, so that a row's values stand in the order of its parameters.
        fixed = {name: literal for name, literal in zip(names, literals, strict=True) if name not in columns}
        values = ", ".join(["?"] * len(columns) + list(fixed.values()))
        sql = f"INSERT INTO {table} ({_names([*columns, *fixed])}) VALUES ({values})"
        while chunk := list(islice(rows, CHUNK)):
            self.link.execute("BEGIN")
            self.link.executemany(sql, chunk)
            self.link.execute("COMMIT")

    def settle(self) -> None:
        self.link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.link.close()


class Postgres:
    """Writes by COPY; foreign keys are not asked about rows that are right by construction."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.link = psycopg.connect(url, autocommit=True)
        for setting in (
            "timezone = 'UTC'",
            "session_replication_role = replica",
            "synchronous_commit = off",
            "maintenance_work_mem = '512MB'",
        ):
            self.link.execute(f"SET {setting}")

    def value(self, sql: str) -> Any:
        row = self.link.execute(sql).fetchone()
        return row[0] if row else None

    def without_indexes(self, tables: Sequence[str]) -> "_Without":
        found = self.link.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND schemaname = 'public' "
            "AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [list(tables)],
        ).fetchall()
        return _Without(self.link.execute, found)

    def copy(self, table: str, where: str, columns: list[str], rows: Iterator[Sequence[Any]]) -> None:
        names = [
            line[0]
            for line in self.link.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND "
                "table_schema = 'public' ORDER BY ordinal_position",
                [table],
            )
        ]
        shown = ", ".join(f'"{name}"::text' for name in names)
        texts = self.link.execute(f"SELECT {shown} FROM {table} WHERE {where}").fetchone()
        fixed = {name: text for name, text in zip(names, texts, strict=True) if name not in columns}
        tail = "".join("\t" + _copy_text(text) for text in fixed.values()) + "\n"
        copying = f"COPY {table} ({_names([*columns, *fixed])}) FROM STDIN"
        with closing(self.link.cursor()) as cursor, cursor.copy(copying) as stream:
            while chunk := list(islice(rows, CHUNK)):
                lines = [
                    "\t".join("\\N" if value is None else str(value) for value in row) + tail for row in chunk
                ]
                stream.write("".join(lines))

    def settle(self) -> None:
        for table in TABLES:
            self.link.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))"
            )
            # Autovacuum would do it a minute later, in the middle of the measurements.
            self.link.execute(f"VACUUM ANALYZE {table}")
        self.link.execute("CHECKPOINT")
        self.link.close()


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)  # "limit" is a column and a word of SQL


def _copy_text(text: str | None) -> str:
    if text is None:
        return "\\N"
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


class _Without:
    """Drops the given indexes and makes them again."""

    def __init__(self, execute: Any, indexes: Sequence[tuple[str, str]]) -> None:
        self.execute, self.indexes = execute, indexes

    def __enter__(self) -> None:
        for name, _sql in self.indexes:
            self.execute(f'DROP INDEX "{name}"')

    def __exit__(self, *_: Any) -> None:
        for _name, sql in self.indexes:
            self.execute(sql)
