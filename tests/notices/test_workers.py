"""Workers as processes, killed as a power cut would: nothing is lost, nothing happens twice."""

import json
import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
SERVER = os.environ.get("WEICHENG_DATABASE_URL", "")
pytestmark = pytest.mark.slow


class Yard:
    """A database of its own, on the kind of server the suite runs on, and worker processes over it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.trace = folder / "trace"
        self.data = folder / "data"
        self.url = url
        self.env = {
            **os.environ,
            "WEICHENG_DATA": str(self.data),
            "WEICHENG_DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "tests.notices.settings_yard",
        }
        self.processes: list[subprocess.Popen] = []

    def python(self, code: str) -> None:
        """Run code with the tasks (`chores`) and the trace's path (`trace`) at hand."""
        before = (
            f"import django; django.setup(); from tests.notices import chores; trace = {str(self.trace)!r}\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", before + code], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Look into the database from outside: a process with Django takes a second to start."""
        if self.url:
            with psycopg.connect(self.url) as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(self.data / "weicheng.sqlite3", timeout=20)) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> list[tuple[str, int]]:
        """Return (status, how often it was started) of every task."""
        found = self.ask("SELECT status, CAST(worker_ids AS text) FROM django_tasks_database_dbtaskresult")
        return sorted((status, len(json.loads(ids))) for status, ids in found)

    def count(self, table: str) -> int:
        return self.ask(f"SELECT count(*) FROM {table}")[0][0]

    def worker(self, *options: str) -> subprocess.Popen:
        code = "import django, sys; django.setup(); from weicheng.notices.worker import main; "
        process = subprocess.Popen(
            [sys.executable, "-c", code + "sys.exit(main(sys.argv[1:]))", *options], cwd=ROOT, env=self.env
        )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


MIGRATE = "from django.core.management import call_command; call_command('migrate', verbosity=0)"


def at_server(name: str) -> str:
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


@contextmanager
def database(name: str, template: str = "template0") -> Iterator[str]:
    """A database on the server, from another as its template; gone afterwards."""
    with psycopg.connect(at_server("postgres"), autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield at_server(name)
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A migrated database that every test gets a copy of."""
    folder = tmp_path_factory.mktemp("template")
    if not SERVER:
        made = Yard(folder, "")
        made.python(MIGRATE)
        yield made
        return
    with database(f"weicheng_yard_{secrets.token_hex(4)}") as url:
        made = Yard(folder, url)
        made.python(MIGRATE)
        yield made


@pytest.fixture
def yard(template: Yard, tmp_path: Path) -> Iterator[Yard]:
    if not SERVER:
        shutil.copytree(template.data, tmp_path / "data")
        made = Yard(tmp_path, "")
        yield made
        made.end()
        return
    name = f"weicheng_yard_{secrets.token_hex(4)}"
    with database(name, urlsplit(template.url).path.lstrip("/")) as url:
        made = Yard(tmp_path, url)
        yield made
        made.end()


def wait_for(what: Callable[[], bool], within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def test_two_workers_at_once_let_each_effect_happen_once(yard):
    yard.python("for n in range(60): chores.leave_a_line.enqueue(f'effect:{n % 20}', trace)")
    workers = [yard.worker("--until-idle"), yard.worker("--until-idle")]
    assert [one.wait(60) for one in workers] == [0, 0]
    assert sorted(yard.trace.read_text().split()) == sorted(f"effect:{n}" for n in range(20))
    assert yard.rows() == [("SUCCESSFUL", 1)] * 60


def test_a_task_killed_after_its_effect_is_retaken_and_the_effect_is_not_repeated(yard):
    yard.python("chores.leave_a_line_then_linger.enqueue('e', trace, 60)")
    first = yard.worker()
    wait_for(Path(f"{yard.trace}.e").exists)
    first.kill()
    first.wait()
    assert yard.rows() == [("RUNNING", 1)]
    yard.worker()
    wait_for(lambda: yard.rows() == [("SUCCESSFUL", 2)])
    assert yard.trace.read_text() == "e\n"


def test_a_task_killed_before_it_commits_is_retaken_and_tells_once(yard):
    yard.python("chores.tell_but_do_not_commit.enqueue('e', trace, 60)")
    first = yard.worker()
    wait_for(Path(f"{yard.trace}.e").exists)
    first.kill()
    first.wait()
    assert (yard.count("notices_notice"), yard.count("notices_effect")) == (0, 0)
    yard.worker()
    wait_for(lambda: yard.rows() == [("SUCCESSFUL", 2)])
    assert (yard.count("notices_notice"), yard.count("notices_effect")) == (1, 1)


def test_a_task_that_kills_its_worker_is_given_up_after_five_and_the_next_one_runs(yard):
    yard.python("chores.die.enqueue(trace); chores.leave_a_line.enqueue('after', trace + '.after')")
    # A supervisor starts a worker again whenever it dies.
    for _again in range(5):
        assert yard.worker().wait(30) == -signal.SIGKILL
    last = yard.worker()
    wait_for(lambda: yard.rows() == [("FAILED", 5), ("SUCCESSFUL", 1)])
    assert last.poll() is None
    assert yard.trace.read_text() == "started\n" * 5
    failed = yard.ask("SELECT traceback FROM django_tasks_database_dbtaskresult WHERE status = 'FAILED'")
    assert failed == [("开始 5 次都中途停止，不再重试。请告知系统管理员后重新发起。",)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_within_five_seconds_and_hands_its_task_back(yard, number):
    yard.python("chores.leave_a_line_then_linger.enqueue('e', trace, 60)")
    process = yard.worker()
    wait_for(Path(f"{yard.trace}.e").exists)
    begun = time.monotonic()
    process.send_signal(number)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 5
    # Handed back, and not counted as an attempt: stopping a worker must not use up a task.
    assert yard.rows() == [("READY", 0)]
    assert yard.count("notices_workerlease") == 0


def test_an_idle_worker_ends_at_once(yard):
    process = yard.worker()
    wait_for(lambda: yard.count("notices_workerlease") == 1)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert time.monotonic() - begun < 2
