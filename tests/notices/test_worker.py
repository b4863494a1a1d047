"""One worker, looked at from inside: what it takes, retakes, gives up, and what its periodic functions do."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from tests.notices import chores
from tests.notices.conftest import NOW
from weicheng.journal.models import Entry
from weicheng.notices import jobs, worker
from weicheng.notices.models import Job, Notice, WorkerLease
from weicheng.notices.worker import ATTEMPTS, Watch, claim, renew, retake, run


def only_row() -> DBTaskResult:
    return DBTaskResult.objects.get()


@pytest.mark.django_db
def test_tasks_are_run_until_none_is_left(tmp_path):
    trace = tmp_path / "trace"
    for n in range(3):
        chores.leave_a_line.enqueue(f"line:{n}", str(trace))
    assert run(until_idle=True, periodic=[]) == 3
    assert sorted(trace.read_text().split()) == ["line:0", "line:1", "line:2"]
    assert not DBTaskResult.objects.exclude(status=TaskResultStatus.SUCCESSFUL).exists()
    assert not WorkerLease.objects.exists()


@pytest.mark.django_db
def test_two_workers_do_not_take_the_same_task():
    chores.leave_a_line.enqueue("x", "y")
    assert claim("one") is not None
    assert claim("two") is None
    assert only_row().worker_ids == ["one"]


@pytest.mark.django_db
def test_a_task_of_a_worker_without_lease_is_put_back():
    chores.leave_a_line.enqueue("x", "y")
    claim("gone")
    assert retake(Watch(), "me") == 1
    assert only_row().status == TaskResultStatus.READY
    assert only_row().worker_ids == ["gone"]


@pytest.mark.django_db
def test_a_lease_lapses_when_it_has_not_changed_for_its_length_whatever_the_clock_says(settings, monkeypatch):
    settings.WORKER_LEASE_S = 30
    renew("other")
    watch = Watch()
    assert watch.lapsed(1000.0) == set()
    assert watch.lapsed(1029.0) == set()
    assert watch.lapsed(1030.0) == {"other"}
    # The clock is set back an hour; the worker renews: its lease is earlier than before, and alive.
    lease = WorkerLease.objects.get()
    back = lease.until - timedelta(hours=1)
    WorkerLease.objects.update(until=back)
    assert watch.lapsed(1031.0) == set()
    # A dead worker whose lease lies an hour ahead of the clock is found out all the same.
    WorkerLease.objects.update(until=back + timedelta(hours=5))
    assert watch.lapsed(1032.0) == set()
    assert watch.lapsed(1062.0) == {"other"}


@pytest.mark.django_db
def test_the_task_of_a_living_worker_is_left_alone(settings):
    chores.leave_a_line.enqueue("x", "y")
    renew("busy")
    claim("busy")
    assert retake(Watch(), "me") == 0
    assert only_row().status == TaskResultStatus.RUNNING


@pytest.mark.django_db
def test_a_worker_that_lost_its_task_cannot_end_it():
    chores.leave_a_line.enqueue("x", "y")
    slow = claim("slow")
    retake(Watch(), "quick")
    quick = claim("quick")
    worker.succeed(slow, None, at=NOW)
    assert only_row().status == TaskResultStatus.RUNNING
    worker.succeed(quick, None, at=NOW)
    assert only_row().status == TaskResultStatus.SUCCESSFUL


@pytest.mark.django_db
def test_a_task_that_ends_its_worker_every_time_stops_after_five(town):
    job = jobs.start_job("test", "毒任务", chores.break_down, {}, by=town.chen_actor, at=NOW)
    for n in range(ATTEMPTS):
        assert claim(f"victim:{n}") is not None
        retake(Watch(), "me")
    assert claim("sixth") is None
    row = only_row()
    assert row.status == TaskResultStatus.FAILED
    assert "5" in row.traceback
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.sentence == "开始 5 次都中途停止，不再重试。请告知系统管理员后重新发起。"


@pytest.mark.django_db
def test_a_task_that_raises_fails_and_the_next_one_runs(tmp_path):
    chores.break_down.enqueue()
    chores.leave.enqueue()
    chores.leave_a_line.enqueue("after", str(tmp_path / "trace"))
    assert run(until_idle=True, periodic=[]) == 3
    assert DBTaskResult.objects.failed().count() == 2
    assert (tmp_path / "trace").read_text() == "after\n"


@pytest.mark.django_db
def test_a_task_whose_code_is_gone_fails_and_stops_nothing():
    chores.leave_a_line.enqueue("x", "y")
    DBTaskResult.objects.update(task_path="tests.notices.chores.no_longer_there")
    assert run(until_idle=True, periodic=[]) == 1
    assert only_row().status == TaskResultStatus.FAILED


@pytest.mark.django_db
def test_a_database_error_is_tried_again(monkeypatch, tmp_path):
    monkeypatch.setattr(worker, "DB_PAUSE_S", 0)
    calls = []

    def fails_once(key: str, trace: str) -> None:
        calls.append(key)
        if len(calls) == 1:
            raise OperationalError("database is locked")

    monkeypatch.setattr(chores, "effect", fails_once)
    chores.leave_a_line.enqueue("x", str(tmp_path / "trace"))
    run(until_idle=True, periodic=[])
    assert calls == ["x", "x"]
    assert only_row().status == TaskResultStatus.SUCCESSFUL


@pytest.mark.django_db
def test_periodic_functions_get_the_moment_and_an_error_stops_none_of_them(town):
    chores.ticks.clear()
    broken = ("tests.notices.chores.broken_tick", 1)
    run(until_idle=True, periodic=[broken, ("tests.notices.chores.tick", 1)])
    run(until_idle=True, periodic=[broken, ("no.such.function", 1)])
    assert len(chores.ticks) == 1
    assert chores.ticks[0].tzinfo is not None
    entries = Entry.objects.filter(verb="worker.error").order_by("object_key")
    assert [entry.object_key for entry in entries] == ["no.such.function", "tests.notices.chores.broken_tick"]
    # The message may quote a person; the kind of error may not.
    assert all("张三".encode() not in bytes(entry.body) for entry in entries)


@pytest.mark.django_db
def test_a_clock_set_back_an_hour_neither_stops_the_worker_nor_repeats_an_effect(monkeypatch, tmp_path):
    trace = tmp_path / "trace"
    chores.leave_a_line.enqueue("before", str(trace))
    run(until_idle=True, periodic=[])
    chores.leave_a_line.enqueue("waiting", str(trace))
    back = timezone.now() - timedelta(hours=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: back)
    chores.ticks.clear()
    for key in ("before", "waiting", "after"):
        chores.leave_a_line.enqueue(key, str(trace))
    assert run(until_idle=True, periodic=[("tests.notices.chores.tick", 30)]) == 4
    assert sorted(trace.read_text().split()) == ["after", "before", "waiting"]
    assert set(chores.ticks) == {back}


@pytest.mark.django_db
def test_a_stopped_worker_begins_nothing():
    chores.leave_a_line.enqueue("x", "y")
    stop = threading.Event()
    stop.set()
    assert run(stop, until_idle=True, periodic=[]) == 0
    assert only_row().status == TaskResultStatus.READY


@pytest.mark.django_db
def test_a_task_that_tells_twice_tells_once(town):
    chores.tell_twice.enqueue("told", town.chen.pk)
    run(until_idle=True, periodic=[])
    assert Notice.objects.count() == 1


@pytest.mark.django_db
def test_finished_tasks_are_cleared_away_after_a_while():
    for _n in range(2):
        chores.leave_a_line.enqueue("x", "y")
    first, second = DBTaskResult.objects.all()
    DBTaskResult.objects.filter(pk=first.pk).update(
        status=TaskResultStatus.SUCCESSFUL, finished_at=NOW - timedelta(days=8)
    )
    DBTaskResult.objects.filter(pk=second.pk).update(
        status=TaskResultStatus.FAILED, finished_at=NOW - timedelta(days=8)
    )
    assert jobs.prune(NOW) == 1
    assert list(DBTaskResult.objects.values_list("pk", flat=True)) == [second.pk]
