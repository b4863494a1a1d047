"""Values that people give and no record has: ledger scores, household visits, posting rates.

Typed in a table of all objects at once, or read from a workbook; a correction is a further value with its reason.
"""

import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from weicheng.assessments.boards import ScoredObject, objects_of, require_officer
from weicheng.assessments.compute import EntryField, entry_fields
from weicheng.assessments.facts import latest_entries
from weicheng.assessments.models import Board, Entry
from weicheng.journal.actions import Note, record
from weicheng.journal.rows import insert_all
from weicheng.places.actor import Actor
from weicheng.places.areas import name_of
from weicheng.rules.areas import Level
from weicheng.rules.digests import canonical, digest
from weicheng.rules.errors import N_, ConflictError, MissingError, RuleError
from weicheng.ui.imports import Fail, Field, Importer, Plan, Row, Sheet

REASON_LIMIT = 300
PLACES = 4  # decimal places that are kept


@dataclass(frozen=True)
class Value:
    """One value of one object; reason: why it replaces an earlier one, "" for the first.

    base: the value the person saw, None for none; another one meanwhile is a conflict
    """

    code: str
    value: Decimal
    reason: str = ""
    base: Decimal | None = None


def plain(value: Decimal) -> str:
    """Return a number without idle zeros: 45, 0.5."""
    return f"{value.normalize():f}"


def read_value(text: str, one: EntryField) -> Decimal:
    """Return the number a person typed; RuleError "entry-not-a-number" or what `require_in_range` refuses."""
    written = "".join(unicodedata.normalize("NFKC", text).split()).removesuffix("分").removesuffix("%")
    try:
        value = Decimal(written)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise RuleError(
            "entry-not-a-number", N_("“{text}”不是数字。请填写{range}。"), text=text[:20], range=range_of(one)
        )
    require_in_range(value, one)
    return value


def range_of(one: EntryField) -> str:
    """Return which values are taken, in words: 0 至 100 的数."""
    if one.maximum is None:
        return _("不小于 {least} 的数").format(least=plain(one.minimum))
    return _("{least} 至 {most} 的数").format(least=plain(one.minimum), most=plain(one.maximum))


def require_in_range(value: Decimal, one: EntryField) -> None:
    """Refuse a value outside its bounds: RuleError "entry-too-small", "entry-too-large", "entry-too-fine"."""
    if value < one.minimum:
        raise RuleError(
            "entry-too-small", N_("{value} 小于 {least}。请填写{range}。"),
            value=plain(value), least=plain(one.minimum), range=range_of(one),
        )  # fmt: skip
    if one.maximum is not None and value > one.maximum:
        raise RuleError(
            "entry-too-large", N_("{value} 超过 {most}。请填写{range}。"),
            value=plain(value), most=plain(one.maximum), range=range_of(one),
        )  # fmt: skip
    if value != round(value, PLACES) or value >= 10**9:
        raise RuleError(
            "entry-too-fine", N_("{value} 的位数太多。请最多保留 {places} 位小数。"),
            value=str(value)[:20], places=PLACES,
        )  # fmt: skip


def field_of(board: Board, key: str) -> EntryField:
    """Return what is given under a key; MissingError("no-entry-field") for a key the scheme does not ask."""
    found = next((one for one in entry_fields(board) if one.key == key), None)
    if found is None:
        raise MissingError("no-entry-field", N_("考核办法中没有这项录入。请从录入页选择。"))
    return found


@transaction.atomic
def enter_values(
    board: Board, one: EntryField, values: Sequence[Value], *, by: Actor, at: datetime
) -> list[Entry]:
    """Keep values of many objects; what is the same as before is passed over. Return the new rows.

    ForbiddenError "may-not-assess"; ConflictError "board-frozen", "entry-changed"; MissingError "no-object";
    RuleError "board-beside", "entry-needs-reason", "reason-too-long" and what `require_in_range` refuses.
    """
    board = Board.objects.select_for_update().get(pk=board.pk)
    require_enterable(board, by)
    objects = {each.code: each for each in objects_of(board)}
    held = latest_entries(board)
    numbers = dict(Entry.objects.filter(board=board, key=one.key).values_list("code").annotate(Max("number")))
    rows = []
    for given in values:
        target = objects.get(given.code)
        if target is None:
            raise MissingError("no-object", N_("这次考评中没有该对象。请刷新后重新填写。"))
        require_in_range(given.value, one)
        before = held.get((given.code, one.key))
        if before is not None and before == given.value:
            continue
        if before != given.base:
            raise ConflictError(
                "entry-changed",
                N_("{name}的分值已由他人改为 {value}。请刷新后核对再填。"),
                name=target.name,
                value=plain(before) if before is not None else _("空"),
            )
        reason = given.reason.strip()
        if before is not None and not reason:
            raise RuleError(
                "entry-needs-reason",
                N_("{name}原为 {value}，更正要写明原因。请填写更正原因。"),
                name=target.name,
                value=plain(before),
            )
        if len(reason) > REASON_LIMIT:
            raise RuleError(
                "reason-too-long",
                N_("理由共{length}字，超过{limit}字。请精简。"),
                length=len(reason),
                limit=REASON_LIMIT,
            )
        rows.append(_row(board, target, one, given.value, reason, numbers.get(given.code, 0) + 1, by, at))
    insert_all(rows)
    if rows:
        corrected = sum(row.number > 1 for row in rows)
        record(
            Note("board.enter", "board", str(board.uid), board.area,
                 {"key": one.key, "count": len(rows), "corrected": corrected}),
            by=by, at=at,
        )  # fmt: skip
    return rows


def require_enterable(board: Board, by: Actor) -> None:
    """Refuse who may not type values, and a board that takes none any more."""
    require_officer(by, board)
    if board.beside_id is not None:
        raise RuleError("board-beside-entries", N_("对照试算沿用原考评的录入。请在原考评中录入。"))
    if board.frozen:
        raise ConflictError(
            "board-frozen",
            N_("{title}已确认公示，分值不能再改。有误的由被考评方申诉，经答复后更正。"),
            title=board.title,
        )


def _row(
    board: Board, target: ScoredObject, one: EntryField, value: Decimal, reason: str, number: int,
    by: Actor, at: datetime,
) -> Entry:  # fmt: skip
    body = canonical(
        {
            "board": board.uid,
            "code": target.code,
            "key": one.key,
            "number": number,
            "value": value,
            "reason": reason,
            "by": by.key,
            "at": at,
        }
    )
    return Entry(
        board=board, code=target.code, area=target.area, key=one.key, number=number, value=value, reason=reason,
        by_key=by.key, by_name=by.name, at=at, body=body, digest=digest(body),
    )  # fmt: skip


# --- the table ---------------------------------------------------------------------------------------


@dataclass
class Cell:
    """One object in the table: what is held, what was typed, what is wrong with it.

    past: earlier values, newest first
    """

    target: ScoredObject
    number: int
    held: Decimal | None
    text: str = ""
    error: str = ""
    past: Sequence[Entry] = ()

    @property
    def place(self) -> str:
        """The street of a community, the community of a unit: names alone repeat within a district."""
        if self.target.unit_id is not None:
            return name_of(self.target.area)
        street = self.target.area[: Level.STREET]
        return name_of(street) if street != self.target.area else ""

    @property
    def base(self) -> str:
        return "" if self.held is None else plain(self.held)


@dataclass
class EntryTable:
    """All objects of a board under one key, to be typed and sent at once."""

    board: Board
    one: EntryField
    cells: list[Cell]
    reason: str = ""
    problem: str = ""
    reason_error: str = ""
    sent: Mapping[str, str] = field(default_factory=dict)

    @property
    def faulty(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.error]

    @property
    def filled(self) -> int:
        return sum(cell.held is not None for cell in self.cells)

    @property
    def range(self) -> str:
        return range_of(self.one)


def table_of(board: Board, one: EntryField) -> EntryTable:
    """Return the table as it stands, with the history of each value."""
    past: dict[str, list[Entry]] = {}
    for row in Entry.objects.filter(board=board, key=one.key).order_by("code", "-number"):
        past.setdefault(row.code, []).append(row)
    cells = []
    for number, target in enumerate(objects_of(board)):
        rows = past.get(target.code, [])
        held = rows[0].value if rows else None
        cells.append(Cell(target, number, held, "" if held is None else plain(held), past=rows))
    return EntryTable(board, one, cells)


def read_table(table: EntryTable, sent: Mapping[str, str]) -> list[Value]:
    """Put what was typed into the table and return what is new; what is wrong stands at its cell.

    An emptied cell keeps its value: a value can be corrected, not taken back.
    """
    table.reason = sent.get("reason", "").strip()
    values = []
    corrected = False
    for cell in table.cells:
        name = f"v{cell.number}"
        if sent.get(f"c{cell.number}") != cell.target.code or name not in sent:
            continue  # the list of objects has changed since the page was drawn, or the cell was not on it
        text, base = sent[name].strip()[:40], sent.get(f"b{cell.number}", "")
        if text == base:
            continue
        cell.text = text
        if not text:
            cell.error = _("已录入的分值不能清空。请填写更正后的数。")
            continue
        try:
            value = read_value(text, table.one)
            seen = read_value(base, table.one) if base else None
        except RuleError as error:
            cell.error = error.sentence(_)
            continue
        if seen != cell.held and value != cell.held:
            cell.error = _("已由他人改为 {value}。请核对后再填。").format(value=cell.base or _("空"))
            continue
        corrected |= cell.held is not None and value != cell.held
        values.append(Value(cell.target.code, value, table.reason, base=cell.held))
    if corrected and not table.reason:
        table.reason_error = _("更正已录入的分值，要写明原因。请填写更正原因。")
    elif len(table.reason) > REASON_LIMIT:
        table.reason_error = _("更正原因共{length}字，超过{limit}字。请精简。").format(
            length=len(table.reason), limit=REASON_LIMIT
        )
    return values


# --- the workbook ------------------------------------------------------------------------------------


class EntryImport(Importer):
    """Values of one key from a sheet with the columns 区划代码, 名称, 分值, 更正原因."""

    def __init__(self, board: Board, one: EntryField, actor: Actor, at: datetime) -> None:
        self.board, self.one, self.actor, self.at = board, one, actor, at
        self.objects = {each.code: each for each in objects_of(board)}
        self.names: dict[str, list[str]] = {}
        for each in self.objects.values():
            self.names.setdefault(each.name, []).append(each.code)
        self.held = {code: value for (code, key), value in latest_entries(board).items() if key == one.key}
        of_units = board.level == Board.Level.UNIT
        self.sheet = Sheet(
            f"entries-{uuid.uuid5(board.uid, one.key)}",
            one.title,
            [
                Field("code", _("单位编号") if of_units else _("区划代码"), width=20, aliases=(_("代码"), _("编号"))),
                Field("name", _("名称"), width=28, aliases=(_("区划"), _("社区"), _("街道"), _("单位"))),
                Field("value", _("分值"), parse=self._value, aliases=(one.title, _("得分"), _("数值"))),
                Field("reason", _("更正原因"), width=30, parse=self._reason),
            ],
        )  # fmt: skip

    def _value(self, text: str) -> Decimal | None:
        return read_value(text, self.one) if text else None

    def _reason(self, text: str) -> str:
        if len(text) > REASON_LIMIT:
            raise ValueError(
                _("有 {length} 个字，最多 {most} 个。请缩短。").format(length=len(text), most=REASON_LIMIT)
            )
        return text

    def plan(self, rows: list[Row], fail: Fail) -> list[Plan]:
        plans = []
        seen: dict[str, int] = {}
        for row in rows:
            code = self._code(row, fail)
            if code is None:
                continue
            if code in seen:
                fail(row, "code", _("与第{line}行是同一对象。请删去重复的一行。").format(line=seen[code]))
                continue
            seen[code] = row.line
            value, held = row.values.get("value"), self.held.get(code)
            reason = row.values.get("reason", "")
            if value is None and held is not None:
                fail(row, "value", _("已录入的分值不能清空。请填写更正后的数。"))
                continue
            if value is None or value == held:
                plans.append(Plan(row, "same", code))
                continue
            if held is not None and not reason:
                fail(
                    row,
                    "reason",
                    _("原为 {value}，更正要写明原因。请填写更正原因。").format(value=plain(held)),
                )
                continue
            plans.append(
                Plan(row, "new" if held is None else "changed", code, Value(code, value, reason, base=held))
            )
        return plans

    def _code(self, row: Row, fail: Fail) -> str | None:
        code, name = row.values.get("code", ""), row.values.get("name", "")
        if code:
            if code in self.objects:
                if name and name != self.objects[code].name:
                    fail(
                        row,
                        "name",
                        _("代码 {code} 是“{right}”，不是“{name}”。请核对这一行。").format(
                            code=code, right=self.objects[code].name, name=name[:40]
                        ),
                    )
                    return None
                return code
            fail(row, "code", _("这次考评中没有代码为“{code}”的对象。请核对代码。").format(code=code[:40]))
            return None
        found = self.names.get(name, [])
        if len(found) == 1:
            return found[0]
        if not name:
            fail(row, "code", _("没有代码也没有名称。请填写其中一项。"))
        elif found:
            fail(
                row,
                "name",
                _("有 {count} 个对象叫“{name}”。请填写代码。").format(count=len(found), name=name[:40]),
            )
        else:
            fail(row, "name", _("这次考评中没有“{name}”。请核对名称，或填写代码。").format(name=name[:40]))
        return None

    def commit(self, plans: list[Plan]) -> None:
        enter_values(self.board, self.one, [plan.data for plan in plans], by=self.actor, at=self.at)

    def rows_of(self) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return (key, values by field id) of every object, to be filled in and sent back."""
        for each in self.objects.values():
            held = self.held.get(each.code)
            yield (
                each.code,
                {"code": each.code, "name": each.name, "value": "" if held is None else plain(held)},
            )
