"""Read a workbook that came from outside, in a process of its own with a limit on memory and time.

Run as `python -m weicheng.ui.reading`: bytes on standard input, JSON on standard output, exit status 0; or a
reason ("password", "unreadable") and status 3. A workbook of a few kilobytes can claim a billion cells; here
that ends this process and not the server. Imports nothing of Django, so that it starts in a moment.
"""

import datetime as dt
import io
import json
import sys
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_S = 30


def main() -> int:
    _limit()
    from python_calamine import CalamineError, PasswordError, load_workbook

    most_rows, most_columns = int(sys.argv[1]), int(sys.argv[2])
    try:
        book = load_workbook(io.BytesIO(sys.stdin.buffer.read()))
        visible = [meta.name for meta in book.sheets_metadata if "Visible" in str(meta.visible)]
        name = (visible or book.sheet_names)[0] if book.sheet_names else ""
        sheet = book.get_sheet_by_name(name) if name else None
        # From A1 and not from the first filled cell, so that line numbers are those the reader sees.
        rows = sheet.to_python(skip_empty_area=False) if sheet else []
    except PasswordError:
        return _no("password")
    except (CalamineError, OSError, ValueError):
        return _no("unreadable")
    width = max((_used(row) for row in rows), default=0)
    height = max((line for line, row in enumerate(rows, 1) if _used(row)), default=0)
    kept = [[_plain(cell) for cell in row[:most_columns]] for row in rows[: min(height, most_rows)]]
    json.dump({"width": width, "height": height, "rows": kept}, sys.stdout)
    return 0


def _limit() -> None:
    try:
        import resource
    except ImportError:  # not on Windows; the parent's patience is the only limit there
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _no(reason: str) -> int:
    json.dump({"reason": reason}, sys.stdout)
    return 3


def _used(row: list[Any]) -> int:
    return max((at for at, cell in enumerate(row, 1) if cell not in ("", None)), default=0)


def _plain(cell: Any) -> Any:
    if isinstance(cell, float):
        # Every number of a workbook is a float: 13.0 was typed as 13.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return "" if cell is None else str(cell)


if __name__ == "__main__":
    sys.exit(main())
