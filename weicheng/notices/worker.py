"""The worker: one process that runs ready tasks and, between them, the periodic functions.

What holds when a worker is killed at any moment: its task is retaken by another (or by its own successor)
once its lease stops changing; what the task had not committed is rolled back; what it had committed under an
effect key is not done again. A task is therefore run at least once and its effects happen once.

Clocks: a lease is watched, not compared. Each worker notes on its own monotonic clock when it last saw a
lease change, so a server clock set back or forward, or two servers whose clocks disagree, neither takes a
task from a living worker nor leaves one with a dead worker. Only a task deferred to a moment (`run_after`)
waits for the wall clock; nothing that keeps effects apart does.

Several workers may run: a task is claimed by one conditional update, and finished only by the worker that
still holds it. Each worker runs every periodic function, so these must bear being run twice at once. Do not
run the `db_worker` command of django-tasks-db beside this one: it holds no lease, and its tasks would be
retaken.
"""

import argparse
import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
    transaction,
)
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django_tasks.base import TaskContext, TaskResultStatus
from django_tasks_db.models import DBTaskResult

from weicheng.journal import site
from weicheng.journal.actions import SYSTEM, Note, record
from weicheng.notices import jobs
from weicheng.notices.effects import once
from weicheng.notices.models import WorkerLease

logger = logging.getLogger(__name__)

ATTEMPTS = 5  # starts of one task, whatever ended them; one more would only kill one more worker
STOP_WITHIN_S = 3.0  # a task that is running when the worker is told to stop gets this long to end
KILL_WITHIN_S = 4.5  # and this long to be unwound
DB_PAUSE_S = 1.0
LOGGED_EVERY_S = 3600.0
# Kept by the worker itself, whatever else the settings name.
OWN_PERIODIC: list[tuple[str, float]] = [("weicheng.notices.jobs.prune", 3600)]


class Interrupted(BaseException):
    """The worker must end now: unwinds the running task. Not an Exception, so that no task swallows it."""


class TooManyAttemptsError(Exception):
    """A task ended its worker again and again; never raised, only named in the task's row."""


# --- leases --------------------------------------------------------------------------------------


def new_worker_id() -> str:
    """Return a name no worker had before; host and process id are for the person who reads it."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{secrets.token_hex(8)}"


def renew(worker_id: str) -> None:
    """Give a sign of life: the lease changes, which is what the others watch for."""
    until = timezone.now() + timedelta(seconds=settings.WORKER_LEASE_S)
    WorkerLease.objects.update_or_create(worker_id=worker_id, defaults={"until": until})


@dataclass
class Watch:
    """What one worker has seen of all leases: their value, and when it last changed on its own clock."""

    seen: dict[str, tuple[datetime, float]] = field(default_factory=dict)

    def lapsed(self, now_s: float) -> set[str]:
        """Look at the leases; return the workers whose lease has not changed for a whole lease."""
        rows = dict(WorkerLease.objects.values_list("worker_id", "until"))
        before = self.seen
        self.seen = {
            worker: before[worker] if worker in before and before[worker][0] == until else (until, now_s)
            for worker, until in rows.items()
        }
        return {who for who, (_until, since) in self.seen.items() if now_s - since >= settings.WORKER_LEASE_S}


class Heartbeat(threading.Thread):
    """Renews the lease every third of it, on a connection of its own, while the worker works."""

    def __init__(self, worker_id: str) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.worker_id = worker_id
        self.ended = threading.Event()

    def run(self) -> None:
        # Event.wait counts on the monotonic clock: a clock set back does not make a beat late.
        while not self.ended.wait(settings.WORKER_LEASE_S / 3):
            try:
                close_old_connections()
                renew(self.worker_id)
            except DatabaseError:
                # The next beat comes soon; a worker that cannot write cannot finish its task either.
                logger.warning("worker %s could not renew its lease", self.worker_id, exc_info=True)
                connection.close()
        connection.close()


# --- tasks: take, retake, run, end ------------------------------------------------------------------


def claim(worker_id: str) -> DBTaskResult | None:
    """Take the first ready task, or None. Two statements when there is one, one when there is none."""
    while True:
        row = DBTaskResult.objects.ready().first()
        if row is None:
            return None
        held = [*row.worker_ids, worker_id]
        # Conditional on what was read: of two workers that read the same row, one updates it.
        taken = DBTaskResult.objects.filter(
            pk=row.pk, status=TaskResultStatus.READY, worker_ids=row.worker_ids
        ).update(status=TaskResultStatus.RUNNING, started_at=timezone.now(), worker_ids=held)
        if taken:
            row.status, row.worker_ids = TaskResultStatus.RUNNING, held
            return row


def _still_held(row: DBTaskResult) -> Any:
    """Return the row as this worker took it: empty once another worker has retaken it."""
    return DBTaskResult.objects.filter(pk=row.pk, status=TaskResultStatus.RUNNING, worker_ids=row.worker_ids)


def put_back(row: DBTaskResult, *, counts: bool) -> None:
    """Make a task ready again; `counts`: whether this start is one of its attempts."""
    held = row.worker_ids if counts else row.worker_ids[:-1]
    _still_held(row).update(status=TaskResultStatus.READY, started_at=None, worker_ids=held)


@transaction.atomic
def succeed(row: DBTaskResult, returned: Any, *, at: datetime) -> None:
    """End a task that returned; with its job, in one transaction."""
    ended = _still_held(row).update(
        status=TaskResultStatus.SUCCESSFUL,
        finished_at=at,
        return_value=jobs.as_json(returned),
        exception_class_path="",
        traceback="",
    )
    if ended and (uid := _job_of(row)):
        jobs.job_ends(uid, returned, at=at)


@transaction.atomic
def fail(row: DBTaskResult, kind: str, trace: str, sentence: str, *, at: datetime) -> None:
    """End a task that will not be tried again; with its job, in one transaction."""
    ended = _still_held(row).update(
        status=TaskResultStatus.FAILED,
        finished_at=at,
        return_value=None,
        exception_class_path=kind,
        traceback=trace,
    )
    if ended and (uid := _job_of(row)):
        jobs.job_fails(uid, sentence, at=at)


def _job_of(row: DBTaskResult) -> str | None:
    return row.args_kwargs["kwargs"].get("job_uid")


def retake(watch: Watch, worker_id: str) -> int:
    """Put the tasks of dead workers back, or fail those that were started too often; return how many.

    Dead is a worker whose lease has lapsed, or that has no lease at all: it ended and took its lease away.
    Called between tasks, when this worker runs none: one that still bears its name was left behind by a
    database that went away in the middle.
    """
    # The tasks before the leases: a worker has a lease before it has a task, so one that begins in between
    # is not taken for dead.
    running = list(DBTaskResult.objects.running())
    lapsed = watch.lapsed(time.monotonic())
    found = 0
    for row in running:
        holder = row.worker_ids[-1] if row.worker_ids else ""
        if holder != worker_id and holder in watch.seen and holder not in lapsed:
            continue
        found += 1
        if len(row.worker_ids) < ATTEMPTS:
            logger.warning("task %s of worker %s is retaken", row.pk, holder)
            put_back(row, counts=True)
            continue
        sentence = _("开始 {times} 次都中途停止，不再重试。请告知系统管理员后重新发起。").format(
            times=ATTEMPTS
        )
        logger.error("task %s was started %s times and never ended", row.pk, ATTEMPTS)
        kind = f"{TooManyAttemptsError.__module__}.{TooManyAttemptsError.__qualname__}"
        fail(row, kind, sentence, sentence, at=timezone.now())
    # Afterwards: a lease that is gone says "dead" too, so being killed in between loses nothing.
    if gone := lapsed - {worker_id}:
        WorkerLease.objects.filter(worker_id__in=gone).delete()
    return found


def run_task(row: DBTaskResult) -> bool:
    """Run a claimed task; True when it succeeded or failed, False when it is ready again."""
    site.learn(None)
    try:
        if uid := _job_of(row):
            jobs.job_begins(uid)
        task = row.task
        args, kwargs = row.args_kwargs["args"], row.args_kwargs["kwargs"]
        if task.takes_context:
            args = [TaskContext(task_result=row.task_result), *args]  # type: ignore[arg-type] # its stand-in
        returned = task.call(*args, **kwargs)
        succeed(row, returned, at=timezone.now())
    except (Exception, SystemExit) as error:  # a task that calls exit() must not end the worker
        passing = isinstance(error, (OperationalError, InterfaceError))
        if passing and len(row.worker_ids) < ATTEMPTS:
            # A lock, a deadlock or a database that restarts: not the task's fault.
            logger.warning("task %s met a database error and is tried again", row.pk, exc_info=True)
            _drop_connection()
            put_back(row, counts=True)
            return False
        logger.exception("task %s (%s) failed", row.pk, row.task_path)
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        fail(row, kind, jobs.trace_of(error), jobs.failure_sentence(error), at=timezone.now())
    return True


def _drop_connection() -> None:
    """Leave a connection that may be broken; inside a caller's transaction it is not ours to close."""
    if not connection.in_atomic_block:
        connection.close()


# --- periodic functions -----------------------------------------------------------------------------


@dataclass
class Periodic:
    """A function called every so many seconds with the moment; returns how much it did."""

    name: str
    every_s: float
    due_s: float = 0.0  # monotonic; 0 is at once
    logged_s: float = float("-inf")

    def call(self) -> int:
        """Call it; an error is logged and journalled once an hour, and stops nothing."""
        site.learn(None)
        now = timezone.now()
        try:
            function: Callable[[datetime], int | None] = import_string(self.name)
            return int(function(now) or 0)
        except Exception as error:
            if time.monotonic() - self.logged_s >= LOGGED_EVERY_S:
                self.logged_s = time.monotonic()
                logger.exception("periodic function %s failed", self.name)
            _drop_connection()
            self._journal(error, now)
            return 0

    def _journal(self, error: Exception, now: datetime) -> None:
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        try:
            with transaction.atomic():
                # Not the message: it may quote personal data, and the log has it.
                if once(f"periodic-error:{self.name}:{now:%Y%m%d%H}"[:160], now):
                    record(
                        Note(
                            verb="worker.error",
                            object_kind="periodic",
                            object_key=self.name[:64],
                            area=site.site().root_area,
                            detail={"error": kind},
                        ),
                        by=SYSTEM,
                        at=now,
                    )
        except DatabaseError:
            logger.exception("the failure of %s could not be journalled", self.name)
            _drop_connection()


def periodic_functions() -> list[tuple[str, float]]:
    """Return (dotted name, seconds) of every periodic function of this installation."""
    return [*getattr(settings, "PERIODIC", ()), *OWN_PERIODIC]


# --- the loop ----------------------------------------------------------------------------------------


@dataclass
class Worker:
    """One process at work; `current`: the task it holds."""

    worker_id: str
    periodic: list[Periodic]
    stop: threading.Event
    watch: Watch = field(default_factory=Watch)
    tasks_run: int = 0
    retake_s: float = 0.0
    current: DBTaskResult | None = None

    def one_pass(self, *, all_periodic: bool = False) -> int:
        """Run one task if there is one, then the periodic functions that are due; return the work done."""
        done = 0
        now_s = time.monotonic()
        if now_s >= self.retake_s or all_periodic:
            done += retake(self.watch, self.worker_id)
            self.retake_s = now_s + settings.WORKER_LEASE_S / 10
        if not self.stop.is_set() and (row := claim(self.worker_id)):
            done += 1
            self.tasks_run += 1
            self.current = row
            ended = run_task(row)
            self.current = None
            if not ended:
                self.stop.wait(DB_PAUSE_S)
        for one in self.periodic:
            if self.stop.is_set():
                break
            if all_periodic or time.monotonic() >= one.due_s:
                done += one.call()
                one.due_s = time.monotonic() + one.every_s
        return done

    def until_stopped(self) -> None:
        """Work until told to stop; a database that is away is waited for."""
        while not self.stop.is_set():
            try:
                close_old_connections()
                done = self.one_pass()
                if not done:
                    self.stop.wait(self._pause_s())
            except (OperationalError, InterfaceError):
                logger.warning("the database did not answer; trying again", exc_info=True)
                _drop_connection()
                self.current = None
                self.stop.wait(DB_PAUSE_S)

    def _pause_s(self) -> float:
        due_s = min((one.due_s for one in self.periodic), default=float("inf")) - time.monotonic()
        return max(0.01, min(settings.WORKER_INTERVAL_S, due_s))

    def leave(self) -> None:
        """Give back what is held: the interrupted task is ready for the next worker, the lease is gone."""
        try:
            if self.current is not None:
                _drop_connection()
                put_back(self.current, counts=False)
            WorkerLease.objects.filter(worker_id=self.worker_id).delete()
        except DatabaseError:
            # The same as being killed: the lease lapses and the task is retaken.
            logger.warning("worker %s could not give back its lease", self.worker_id, exc_info=True)


def run(
    stop: threading.Event | None = None,
    *,
    until_idle: bool = False,
    periodic: Iterable[tuple[str, float]] | None = None,
) -> int:
    """Work until `stop` is set, or with `until_idle` until nothing is left; return how many tasks were run.

    until_idle: passes over ready tasks and every periodic function until a pass does nothing. No thread is
        started, so it also works inside a test's transaction.
    periodic: instead of those of the settings
    """
    worker = _worker(stop, periodic)
    renew(worker.worker_id)
    try:
        if until_idle:
            while not worker.stop.is_set() and worker.one_pass(all_periodic=True):
                renew(worker.worker_id)
            return worker.tasks_run
        heartbeat = Heartbeat(worker.worker_id)
        heartbeat.start()
        try:
            worker.until_stopped()
        finally:
            heartbeat.ended.set()
            heartbeat.join(timeout=1)
        return worker.tasks_run
    finally:
        worker.leave()


def _worker(stop: threading.Event | None, periodic: Iterable[tuple[str, float]] | None) -> Worker:
    named = periodic_functions() if periodic is None else periodic
    return Worker(
        new_worker_id(), [Periodic(name, every_s) for name, every_s in named], stop or threading.Event()
    )


def main(argv: list[str]) -> int:
    """`weicheng worker`: work until SIGTERM or Ctrl-C, then end within five seconds. Django is set up."""
    parser = argparse.ArgumentParser(
        prog="weicheng worker", description="run background jobs only · 只运行后台任务"
    )
    parser.add_argument(
        "--until-idle", action="store_true", help="end when nothing is left to do · 没有任务时结束"
    )
    options = parser.parse_args(argv)
    stop = threading.Event()
    _listen(stop)
    try:
        run(stop, until_idle=options.until_idle)
    except Interrupted:
        logger.warning("a task was interrupted; the next worker runs it again")
    return 0


def _listen(stop: threading.Event) -> None:
    """First signal: end after the running task, interrupt it after 3 s, leave it after 4.5 s."""

    def told(signum: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(1)  # no worse than being killed, which loses nothing
        stop.set()
        last = threading.Timer(KILL_WITHIN_S, os._exit, args=(1,))
        last.daemon = True
        last.start()
        if hasattr(signal, "setitimer"):  # not on Windows, where the task just gets the longer time
            signal.signal(signal.SIGALRM, _interrupt)
            signal.setitimer(signal.ITIMER_REAL, STOP_WITHIN_S)

    signal.signal(signal.SIGTERM, told)
    signal.signal(signal.SIGINT, told)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    raise Interrupted
