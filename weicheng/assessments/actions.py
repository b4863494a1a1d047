"""The verbs of a board: make it, compute it, show it in public for appeals (公示), publish it (公布).

Making and computing stand in `boards` and `jobs`, appeals in `appeals`, typed values in `entries`; what freezes a
board and what ends its appeals stands here.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db import transaction

from weicheng.assessments import compute
from weicheng.assessments.appeals import audience, is_open
from weicheng.assessments.boards import appeal_window, require_officer
from weicheng.assessments.models import Appeal, Board, Sheet
from weicheng.journal.actions import Note, record
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.rules.errors import N_, ConflictError, RuleError

REASON_LIMIT = 300


@transaction.atomic
def confirm_board(board: Board, *, base: datetime | None, by: Actor, at: datetime) -> Board:
    """Freeze the sheets and show them in public; from here the appeal window runs, and every object is told.

    base: `as_of` of the board the person saw; another one means that it was computed again meanwhile. None does
        not ask

    ForbiddenError "may-not-assess"; ConflictError "board-confirmed", "board-recomputed"; RuleError
    "board-not-computed", "board-beside", "entries-newer", and what `appeal_window` refuses.
    """
    board = Board.objects.select_for_update().get(pk=board.pk)
    require_officer(by, board)
    if board.beside_id is not None:
        raise RuleError("board-beside", N_("这是用来对照的试算，不能公示。请打开原考评公示。"))
    if board.frozen:
        raise ConflictError(
            "board-confirmed",
            N_("{title}已由{name}确认公示，不用再确认。请刷新后查看。"),
            title=board.title,
            name=board.confirmed_by_name,
        )
    if board.state != Board.State.COMPUTED or board.as_of is None:
        raise RuleError("board-not-computed", N_("这次考评还没有计算。请先计算，再确认公示。"))
    if base is not None and base != board.as_of:
        raise ConflictError(
            "board-recomputed", N_("您打开页面后，这次考评又计算过一次。请核对新的结果后再确认。")
        )
    if has_newer_entries(board):
        raise RuleError("entries-newer", N_("计算之后又有录入的分值。请重新计算，再确认公示。"))
    board.appeal_until, board.calendar_edition = appeal_window(board, at)
    compute.freeze(board, by=by, at=at)
    board.state = Board.State.CONFIRMED.value
    board.confirmed_at = at
    board.confirmed_by_key, board.confirmed_by_name = by.key, by.name
    board.save()
    record(
        Note("board.confirm", "board", str(board.uid), board.area,
             {"appeal_until": board.appeal_until, "scheme": board.scheme_edition}),
        by=by, at=at,
    )  # fmt: skip
    notify_many(_told(board, "confirmed"), at)
    return board


@transaction.atomic
def publish_board(board: Board, *, reason: str = "", by: Actor, at: datetime) -> Board:
    """Publish a board whose appeals are answered. Before the window ends it takes a reason, and the window stays.

    ForbiddenError "may-not-assess"; ConflictError "board-published"; RuleError "board-not-confirmed",
    "appeals-open", "appeal-window-open", "text-too-long".
    """
    board = Board.objects.select_for_update().get(pk=board.pk)
    require_officer(by, board)
    if board.state == Board.State.PUBLISHED:
        raise ConflictError(
            "board-published",
            N_("{title}已由{name}公布，不用再公布。请刷新后查看。"),
            title=board.title,
            name=board.published_by_name,
        )
    if board.state != Board.State.CONFIRMED:
        raise RuleError("board-not-confirmed", N_("这次考评还没有确认公示。请先确认，再公布。"))
    waiting = Appeal.objects.filter(sheet__board=board, state=Appeal.State.OPEN.value).count()
    if waiting:
        raise RuleError("appeals-open", N_("还有 {count} 件申诉没有答复。请先答复，再公布。"), count=waiting)
    reason = reason.strip()
    early = is_open(board, today(at))
    if early and not reason:
        raise RuleError(
            "appeal-window-open",
            N_("公示和申诉到 {until} 为止。请期满后公布；如须提前公布，请写明理由，申诉期不变。"),
            until=board.appeal_until,
        )
    if len(reason) > REASON_LIMIT:
        raise RuleError(
            "reason-too-long",
            N_("理由共{length}字，超过{limit}字。请精简。"),
            length=len(reason),
            limit=REASON_LIMIT,
        )
    board.state = Board.State.PUBLISHED.value
    board.published_reason = reason if early else ""
    board.published_at = at
    board.published_by_key, board.published_by_name = by.key, by.name
    board.save()
    record(Note("board.publish", "board", str(board.uid), board.area, {"reason": reason}), by=by, at=at)
    notify_many(_told(board, "published"), at)
    return board


def has_newer_entries(board: Board) -> bool:
    """Was a value typed after the board was computed, so that its sheets do not show it?"""
    return board.as_of is not None and board.entries.filter(at__gt=board.as_of).exists()


def _told(board: Board, what: str) -> Iterator[NoticeDraft]:
    """Yield one notice for each object: where it stands, and until when it may object."""
    sheets: Iterable[Sheet] = Sheet.objects.filter(board=board).only("uid", "name", "area", "unit", "board")
    if what == "confirmed":
        title = f"{board.title}公示，申诉至{board.appeal_until:%m月%d日}"
        body = "请核对本单位的评分表；对某一行扣分有异议的，在期限内从评分表中提出申诉。"
    else:
        title, body = f"{board.title}已公布", "请查看本单位的得分和名次。"
    for sheet in sheets:
        yield NoticeDraft(
            key=f"board:{board.uid}:{what}:{sheet.uid}",
            kind=f"board.{what}",
            title=title,
            body=body,
            url=sheet.url,
            **audience(sheet),  # type: ignore[arg-type]
        )
