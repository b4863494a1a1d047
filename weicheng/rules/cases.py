"""The closed loop of a case (闭环): which state may follow which, who may make the move, what it needs.

Source: the stages of GB/T 30428 (采集 立案 派遣 处置 反馈 核查 结案) and the transitions in
`domain/standards/urban-management-cases.yaml`, `loop`. Stage 采集 is the finding itself; 立案 is the move
that opens the case. A returned case never skips the next stage.

The table answers "may this part make this move from this state". It cannot say that nobody verifies their
own work, whatever post they hold: that is `require_other_person`, beside it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from weicheng.rules.errors import N_, ForbiddenError, RuleError


class State(StrEnum):
    FILED = "filed"  # 待派遣: on the books, nobody is charged yet
    DISPATCHED = "dispatched"  # 待接收: a unit is charged and has not answered
    HANDLING = "handling"  # 处置中: the unit has accepted
    HANDED_IN = "handed_in"  # 待核查: rectification handed in
    REWORK = "rework"  # 返工: verification failed, to be done again
    SPLIT = "split"  # 分办中: split to several units; only waits for its parts
    CLOSED = "closed"  # 已结案: verified by somebody else
    CANCELLED = "cancelled"  # 已撤销: withdrawn or cancelled with a reason


OPEN_STATES = (State.FILED, State.DISPATCHED, State.HANDLING, State.HANDED_IN, State.REWORK, State.SPLIT)
FINAL_STATES = (State.CLOSED, State.CANCELLED)

STATE_LABELS = {
    State.FILED: N_("待派遣"),
    State.DISPATCHED: N_("待接收"),
    State.HANDLING: N_("处置中"),
    State.HANDED_IN: N_("待核查"),
    State.REWORK: N_("返工"),
    State.SPLIT: N_("分办中"),
    State.CLOSED: N_("已结案"),
    State.CANCELLED: N_("已撤销"),
}


class Move(StrEnum):
    FILE = "file"  # 立案
    DISPATCH = "dispatch"  # 派遣
    SPLIT = "split"  # 拆分: several units, each with a part of its own
    ACCEPT = "accept"  # 接收
    DECLINE = "decline"  # 退回(非本单位)
    ASK_EXTENSION = "ask_extension"  # 申请延期
    GRANT_EXTENSION = "grant_extension"  # 同意延期
    REFUSE_EXTENSION = "refuse_extension"  # 不同意延期
    HAND_IN = "hand_in"  # 反馈
    PASS = "pass"  # noqa: S105 - 核查通过, 结案
    FAIL = "fail"  # 核查不通过, 返工
    CANCEL = "cancel"  # 撤销
    WITHDRAW = "withdraw"  # 撤回: the finder's own, within minutes
    REOPEN = "reopen"  # 重新立案
    SUPERVISE = "supervise"  # 督办
    NOTE = "note"  # 备注
    # Made by the clock, not by a person; kept in the same history.
    REMIND = "remind"  # 到期提醒
    OVERDUE = "overdue"  # 超期
    ESCALATE = "escalate"  # 升级
    RECOMPUTE = "recompute"  # 期限重算
    # Made on the whole when its last part ends, or when a part begins again; never by a person.
    PARTS_DONE = "parts_done"  # 分办件全部办结
    PARTS_CANCELLED = "parts_cancelled"  # 分办件全部撤销
    PART_REOPENED = "part_reopened"  # 分办件重新办理


MOVE_LABELS = {
    Move.FILE: N_("立案"),
    Move.DISPATCH: N_("派遣"),
    Move.SPLIT: N_("拆分"),
    Move.ACCEPT: N_("接收"),
    Move.DECLINE: N_("退回派遣"),
    Move.ASK_EXTENSION: N_("申请延期"),
    Move.GRANT_EXTENSION: N_("同意延期"),
    Move.REFUSE_EXTENSION: N_("不同意延期"),
    Move.HAND_IN: N_("上报整改"),
    Move.PASS: N_("核查通过"),
    Move.FAIL: N_("核查不通过"),
    Move.CANCEL: N_("撤销"),
    Move.WITHDRAW: N_("撤回"),
    Move.REOPEN: N_("重新立案"),
    Move.SUPERVISE: N_("督办"),
    Move.NOTE: N_("备注"),
    Move.REMIND: N_("到期提醒"),
    Move.OVERDUE: N_("超期"),
    Move.ESCALATE: N_("升级"),
    Move.RECOMPUTE: N_("期限重算"),
    Move.PARTS_DONE: N_("分办件全部办结"),
    Move.PARTS_CANCELLED: N_("分办件全部撤销"),
    Move.PART_REOPENED: N_("分办件重新办理"),
}


class Part(StrEnum):
    """The part a person plays in one case; a post gives parts, a case and a person may add FINDER."""

    FINDER = "finder"  # 采集员: recorded the finding
    DISPATCHER = "dispatcher"  # 派遣员: charges units of the own area
    HANDLER = "handler"  # 处置: acts for the responsible unit
    VERIFIER = "verifier"  # 核查员
    SUPERVISOR = "supervisor"  # 督办: a level above the dispatcher


_S, _M, _P = State, Move, Part

# Read aloud: "from … a … may … and the case is then …".
TABLE: dict[tuple[State, Move, Part], State] = {
    (_S.FILED, _M.DISPATCH, _P.DISPATCHER): _S.DISPATCHED,
    (_S.FILED, _M.SPLIT, _P.DISPATCHER): _S.SPLIT,
    (_S.FILED, _M.CANCEL, _P.DISPATCHER): _S.CANCELLED,
    (_S.FILED, _M.WITHDRAW, _P.FINDER): _S.CANCELLED,
    (_S.DISPATCHED, _M.DISPATCH, _P.DISPATCHER): _S.DISPATCHED,  # charged the wrong unit: charge another
    (_S.DISPATCHED, _M.SPLIT, _P.DISPATCHER): _S.SPLIT,
    (_S.DISPATCHED, _M.ACCEPT, _P.HANDLER): _S.HANDLING,
    (_S.DISPATCHED, _M.DECLINE, _P.HANDLER): _S.FILED,
    (_S.DISPATCHED, _M.HAND_IN, _P.HANDLER): _S.HANDED_IN,  # done on the spot: handing in accepts
    (_S.DISPATCHED, _M.CANCEL, _P.DISPATCHER): _S.CANCELLED,
    (_S.DISPATCHED, _M.WITHDRAW, _P.FINDER): _S.CANCELLED,
    (_S.HANDLING, _M.ASK_EXTENSION, _P.HANDLER): _S.HANDLING,
    (_S.HANDLING, _M.GRANT_EXTENSION, _P.DISPATCHER): _S.HANDLING,
    (_S.HANDLING, _M.REFUSE_EXTENSION, _P.DISPATCHER): _S.HANDLING,
    (_S.HANDLING, _M.HAND_IN, _P.HANDLER): _S.HANDED_IN,
    (_S.HANDLING, _M.CANCEL, _P.DISPATCHER): _S.CANCELLED,
    (_S.HANDED_IN, _M.PASS, _P.VERIFIER): _S.CLOSED,
    (_S.HANDED_IN, _M.FAIL, _P.VERIFIER): _S.REWORK,
    (_S.REWORK, _M.ASK_EXTENSION, _P.HANDLER): _S.REWORK,
    (_S.REWORK, _M.GRANT_EXTENSION, _P.DISPATCHER): _S.REWORK,
    (_S.REWORK, _M.REFUSE_EXTENSION, _P.DISPATCHER): _S.REWORK,
    (_S.REWORK, _M.HAND_IN, _P.HANDLER): _S.HANDED_IN,
    (_S.REWORK, _M.CANCEL, _P.DISPATCHER): _S.CANCELLED,
    (_S.CLOSED, _M.REOPEN, _P.VERIFIER): _S.REWORK,
    (_S.CLOSED, _M.REOPEN, _P.DISPATCHER): _S.REWORK,
    (_S.CANCELLED, _M.REOPEN, _P.DISPATCHER): _S.FILED,
    **{(state, _M.SUPERVISE, _P.SUPERVISOR): state for state in OPEN_STATES},
    **{(state, _M.NOTE, part): state for state in State for part in Part if part is not _P.FINDER},
}

# What a move must bring along: "unit" a responsible unit, "note" a sentence, "photo" an after-photo, "until" a moment.
NEEDS: dict[Move, frozenset[str]] = {
    Move.DISPATCH: frozenset({"unit"}),
    Move.DECLINE: frozenset({"note"}),
    Move.ASK_EXTENSION: frozenset({"note", "until"}),
    Move.REFUSE_EXTENSION: frozenset({"note"}),
    Move.HAND_IN: frozenset({"note", "photo"}),
    Move.FAIL: frozenset({"note"}),
    Move.CANCEL: frozenset({"note"}),
    Move.REOPEN: frozenset({"note"}),
    Move.SUPERVISE: frozenset({"note"}),
    Move.NOTE: frozenset({"note"}),
}

_NEED_SENTENCES = {
    "unit": N_("“{move}”需要指定责任单位。请选择一个单位。"),
    "note": N_("“{move}”需要写明情况。请用一句话说明。"),
    "photo": N_("“{move}”需要整改后的照片。请至少上传一张。"),
    "until": N_("“{move}”需要写明延至何时。请选择日期和时间。"),
}


def next_state(state: State, move: Move, parts: Iterable[Part]) -> State:
    """Return the state after `move`, made by somebody who plays `parts`.

    RuleError("case-move"): no part may make this move from this state.
    ForbiddenError("case-part"): the move exists from this state, but for another part.
    """
    mine = set(parts)
    for part in Part:
        if part in mine and (state, move, part) in TABLE:
            return TABLE[state, move, part]
    if any((state, move, part) in TABLE for part in Part):
        raise ForbiddenError(
            "case-part",
            N_("您当前的岗位不能对该事项做“{move}”。请切换岗位，或请有权限的人员办理。"),
            move=MOVE_LABELS[move],
        )
    raise RuleError(
        "case-move",
        N_("事项现在是“{state}”，不能“{move}”。请刷新页面，按现在的状态办理。"),
        state=STATE_LABELS[state],
        move=MOVE_LABELS[move],
    )


def moves_from(state: State, parts: Iterable[Part]) -> tuple[Move, ...]:
    """Return the moves that somebody playing `parts` may make, in the order of the loop."""
    mine = set(parts)
    return tuple(move for move in Move if any((state, move, part) in TABLE for part in mine))


def require_needs(move: Move, given: Iterable[str]) -> None:
    """Refuse a move that does not bring what it needs: RuleError("need-unit" | "need-note" | …)."""
    have = set(given)
    for need in ("unit", "note", "photo", "until"):
        if need in NEEDS.get(move, frozenset()) and need not in have:
            raise RuleError(f"need-{need}", _NEED_SENTENCES[need], move=MOVE_LABELS[move])


def require_other_person(handlers: Iterable[str], verifier: str) -> None:
    """Nobody verifies their own work, in whatever post: a table of roles cannot say this.

    handlers: keys of everybody who handed in this case ("user:7", "link:3"); verifier: the same kind of key
    """
    if verifier in set(handlers):
        raise ForbiddenError("own-work", N_("整改由您本人上报，不能由您核查。请由另一名人员核查。"))


def may_charge(dispatcher_area: str, unit_area: str, serves: Iterable[str]) -> bool:
    """May a dispatcher of this area charge this unit?

    The unit lies in the dispatcher's area, or has agreed to serve an area that contains it: a city's water
    company that serves the district may be charged by the district and by its sub-districts.
    dispatcher_area, unit_area, serves: area codes; an empty dispatcher_area charges nobody
    """
    if not dispatcher_area:
        return False
    return unit_area.startswith(dispatcher_area) or any(
        dispatcher_area.startswith(area) for area in serves if area
    )


# Half the limit again without an answer moves a case one level up: a working rule of this system (recalled
# practice of city offices), not a number of any standard.
ESCALATE_AFTER = Fraction(1, 2)


def clock_plan(
    clock_from: datetime, warn_at: datetime, due_at: datetime
) -> tuple[tuple[datetime, Move], ...]:
    """Return the moments at which the clock itself moves an open case, in order.

    Remind when a third of the limit is left; overdue one second after the deadline, because the deadline
    itself is still in time; one level up when half the limit has passed again.
    """
    late = due_at + timedelta(seconds=1)
    up = max(late, due_at + timedelta(seconds=int((due_at - clock_from).total_seconds() * ESCALATE_AFTER)))
    return ((warn_at, Move.REMIND), (late, Move.OVERDUE), (up, Move.ESCALATE))


def clock_moves(
    plan: tuple[tuple[datetime, Move], ...], *, since: datetime, now: datetime
) -> tuple[tuple[Move, ...], datetime | None]:
    """Return what the clock has to do now, and when it must look again (None: never).

    since: the moment that was waited for; everything planned before it is done already
    A case that was not looked at for long is not reminded of a deadline that has passed. A clock that was set
    back finds nothing to do, and nothing is done twice when it is set right.
    """
    due = [move for at, move in plan if since <= at <= now]
    if Move.OVERDUE in due and Move.REMIND in due:
        due.remove(Move.REMIND)
    later = [at for at, _move in plan if at > now and at >= since]
    return tuple(due), later[0] if later else None


def runs_clock(state: State) -> bool:
    """Does the handler's clock run? Not while the case waits for its verifier, and not after the end."""
    return state in (State.FILED, State.DISPATCHED, State.HANDLING, State.REWORK)


# --- parts -----------------------------------------------------------------------------------------

WAITING_STATES = (
    State.HANDED_IN,
    State.SPLIT,
)  # open, and nothing is late with: the verifier or the parts have it
PARTS_LEAST, PARTS_MOST = 2, 20
TASK_LIMIT = 80  # characters of one part's task: it stands in the part's title


def require_split(pieces: Sequence[tuple[str, str]]) -> None:
    """Refuse a split that makes no sense; pieces: (unit, task) of each part.

    RuleError("split-too-few" | "split-too-many" | "split-task" | "split-same-unit").
    """
    if len(pieces) < PARTS_LEAST:
        raise RuleError("split-too-few", N_("拆分至少需要两个单位。只有一个单位时请直接派遣。"))
    if len(pieces) > PARTS_MOST:
        raise RuleError("split-too-many", N_("一次最多拆给{most}个单位。请合并任务。"), most=PARTS_MOST)
    for number, (_unit, task) in enumerate(pieces, start=1):
        if not task.strip() or len(task.strip()) > TASK_LIMIT:
            raise RuleError(
                "split-task",
                N_("第{number}个单位的任务为空或超过{limit}字。请用一句话写明它要做什么。"),
                number=number,
                limit=TASK_LIMIT,
            )
    if len({unit for unit, _task in pieces}) < len(pieces):
        raise RuleError("split-same-unit", N_("同一单位只能出现一次。请把它的任务写在一起。"))


def whole_state(parts: Iterable[State]) -> State:
    """Return the state of a case that was split, from the states of its parts.

    It waits while any part is open; a cancelled part does not block; with all cancelled, so is the whole.
    """
    states = set(parts)
    if states & set(OPEN_STATES):
        return State.SPLIT
    return State.CLOSED if State.CLOSED in states else State.CANCELLED
