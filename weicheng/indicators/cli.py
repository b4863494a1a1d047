"""`weicheng figures`: the figures of an area and a year or month, as JSON or as a table."""

import argparse
import json
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone

from weicheng.indicators.figures import months_of
from weicheng.indicators.tables import COLUMNS, Table, table
from weicheng.places.actor import Actor
from weicheng.places.areas import area as area_of
from weicheng.places.areas import within
from weicheng.places.roles import POWERS, Role
from weicheng.rules.areas import level_of
from weicheng.rules.figures import Period


def reader_of(area: str) -> Actor:
    """Return an actor who reads everything within an area and changes nothing; RuleError for an unknown code."""
    level_of(area)
    found = area_of(area)
    return Actor(
        key="system",
        name="系统",
        role=Role.EXPERT,
        powers=POWERS[Role.EXPERT],
        area=area,
        area_name=found.name,
        reach=within(area),
    )


def main(argv: Sequence[str]) -> int:
    """Print the figures; return the exit code. A refusal is left to the command line to say."""
    options = argparse.ArgumentParser(
        prog="weicheng figures", description="print figures of an area · 输出统计数字"
    )
    options.add_argument("--area", required=True, metavar="CODE", help="area code · 区划代码，如 320311")
    options.add_argument("--year", required=True, type=int, help="year · 年份，如 2026")
    options.add_argument("--month", type=int, choices=range(1, 13), metavar="1-12", help="month · 月份")
    shape = options.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="as JSON · 输出 JSON")
    shape.add_argument("--table", action="store_true", help="as a table (default) · 输出表格（默认）")
    given = options.parse_args(list(argv))
    period = Period.month(f"{given.year:04d}-{given.month:02d}") if given.month else Period.year(given.year)
    actor, now = reader_of(given.area), timezone.now()
    made = table(actor=actor, area=given.area, period=period, as_of=now)
    if given.json:
        text = json.dumps(as_json(actor, made, now), ensure_ascii=False, indent=2)
    else:
        text = as_text(made)
    sys.stdout.write(text + "\n")
    return 0


def as_json(actor: Actor, made: Table, now: datetime) -> dict[str, Any]:
    """Return figures of the area, its months and its children; each figure in the one shape of `rules.figures`."""
    return {
        "area": {"code": made.area, "name": made.name},
        "period": {
            "start": made.period.start.isoformat(),
            "end": made.period.end.isoformat(),
            "label": made.period.label,
        },
        "as_of": timezone.localtime(now).isoformat(),
        "figures": {key: made.total.figures[key].as_json() for key in COLUMNS},
        "months": [
            {key: month[key] for key in ("month", "opened", "closed")}
            for month in months_of(actor=actor, area=made.area, period=made.period)
        ],
        "below": [
            {
                "code": line.area,
                "name": line.name,
                "figures": {key: line.figures[key].as_json() for key in COLUMNS},
            }
            for line in made.lines
        ],
    }


def as_text(made: Table) -> str:
    """Return the table with its columns lined up; a Chinese character takes two columns of a terminal."""
    head = ["", *(title for _key, title, _definition in made.head)]
    rows = [head] + [
        [line.name, *(f"{cell['text']}{cell['unit'] if cell['unit'] == '%' else ''}" for cell in line.cells)]
        for line in (made.total, *made.lines)
    ]
    widths = [max(_width(row[at]) for row in rows) for at in range(len(head))]
    lines = [f"{made.name} {made.period.label}  截至 {timezone.localtime(made.as_of):%Y-%m-%d %H:%M}"]
    for row in rows:
        first = row[0] + " " * (widths[0] - _width(row[0]))
        rest = (" " * (widths[at] - _width(row[at])) + row[at] for at in range(1, len(row)))
        lines.append("  ".join((first, *rest)).rstrip())
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
