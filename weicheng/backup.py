"""`weicheng backup FILE` and `weicheng restore FILE`.

A backup is one tar: the database first, then the files, and last `manifest.json`, which names every member
with its digest; a tar without it was cut short. Files are immutable and are written before the rows that
name them, so files newer than the snapshot are harmless extras.

SQLite is copied by its online backup, PostgreSQL table by table with COPY in one REPEATABLE READ snapshot. A
backup goes back into the kind of database it came from. Keys are never in it.

A restore is prepared beside the living data and becomes theirs in one step, a rename of the database file or
of the schema. Until then nothing of the old installation has changed; afterwards the old data stand aside.
"""

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from weicheng import __version__, install
from weicheng.cli import parser, say, set_up
from weicheng.rules.errors import N_, RuleError

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1024 * 1024
# Derived pictures can be made again at any time.
LEFT_OUT = "derived"
_SAFE = re.compile(r"(?!.*(?:^|/)\.\.?(?:/|$))[\w.@+-]+(?:/[\w.@+-]+)*", re.ASCII)
Tables = dict[str, dict[str, Any]]


# --- backup ------------------------------------------------------------------------------------------


def backup(argv: Sequence[str]) -> int:
    """Write FILE; RuleError("file-exists" | "no-folder" | "not-initialised")."""
    options = parser("backup")
    options.add_argument("file", metavar="FILE", type=Path, help="the tar to write · 要写成的 .tar 文件")
    target: Path = options.parse_args(list(argv)).file.absolute()
    if target.exists():
        raise RuleError("file-exists", N_("文件 {file} 已存在，不会覆盖。请换一个文件名。"), file=target)
    if not target.parent.is_dir():
        raise RuleError("no-folder", N_("文件夹 {folder} 不存在。请先建立它。"), folder=target.parent)
    from weicheng import settings

    if not install.is_migrated():
        raise RuleError("not-initialised", N_("系统尚未建立，没有可备份的数据。请先运行 weicheng init。"))
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        manifest = write_backup(draft, settings.FILES)
        draft.rename(target)
        _sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)
    say(f"已备份到 {target}：{_counts(manifest)}，{target.stat().st_size / 1e6:.1f} MB。")
    say(_keep_the_key())
    return 0


def write_backup(target: Path, files: Path) -> dict[str, Any]:
    """Write the tar and return its manifest."""
    from weicheng import settings

    database = _database(settings.DATABASES["default"])
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "version": __version__,
        "engine": database.name,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "site_key": key_fingerprint(),
        "members": {},
        "files": {},
    }
    with (
        tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as scratch,
        target.open("xb") as out,
    ):
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
            manifest |= database.dump(Path(scratch))
            for path in sorted(Path(scratch).iterdir()):
                manifest["members"][f"database/{path.name}"] = _add(tar, path, f"database/{path.name}")
                path.unlink()
            for name, path in _stored(files):
                # A file without a row may be swept between the listing and the reading.
                with contextlib.suppress(FileNotFoundError):
                    manifest["files"][name] = _add(tar, path, f"files/{name}")
            body = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
            with tempfile.TemporaryFile() as text:
                text.write(body)
                text.seek(0)
                tar.addfile(_info(MANIFEST, len(body)), text)
        out.flush()
        os.fsync(out.fileno())
    return manifest


def _stored(files: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(files):
        if Path(folder) == files and LEFT_OUT in folders:
            folders.remove(LEFT_OUT)
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            yield path.relative_to(files).as_posix(), path


def _add(tar: tarfile.TarFile, path: Path, name: str) -> dict[str, Any]:
    with path.open("rb") as source:
        size = os.fstat(source.fileno()).st_size
        reader = _Hashing(source)
        tar.addfile(_info(name, size), cast(IO[bytes], reader))  # a tar only reads it
        return {"bytes": size, "digest": reader.seen.hexdigest()}


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, int(datetime.now(UTC).timestamp())
    return info


class _Hashing:
    """A file read once, for the tar and for its digest."""

    def __init__(self, source: IO[bytes]) -> None:
        self.source = source
        self.seen = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.source.read(size)
        self.seen.update(data)
        return data


def key_fingerprint() -> str:
    """Return what tells one site key from another without telling anything about it."""
    from weicheng import settings

    return hashlib.sha256(b"weicheng site key\0" + settings.site_key()).hexdigest()[:16]


def _keep_the_key() -> str:
    from weicheng import settings

    if os.environ.get("WEICHENG_SITE_KEY", "").strip():
        return "备份不含站点密钥：请另行保存 WEICHENG_SITE_KEY 的值，没有它，备份中的个人信息无法解密。"
    path = settings.DATA / "keys" / "site.key"
    return f"备份不含站点密钥：请另行保存 {path}，没有它，备份中的个人信息无法解密。"


def _counts(manifest: dict[str, Any]) -> str:
    rows = sum(table["rows"] for table in manifest["tables"].values())
    return f"{len(manifest['tables'])} 张表 {rows} 行，{len(manifest['files'])} 个文件"


# --- restore -----------------------------------------------------------------------------------------


def restore(argv: Sequence[str]) -> int:
    """Bring FILE back; RuleError names what stands in the way, and then nothing has changed."""
    options = parser("restore")
    options.add_argument("file", metavar="FILE", type=Path, help="a backup · 备份文件")
    options.add_argument(
        "--force", action="store_true", help="move the present data aside · 现有数据移到一旁"
    )
    options.add_argument(
        "--without-key", action="store_true", help="personal fields stay unreadable · 没有原密钥也恢复"
    )
    given = options.parse_args(list(argv))
    from weicheng import settings

    with install.only_one("run"), install.only_one("init"), Archive(given.file) as archive:
        manifest = archive.manifest
        database = _database(settings.DATABASES["default"])
        if manifest["engine"] != database.name:
            raise RuleError(
                "other-engine",
                N_("备份来自 {was}，本系统使用 {now}，两者不能互换。请设置同一种数据库后再恢复。"),
                was=manifest["engine"],
                now=database.name,
            )
        if not given.force and (database.has_data() or any(_stored(settings.FILES))):
            raise RuleError(
                "not-empty",
                N_("数据目录 {data} 里已有数据。确要恢复请加 --force，现有数据会移到一旁，不会删除。"),
                data=settings.DATA,
            )
        if not given.without_key and manifest["site_key"] != key_fingerprint():
            raise RuleError(
                "other-key",
                N_("备份是用另一把站点密钥写的。请把原来的 site.key 放到 {folder}，或加 --without-key。"),
                folder=settings.DATA / "keys",
            )
        _restore(archive, database, settings.DATA, settings.FILES)
    return 0


def _restore(archive: "Archive", database: "Sqlite | Postgres", data: Path, files: Path) -> None:
    moment = datetime.now(UTC)
    stamp = moment.strftime("%Y%m%d-%H%M%S")
    for left in data.glob("restoring-*"):
        shutil.rmtree(left)  # of a restore that was cut short
    scratch = data / f"restoring-{stamp}"
    scratch.mkdir(mode=0o700)
    try:
        archive.unpack(scratch)
        database.prepare(scratch / "database", archive.manifest, stamp)
        epoch = _bring_forward(database, archive.manifest, moment)
        aside = data / f"before-restore-{stamp}"
        kept = _keep_files(files, aside / "files")
        for name, wanted in archive.manifest["files"].items():
            _place(scratch / "files" / name, files / name, wanted["digest"])
        os.sync()
        kept = database.swap(aside, stamp) or kept
    finally:
        database.forget()
        shutil.rmtree(scratch, ignore_errors=True)
    install.mark_ready()
    say(f"已恢复：{_counts(archive.manifest)}，校验值全部相符。新的数据纪元：{epoch}。")
    if kept:
        say(f"原有数据保存在 {database.where(aside, stamp)}，确认无误后可自行删除。")


def _bring_forward(database: "Sqlite | Postgres", manifest: dict[str, Any], moment: datetime) -> str:
    """Migrate the prepared database to this code and give it another epoch; return that."""
    from django.core.management import call_command
    from django.db import transaction

    call_command("migrate", verbosity=0, interactive=False)
    from weicheng.journal.actions import SYSTEM, Note, record
    from weicheng.journal.site import new_epoch, raise_generation, site

    with transaction.atomic():
        epoch = str(new_epoch())
        raise_generation()
        note = Note(
            verb="site.restore",
            object_kind="site",
            object_key="1",
            area=site().root_area,
            detail={"made_at": manifest["made_at"], "version": manifest["version"], "epoch": epoch},
        )
        record(note, by=SYSTEM, at=moment)
    return epoch


def _keep_files(files: Path, aside: Path) -> bool:
    """Give every stored file a second name under `aside`; return whether there was any."""
    any_kept = False
    for name, path in _stored(files):
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, aside / name)
        except OSError:  # a file system without hard links
            shutil.copy2(path, aside / name)
        any_kept = True
    return any_kept


def _place(source: Path, target: Path, digest: str) -> None:
    """Put a restored file where it belongs, and read it back from there."""
    if not (target.exists() and _digest_of(target) == digest):
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    if _digest_of(target) != digest:
        raise RuleError("digest", N_("写入后的 {name} 与备份不符。请检查磁盘后重试。"), name=target)


class Archive:
    """A backup opened for reading; its manifest has been found and understood."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "Archive":
        try:
            self.tar = tarfile.open(self.path, mode="r:")
        except FileNotFoundError:
            raise RuleError("no-file", N_("没有找到文件 {file}。请核对文件名。"), file=self.path) from None
        except (tarfile.TarError, OSError):
            raise self._unreadable() from None
        try:
            member = self.tar.extractfile(MANIFEST)
            assert member is not None
            self.manifest: dict[str, Any] = json.load(member)
            assert self.manifest["format"] == FORMAT
        except (KeyError, AssertionError, ValueError, tarfile.TarError, EOFError):
            self.tar.close()
            raise self._unreadable() from None
        return self

    def __exit__(self, *_: object) -> None:
        self.tar.close()

    def _unreadable(self) -> RuleError:
        return RuleError(
            "not-a-backup",
            N_("{file} 不是完整的卫城备份：可能写到一半就中断了。请换一份备份。"),
            file=self.path,
        )

    def unpack(self, folder: Path) -> None:
        """Write every member below `folder`, each compared with its digest on the way."""
        wanted = dict(self.manifest["members"])
        wanted |= {f"files/{name}": about for name, about in self.manifest["files"].items()}
        for name, about in wanted.items():
            target = folder / name
            if not _SAFE.fullmatch(name):
                raise self._broken(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                source = self.tar.extractfile(name)
                assert source is not None
                seen = hashlib.sha256()
                with target.open("xb") as out:
                    while data := source.read(CHUNK):
                        seen.update(data)
                        out.write(data)
            except (KeyError, AssertionError, tarfile.TarError, EOFError):
                raise self._broken(name) from None
            if seen.hexdigest() != about["digest"]:
                raise self._broken(name)

    def _broken(self, name: str) -> RuleError:
        return RuleError(
            "digest",
            N_("备份中的 {name} 与其校验值不符，备份已损坏，没有恢复任何内容。请换一份备份。"),
            name=name,
        )


# --- the two databases -------------------------------------------------------------------------------


def _database(settings: dict[str, Any]) -> "Sqlite | Postgres":
    return Sqlite(settings) if settings["ENGINE"].endswith("sqlite3") else Postgres(settings)


def _require_known(migrations: Iterable[Sequence[str]]) -> None:
    """Refuse a backup of a newer program: RuleError("newer-backup")."""
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    known = set(loader.disk_migrations or ())
    unknown = [f"{app}.{name}" for app, name in migrations if (app, name) not in known]
    if unknown:
        raise RuleError(
            "newer-backup",
            N_("备份来自更新的程序版本（本版本没有 {name}）。请先升级程序再恢复。"),
            name=unknown[0],
        )


def _require_same(was: Tables, now: Tables) -> None:
    """Refuse tables that are not those of the manifest: RuleError("digest")."""
    for name, about in was.items():
        there = now.get(name, {})
        if (there.get("rows"), there.get("digest")) != (about["rows"], about["digest"]):
            raise RuleError(
                "digest", N_("表 {name} 恢复后与备份不符，没有恢复任何内容。请换一份备份。"), name=name
            )


@dataclass
class Sqlite:
    """One file; its copy is made by SQLite itself while others go on writing."""

    settings: dict[str, Any]
    name = "sqlite"

    @property
    def path(self) -> Path:
        return Path(self.settings["NAME"])

    def has_data(self) -> bool:
        return self.path.exists() and self.path.stat().st_size > 0

    def dump(self, scratch: Path) -> dict[str, Any]:
        copy = scratch / "weicheng.sqlite3"
        with (
            contextlib.closing(sqlite3.connect(self.path, timeout=20)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)  # all pages in one step: one snapshot, writers are not held up
            target.execute("PRAGMA journal_mode=DELETE")
        about = self._describe(copy)
        _pack(copy, scratch / "weicheng.sqlite3.gz")
        copy.unlink()
        return about

    def _describe(self, path: Path) -> dict[str, Any]:
        with contextlib.closing(sqlite3.connect(path)) as link:
            state = link.execute("PRAGMA integrity_check").fetchone()[0]
            if state != "ok":
                raise RuleError(
                    "integrity", N_("SQLite 报告数据库损坏：{state}。请从备份恢复。"), state=state
                )
            names = [
                name
                for (name,) in link.execute(
                    "SELECT name FROM sqlite_master"
                    " WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
                )
            ]
            return {
                "tables": {name: self._table(link, name) for name in names},
                "migrations": link.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall(),
                "epoch": _first(link.execute("SELECT epoch FROM journal_site").fetchone()),
            }

    def _table(self, link: sqlite3.Connection, name: str) -> dict[str, Any]:
        rows, seen = 0, hashlib.sha256()
        for row in link.execute(f'SELECT * FROM "{name}"'):  # noqa: S608 - a name from the schema itself
            rows += 1
            seen.update(repr(row).encode())
        return {"rows": rows, "digest": seen.hexdigest()}

    def prepare(self, folder: Path, manifest: dict[str, Any], stamp: str) -> None:
        """Unpack the database, compare it, and let Django work on it instead of the living one."""
        self.prepared = folder / "weicheng.sqlite3"
        _unpack(folder / "weicheng.sqlite3.gz", self.prepared)
        _require_same(manifest["tables"], self._describe(self.prepared)["tables"])
        self.living, self.settings["NAME"] = self.path, self.prepared
        set_up()
        _require_known(manifest["migrations"])

    def swap(self, aside: Path, stamp: str) -> bool:
        """Rename the prepared database over the living one; return whether there was a living one."""
        from django.db import connections

        connections.close_all()
        _into_one_file(self.prepared)
        was = self.living.exists()
        if was:
            _into_one_file(self.living)
            aside.mkdir(parents=True, exist_ok=True)
            try:
                os.link(self.living, aside / self.living.name)
            except OSError:
                shutil.copy2(self.living, aside / self.living.name)
        os.sync()
        self.living.parent.mkdir(parents=True, exist_ok=True)
        self.prepared.replace(self.living)
        _sync_folder(self.living.parent)
        return was

    def forget(self) -> None:
        """Let Django look at the living database again."""
        if hasattr(self, "living"):
            self.settings["NAME"] = self.living

    def where(self, aside: Path, stamp: str) -> str:
        return str(aside)


def _into_one_file(path: Path) -> None:
    """Fold the write-ahead log into the database file; RuleError("in-use") while somebody has it open."""
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as link:
        try:
            link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            mode = link.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        except sqlite3.OperationalError:
            mode = "wal"
    if mode == "wal":
        raise RuleError("in-use", N_("数据库 {path} 正在使用。请先停止系统再恢复。"), path=path)


@dataclass
class Postgres:
    """A schema of tables, each written with COPY in the order of its key, all in one snapshot."""

    settings: dict[str, Any]
    name = "postgresql"

    def _connect(self) -> Any:
        link = install.postgresql(self.settings)
        # The text that COPY writes depends on these.
        for line in (
            "TimeZone = 'UTC'",
            "DateStyle = 'ISO'",
            "bytea_output = 'hex'",
            "extra_float_digits = 1",
        ):
            link.execute(f"SET {line}")
        link.commit()
        return link

    def has_data(self) -> bool:
        with self._connect() as link:
            return bool(self._tables(link))

    def _tables(self, link: Any) -> dict[str, tuple[list[str], list[str]]]:
        """Return name → (columns, columns of the primary key) of every table in the current schema."""
        found: dict[str, tuple[list[str], list[str]]] = {}
        for name, columns, key in link.execute(
            "SELECT c.relname,"
            " (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a"
            "   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),"
            " (SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))"
            "   FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
            "   WHERE i.indrelid = c.oid AND i.indisprimary)"
            " FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
            " ORDER BY c.relname"
        ):
            found[name] = (columns, key or columns)
        return found

    def dump(self, scratch: Path) -> dict[str, Any]:
        import psycopg

        with self._connect() as link:
            link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            link.read_only = True
            tables = {
                name: self._copy_out(link, name, columns, key, scratch / f"{name}.copy.gz")
                for name, (columns, key) in self._tables(link).items()
            }
            return {
                "tables": tables,
                "migrations": link.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall(),
                "epoch": str(_first(link.execute("SELECT epoch FROM journal_site").fetchone())),
            }

    def _copy_out(
        self, link: Any, name: str, columns: list[str], key: list[str], target: Path | None = None
    ) -> dict[str, Any]:
        from psycopg import sql

        query = sql.SQL("COPY (SELECT {} FROM {} ORDER BY {}) TO STDOUT").format(
            _names(columns), sql.Identifier(name), _names(key)
        )
        seen, rows = hashlib.sha256(), 0
        with contextlib.ExitStack() as stack:
            write: Callable[[bytes], Any] = seen.update
            if target is not None:
                write = stack.enter_context(gzip.open(target, "wb", compresslevel=3)).write
            copy = stack.enter_context(link.cursor().copy(query))
            for block in copy:
                data = bytes(block)
                rows += data.count(b"\n")  # COPY's text escapes a newline inside a value
                if target is not None:
                    seen.update(data)
                write(data)
        return {"rows": rows, "digest": seen.hexdigest(), "columns": columns}

    def prepare(self, folder: Path, manifest: dict[str, Any], stamp: str) -> None:
        """Build the backup's tables in a schema of their own, fill and compare them; Django works there."""
        from psycopg import sql

        with self._connect() as link:
            self.schema = _first(link.execute("SELECT current_schema()").fetchone())
            left = link.execute(
                "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'restoring\\_%'"
            ).fetchall()
            for (name,) in left:  # of a restore that was cut short
                link.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
            self.prepared = f"restoring_{stamp.replace('-', '_')}"
            link.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(self.prepared)))
        self.options = dict(self.settings.get("OPTIONS", {}))
        self.settings["OPTIONS"] = {**self.options, "options": f"-c search_path={self.prepared}"}
        set_up()
        _require_known(manifest["migrations"])
        self._build(manifest)
        with self._connect() as link:
            link.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self.prepared)))
            self._fill(link, folder, manifest["tables"])
            now = {
                name: self._copy_out(link, name, about["columns"], self._tables(link)[name][1])
                for name, about in manifest["tables"].items()
            }
            _require_same(manifest["tables"], now)

    def _build(self, manifest: dict[str, Any]) -> None:
        """Migrate the empty schema to exactly the state the backup was made in."""
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        executor.migrate([(app, name) for app, name in manifest["migrations"]])
        connection.close()

    def _fill(self, link: Any, folder: Path, tables: Tables) -> None:
        from psycopg import sql

        there = self._tables(link)
        if missing := sorted(set(tables) - set(there)):
            raise RuleError(
                "newer-backup",
                N_("备份来自更新的程序版本（本版本没有 {name}）。请先升级程序再恢复。"),
                name=missing[0],
            )
        # Migrations may have written rows; the backup has them all. Foreign keys are checked at the commit.
        link.execute(sql.SQL("TRUNCATE {}").format(_names(sorted(there))))
        for name, about in tables.items():
            query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(name), _names(about["columns"]))
            with gzip.open(folder / f"{name}.copy.gz", "rb") as source, link.cursor().copy(query) as copy:
                while data := source.read(CHUNK):
                    copy.write(data)
        for table, column in link.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND is_identity = 'YES'"
        ).fetchall():
            link.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), coalesce(max({}), 0) + 1, false) FROM {}"
                ).format(sql.Identifier(column), sql.Identifier(table)),
                (f'"{table}"', column),
            )

    def swap(self, aside: Path, stamp: str) -> bool:
        """Give the prepared schema the living one's name, in one transaction."""
        from django.db import connections
        from psycopg import sql

        connections.close_all()
        was = self.has_data()
        kept = sql.Identifier(f"before_restore_{stamp.replace('-', '_')}")
        living, prepared = sql.Identifier(self.schema), sql.Identifier(self.prepared)
        with self._connect() as link:
            link.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(living, kept))
            link.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(prepared, living))
            if self.schema == "public":
                link.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            if not was:
                link.execute(sql.SQL("DROP SCHEMA {}").format(kept))
        del self.prepared
        return was

    def forget(self) -> None:
        """Let Django look at the living schema again; drop a prepared one that did not become it."""
        from psycopg import sql

        if hasattr(self, "options"):
            self.settings["OPTIONS"] = self.options
        if hasattr(self, "prepared"):
            from django.db import connections

            connections.close_all()
            with self._connect() as link:
                link.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(self.prepared)))

    def where(self, aside: Path, stamp: str) -> str:
        files = f" 和 {aside}" if aside.exists() else ""
        return f"数据库模式 before_restore_{stamp.replace('-', '_')}{files}"


def _names(names: Iterable[str]) -> Any:
    from psycopg import sql

    return sql.SQL(", ").join(sql.Identifier(name) for name in names)


def _first(row: Any) -> Any:
    return row[0] if row else None


def _pack(source: Path, target: Path) -> None:
    with source.open("rb") as plain, gzip.open(target, "wb", compresslevel=3) as packed:
        shutil.copyfileobj(plain, packed, CHUNK)


def _unpack(source: Path, target: Path) -> None:
    try:
        with gzip.open(source, "rb") as packed, target.open("xb") as plain:
            shutil.copyfileobj(packed, plain, CHUNK)
    except (OSError, EOFError, zlib.error) as error:
        raise RuleError(
            "unpack", N_("备份中的数据库无法解开：{reason}。请检查磁盘空间。"), reason=error
        ) from None


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
