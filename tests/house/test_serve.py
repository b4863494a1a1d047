"""One command, two processes: started, restarted, ended. Run as an operator runs it."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from weicheng.serve import Supervisor

pytestmark = pytest.mark.once  # processes, signals and sockets: no database decides them


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children_of(pid: int) -> dict[int, str]:
    """Return every process below `pid`, with its command line."""
    rows = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,args="], capture_output=True, text=True).stdout
    parents, lines = {}, {}
    for row in rows.splitlines():
        number, parent, *words = row.split(maxsplit=2)
        parents[int(number)], lines[int(number)] = int(parent), " ".join(words)
    found, new = {}, {pid}
    while new := {number for number, parent in parents.items() if parent in new and number not in found}:
        found |= {number: lines[number] for number in new}
    return found


def the(kind: str, pid: int) -> int:
    """Return the process that the supervisor started as "web" or "worker"."""
    return min(n for n, line in children_of(pid).items() if f"weicheng.serve {kind}" in line)


def until(true, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as stat:  # a zombie has ended
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture(scope="session")
def ready(installations, tmp_path_factory):
    """An installation on which `weicheng init` has been run; only to be copied."""
    made = installations.make(tmp_path_factory.mktemp("ready") / "house")
    ran = made.weicheng("init")
    assert ran.returncode == 0, ran.stderr
    return made


@pytest.fixture
def house(installations, ready, tmp_path):
    return installations.copy(ready, tmp_path / "house")


@pytest.fixture
def running(house):
    """The supervisor of a site that answers, and its port."""
    port = free_port()
    process = house.start("run", WEICHENG_PORT=str(port))
    until(
        lambda: "按 Ctrl-C 结束" in process.printed() or process.poll() is not None, "the site is announced"
    )
    assert process.poll() is None, process.printed()
    yield process, port, process.printed()
    if process.poll() is None:
        process.kill()
    process.wait()


def test_one_command_starts_both_and_ctrl_c_ends_both_within_five_seconds(running):
    process, port, printed = running
    assert f"http://127.0.0.1:{port}" in printed
    assert answers(port)
    children = children_of(process.pid)
    assert {line.split()[-2] for line in children.values()} == {"web", "worker"}
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=6) == 0
    assert time.monotonic() - begun < 5
    assert not [pid for pid in children if is_there(pid)]


def test_a_killed_web_process_comes_back(running):
    process, port, _ = running
    os.kill(the("web", process.pid), signal.SIGKILL)
    until(lambda: not answers(port), "the port is closed")
    until(lambda: answers(port), "the site answers again")


def test_the_servers_own_worker_killed_comes_back(running):
    process, port, _ = running
    first = the("web", process.pid)
    (inner,) = children_of(first)
    os.kill(inner, signal.SIGKILL)
    until(lambda: not is_there(inner) and answers(port), "the site answers again")


def test_a_killed_worker_comes_back(running):
    process, _, _ = running
    first = the("worker", process.pid)
    os.kill(first, signal.SIGKILL)
    until(
        lambda: any("serve worker" in line for line in children_of(process.pid).values()), "a worker is back"
    )
    assert the("worker", process.pid) != first


def test_children_end_when_the_supervisor_is_killed(running):
    process, port, _ = running
    children = children_of(process.pid)
    process.kill()
    until(lambda: not [pid for pid in children if is_there(pid)], "no child is left")
    assert not answers(port)


def test_a_second_start_takes_less_than_three_seconds(house):
    before = processor_s()
    house.python("")  # what one process needs to load the code, on this machine and with its load
    one_process_s = processor_s() - before
    begun = time.monotonic()
    assert house.weicheng("init").returncode == 0
    port = free_port()
    again = house.start("run", WEICHENG_PORT=str(port))
    try:
        until(lambda: answers(port), "the site answers")
        took_s = time.monotonic() - begun
    finally:
        again.terminate()
        again.wait(timeout=6)
    # Two processes load the code, side by side, and nothing is planned or migrated again. The clock itself
    # says something only where there is room.
    assert processor_s() - before - one_process_s < 4 * one_process_s
    if os.getloadavg()[0] < os.cpu_count() / 2:
        assert took_s < 3


def processor_s() -> float:
    """Return the processor time of all ended children of this process, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_taken_port_is_told_in_one_sentence(house):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = house.weicheng("run", WEICHENG_PORT=str(taken.getsockname()[1]))
    assert ran.returncode == 1
    assert "WEICHENG_PORT=" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_second_site_on_the_same_data_is_told_in_one_sentence(house, running):
    ran = house.weicheng("run", WEICHENG_PORT=str(free_port()))
    assert ran.returncode == 1
    assert "正在使用数据目录" in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_an_installation_not_made_yet_is_told_the_next_step(new_installation):
    ran = new_installation("none").weicheng("run")
    assert ran.returncode == 1
    assert "weicheng init" in ran.stderr


def test_a_child_that_dies_waits_longer_each_time_and_is_given_up(capfd):
    supervisor = Supervisor({"web": [sys.executable, "-c", "raise SystemExit(3)"]})
    begun = time.monotonic()
    assert supervisor.run() == 1
    assert time.monotonic() - begun >= 0.5 + 1 + 2 + 4
    told = [line.split("，")[1].split()[0] for line in capfd.readouterr().err.splitlines() if "秒后" in line]
    assert told == ["0.5", "1", "2", "4"]
