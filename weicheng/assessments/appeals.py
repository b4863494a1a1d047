"""Appeals (申诉): a line of a sheet is objected to, another person decides, the sheet is scored again with its trace."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from weicheng.assessments import compute
from weicheng.assessments.models import Appeal, Board, Entry, Loss, Sheet
from weicheng.inspections.models import Finding
from weicheng.journal.actions import Note, record
from weicheng.notices.actions import NoticeDraft, notify_many
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import name_of
from weicheng.places.roles import Role
from weicheng.rules.areas import Level
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, ForbiddenError, MissingError, RuleError
from weicheng.rules.sheets import LineKind

REASON_LIMIT = 1000  # characters, as in every statement of the loop; more belongs in an attached document
APPEALABLE = frozenset({LineKind.DEDUCTION, LineKind.FOLLOW_UP, LineKind.VETO})
OFFICES = {
    Level.CITY: Role.CITY_OFFICER,
    Level.DISTRICT: Role.DISTRICT_OFFICER,
    Level.STREET: Role.STREET,
    Level.COMMUNITY: Role.COMMUNITY,
}


# --- whose is what ---------------------------------------------------------------------------------


def manages(board: Board, actor: Actor) -> bool:
    """Is the actor an officer of exactly the area whose board it is? One above reads it and leaves it alone."""
    return actor.powers.assesses and actor.area == board.area


def is_own(sheet: Sheet, actor: Actor) -> bool:
    """Is the sheet of the actor's own unit, or of the office in whose post the actor acts?"""
    if actor.unit_id is not None:
        return sheet.unit_id == actor.unit_id
    return sheet.unit_id is None and actor.area == sheet.area and actor.role in OFFICES.values()


def audience(sheet: Sheet) -> dict[str, object]:
    """Return whom a notice about this sheet is for, as keyword arguments of `NoticeDraft`."""
    if sheet.unit_id is not None:
        return {"to_unit_id": sheet.unit_id}
    return {"to_area": sheet.area, "to_roles": (OFFICES[Level(len(sheet.area))].value,)}


def is_open(board: Board, on: date) -> bool:
    """May lines of this board be appealed against on this day? The last day counts."""
    return board.frozen and board.appeal_until is not None and on <= board.appeal_until


# --- file --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objection:
    """What comes in: uid made by the client, against which line, and why."""

    uid: UUID
    loss: int
    reason: str


def file_appeal(sent: Objection, *, sheet: Sheet, by: Actor, at: datetime) -> tuple[Appeal, bool]:
    """Object to a line; return the appeal and whether it is new. Sent again it is the same one.

    MissingError "no-line"; ForbiddenError "not-your-sheet"; RuleError "appeal-not-open", "appeal-late",
    "appeal-reason", "appeal-reason-long", "line-costs-nothing", "line-struck", "appeal-twice", "appeal-decided";
    ConflictError "appeal-conflict" for the same uid with other content.
    """
    try:
        return _file(sent, sheet, by, at)
    except IntegrityError:
        # Another request filed the same line, or the same uid, meanwhile: it is there to be found now.
        return _file(sent, sheet, by, at)


@transaction.atomic
def _file(sent: Objection, sheet: Sheet, by: Actor, at: datetime) -> tuple[Appeal, bool]:
    reason = sent.reason.strip()
    body = digest(canonical({"uid": sent.uid, "sheet": sheet.uid, "line": sent.loss, "reason": reason}))
    known = Appeal.objects.filter(uid=sent.uid).first()
    if known is not None:
        if known.filed_by_key != by.key or known.body_digest != body:
            raise ConflictError(
                "appeal-conflict", N_("编号相同的申诉已有不同内容的记录，没有覆盖。请打开原申诉核对。")
            )
        return known, False
    board = Board.objects.select_for_update().get(pk=sheet.board_id)
    loss = Loss.objects.filter(sheet=sheet, number=sent.loss).first()
    if loss is None:
        raise MissingError("no-line", N_("评分表中没有这一行扣分。请返回评分表重新选择。"))
    require_may_file(loss, sheet, board, by=by, on=today(at))
    _require_reason(reason)
    appeal = Appeal.objects.create(
        uid=sent.uid,
        sheet=sheet,
        loss=loss,
        reason=reason,
        filed_at=at,
        filed_by_key=by.key,
        filed_by_name=by.name,
        filed_post=by.post_label,
        body_digest=body,
    )
    record(
        Note("appeal.file", "appeal", str(appeal.uid), sheet.area, {"sheet": sheet.uid, "line": loss.number}),
        by=by,
        at=at,
    )
    notify_many([_to_decide(appeal, board)], at)
    return appeal, True


def require_may_file(loss: Loss, sheet: Sheet, board: Board, *, by: Actor, on: date) -> None:
    """Refuse an appeal that cannot be made now: wrong people, no window, a line that costs nothing or was answered."""
    if not is_own(sheet, by):
        raise ForbiddenError(
            "not-your-sheet",
            N_("只有{name}的人员可以对这张评分表提出申诉。请切换到该岗位，或请其办理。"),
            name=sheet.name,
        )
    _require_open(board, on)
    _require_appealable(loss)


def _require_open(board: Board, on: date) -> None:
    if not board.frozen or board.appeal_until is None:
        raise RuleError("appeal-not-open", N_("这次考评还没有公示，不能申诉。请等公示后再提出。"))
    if on > board.appeal_until:
        raise RuleError(
            "appeal-late",
            N_("申诉期已于 {until} 截止，今天是 {on}，不能再提出。如有确凿证据，请书面报{area}。"),
            until=board.appeal_until,
            on=on,
            area=name_of(board.area),
        )


def _require_reason(reason: str) -> None:
    if not reason:
        raise RuleError("appeal-reason", N_("请写明申诉理由：哪里与事实不符，有什么证据。"))
    if len(reason) > REASON_LIMIT:
        raise RuleError(
            "appeal-reason-long",
            N_("理由共{length}字，超过{limit}字。请精简，或作为附件上传。"),
            length=len(reason),
            limit=REASON_LIMIT,
        )


def _require_appealable(loss: Loss) -> None:
    if loss.struck:
        raise RuleError("line-struck", N_("这一行扣分已经撤销，不用再申诉。"))
    if not may_appeal_against(loss):
        raise RuleError(
            "line-costs-nothing", N_("这一行不是由记录引起的扣分，不能单独申诉。请选择扣了分的一行。")
        )
    before = list(Appeal.objects.filter(loss=loss).values_list("state", flat=True))
    if Appeal.State.OPEN.value in before:
        raise RuleError(
            "appeal-twice", N_("这一行已有一件申诉等待答复。请等答复，需补充的证据可加到原申诉中。")
        )
    if before:
        raise RuleError("appeal-decided", N_("这一行的申诉已经答复过，一行只答复一次。请看评分表中的答复。"))


def may_appeal_against(loss: Loss) -> bool:
    """Can this kind of line be objected to? A line that a limit swallowed may: it counts once another is struck.

    A rank's penalty follows from the scores, a missing source from what nobody has entered: neither is a finding.
    """
    return loss.kind in APPEALABLE and loss.asked > 0 and not loss.struck


def _to_decide(appeal: Appeal, board: Board) -> NoticeDraft:
    return NoticeDraft(
        key=f"appeal:{appeal.uid}:filed",
        kind="appeal",
        title=f"{appeal.sheet.name}对{board.title}提出申诉",
        body=f"{appeal.loss.title}：{appeal.reason}",
        url=appeal.url,
        to_area=board.area,
        to_roles=(OFFICES[Level(len(board.area))].value,),
    )


# --- decide ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decision:
    """What is answered: ACCEPTED gives all points back, PARTLY `restored` of them, REJECTED none.

    restored: points of what the line asks (before limits), read only for PARTLY
    follow_ups: does ACCEPTED strike what became of the same record (未按期, 二次督办 …) with it?
    """

    state: Appeal.State
    reason: str
    restored: Decimal | None = None
    follow_ups: bool = True


@transaction.atomic
def decide_appeal(sent: Decision, *, appeal: Appeal, by: Actor, at: datetime) -> Appeal:
    """Answer an appeal; the sheet is scored again and both sides are told.

    ForbiddenError "may-not-decide", "own-record", "own-appeal"; ConflictError "appeal-answered";
    RuleError "decision-state", "decision-reason", "decision-reason-long", "decision-points".
    """
    board = Board.objects.select_for_update().get(sheets__appeals=appeal)
    appeal = Appeal.objects.select_for_update(of=("self",)).select_related("loss", "sheet").get(pk=appeal.pk)
    require_may_decide(appeal, board, by)
    if appeal.state != Appeal.State.OPEN:
        raise ConflictError(
            "appeal-answered",
            N_("这件申诉已由{name}答复（{state}）。请刷新后查看。"),
            name=appeal.decided_by_name,
            state=appeal.get_state_display(),
        )
    reason = sent.reason.strip()
    if not reason:
        raise RuleError("decision-reason", N_("请写明答复的理由，申诉方会看到。"))
    if len(reason) > REASON_LIMIT:
        raise RuleError(
            "decision-reason-long",
            N_("理由共{length}字，超过{limit}字。请精简，或作为附件上传。"),
            length=len(reason),
            limit=REASON_LIMIT,
        )
    restored = _restored(sent, appeal.loss)
    appeal.state = sent.state.value
    appeal.decision = reason
    appeal.decided_at = at
    appeal.decided_by_key, appeal.decided_by_name = by.key, by.name
    appeal.restored, appeal.total_before, appeal.total_after = (
        restored,
        appeal.sheet.total,
        appeal.sheet.total,
    )
    appeal.save()
    also = follow_ups_of(appeal.loss) if sent.follow_ups and sent.state is Appeal.State.ACCEPTED else []
    if restored:
        compute.re_score(appeal, restored=restored, also=[line.pk for line in also], by=by, at=at)
        appeal.save()
    record(
        Note("appeal.decide", "appeal", str(appeal.uid), appeal.sheet.area,
             {"state": appeal.state, "restored": restored, "before": appeal.total_before,
              "after": appeal.total_after, "also": [line.number for line in also]}),
        by=by, at=at,
    )  # fmt: skip
    notify_many(_answered(appeal, board), at)
    return appeal


def follow_ups_of(loss: Loss) -> list[Loss]:
    """Return the lines that stand for what became of the record of a finding's line, in their order.

    A finding that does not count was not late either. A follow-up itself has none.
    """
    if loss.record_kind != "finding" or loss.kind == LineKind.FOLLOW_UP:
        return []
    lines = Loss.objects.filter(
        sheet_id=loss.sheet_id, record_kind="finding", record=loss.record, struck=False
    )
    return list(lines.filter(kind=LineKind.FOLLOW_UP.value).order_by("number"))


def struck_with(appeal: Appeal) -> list[Loss]:
    """Return the lines that an accepted appeal struck beside its own; none when those were appealed against too."""
    loss = appeal.loss
    if (
        appeal.state != Appeal.State.ACCEPTED
        or loss.record_kind != "finding"
        or loss.kind == LineKind.FOLLOW_UP
    ):
        return []
    lines = Loss.objects.filter(
        sheet_id=loss.sheet_id, record_kind="finding", record=loss.record, struck=True
    )
    return list(lines.filter(kind=LineKind.FOLLOW_UP.value, appeals__isnull=True).order_by("number"))


def require_may_decide(appeal: Appeal, board: Board, by: Actor) -> None:
    """Refuse who may not answer: an office that does not keep the board, the recorder of the line, the sender.

    ForbiddenError: "may-not-decide", "own-record", "own-appeal".
    """
    if not manages(board, by):
        raise ForbiddenError(
            "may-not-decide",
            N_("申诉由{area}的主管人员答复。请切换岗位，或请其办理。"),
            area=name_of(board.area),
        )
    if by.key == appeal.filed_by_key:
        raise ForbiddenError("own-appeal", N_("申诉由您本人提出，须由另一名人员答复。"))
    if by.key in recorders(appeal.loss, board):
        raise ForbiddenError("own-record", N_("这一行的问题由您本人记录，须由本级另一名人员答复。"))


def recorders(loss: Loss, board: Board) -> set[str]:
    """Return the keys of who recorded what cost the line: the finder, or who typed the value."""
    if loss.record_kind == "finding":
        return set(Finding.objects.filter(uid=loss.record).values_list("by_key", flat=True))
    if loss.record_kind == "entry":
        typed = Entry.objects.filter(board=board, code=loss.sheet.code, key=loss.record)
        return set(typed.values_list("by_key", flat=True))
    return set()


def _restored(sent: Decision, loss: Loss) -> Decimal:
    if sent.state is Appeal.State.ACCEPTED:
        return loss.asked - loss.restored
    if sent.state is Appeal.State.REJECTED:
        return Decimal(0)
    if sent.state is not Appeal.State.PARTLY:
        raise RuleError("decision-state", N_("请选择采纳、部分采纳或不采纳。"))
    whole = loss.asked - loss.restored
    if sent.restored is None or not 0 < sent.restored < whole:
        raise RuleError(
            "decision-points",
            N_("部分采纳要写明还回的分数，大于 0 且小于该行所扣的 {lost} 分。"),
            lost=f"{whole.normalize():f}",
        )
    return sent.restored


def _answered(appeal: Appeal, board: Board) -> list[NoticeDraft]:
    sheet, loss = appeal.sheet, appeal.loss
    title = f"{sheet.name}的申诉已答复：{Appeal.State(appeal.state).label}"
    body = f"{loss.title}：{appeal.decision}"
    drafts = [
        NoticeDraft(
            key=f"appeal:{appeal.uid}:answered",
            kind="appeal",
            title=title,
            body=body,
            url=appeal.url,
            **audience(sheet),  # type: ignore[arg-type]
        )
    ]
    drafts += [
        NoticeDraft(
            key=f"appeal:{appeal.uid}:answered:{key}",
            kind="appeal",
            title=title,
            body=body,
            url=appeal.url,
            to_user_id=int(key.removeprefix("user:")),
        )
        for key in sorted(recorders(loss, board))
        if key.startswith("user:")
    ]
    return drafts
