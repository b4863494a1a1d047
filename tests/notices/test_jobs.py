"""Long work: started with a journal entry, shown with its progress, found again with its result."""

import pytest
from django_tasks_db.models import DBTaskResult

from tests.notices import chores
from tests.notices.conftest import NOW
from weicheng.journal.models import Entry
from weicheng.notices import jobs
from weicheng.notices.jobs import start_job
from weicheng.notices.models import Job
from weicheng.notices.worker import claim, run
from weicheng.places.actors import NOBODY
from weicheng.rules.errors import ForbiddenError


def start(town, task=chores.count_rows, **kwargs) -> Job:
    return start_job("export", "导出事项", task, kwargs, by=town.chen_actor, at=NOW)


def test_a_job_begins_waiting_and_is_its_starter_s(town):
    job = start(town, rows=10)
    assert job.state == Job.State.WAITING
    assert job.task_id == str(DBTaskResult.objects.get().pk)
    assert list(Job.objects.visible_to(town.chen_actor)) == [job]
    assert not Job.objects.visible_to(town.west_actor).exists()
    entry = Entry.objects.get()
    assert (entry.verb, entry.object_key, entry.district) == ("job.start", str(job.uid), "320311")


def test_a_finished_job_has_its_result_and_its_sentence(town):
    job = start(town, rows=10)
    run(until_idle=True, periodic=[])
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.percent) == (Job.State.DONE, 10, 10, 100)
    assert (job.result_url, job.sentence) == ("/files/made", "导出完成。")
    assert job.ended_at is not None


def test_a_refused_job_says_the_rule_s_sentence(town):
    job = start(town, chores.refuse)
    run(until_idle=True, periodic=[])
    job.refresh_from_db()
    assert (job.state, job.sentence) == (Job.State.FAILED, "没有可导出的内容，编号 7。请放宽筛选条件。")


def test_a_broken_job_shows_nothing_of_the_inside(town):
    job = start(town, chores.break_down)
    run(until_idle=True, periodic=[])
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert "secret" not in job.sentence
    assert "请重新发起" in job.sentence
    assert "secret details" in DBTaskResult.objects.get().traceback


def test_progress_is_written_at_most_once_a_second_and_always_at_the_end(town, django_assert_num_queries):
    job = start(town, rows=1000)
    jobs.job_begins(str(job.uid))
    with django_assert_num_queries(2):
        for done in range(1001):
            jobs.progress(str(job.uid), done, 1000)
    job.refresh_from_db()
    assert job.done == 1000


def test_a_retaken_job_starts_over(town):
    job = start(town, rows=10)
    jobs.job_begins(str(job.uid))
    jobs.progress(str(job.uid), 5, 5)
    jobs.job_begins(str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.done, job.percent) == (Job.State.RUNNING, 0, None)


def test_the_holder_of_a_link_starts_no_job(town):
    with pytest.raises(ForbiddenError, match="job-needs-a-user"):
        start_job("export", "导出", chores.count_rows, {"rows": 1}, by=NOBODY, at=NOW)
    assert not DBTaskResult.objects.exists()


def test_many_tasks_are_enqueued_together_and_are_ready(django_assert_max_num_queries, db):
    with django_assert_max_num_queries(2):  # SQLite takes fewer values in a statement
        jobs.enqueue_many(chores.leave_a_line, [{"key": str(n), "trace": "t"} for n in range(100)])
    assert DBTaskResult.objects.ready().count() == 100
    assert claim("me").args_kwargs["kwargs"] == {"key": "0", "trace": "t"}
