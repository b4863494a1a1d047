"""Computing a board as a job: it may be left and is found again under "my jobs"."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task

from weicheng.assessments.boards import require_officer
from weicheng.assessments.compute import beside_as_of, compute_board, make_beside, require_not_frozen
from weicheng.assessments.models import Board
from weicheng.notices.jobs import progress, start_job
from weicheng.notices.models import Job
from weicheng.places.actor import Actor


def start_compute(board: Board, *, by: Actor, at: datetime) -> Job:
    """Let the worker compute a board. ForbiddenError "may-not-assess"; ConflictError "board-frozen"."""
    require_officer(by, board)
    require_not_frozen(board)
    title = _("计算{board}").format(board=board.title)
    return start_job("board.compute", title, compute, {"board_uid": str(board.uid)}, by=by, at=at)


def start_beside(board: Board, edition_id: int, *, by: Actor, at: datetime) -> Job:
    """Let the worker score the records of a board under another edition; the errors of `make_beside`."""
    return start_compute(make_beside(board, edition_id, by=by, at=at), by=by, at=at)


@task
def compute(board_uid: str, job_uid: str) -> dict[str, str]:
    """Compute the board; run twice, it is computed twice and the same."""
    found = Board.objects.select_related("beside").get(uid=board_uid)
    board = compute_board(
        found,
        at=beside_as_of(found) or timezone.now(),
        told=lambda done, total: progress(job_uid, done, total),
    )
    sentence = _("{count} 个对象已计分，共读取 {records} 条问题。").format(
        count=board.sheets.count(), records=board.records
    )
    return {"result_url": board.url, "sentence": sentence}
