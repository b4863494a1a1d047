"""A whole installation of its own for each test: a data folder, a database, the command as a subprocess."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

ROOT = Path(__file__).parents[2]


class Started(subprocess.Popen):
    """A process whose output goes to a file, so that a test never waits for a line that does not come."""

    def __init__(self, command: list[str], environment: dict[str, str], out: IO[str], output: Path) -> None:
        super().__init__(command, env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)
        self.output = output

    def printed(self) -> str:
        return self.output.read_text()


@dataclass
class Installation:
    """A data folder and a database that nothing else uses; commands run as an operator runs them."""

    data: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        return kept | {"WEICHENG_DATA": str(self.data), "WEICHENG_DATABASE_URL": self.url}

    def weicheng(self, *arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        return self._run("-m", "weicheng", *map(str, arguments), settings=settings)

    def start(self, *arguments: object, **settings: str) -> "Started":
        return self._start("-m", "weicheng", *map(str, arguments), settings=settings)

    def start_python(self, code: str) -> "Started":
        return self._start("-c", f"import django; django.setup()\n{code}", settings=self._django)

    def python(self, code: str) -> str:
        """Run a few lines inside the installation, Django set up; return what they printed."""
        ran = self._run("-c", f"import django; django.setup()\n{code}", settings=self._django)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def _start(self, *arguments: str, settings: dict[str, str]) -> "Started":
        self.data.mkdir(exist_ok=True)
        output = self.data / f"printed.{uuid.uuid4().hex[:6]}"
        with output.open("w") as out:
            return Started([sys.executable, *arguments], self.environment | settings, out, output)

    def query(self, sql: str) -> str:
        """Return the one value that a statement finds, read past Django."""
        if self.url:
            import psycopg

            with psycopg.connect(self.url) as link:
                return str(link.execute(sql).fetchone()[0])
        with contextlib.closing(sqlite3.connect(self.data / "weicheng.sqlite3")) as link:
            return str(link.execute(sql).fetchone()[0])

    _django = {"DJANGO_SETTINGS_MODULE": "weicheng.settings"}

    def _run(self, *arguments: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            env=self.environment | settings,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )


class Installations:
    """Makes installations on the database of this test run, and removes their databases at the end."""

    def __init__(self) -> None:
        self.databases: list[str] = []

    def make(self, data: Path) -> Installation:
        """Return an empty installation in this folder."""
        return Installation(data, self._database("template0"))

    def copy(self, whole: Installation, data: Path) -> Installation:
        """Return an installation like another one, at which nothing is running."""
        shutil.copytree(whole.data, data)
        return Installation(data, self._database(whole.url.split("?")[0].rsplit("/", 1)[-1]))

    def _database(self, template: str) -> str:
        if _settings()["ENGINE"].endswith("sqlite3"):
            return ""
        self.databases.append(f"house_{uuid.uuid4().hex[:12]}")
        with _server() as link:
            link.execute(f'CREATE DATABASE "{self.databases[-1]}" TEMPLATE "{template}"')
        return _url(_settings(), self.databases[-1])

    def end(self) -> None:
        if self.databases:
            with _server() as link:
                for name in self.databases:
                    link.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def installations() -> Iterator[Installations]:
    made = Installations()
    yield made
    made.end()


@pytest.fixture
def new_installation(installations, tmp_path: Path) -> Callable[[str], Installation]:
    """Return a function that makes an empty installation."""
    return lambda name: installations.make(tmp_path / name)


def _settings() -> dict[str, Any]:
    from weicheng import settings

    return settings.DATABASES["default"]


def _server() -> Any:
    import psycopg

    return psycopg.connect(_url(_settings(), "postgres"), autocommit=True)


def _url(database: dict[str, Any], name: str) -> str:
    host = database["HOST"]
    secret = f":{database['PASSWORD']}" if database["PASSWORD"] else ""
    if host.startswith("/"):  # a unix socket
        return f"postgresql://{database['USER']}{secret}@/{name}?host={host}"
    port = f":{database['PORT']}" if database["PORT"] else ""
    return f"postgresql://{database['USER']}{secret}@{host}{port}/{name}"
