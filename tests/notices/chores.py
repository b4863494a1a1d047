"""Tasks and periodic functions that the tests give a worker to do."""

import os
import signal
import time
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.notices.effects import once
from weicheng.notices.jobs import progress
from weicheng.rules.errors import RuleError


def effect(key: str, trace: str) -> None:
    """Leave a line in a file, once for the key: a file shows a repetition that a unique row would hide."""
    with transaction.atomic():
        if once(key, timezone.now()):
            with Path(trace).open("a") as file:
                file.write(f"{key}\n")


@task
def leave_a_line(key: str, trace: str) -> None:
    effect(key, trace)


@task
def leave_a_line_then_linger(key: str, trace: str, linger_s: float) -> None:
    """Commit the effect, say so, and be killable before the task ends; the second time do not linger."""
    again = Path(f"{trace}.{key}").exists()
    effect(key, trace)
    Path(f"{trace}.{key}").touch()
    if not again:
        time.sleep(linger_s)


@task
def tell_but_do_not_commit(key: str, trace: str, linger_s: float) -> None:
    """Tell inside a transaction and be killable before it commits; the second time do not linger."""
    again = Path(f"{trace}.{key}").exists()
    with transaction.atomic():
        if once(key, timezone.now()):
            notify_many([_draft(f"{key}:notice")], at=timezone.now())
        Path(f"{trace}.{key}").touch()
        if not again:
            time.sleep(linger_s)


def _draft(key: str) -> NoticeDraft:
    return NoticeDraft(key=key, kind="test", title="说一次", to_area="320311", to_roles=("leader",))


@task
def die(trace: str) -> None:
    """Kill the worker, every time."""
    with Path(trace).open("a") as file:
        file.write("started\n")
    os.kill(os.getpid(), signal.SIGKILL)


@task
def count_rows(job_uid: str, rows: int) -> dict[str, str]:
    progress(job_uid, rows // 2, rows)
    progress(job_uid, rows, rows)
    return {"result_url": "/files/made", "sentence": "导出完成。"}


@task
def refuse(job_uid: str) -> None:
    raise RuleError("no-rows", "没有可导出的内容，编号 {number}。请放宽筛选条件。", number=7)


@task
def break_down(job_uid: str = "") -> None:
    raise ZeroDivisionError("secret details")


@task
def leave() -> None:
    raise SystemExit(3)


@task
def tell_twice(key: str, user_id: int) -> None:
    for _again in range(2):
        notify_many(
            [NoticeDraft(key=key, kind="test", title="说一次", to_user_id=user_id)], at=timezone.now()
        )


ticks: list[datetime] = []


def tick(now: datetime) -> int:
    ticks.append(now)
    return 0


def broken_tick(now: datetime) -> int:
    raise ValueError("张三的电话")
