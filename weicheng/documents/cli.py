"""`weicheng bulletin`: the bulletin of an area and month as a Word file, without the web."""

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from django.utils import timezone

from weicheng.documents.actions import bulletin_content
from weicheng.documents.files import layout_for, word_of
from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import Period


def main(argv: Sequence[str]) -> int:
    """Write the bulletin; return the exit code. The page's draft of the same records is the same file."""
    options = argparse.ArgumentParser(
        prog="weicheng bulletin", description="write the bulletin of an area and month · 生成督查通报（Word）"
    )
    options.add_argument("--area", required=True, metavar="CODE", help="area code · 区划代码，如 320311")
    options.add_argument("--month", required=True, metavar="YYYY-MM", help="month · 月份，如 2026-10")
    options.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="Word file to write · 输出文件"
    )
    options.add_argument(
        "--as-of",
        metavar="MOMENT",
        help="count as of this moment, ISO 8601 (default now) · 统计截止时刻，默认现在",
    )
    given = options.parse_args(list(argv))
    period, as_of = Period.month(given.month), _moment(given.as_of)
    content = bulletin_content(area=given.area, period=period, as_of=as_of)
    data = word_of([content], layout_for(content, owner=given.area), at=as_of)
    target = Path(given.output)
    try:
        target.write_bytes(data)
    except OSError as error:
        raise RuleError(
            "not-writable", N_("文件 {name} 写不进去（{reason}）。请检查文件夹是否存在、能否写入。"),
            name=target.name, reason=error.strerror or type(error).__name__,
        ) from None  # fmt: skip
    sys.stdout.write(f"{content.title}  {target}  {len(data)} bytes\n")
    return 0


def _moment(text: str | None) -> datetime:
    if text is None:
        return timezone.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RuleError(
            "moment-unreadable", N_("时刻“{text}”无法识别。请写成 2026-11-01T08:00 的样子。"), text=text[:40]
        ) from None
    return found if found.tzinfo else timezone.make_aware(found)
