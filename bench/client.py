"""A small HTTP client that keeps its connections and the time, and takes little of the two cores for itself.

Requests are bytes made beforehand, answers are read by length and looked at only for their status: that costs
some twenty microseconds a request. It runs in threads of the measuring process, which does nothing else; how
much of one core it used is reported with the figures.
"""

import gc
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Send = Callable[[], bytes]  # makes the next request


class WrongAnswerError(Exception):
    """The site answered what a measurement cannot be made of."""


def request_bytes(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a request and return status and body."""
        self.socket.sendall(request)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        head = data[:end].lower()
        mark = head.find(b"content-length:")
        if mark < 0:
            raise WrongAnswerError(f"no content-length in {data[:end]!r}")
        length = int(head[mark + 15 :].split(b"\r\n", 1)[0])
        parts, have = [data[end + 4 :]], len(data) - end - 4
        while have < length:
            parts.append(self._more())
            have += len(parts[-1])
        return int(head[9:12]), b"".join(parts)

    def _more(self) -> bytes:
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise WrongAnswerError("the server closed the connection")
        return chunk

    def close(self) -> None:
        self.socket.close()


@dataclass(frozen=True)
class Took:
    """What one run took: milliseconds of each request, the wall time of all, and our own share of a core."""

    each_ms: Sequence[float]
    seconds: float
    client_core: float

    @property
    def per_second(self) -> float:
        return len(self.each_ms) / self.seconds

    @property
    def p50(self) -> float:
        return median(self.each_ms)

    @property
    def p95(self) -> float:
        return sorted(self.each_ms)[max(0, round(len(self.each_ms) * 0.95) - 1)]


def drive(
    port: int, send: Send, *, status: int = 200, clients: int = 1, seconds: float = 0, times: int = 0
) -> Took:
    """Send from `clients` connections at once, for so many `seconds` or so many `times` each.

    WrongAnswerError when any answer has another status.
    """
    connections = [Connection(port) for _ in range(clients)]
    lock, took, wrong = threading.Lock(), list[float](), list[str]()
    ready = threading.Barrier(clients + 1)

    def work(connection: Connection) -> None:
        mine: list[float] = []
        ready.wait()
        until = time.perf_counter() + seconds
        while (len(mine) < times if times else time.perf_counter() < until) and not wrong:
            request = send()
            before = time.perf_counter()
            try:
                got, body = connection.ask(request)
            except (OSError, WrongAnswerError) as error:
                wrong.append(f"{type(error).__name__}: {error}")
                break
            mine.append((time.perf_counter() - before) * 1000)
            if got != status:
                wrong.append(f"{got} instead of {status}: {body[:300].decode(errors='replace')}")
        with lock:
            took.extend(mine)

    threads = [threading.Thread(target=work, args=(one,)) for one in connections]
    for thread in threads:
        thread.start()
    gc.disable()
    ready.wait()
    begun, busy = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    wall, busy = time.perf_counter() - begun, time.process_time() - busy
    gc.enable()
    for one in connections:
        one.close()
    if wrong:
        raise WrongAnswerError(wrong[0])
    return Took(took, wall, busy / wall)
