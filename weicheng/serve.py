"""`weicheng run`: one web process and one worker process under one command.

The supervisor imports no Django. It starts both children in sessions of their own, so that a Ctrl-C reaches
only the supervisor, which then ends them in order; restarts a child that dies, waiting longer each time; and
ends everything within five seconds. A child whose supervisor was killed ends by itself.
"""

import argparse
import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from weicheng.cli import complain, parser, say
from weicheng.rules.errors import N_, RuleError

GRACE_S = 4.0  # the promise is five seconds; the last one is for the kernel
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
STEADY_S = 30.0  # a child that lived this long starts again with the shortest wait
HOPELESS = 5  # so many deaths before the first answer, and we stop trying


def run(argv: Sequence[str]) -> int:
    """Start the site and stay until it is told to end."""
    begun = time.monotonic()
    arguments = _arguments(argv)
    from weicheng import install, settings

    if not install.is_ready(demo=False):
        raise RuleError(
            "not-initialised",
            N_("系统尚未建立，或升级后尚未更新。请先运行 weicheng init。"),
        )
    with install.only_one("run"):
        require_free_port(settings.HOST, settings.PORT)
        commands = {
            "web": [sys.executable, "-m", "weicheng.serve", "web"],
            "worker": [sys.executable, "-m", "weicheng.serve", "worker"],
        }
        if arguments.web_only:
            del commands["worker"]
        supervisor = Supervisor(commands)
        supervisor.when_answering(
            settings.HOST,
            settings.PORT,
            lambda: _announce(time.monotonic() - begun, both="worker" in commands),
        )
        return supervisor.run()


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    options = parser("run")
    options.add_argument(
        "--web-only", action="store_true", help="leave the worker to another machine · 只启动网页进程"
    )
    return options.parse_args(list(argv))


def _announce(took_s: float, *, both: bool) -> None:
    from weicheng import install, settings

    parts = "网页、后台两个进程" if both else "网页进程"
    say(f"卫城已启动（{took_s:.1f} 秒，{parts}）：{settings.SITE_URL}")
    if settings.DEMO:
        for line in install.demo_lines():
            say(line)
    say("按 Ctrl-C 结束。")


def require_free_port(host: str, port: int) -> None:
    """Refuse a port that something else listens on: RuleError("port-taken")."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RuleError(
                "port-taken",
                N_("端口 {port} 不可用（{reason}）。请结束占用者，或设置 WEICHENG_PORT={other}。"),
                port=port,
                reason=error.strerror or str(error),
                other=port + 1 if port < 65535 else 8000,
            ) from None


@dataclass
class Child:
    """One supervised process; `deaths` counts those since it last ran steadily."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0


@dataclass
class Supervisor:
    """Keeps the children alive until told to end. All waiting is in one select(): nothing is polled."""

    commands: dict[str, list[str]]
    clock: Callable[[], float] = time.monotonic
    children: list[Child] = field(init=False)
    stopping: int = 0
    answered: bool = False

    def __post_init__(self) -> None:
        self.children = [Child(name, command) for name, command in self.commands.items()]
        self._wake, self._woken = socket.socketpair()
        for end in (self._wake, self._woken):
            end.setblocking(False)

    def run(self) -> int:
        """Return 0 after an ordinary end, 1 when a child could not be kept alive."""
        previous = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        old = {
            number: signal.signal(number, self._heard)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        }
        old[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while not self.stopping:
                if not self._tend():
                    return 1
                self._wait(self._until_next_start())
            return 0
        finally:
            self._end()
            signal.set_wakeup_fd(previous)
            for number, handler in old.items():
                signal.signal(number, handler)

    def when_answering(self, host: str, port: int, then: Callable[[], None]) -> None:
        """Call `then` once the site has answered a request; asked in a thread, as it takes a second."""

        def ask() -> None:
            while not self.stopping and not self.answered:
                connection = http.client.HTTPConnection(_reachable(host), port, timeout=30)
                try:
                    connection.request("GET", "/health")
                    connection.getresponse()
                    self.answered = True
                    then()
                except (OSError, http.client.HTTPException):
                    time.sleep(0.05)
                finally:
                    connection.close()

        threading.Thread(target=ask, daemon=True).start()

    def _heard(self, *_: Any) -> None:
        self.stopping += 1

    def _tend(self) -> bool:
        """Bury the dead and start what is due; False when a child cannot be kept alive."""
        now = self.clock()
        for child in self.children:
            if child.process is not None and (code := child.process.poll()) is not None:
                _kill_group(child.process)  # the server's own children would keep the port
                child.process = None
                child.deaths = 1 if now - child.started_at >= STEADY_S else child.deaths + 1
                if not self.answered and child.deaths >= HOPELESS:
                    complain(f"{child.name} 进程接连 {child.deaths} 次退出（代码 {code}），停止。")
                    return False
                wait = min(FIRST_WAIT_S * 2 ** (child.deaths - 1), LONGEST_WAIT_S)
                child.start_at = now + wait
                complain(f"{child.name} 进程意外退出（代码 {code}），{wait:g} 秒后重新启动。")
            if child.process is None and child.start_at <= now:
                child.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                    [*child.command, str(os.getpid())], start_new_session=True, stdin=subprocess.DEVNULL
                )
                child.started_at = now
        return True

    def _until_next_start(self) -> float | None:
        waits = [child.start_at - self.clock() for child in self.children if child.process is None]
        return max(0.0, min(waits)) if waits else None

    def _wait(self, seconds: float | None) -> None:
        select.select([self._woken], [], [], seconds)
        try:
            while self._woken.recv(512):
                pass
        except BlockingIOError:
            pass

    def _end(self) -> None:
        """Ask every child to end; kill what is still there after the grace, or when asked a second time."""
        living = [child.process for child in self.children if child.process is not None]
        asked = self.stopping
        for process in living:
            if process.poll() is None:
                process.terminate()
        deadline = self.clock() + GRACE_S
        while any(process.poll() is None for process in living) and self.stopping <= max(asked, 1):
            left = deadline - self.clock()
            if left <= 0:
                break
            self._wait(left)
        for process in living:
            _kill_group(process)
            process.wait()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


# --- inside the children ---------------------------------------------------------------------------


def end_with_parent(parent: int) -> None:
    """Make this process end when `parent` does, however that happens; an orphan would keep the port."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def web(parent: int) -> None:
    """Serve the site: one server process with as many threads as the settings say."""
    end_with_parent(parent)
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    from weicheng import settings

    server = Server(
        "weicheng.wsgi:application",
        address=settings.HOST,
        port=settings.PORT,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=settings.THREADS,
        # A thread keeps its database connection; ending idle threads would throw the connections away.
        blocking_threads_idle_timeout=600,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=3,
    )
    server.serve(target_loader=_load_application, wrap_loader=False)


def _load_application() -> Callable[..., Iterable[bytes]]:
    end_with_parent(os.getppid())
    from weicheng.wsgi import application

    return with_health(application)


def with_health(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Return the application with `/health` before it: "this process answers", for whoever started it."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/health":
            return application(environ, start_response)
        start_response("200 OK", [("content-type", "text/plain"), ("content-length", "2")])
        return [b"ok"]

    return answer


def worker(parent: int) -> None:
    """Run the background jobs."""
    end_with_parent(parent)
    from weicheng.cli import main

    sys.exit(main(["worker"]))


if __name__ == "__main__":
    {"web": web, "worker": worker}[sys.argv[1]](int(sys.argv[2]))
