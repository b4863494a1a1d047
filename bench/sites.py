"""Installations to measure: made in a scratch folder or database of their own, started like any other."""

import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.rows import Postgres, Sqlite, load

DISTRICT = "320311"
ROOT = Path(__file__).resolve().parent.parent
LOCAL = "postgresql://postgres@127.0.0.1:5432/postgres"


def postgres_server() -> str | None:
    """Return the address of a PostgreSQL on which databases may be made, or None."""
    url = os.environ.get("WEICHENG_TEST_DATABASE_URL", "").strip() or LOCAL
    server = url.rsplit("/", 1)[0]
    try:
        import psycopg
    except ImportError:
        return None
    try:
        psycopg.connect(f"{server}/postgres", connect_timeout=3).close()
    except psycopg.Error:
        return None
    return server


@dataclass
class Site:
    """One installation with so many findings.

    cast: what `prepare.py` said: tokens, cookies, units, communities
    """

    engine: str  # "SQLite" or "PostgreSQL"
    rows: int
    scratch: Path
    server: str = ""  # PostgreSQL: address without a database
    cast: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.name = f"weicheng_bench_{secrets.token_hex(4)}"
        self.data = self.scratch / self.name
        self.url = f"{self.server}/{self.name}" if self.server else ""

    # --- made and removed ------------------------------------------------------------------------
    def make(self) -> float:
        """Make the installation and load its findings; return the seconds the load took."""
        self.data.mkdir(parents=True)
        if self.server:
            self._admin(f'CREATE DATABASE "{self.name}"')
        self.run("-m", "weicheng", "init", "--area", DISTRICT)
        self.cast = json.loads(self.run("-m", "bench.prepare", DISTRICT).splitlines()[-1])
        begun = time.monotonic()
        if self.rows:
            load(
                Postgres(self.url) if self.server else Sqlite(self.data / "weicheng.sqlite3"),
                self.cast,
                self.rows,
            )
        return time.monotonic() - begun

    def remove(self) -> None:
        """End the server, drop the database, delete the folder."""
        self.stop()
        if self.server:
            self._admin(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        shutil.rmtree(self.data, ignore_errors=True)

    def _admin(self, sql: str) -> None:
        import psycopg

        with psycopg.connect(f"{self.server}/postgres", autocommit=True) as link:
            link.execute(sql)

    def run(self, *arguments: str) -> str:
        """Run Python in the site's settings and return what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments], env=self.environment(), cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def environment(self, settings: str = "bench.settings") -> dict[str, str]:
        """Return the environment of this installation and nothing of another one."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
        return kept | {
            "WEICHENG_DATA": str(self.data),
            "WEICHENG_DATABASE_URL": self.url,
            "WEICHENG_PORT": str(self.port or 8000),
            "DJANGO_SETTINGS_MODULE": settings,
        }

    # --- running ---------------------------------------------------------------------------------
    def start(self) -> None:
        """Start the web process exactly as `weicheng run` does, and wait until it answers."""
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weicheng.serve", "web", str(os.getpid())],
            env=self.environment(), cwd=ROOT, start_new_session=True,
        )  # fmt: skip
        self.until_answered("/health")

    def until_answered(self, path: str) -> None:
        """Wait until a request is answered."""
        for _ in range(3000):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            finally:
                connection.close()
            if self.process is not None and self.process.poll() is not None:
                raise SystemExit(f"The site ended with code {self.process.returncode} before it answered.")
            time.sleep(0.01)
        raise SystemExit("The site did not answer within a minute.")

    def stop(self) -> None:
        """End the processes this site started."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def cpu_seconds(self) -> float:
        """Return the processor time the running site has used; 0 where /proc is not."""
        return sum(_cpu(number) for number, _name in _family(self.process.pid)) if self.process else 0.0

    def cold_start(self) -> tuple[float, dict[str, float]]:
        """Run `weicheng run`: return seconds until a page was answered, and each process's MiB at rest."""
        self.port = free_port()
        begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "weicheng", "run"],
            env=self.environment("weicheng.settings"), cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self.until_answered("/sign-in")
        took = time.monotonic() - begun
        time.sleep(3)  # the worker has looked for jobs, and both are at rest
        memory = memory_of(self.process.pid)
        self.stop()
        return took, memory


def memory_of(pid: int) -> dict[str, float]:
    """Return the resident MiB of a process and of all below it, by what they are; empty where /proc is not."""
    found: dict[str, float] = {}
    for number, name in _family(pid):
        status = _proc(number, "status")
        kilobytes = next(
            (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0
        )
        found[name] = found.get(name, 0.0) + kilobytes / 1024
    return found


def _family(pid: int) -> list[tuple[int, str]]:
    """Return a process and all below it, each with the part of the site it belongs to."""
    family = [(pid, "supervisor")]
    for place, (number, name) in enumerate(family):
        command = _proc(number, "cmdline").split("\0")
        if "weicheng.serve" in command:
            name = command[command.index("weicheng.serve") + 1]
            family[place] = (number, name)
        family += [(int(child), name) for child in _proc(number, f"task/{number}/children").split()]
    return family


def _cpu(pid: int) -> float:
    fields = _proc(pid, "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def _proc(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
