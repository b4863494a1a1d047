"""The one importer: a workbook or CSV file becomes checked rows, or a list of what is wrong in which cell.

A `Sheet` says which columns there are and how a cell is read; an `Importer` says what a row means:

    class UnitImport(Importer):
        sheet = Sheet("units", _("单位"), fields)
        def plan(self, rows): …      # new, changed or same, and errors that need the database
        def commit(self, plans): …   # write; called in one transaction

`dry_run` reads and plans, writes nothing; `run` does the same and then commits, all or nothing. The head row is
found within the first ten rows, titles are matched as an office writes them, a totals row is passed over. Rows
are updated through a hidden key column, so an exported sheet that is edited and sent again doubles nothing.
"""

import csv
import io
import json
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import xlsxwriter
from django.db import transaction
from django.http import FileResponse
from django.utils.translation import gettext as _

from weicheng.rules.errors import N_, RuleError

FILE_MB = 20
UNPACKED_MB = 200
MOST_COLUMNS = 200
MOST_ROWS = 5000
HEAD_WITHIN = 10  # rows from the top in which the head row is looked for
MOST_ERRORS = 500
READING_S = 40  # seconds the reading process may take
KEY_TITLE = N_("系统编号（请勿修改）")
TOTALS = {"合计", "总计", "小计", "共计"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Verdict = Literal["new", "changed", "same"]


@dataclass(frozen=True)
class Field:
    """One column.

    id: its permanent name; title: its heading
    parse: text of the cell -> value; raises RuleError or ValueError with a sentence
    choices: offered as a drop-down in the template, and nothing else is taken
    aliases: other headings it is known by
    """

    id: str
    title: str
    required: bool = False
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    help: str = ""
    width: int = 16


@dataclass(frozen=True)
class Sheet:
    """What a file of one kind looks like. key: stable name, also of the template's file."""

    key: str
    title: str
    fields: Sequence[Field]
    limit_rows: int = MOST_ROWS


@dataclass(frozen=True)
class CellError:
    """What is wrong, and where: line as numbered in the file, column as counted from 0, None for a whole row."""

    line: int
    column: int | None
    title: str
    message: str

    @property
    def place(self) -> str:
        """Return 第3行“地址”."""
        if not self.title:
            return _("第{line}行").format(line=self.line)
        return _("第{line}行“{title}”").format(line=self.line, title=self.title)

    def __str__(self) -> str:
        return f"{self.place}：{self.message}"


@dataclass
class Row:
    """One row of the file. key: of what it updates, or ""; values by field id; cells as they were read."""

    line: int
    key: str
    values: dict[str, Any]


@dataclass
class Plan:
    """What one row would do. target: what it changes, or None; data: whatever the importer needs to do it."""

    row: Row
    verdict: Verdict
    target: Any = None
    data: Any = None


@dataclass
class Table:
    """A file as rows of text. `lines` are the rows from the top; nothing has been judged yet."""

    rows: list[list[str]]


@dataclass
class Report:
    """What a file would do, or did."""

    table: Table
    columns: dict[str, int] = field(default_factory=dict)  # field id -> column
    head_line: int = 0
    plans: list[Plan] = field(default_factory=list)
    errors: list[CellError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)  # headings nobody asked for
    skipped: list[int] = field(default_factory=list)  # lines of totals
    done: bool = False

    def count(self, verdict: Verdict) -> int:
        return sum(plan.verdict == verdict for plan in self.plans)

    @property
    def new(self) -> int:
        return self.count("new")

    @property
    def changed(self) -> int:
        return self.count("changed")

    @property
    def same(self) -> int:
        return self.count("same")


class Importer:
    """What the rows of a sheet mean. `fail` is how `plan` says that a cell is wrong."""

    sheet: Sheet

    def plan(self, rows: list[Row], fail: "Fail") -> list[Plan]:
        """Return what each row would do, reading but not writing; call fail(row, field id, sentence) for faults."""
        raise NotImplementedError

    def commit(self, plans: list[Plan]) -> None:
        """Do it; plans of the verdict "same" are not among them. Called inside one transaction."""
        raise NotImplementedError


Fail = Callable[[Row, str, str], None]


def dry_run(importer: Importer, data: bytes, name: str) -> Report:
    """Return what the file would do; writes nothing. RuleError where it cannot be read at all."""
    sheet = importer.sheet
    report = Report(read_table(data, name))
    rows = _read_rows(sheet, report)
    titles = {one.id: one.title for one in sheet.fields}
    faulty: set[int] = {error.line for error in report.errors}

    def fail(row: Row, field_id: str, message: str) -> None:
        faulty.add(row.line)
        report.errors.append(
            CellError(row.line, report.columns.get(field_id), titles.get(field_id, ""), message)
        )

    plans = importer.plan([row for row in rows if row.line not in faulty], fail)
    report.plans = [plan for plan in plans if plan.row.line not in faulty]
    report.errors.sort(key=lambda error: (error.line, error.column or 0))
    return report


def run(importer: Importer, data: bytes, name: str) -> Report:
    """Do what the file says, all or nothing. RuleError("import-errors") when any cell is wrong."""
    with transaction.atomic():
        report = dry_run(importer, data, name)
        if report.errors:
            raise RuleError(
                "import-errors",
                N_("表格有 {count} 处要改，没有导入任何一行。请按提示改正后重新上传。"),
                count=len(report.errors),
            )
        work = [plan for plan in report.plans if plan.verdict != "same"]
        if work:
            importer.commit(work)
    report.done = True
    return report


# --- reading -------------------------------------------------------------------------------------


def read_table(data: bytes, name: str) -> Table:
    """Return the rows of .xlsx, .xls, .ods or .csv.

    RuleError: file-empty, file-large, file-password, file-unreadable, file-bomb, file-columns, file-rows.
    """
    if not data:
        raise RuleError("file-empty", N_("文件“{name}”是空的。请选择填好的表格。"), name=name[:80])
    if len(data) > FILE_MB << 20:
        raise RuleError(
            "file-large",
            N_("文件“{name}”超过 {most} MB。请拆分后分次导入。"),
            name=name[:80],
            most=FILE_MB,
        )
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        _require_small_inside(data, name)
        rows, width, height = _workbook(data, name)
    elif data.startswith(b"\xd0\xcf\x11\xe0"):
        # An encrypted .xlsx is an old-style container that holds this stream.
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise _password(name)
        rows, width, height = _workbook(data, name)
    else:
        rows = _csv(data, name)
        width, height = max((len(row) for row in rows), default=0), len(rows)
    if width > MOST_COLUMNS:
        raise RuleError(
            "file-columns",
            N_("表格有 {count} 列，最多 {most} 列。请下载模板，按模板的列填写。"),
            count=width,
            most=MOST_COLUMNS,
        )
    if height > MOST_ROWS + HEAD_WITHIN:
        raise _too_many(height)
    if not any(any(cell.strip() for cell in row) for row in rows):
        raise RuleError("file-empty", N_("文件“{name}”是空的。请选择填好的表格。"), name=name[:80])
    return Table(rows)


def _too_many(rows: int, most: int = MOST_ROWS) -> RuleError:
    return RuleError(
        "file-rows",
        N_("表格有 {count} 行，一次最多导入 {most} 行。请拆分后分次导入。"),
        count=rows,
        most=most,
    )


def _password(name: str) -> RuleError:
    return RuleError(
        "file-password", N_("文件“{name}”设有打开密码。请在表格软件中取消密码后重新上传。"), name=name[:80]
    )


def _unreadable(name: str) -> RuleError:
    return RuleError(
        "file-unreadable",
        N_("文件“{name}”不是可读取的表格。请另存为 .xlsx 或 .csv 后重新上传。"),
        name=name[:80],
    )


def _bomb(name: str) -> RuleError:
    return RuleError(
        "file-bomb",
        N_("文件“{name}”展开后过大。请新建表格，只粘贴需要的行后重新上传。"),
        name=name[:80],
    )


def _require_small_inside(data: bytes, name: str) -> None:
    """Refuse a zip that unpacks to more than it should, by what it says and by what it holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > 2000 or sum(info.file_size for info in infos) > UNPACKED_MB << 20:
                raise _bomb(name)
            if any(info.flag_bits & 1 for info in infos):
                raise _password(name)
            if archive.testzip() is not None:  # reads to the stated sizes and checks them
                raise _unreadable(name)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError, RuntimeError) as error:
        raise _unreadable(name) from error


def _workbook(data: bytes, name: str) -> tuple[list[list[str]], int, int]:
    command = [sys.executable, "-m", "weicheng.ui.reading", str(MOST_ROWS + HEAD_WITHIN), str(MOST_COLUMNS)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no words of the reader's
            command, input=data, capture_output=True, timeout=READING_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise _bomb(name) from None
    if done.returncode == 3:
        raise _password(name) if json.loads(done.stdout)["reason"] == "password" else _unreadable(name)
    if done.returncode != 0:  # out of memory or time, or a reader that gave up
        raise _bomb(name) if done.returncode < 0 or b"MemoryError" in done.stderr else _unreadable(name)
    said = json.loads(done.stdout)
    return said["rows"], said["width"], said["height"]


def _csv(data: bytes, name: str) -> list[list[str]]:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(name)
    for encoding in ("utf-16",) if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _unreadable(name)
    first = text.lstrip().split("\n", 1)[0]
    delimiter = max(",\t;", key=first.count)  # the first wins where none occurs
    if first.startswith(("<", "{", "%PDF")) or not name.lower().endswith((".csv", ".txt", ".tsv")):
        raise _unreadable(name)
    try:
        rows = []
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append([_unguarded(cell) for cell in row])
            if len(rows) > MOST_ROWS + HEAD_WITHIN + 1:
                raise _too_many(text.count("\n"))
    except csv.Error:
        raise _unreadable(name) from None
    return rows


def _unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that an export put before a risky start."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r", "\n") else cell


def match_title(text: str) -> str:
    """Return a heading as it is compared: half-width, without spaces, marks of "required" and colons."""
    text = "".join(unicodedata.normalize("NFKC", text).split()).lower()
    for mark in ("(必填)", "[必填]", "必填:", "(选填)", "*", ":"):
        text = text.replace(mark, "")
    return text


def _read_rows(sheet: Sheet, report: Report) -> list[Row]:
    head = _find_head(sheet, report)
    by_id = {one.id: one for one in sheet.fields}
    key_column = report.columns.get("")
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for line, cells in enumerate(report.table.rows[head:], head + 1):
        texts = {
            field_id: _clean(cells[at]) if at < len(cells) else "" for field_id, at in report.columns.items()
        }
        filled = [text for field_id, text in texts.items() if text and field_id]
        if not filled:
            continue
        first = next((cell for cell in map(_clean, cells) if cell), "")
        if "".join(first.split()) in TOTALS:
            report.skipped.append(line)
            continue
        row = Row(line, texts.get("", ""), {})
        rows.append(row)
        if row.key and row.key in seen:
            report.errors.append(
                CellError(
                    line,
                    key_column,
                    "",
                    _("与第{other}行的系统编号相同。新行请清空系统编号。").format(other=seen[row.key]),
                )
            )
        seen.setdefault(row.key, line)
        for field_id, text in texts.items():
            if not field_id:
                continue
            try:
                row.values[field_id] = _read_cell(by_id[field_id], text)
            except RuleError as error:
                message = error.sentence(_)
            except ValueError as error:
                message = str(error)
            else:
                continue
            title = by_id[field_id].title
            report.errors.append(CellError(line, report.columns[field_id], title, message))
    if len(rows) > sheet.limit_rows:
        raise _too_many(len(rows), sheet.limit_rows)
    if not rows:
        raise RuleError("no-rows", N_("表头之下没有数据行。请填写后重新上传。"))
    return rows


def _clean(cell: str) -> str:
    # Control characters come with copies from other systems and are never meant.
    return "".join(letter for letter in cell if letter.isprintable() or letter in "\n\t").strip()


def _read_cell(one: Field, text: str) -> Any:
    if not text:
        if one.required:
            raise ValueError(_("不能为空。请填写。"))
        return one.parse("")
    if one.choices and text not in one.choices:
        raise ValueError(
            _("“{value}”不在可选范围内。请从下拉列表中选择，例如“{example}”。").format(
                value=text[:40], example=one.choices[0]
            )
        )
    return one.parse(text)


def _find_head(sheet: Sheet, report: Report) -> int:
    """Find the head row, set the columns, return its line number."""
    names: dict[str, str] = {match_title(KEY_TITLE): "", "系统编号": ""}
    for one in sheet.fields:
        for title in (one.title, *one.aliases):
            names[match_title(str(title))] = one.id
    best: dict[str, int] = {}
    best_line = 0
    for line, cells in enumerate(report.table.rows[:HEAD_WITHIN], 1):
        found: dict[str, int] = {}
        for at, cell in enumerate(cells):
            field_id = names.get(match_title(cell))
            if field_id is None:
                continue
            if field_id in found and field_id:
                raise RuleError(
                    "head-twice",
                    N_("表头“{title}”出现了两次。请删去多余的一列。"),
                    title=cell.strip(),
                )
            found.setdefault(field_id, at)
        if len(found) > len(best):
            best, best_line = found, line
    required = [one for one in sheet.fields if one.required]
    missing = [str(one.title) for one in required if one.id not in best]
    if missing and len(missing) == len(required):
        raise RuleError(
            "no-head",
            N_("前 {lines} 行中没有找到表头。请下载模板，保留表头后填写。"),
            lines=HEAD_WITHIN,
        )
    if missing:
        raise RuleError(
            "head-missing",
            N_("表头缺少“{titles}”。请下载模板，保留全部表头后填写。"),
            titles="”“".join(missing),
        )
    report.columns, report.head_line = best, best_line
    known = set(best.values())
    head = report.table.rows[best_line - 1]
    report.ignored = [cell.strip() for at, cell in enumerate(head) if at not in known and cell.strip()]
    return best_line


# --- writing -------------------------------------------------------------------------------------


def template(sheet: Sheet, rows: Iterable[tuple[str, Mapping[str, Any]]] = ()) -> FileResponse:
    """Return the sheet as a workbook to fill in: drop-downs, a hidden key column, and `rows` as (key, values)."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    book = _book(file)
    page = book.add_worksheet(_sheet_name(str(sheet.title)))
    lists = book.add_worksheet(_("选项"))
    lists.hide()
    must = book.add_format({"bold": True, "bg_color": "#0B5C58", "font_color": "#FFFFFF", "text_wrap": True})
    may = book.add_format({"bold": True, "bg_color": "#E3F0EE", "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    page.freeze_panes(1, 0)
    for at, one in enumerate(sheet.fields):
        title = _("{title}（必填）").format(title=one.title) if one.required else str(one.title)
        page.write_string(0, at, title, must if one.required else may)
        page.set_column(at, at, one.width, text)
        if one.help:
            page.write_comment(0, at, str(one.help), {"visible": False})
        if one.choices:
            for line, choice in enumerate(one.choices):
                lists.write_string(line, at, choice)
            column = xlsxwriter.utility.xl_col_to_name(at)
            page.data_validation(
                1,
                at,
                sheet.limit_rows,
                at,
                {
                    "validate": "list",
                    "source": f"='{_('选项')}'!${column}$1:${column}${len(one.choices)}",
                    "error_title": _("不在可选范围内"),
                    "error_message": _("请从下拉列表中选择。"),
                },
            )
    key_at = len(sheet.fields)
    page.write_string(0, key_at, _(KEY_TITLE), may)
    page.set_column(key_at, key_at, 38, text, {"hidden": True})
    for line, (key, values) in enumerate(rows, 1):
        for at, one in enumerate(sheet.fields):
            value = values.get(one.id)
            if value not in (None, ""):
                page.write_string(line, at, str(value), text)
        page.write_string(line, key_at, key, text)
    return _sent(book, file, f"{sheet.title}")


def errors_workbook(sheet: Sheet, report: Report) -> FileResponse:
    """Return the rows as they came, faulty cells coloured, each row's sentences in a column at the end."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    book = _book(file)
    page = book.add_worksheet(_sheet_name(str(sheet.title)))
    red = book.add_format({"bg_color": "#FCE0DE", "border": 1, "border_color": "#C0392B", "num_format": "@"})
    note = book.add_format({"font_color": "#A3261B", "text_wrap": True})
    plain = book.add_format({"num_format": "@"})
    bold = book.add_format({"bold": True, "bg_color": "#E3F0EE", "num_format": "@"})
    by_line: dict[int, list[CellError]] = {}
    for error in report.errors:
        by_line.setdefault(error.line, []).append(error)
    width = max(len(row) for row in report.table.rows)
    page.set_column(0, max(width - 1, 0), 16, plain)
    page.set_column(width, width, 60)
    if "" in report.columns:
        page.set_column(report.columns[""], report.columns[""], 38, plain, {"hidden": True})
    for line, cells in enumerate(report.table.rows, 1):
        errors = by_line.get(line, [])
        faulty = {error.column for error in errors}
        for at in range(width):
            value = cells[at] if at < len(cells) else ""
            style = bold if line == report.head_line else red if at in faulty else plain
            if value or at in faulty:
                page.write_string(line - 1, at, value[:32_767], style)
        if line == report.head_line:
            page.write_string(line - 1, width, _("需要改正"), bold)
        elif errors:
            page.write_string(line - 1, width, "；".join(_said(error) for error in errors), note)
    return _sent(book, file, _("{title} 需要改正").format(title=sheet.title))


def _said(error: CellError) -> str:
    return f"{error.title}：{error.message}" if error.title else error.message


def _book(file: Any) -> xlsxwriter.Workbook:
    options = {"strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    return xlsxwriter.Workbook(file, options)


def _sent(book: xlsxwriter.Workbook, file: Any, name: str) -> FileResponse:
    book.close()
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def _sheet_name(title: str) -> str:
    return "".join(letter for letter in title if letter not in "[]:*?/\\'")[:31] or "1"
