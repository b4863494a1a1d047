"""The score of a check list: full marks less what the findings cost, with a line for every point lost.

The score of an object under a scheme of assessment, with sources, weights and limits within limits, is `sheets`.

Source: the model in `domain/standards/inspection-practice.md` section 2: deductions per finding or once, an
item's own limit (扣完为止), never below zero. Items and points are data of a published edition.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.schemes import Mode

CHECK_LIST_MODES = (Mode.PER_FINDING, Mode.ONCE)


@dataclass(frozen=True)
class Item:
    """One line of a check list.

    number: as printed in the standard, unique in its list
    points: what a finding costs, above 0; None for a line that is checked and not scored
    cap: the most this item can cost, above 0; None for no limit of its own
    """

    number: str
    title: str
    points: Decimal | None
    mode: Mode | str = Mode.PER_FINDING
    cap: Decimal | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", _mode(self.number, self.mode))
        if (self.points is not None and self.points <= 0) or (self.cap is not None and self.cap <= 0):
            raise RuleError(
                "item-points",
                N_("检查项 {number} 的扣分或扣分上限不大于 0。请填写大于 0 的分值。"),
                number=self.number,
            )


def _mode(number: str, mode: str) -> Mode:
    if mode not in CHECK_LIST_MODES:
        raise RuleError(
            "item-mode",
            N_("检查项 {number} 的扣分方式“{mode}”无法识别。请写 per_finding（每处）或 once（每项）。"),
            number=number,
            mode=mode,
        )
    return Mode(mode)


@dataclass(frozen=True)
class CheckList:
    """One edition of a check list; full: the marks of a place without findings, above 0."""

    edition: str
    full: Decimal
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        if self.full <= 0:
            raise RuleError(
                "checklist-full", N_("检查表“{edition}”的满分不大于 0。请填写满分。"), edition=self.edition
            )
        numbers = [item.number for item in self.items]
        for number in numbers:
            if numbers.count(number) > 1:
                raise RuleError(
                    "item-twice",
                    N_("检查表“{edition}”中检查项 {number} 出现了多次。请改为不同的编号。"),
                    edition=self.edition,
                    number=number,
                )


@dataclass(frozen=True)
class Line:
    """What one item cost; capped: it would have cost more without its limit."""

    number: str
    title: str
    count: int
    lost: Decimal
    capped: bool


@dataclass(frozen=True)
class Score:
    """The result, with the edition it was scored under.

    total: the marks left, from 0 to full
    lines: one for each item that lost points, in the order of the list. Together they may say more than was
    taken, as the total stops at zero.
    """

    total: Decimal
    lines: tuple[Line, ...]
    edition: str


def deduct(checklist: CheckList, counts: Mapping[str, int]) -> Score:
    """Return the score of a place.

    counts: findings by item number; an item left out has none

    RuleError: "item-unknown" for a number the list does not have, "count-negative" for less than none.
    """
    known = {item.number for item in checklist.items}
    for number, count in counts.items():
        if number not in known:
            raise RuleError(
                "item-unknown",
                N_("检查表“{edition}”中没有检查项 {number}。请从检查表中选择。"),
                edition=checklist.edition,
                number=number,
            )
        if count < 0:
            raise RuleError(
                "count-negative",
                N_("检查项 {number} 的问题数 {count} 小于 0。请填写 0 或更大的整数。"),
                number=number,
                count=count,
            )
    lines = tuple(
        _line(item, item.points, counts[item.number])
        for item in checklist.items
        if item.points is not None and counts.get(item.number)
    )
    return Score(
        total=max(Decimal(0), checklist.full - sum(line.lost for line in lines)),
        lines=lines,
        edition=checklist.edition,
    )


def _line(item: Item, points: Decimal, count: int) -> Line:
    cost = points if item.mode is Mode.ONCE else points * count
    lost = cost if item.cap is None else min(cost, item.cap)
    return Line(number=item.number, title=item.title, count=count, lost=lost, capped=lost < cost)
