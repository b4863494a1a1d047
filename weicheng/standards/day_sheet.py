"""Read the days of a work calendar from a sheet with the columns 日期, 类型 (放假 or 上班), 名称."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from weicheng.rules.errors import N_, RuleError

HEAD = ("日期", "类型", "名称")
LIMIT_ROWS = 2000
LIMIT_BYTES = 1_000_000
# A workbook is a zip: a few kilobytes may unfold to gigabytes.
LIMIT_UNFOLDED_BYTES = 20_000_000
HEAD_WITHIN = 10  # rows
_OFF, _WORK = {"放假", "休息", "休"}, {"上班", "调休上班", "班", "补班"}


@dataclass(frozen=True)
class Days:
    off_days: dict[date, str]
    make_up_days: dict[date, str]

    @property
    def years(self) -> set[int]:
        return {day.year for day in (*self.off_days, *self.make_up_days)}


def read_days(name: str, data: bytes) -> Days:
    """Return the days of an .xlsx or .csv file.

    RuleError("day-sheet"): too large, not a sheet, no head row, a bad line (naming it), a day twice, no day.
    """
    if len(data) > LIMIT_BYTES:
        raise _refusal(N_("文件超过 {limit} KB。请只保留日期表。"), limit=LIMIT_BYTES // 1000)
    rows = _csv_rows(data) if name.lower().endswith(".csv") else _workbook_rows(data)
    head = next(
        (at for at, row in enumerate(rows[:HEAD_WITHIN]) if set(HEAD) <= {_word(c) for c in row}), None
    )
    if head is None:
        raise _refusal(N_("前 {rows} 行里没有找到表头“日期、类型、名称”。请补上表头。"), rows=HEAD_WITHIN)
    if len(rows) - head - 1 > LIMIT_ROWS:
        raise _refusal(N_("超过 {limit} 行。请只保留放假和调休上班的日子。"), limit=LIMIT_ROWS)
    places = [[_word(cell) for cell in rows[head]].index(title) for title in HEAD]
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for number, row in enumerate(rows[head + 1 :], start=head + 2):
        cells = [row[place] if place < len(row) else "" for place in places]
        if not any(_word(cell) for cell in cells):
            continue
        day, kind, title = _date(cells[0], number), _word(cells[1]), _word(cells[2])
        if kind not in _OFF | _WORK:
            raise _refusal(N_("第 {row} 行“类型”是“{kind}”。请写放假或上班。"), row=number, kind=kind[:20])
        if not title:
            raise _refusal(N_("第 {row} 行“名称”是空的。请写节日名称，例如国庆节。"), row=number)
        if day in off or day in work:
            raise _refusal(N_("第 {row} 行的 {day} 前面已经有了。请只保留一行。"), row=number, day=day)
        (off if kind in _OFF else work)[day] = title
    if not off and not work:
        raise _refusal(N_("表里没有日期。请填写放假和调休上班的日子。"))
    return Days(off, work)


def _csv_rows(data: bytes) -> list[Sequence[Any]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        try:
            return list(csv.reader(io.StringIO(text, newline="")))
        except csv.Error:
            break
    raise _refusal(N_("文件无法读取。请另存为 UTF-8 的 CSV 后再试。"))


def _workbook_rows(data: bytes) -> list[Sequence[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            unfolded = sum(part.file_size for part in book.infolist())
        if unfolded > LIMIT_UNFOLDED_BYTES:
            raise _refusal(N_("工作簿展开后过大。请只保留日期表后另存。"))
        sheets = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return sheets.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (zipfile.BadZipFile, CalamineError, ValueError, OSError, EOFError):
        raise _refusal(N_("文件不是可读取的 Excel 工作簿（.xlsx），或设有密码。请另存后再试。")) from None


def _word(cell: Any) -> str:
    return "".join(str(cell if cell is not None else "").split())


def _date(cell: Any, row: int) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = (
        _word(cell)
        .replace("年", "-")
        .replace("月", "-")
        .replace("日", "")
        .replace("/", "-")
        .replace(".", "-")
    )
    try:
        year, month, day = (int(part) for part in text.split("-"))
        return date(year, month, day)
    except ValueError:
        raise _refusal(
            N_("第 {row} 行“日期”是“{text}”，无法识别。请写成 2026-10-01 的样子。"),
            row=row,
            text=_word(cell)[:20],
        ) from None


def _refusal(message: str, **values: Any) -> RuleError:
    return RuleError("day-sheet", message, **values)
