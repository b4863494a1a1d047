"""Jobs a person starts and may leave: start, progress, end; and the keeping of finished tasks."""

import time
import traceback
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django_tasks.base import Task, TaskResultStatus
from django_tasks.utils import normalize_json
from django_tasks_db.models import DBTaskResult, get_date_max

from weicheng.journal.actions import Note, record
from weicheng.notices.models import Job
from weicheng.places.actor import Actor
from weicheng.rules.errors import N_, ForbiddenError, RuleError

# What a finished task leaves is for finding out what went wrong; the job and the effects stay for ever.
KEPT_AFTER_SUCCESS = timedelta(days=7)
KEPT_AFTER_FAILURE = timedelta(days=90)
_PRUNED_AT_ONCE = 1000

# A job's progress is a committed row: written at most this often, so that telling it does not slow the work.
_TOLD_EVERY_S = 1.0
_told: dict[str, float] = {}


@transaction.atomic
def start_job(
    kind: str, title: str, task: Task, kwargs: Mapping[str, Any], *, by: Actor, at: datetime
) -> Job:
    """Enqueue `task` as a job of the reader, found again under "my jobs".

    kind: short code, for the journal; title: what the reader sees, without personal data
    task: takes `job_uid: str` besides `kwargs`; tells `progress(job_uid, done, total)`; may return
        {"result_url": path, "sentence": what came out}. A RuleError ends the job with its sentence.
    ForbiddenError("job-needs-a-user"): the holder of a link has no page to find a job on
    """
    if by.user_id is None:
        raise ForbiddenError("job-needs-a-user", N_("免登录链接不能发起后台工作。请登录后再试。"))
    uid = uuid.uuid4()
    result = task.enqueue(**kwargs, job_uid=str(uid))
    job = Job.objects.create(
        uid=uid, kind=kind, title=title[:120], user_id=by.user_id, task_id=str(result.id), at=at
    )
    record(
        Note(verb="job.start", object_kind="job", object_key=str(uid), area=by.area, detail={"kind": kind}),
        by=by,
        at=at,
    )
    return job


def progress(job_uid: str, done: int, total: int) -> None:
    """Tell how far a job is; outside a transaction, or nobody sees it before the end.

    Written at most once a second, and always when done equals total.
    """
    now_s = time.monotonic()
    if done < total and now_s - _told.get(job_uid, -_TOLD_EVERY_S) < _TOLD_EVERY_S:
        return
    _told[job_uid] = now_s
    if done >= total:
        _told.pop(job_uid, None)
    Job.objects.filter(uid=job_uid, state=Job.State.RUNNING).update(done=done, total=total)


def job_begins(job_uid: str) -> None:
    """Say that a worker has taken the job, for the first time or again: progress starts over."""
    Job.objects.filter(uid=job_uid).exclude(state=Job.State.DONE).update(
        state=Job.State.RUNNING, done=0, total=0, sentence="", ended_at=None
    )


def job_ends(job_uid: str, returned: Any, *, at: datetime) -> None:
    """Say that the job is done, with the page and the sentence its task returned."""
    made = returned if isinstance(returned, Mapping) else {}
    Job.objects.filter(uid=job_uid).update(
        state=Job.State.DONE,
        ended_at=at,
        result_url=str(made.get("result_url", ""))[:200],
        sentence=str(made.get("sentence", ""))[:300],
    )


def job_fails(job_uid: str, sentence: str, *, at: datetime) -> None:
    """Say that the job stopped, and why."""
    Job.objects.filter(uid=job_uid).update(state=Job.State.FAILED, ended_at=at, sentence=sentence[:300])


def failure_sentence(error: BaseException) -> str:
    """Return what the reader is told: a rule's own sentence, or that the system broke; never a traceback."""
    if isinstance(error, RuleError):
        return error.sentence(_)
    return _("系统出错，这项工作没有完成。请重新发起；若仍出错，请告知系统管理员。")


def as_json(returned: Any) -> Any:
    """Return what a task returned as JSON keeps it; TypeError for what JSON cannot keep."""
    return normalize_json(returned)


def trace_of(error: BaseException) -> str:
    """Return the traceback as text, for the administrator."""
    return "".join(traceback.format_exception(error))


def enqueue_many(task: Task, many: Iterable[Mapping[str, Any]]) -> None:
    """Enqueue a task once for each mapping of keyword arguments, in a few statements for 200 of them."""
    rows: list[DBTaskResult] = [
        DBTaskResult(
            args_kwargs=normalize_json({"args": [], "kwargs": dict(kwargs)}),
            priority=task.priority,
            task_path=task.module_path,
            queue_name=task.queue_name,
            # bulk_create sends no pre_save, in which the package would fill in "whenever".
            run_after=task.run_after or get_date_max(),
            backend_name=task.backend,
        )
        for kwargs in many
    ]
    DBTaskResult.objects.bulk_create(rows, batch_size=200)


def prune(now: datetime) -> int:
    """Delete what finished tasks left behind, oldest first, a bounded number at a time; return how many."""
    gone = 0
    for status, kept in (
        (TaskResultStatus.SUCCESSFUL, KEPT_AFTER_SUCCESS),
        (TaskResultStatus.FAILED, KEPT_AFTER_FAILURE),
    ):
        old = DBTaskResult.objects.filter(status=status, finished_at__lt=now - kept).order_by("finished_at")
        ids = list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE])
        if ids:
            gone += DBTaskResult.objects.filter(pk__in=ids).delete()[0]
    return gone
