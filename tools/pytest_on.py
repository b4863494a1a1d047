"""Run pytest on one of the two databases, with data in a folder that is removed afterwards.

usage: python tools/pytest_on.py sqlite|postgresql [pytest's arguments]

PostgreSQL is, in this order: WEICHENG_TEST_DATABASE_URL; a server on this machine that lets `postgres` in
without a password; the server of the pgserver wheel, which needs no installation and no root.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

LOCAL = "postgresql://postgres@127.0.0.1:5432/weicheng"


def main(engine: str, arguments: list[str]) -> int:
    """Return pytest's exit code; "no tests collected" of one kind is no failure."""
    with contextlib.ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="weicheng-test-", ignore_cleanup_errors=True)
        scratch = Path(stack.enter_context(made))
        url = "" if engine == "sqlite" else stack.enter_context(postgresql(scratch))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("WEICHENG_")}
        environment |= {"WEICHENG_DATA": str(scratch / "data"), "WEICHENG_DATABASE_URL": url}
        print(f"pytest on {engine}{': ' + url.split('@')[-1] if url else ''}", flush=True)
        code = subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment).returncode
        return 0 if code == 5 else code


@contextlib.contextmanager
def postgresql(scratch: Path) -> Iterator[str]:
    """Give the address of a PostgreSQL server on which databases may be created."""
    given = os.environ.get("WEICHENG_TEST_DATABASE_URL", "").strip()
    if given:
        yield given
    elif _lets_in(LOCAL):
        yield LOCAL
    else:
        import pgserver

        server = pgserver.get_server(scratch / "postgresql", cleanup_mode="delete")
        try:
            # The wheel listens on a unix socket in its own folder; its first database is "postgres".
            yield server.get_uri().replace("/postgres?", "/weicheng?")
        finally:
            server.cleanup()


def _lets_in(url: str) -> bool:
    import psycopg

    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=1).close()
        psycopg.connect(url.rsplit("/", 1)[0] + "/postgres", connect_timeout=3).close()
    except (OSError, psycopg.Error):
        return False
    return True


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in {"sqlite", "postgresql"}:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
