"""The answers of a visit: what a line of a check list may be told, what follows, and which of two tellings holds.

Source: INSP-1 (conclusion 达到、部分达到、未达到、不适用), INSP-12 (劝阻 → 责令改正 → 报告执法部门), INSP-15 (when the
crew was informed, came, and had cleared the road).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from weicheng.rules.errors import N_, ConflictError, RuleError
from weicheng.rules.moments import require_aware

COUNT_LIMIT = 99  # of one line at one place; more is another visit, or a slip of the finger
# Steps that a check list names, as far as something hangs on them here.
DISSUADE = "dissuade"  # ends with a word on the spot
SUPPORT = "support"  # after the enforcement was told


class Result(StrEnum):
    PASS = "pass"  # noqa: S105 - 通过
    PARTLY = "partly"  # 部分达到: something is wrong
    FAIL = "fail"  # 不通过
    NA = "na"  # 不适用
    UNCHECKED = "unchecked"  # 未查: said on purpose at the end of a visit, never by silence

    @property
    def label(self) -> str:
        return RESULT_LABELS[self]

    @property
    def is_wrong(self) -> bool:
        """Does it say that something is wrong?"""
        return self in WRONG


WRONG = frozenset({Result.PARTLY, Result.FAIL})

RESULT_LABELS = {
    Result.PASS: N_("通过"),
    Result.PARTLY: N_("部分通过"),
    Result.FAIL: N_("不通过"),
    Result.NA: N_("不适用"),
    Result.UNCHECKED: N_("未查"),
}


def result_of(text: str) -> Result:
    """Return the result; RuleError("answer-result") for a word that is none."""
    try:
        return Result(text)
    except ValueError:
        raise RuleError(
            "answer-result",
            N_("“{text}”不是检查结论。请选择通过、部分通过、不通过或不适用。"),
            text=text[:20],
        ) from None


def count_of(result: Result, given: int | None) -> int:
    """Return how many places fail: at least one where something is wrong, none elsewhere.

    RuleError("answer-count") beyond 1 to 99, or for a number beside a line with nothing wrong.
    """
    if not result.is_wrong:
        if given:
            raise RuleError(
                "answer-count-unasked",
                N_("结论是“{result}”时没有问题数。请去掉问题数，或改为“不通过”。"),
                result=result.label,
            )
        return 0
    count = 1 if given is None else given
    if not 1 <= count <= COUNT_LIMIT:
        raise RuleError(
            "answer-count",
            N_("问题数 {count} 不在 1 到 {limit} 之间。请填写看到的处数。"),
            count=count,
            limit=COUNT_LIMIT,
        )
    return count


def points_of(
    result: Result, given: Decimal | None, bounds: tuple[Decimal, Decimal] | None
) -> Decimal | None:
    """Return the points an inspector takes off a line that gives a range; None for every other line.

    bounds: (least, most) of the line, both allowed; None where the line's points are fixed

    RuleError("answer-points") outside the range or missing; RuleError("answer-points-fixed") where none is given.
    """
    if bounds is None or not result.is_wrong:
        if given is not None:
            raise RuleError(
                "answer-points-fixed",
                N_("这一项的扣分由检查表确定，不能另填。请去掉扣分。"),
            )
        return None
    least, most = bounds
    if given is None or not least <= given <= most:
        raise RuleError(
            "answer-points",
            N_("这一项的扣分应在 {least} 到 {most} 之间。请按情节选择扣分。"),
            least=least,
            most=most,
        )
    return given


# --- two tellings of one answer --------------------------------------------------------------------


class Meeting(StrEnum):
    """What a telling is beside what is stored."""

    NEW = "new"
    SAME = "same"  # told before, or the same as what holds
    CHANGE = "change"  # made by somebody who saw what holds


def meet(*, stored: int, base: int, sent: str, known: Collection[str], agrees: bool) -> Meeting:
    """Return what this telling is; ConflictError("answer-conflict") where a person must decide.

    stored: version that holds, 0 for none; base: version the teller saw, 0 for none
    sent: digest of the telling; known: digests of all versions; agrees: does it say what holds anyway?

    A retry of an older telling is no change: whoever sent it has been told of the newer one since, or will be.
    """
    if stored == 0:
        return Meeting.NEW
    if sent in known or agrees:
        return Meeting.SAME
    if base == stored:
        return Meeting.CHANGE
    raise ConflictError(
        "answer-conflict",
        N_("这一项已有另一份答案（第 {stored} 版），没有覆盖。请刷新页面，看过现在的答案后再改。"),
        stored=stored,
    )


# --- what follows a violation ----------------------------------------------------------------------


@dataclass(frozen=True)
class Earlier:
    """One earlier answer on the same line at the same place, newest first in a history.

    step: what followed it then, "" for nothing; settled: its case has been closed since
    waiting: its case runs and its deadline is still to come
    """

    result: Result
    step: str = ""
    settled: bool = False
    waiting: bool = False


def taken_steps(history: Iterable[Earlier]) -> tuple[str, ...]:
    """Return the steps taken since the place was last in order, newest first.

    The place was in order when the line passed, or when what it was ordered to do was verified. A line that
    was not looked at, or does not apply, says nothing either way.
    """
    taken = []
    for earlier in history:
        if earlier.result is Result.PASS or earlier.settled:
            break
        if earlier.result.is_wrong and earlier.step:
            taken.append(earlier.step)
    return tuple(taken)


def open_steps(steps: Sequence[str], history: Iterable[Earlier]) -> tuple[str, ...]:
    """Return the steps that may follow now, the expected one first: the one after the furthest taken.

    steps: of the line, in order. Skipping ahead is allowed, going back is not; the last step may be repeated,
    and one whose deadline is still to come stays the expected one.
    """
    history = tuple(history)
    taken = [steps.index(step) for step in taken_steps(history) if step in steps]
    if not taken:
        return tuple(steps)
    further = 0 if history[0].waiting else 1
    return tuple(steps[min(max(taken) + further, len(steps) - 1) :])


def repeats_waiting(step: str, history: Iterable[Earlier]) -> bool:
    """Is this the step that was ordered last, with its deadline still to come? Its own case runs already."""
    history = tuple(history)
    return bool(step) and taken_steps(history)[:1] == (step,) and history[0].waiting


def step_of(result: Result, given: str, offered: Sequence[str], labels: dict[str, str]) -> str:
    """Return the step that follows; the expected one where nobody chose.

    RuleError("step-unasked") where the line has no steps or nothing is wrong; RuleError("step-back") for a step
    that was taken before and did not help.
    """
    if not result.is_wrong or not offered:
        if given:
            raise RuleError("step-unasked", N_("这一项没有处置步骤可选。请去掉处置步骤后再保存。"))
        return ""
    if not given:
        return offered[0]
    if given not in offered:
        raise RuleError(
            "step-back",
            N_("同一问题此前已处置过，不能再选“{given}”。请选择：{offered}。"),
            given=labels.get(given, given),
            offered="、".join(labels.get(step, step) for step in offered),
        )
    return given


def opens_case(result: Result, *, step: str = "", cleared_at: datetime | None = None) -> bool:
    """Does the answer open a case? Not what was settled on the spot: by a word, or by the crew that came.

    Helping the enforcement opens none either: its case was opened when it was told.
    """
    return result.is_wrong and step not in (DISSUADE, SUPPORT) and cleared_at is None


# --- a road that is watched ------------------------------------------------------------------------


@dataclass(frozen=True)
class Watch:
    """When the crew of a stretch of road was informed, came, and had cleared it; None for not yet.

    RuleError("watch-order") for moments out of order or with one missing in between; RuleError("naive-moment")
    """

    informed_at: datetime | None = None
    arrived_at: datetime | None = None
    cleared_at: datetime | None = None

    def __post_init__(self) -> None:
        moments = (self.informed_at, self.arrived_at, self.cleared_at)
        require_aware(*moments)
        told = [moment for moment in moments if moment is not None]
        if tuple(told) != moments[: len(told)] or told != sorted(told):
            raise RuleError(
                "watch-order",
                N_("时间应依次为：通知保洁、到场、清除完毕，后一个不早于前一个。请核对三个时间。"),
            )

    @property
    def arrival_min(self) -> int | None:
        """Whole minutes from word to arrival, rounded down; None while it cannot be said."""
        return _minutes(self.informed_at, self.arrived_at)

    @property
    def clearing_min(self) -> int | None:
        """Whole minutes from word to a clear road, rounded down."""
        return _minutes(self.informed_at, self.cleared_at)


def _minutes(start: datetime | None, end: datetime | None) -> int | None:
    return None if start is None or end is None else (end - start) // timedelta(minutes=1)


# --- how far a visit is ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """How far the lines of a list are answered; open: numbers of those that are not, in the order of the list."""

    done: int
    total: int
    open: tuple[str, ...]

    @property
    def first_open(self) -> str:
        """The number of the first line without an answer, "" when all have one."""
        return self.open[0] if self.open else ""


def progress(numbers: Sequence[str], answered: Collection[str]) -> Progress:
    """Return how far a list is answered.

    numbers: of all lines, in order; answered: numbers with an answer, others are ignored
    """
    waiting = tuple(number for number in numbers if number not in answered)
    return Progress(len(numbers) - len(waiting), len(numbers), waiting)
