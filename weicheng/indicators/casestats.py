"""Case statistics from a file (`weicheng casestats`): read, work out, print. No database is touched."""

import argparse
import csv
import io
import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from weicheng.rules.casestats import Book, Report, Sheet, Value, as_json, plain_name, read_book, report
from weicheng.rules.errors import N_, RuleError

BOOK = Path(__file__).resolve().parent.parent / "packs" / "statistics" / "case-rates.yaml"
MOST_BYTES = 5_000_000

EPILOG = """\
FILE is JSON, YAML or CSV: one set of counts, or a list of them under "months", oldest first. Counts are named in
English or Chinese (closed or 结案数; `--names` lists them all). A count that is not known is left out or null.
A CSV has a row of names and one row a month, or two columns: name, number.

JSON out (stable): {"edition", "source", "months": [SHEET], "whole": SHEET}; SHEET = {"label", "counts", "rates",
"carry_over": {"expected", "given", "holds", "missing"}, "stated", "unknown"}; rates[id] = {"name", "value" (per cent,
two places, or null), "numerator", "denominator", "denominator_key", "formula", "source", "confidence", "reason"}.
"whole" counts what was carried over between months once.

Exit codes: 0 done, 1 the file is refused (one sentence on stderr), 2 the command line is wrong.
"""


@cache
def book() -> Book:
    """Return the rates and counts that come with the program."""
    return read_book(yaml.safe_load(BOOK.read_text(encoding="utf-8")))


def main(argv: Sequence[str]) -> int:
    """Print the rates of the counts in a file; return the exit code. A refusal is left to the command line to say."""
    parser = argparse.ArgumentParser(
        prog="weicheng casestats",
        description="case rates from counts · 由数量计算立案率、结案率、按期结案率等",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", metavar="FILE", help="JSON, YAML or CSV; - reads standard input · 数量文件")
    what.add_argument("--names", action="store_true", help="list the counts and rates · 列出可用的数量名称")
    parser.add_argument("--json", action="store_true", help="as JSON · 输出 JSON")
    given = parser.parse_args(list(argv))
    if given.names:
        sys.stdout.write(_names(book()) + "\n")
        return 0
    rows, text_numbers = read(given.input)
    made = report(book(), rows, text_numbers=text_numbers)
    unknown = sorted({name for one in made.months for name in one.unknown})
    if unknown:
        sys.stderr.write(
            f"不认识的名称，未计入：{'、'.join(unknown)}（weicheng casestats --names 列出可用的名称）\n"
        )
    text = json.dumps(as_json(made), ensure_ascii=False, indent=2) if given.json else as_text(made)
    sys.stdout.write(text + "\n")
    return 0


# --- reading ---------------------------------------------------------------------------------------


def read(name: str) -> tuple[list[dict[str, Any]], bool]:
    """Return the rows of a file and whether its numbers are texts; RuleError("file-…") where it cannot be read."""
    try:
        data = sys.stdin.buffer.read(MOST_BYTES + 1) if name == "-" else _bytes(Path(name))
    except OSError as error:
        raise RuleError("file-missing", N_("打不开文件“{name}”：{why}。请检查路径。"),
                        name=name, why=error.strerror or str(error)) from error  # fmt: skip
    if len(data) > MOST_BYTES:
        raise RuleError("file-too-large", N_("文件超过 {limit} MB。数量文件通常只有几行，请检查。"), limit=5)
    text = _decoded(data)
    if Path(name).suffix.lower() == ".csv":
        return _csv_rows(text), True
    return _rows(_parsed(text)), False


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):  # Excel in China saves a CSV in the second
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RuleError("file-unreadable", N_("文件不是文本。请存为 JSON、YAML 或 CSV。"))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RuleError(
            "file-unreadable",
            N_("文件不是 JSON，也不是 YAML：{why}。请改正后重试。"),
            why=str(error).splitlines()[0][:120] if str(error) else type(error).__name__,
        ) from error


def _rows(data: Any) -> list[dict[str, Any]]:
    """Return one mapping a month, from any of the shapes a file may have."""
    if isinstance(data, Mapping) and isinstance(data.get("months"), list):
        data = data["months"]
    elif isinstance(data, Mapping):
        nested = bool(data) and all(isinstance(each, Mapping) for each in data.values())
        data = [{"month": key, **each} for key, each in data.items()] if nested else [data]
    if not isinstance(data, list) or not all(isinstance(each, Mapping) for each in data):
        raise RuleError(
            "file-shape", N_("文件里应是“名称：数量”，或由它们组成的列表 months。请参照 --help 的说明。")
        )
    return [{str(key): value for key, value in each.items()} for each in data]


def _csv_rows(text: str) -> list[dict[str, Any]]:
    try:
        rows = [row for row in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise RuleError("file-unreadable", N_("CSV 无法读取：{why}。请重新导出。"), why=str(error)) from error
    if not rows:
        return []
    names = book().by_name()
    plain = {plain_name(cell) for cell in rows[0]}
    if all(len(row) == 2 for row in rows) and len(plain & set(names)) < 2:
        # Two columns: a name and its number on each line; a heading line has neither.
        return [
            {
                name.strip(): value.strip()
                for name, value in rows
                if name.strip() not in ("key", "名称", "项目")
            }
        ]
    head = [cell.strip() for cell in rows[0]]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise RuleError(
                "file-shape",
                N_("CSV 第 {number} 行有 {cells} 列，表头有 {head} 列。请对齐。"),
                number=number,
                cells=len(row),
                head=len(head),
            )
    return [dict(zip(head, (cell.strip() for cell in row), strict=True)) for row in rows[1:]]


# --- printing --------------------------------------------------------------------------------------


def as_text(made: Report) -> str:
    """Return the rates as a table: one column a month, the whole last; a rate with its two counts."""
    columns = [*made.months, *([made.whole] if len(made.months) > 1 else [])]
    labels = [one.label for one in made.months] + (["合计"] if len(made.months) > 1 else [])
    rows = [["", *labels]]
    for rate in made.book.rates:
        values = [one.rate(rate.id) for one in columns]
        if any(value.ratio is not None for value in values):
            rows.append([rate.name, *(_cell(value) for value in values)])
    rows.append(["期末未结", *(_open_end(one) for one in columns)])
    widths = [max(_width(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = [
        "  ".join(_padded(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    hidden = [
        rate.name for rate in made.book.rates if all(one.rate(rate.id).ratio is None for one in columns)
    ]
    if hidden:
        lines.append(f"数量不全，未计算：{'、'.join(hidden)}")
    for one in made.months:
        for stated in one.stated:
            name = one.rate(stated.rate_id).rate.name
            said = {True: "相符", False: "不符", None: "无法核对"}[stated.agrees]
            lines.append(f"{one.label} 文件所写{name} {stated.given}%：与数量{said}")
    return "\n".join(lines)


def _cell(value: Value) -> str:
    if value.ratio is None:
        return "—"
    number = value.number()
    counts = f"{value.ratio.numerator}/{value.ratio.denominator}"
    return f"{number}% ({counts})" if number is not None else f"未评定 ({counts})"


def _open_end(one: Sheet) -> str:
    value = one.balance.given if one.balance.given is not None else one.balance.expected
    return "—" if value is None else str(value)


def _names(of: Book) -> str:
    counts = [
        f"{each.id}  {each.name}" + (f"（{'、'.join(each.aliases)}）" if each.aliases else "")
        for each in of.counts
    ]
    rates = [
        f"{each.id}  {each.name} = {each.formula}（{each.confidence}；{each.source}）" for each in of.rates
    ]
    return "\n".join(["数量：", *counts, "", "指标：", *rates])


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
