"""Rows to a workbook or a CSV file, in bounded memory, through the columns' own formatter."""

import csv
import datetime as dt
import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, override

from weicheng.ui.columns import Column

# A spreadsheet reads a cell that starts with one of these as a formula or a command.
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n")
LONGEST_CELL = 32_767  # Excel's own limit, characters
WIDTHS = {"number": 10, "date": 12, "moment": 18, "state": 12}


def harmless(text: str) -> str:
    """Return `text` so that no spreadsheet runs it: a risky start is led by an apostrophe."""
    return f"'{text}" if text.startswith(RISKY) else text


def csv_cell(column: Column, row: Any) -> str:
    """Return the text of a cell for CSV; a true number keeps its minus sign."""
    value = column.sheet(row)
    text = column.text(row)
    return text if isinstance(value, (int, float, Decimal)) else harmless(text)


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_response(
    name: str, columns: Sequence[Column], chunks: Iterable[Sequence[Any]], last_words: list[str]
) -> StreamingHttpResponse:
    """Stream `name`.csv; the first bytes are the mark by which Excel knows UTF-8."""
    language = get_language()

    def lines() -> Iterator[bytes]:
        writer = csv.writer(_Line())
        with override(language):
            first = "\ufeff" + writer.writerow([str(column.label) for column in columns])
        yield first.encode()
        for chunk in chunks:
            # The language of the request is no longer active while the body is sent.
            with override(language):
                part = "".join(
                    writer.writerow([csv_cell(column, row) for column in columns]) for row in chunk
                )
            yield part.encode()
        for words in last_words:
            yield writer.writerow([words]).encode()

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.csv")
    return response


def xlsx_response(
    name: str, title: str, columns: Sequence[Column], chunks: Iterable[Sequence[Any]], last_words: list[str]
) -> HttpResponseBase:
    """Return `name`.xlsx, written row by row to a temporary file that is deleted once it is sent."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    book = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    head = book.add_format({"bold": True, "bg_color": "#E3F0EE", "bottom": 1, "text_wrap": True})
    written = {
        "date": book.add_format({"num_format": "yyyy-mm-dd", "align": "left"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm", "align": "left"}),
    }
    sheet = book.add_worksheet(_sheet_name(title))
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(columns):
        sheet.set_column(at, at, WIDTHS.get(column.kind, max(14, 2 * len(str(column.label)) + 4)))
        sheet.write_string(0, at, str(column.label), head)
    line = 0
    for chunk in chunks:
        for row in chunk:
            line += 1
            for at, column in enumerate(columns):
                _write(sheet, line, at, column.sheet(row), written.get(column.kind))
    if columns and line:
        sheet.autofilter(0, 0, line, len(columns) - 1)
    for words in last_words:
        line += 1
        sheet.write_string(line, 0, words)
    book.close()
    file.seek(0)
    return FileResponse(
        file,
        as_attachment=True,
        filename=f"{name}.xlsx",
        content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    )


def _write(sheet: Any, line: int, at: int, value: Any, written: Any) -> None:
    if isinstance(value, dt.datetime):
        # Excel knows no day before 1900.
        if value.year < 1900:
            sheet.write_string(line, at, value.strftime("%Y-%m-%d %H:%M"))
        else:
            sheet.write_datetime(line, at, value, written)
    elif isinstance(value, dt.date):
        if value.year < 1900:
            sheet.write_string(line, at, value.isoformat())
        else:
            sheet.write_datetime(line, at, dt.datetime.combine(value, dt.time()), written)
    elif isinstance(value, int | float | Decimal):
        # A workbook keeps fifteen digits; a longer number, or none at all (NaN), stays text.
        if math.isfinite(value) and -(10**15) < value < 10**15:
            sheet.write_number(line, at, value)
        else:
            sheet.write_string(line, at, str(value))
    elif value:
        sheet.write_string(line, at, value[:LONGEST_CELL])


def _sheet_name(title: str) -> str:
    """Return a title Excel accepts: no []:*?/\\, at most 31 characters, not empty."""
    return "".join(letter for letter in title if letter not in "[]:*?/\\'")[:31] or "1"
