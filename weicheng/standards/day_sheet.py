"""Read the days of a work calendar from a sheet with the columns 日期, 类型 (放假 or 上班), 名称."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from weicheng.rules.errors import N_, RuleError
from weicheng.ui import imports

MOST_SHOWN = 5  # faults named at once
_OFF, _WORK = {"放假", "休息", "休"}, {"上班", "调休上班", "班", "补班"}


@dataclass(frozen=True)
class Days:
    off_days: dict[date, str]
    make_up_days: dict[date, str]

    @property
    def years(self) -> set[int]:
        return {day.year for day in (*self.off_days, *self.make_up_days)}


def read_days(name: str, data: bytes) -> Days:
    """Return the days of a workbook or CSV file.

    RuleError: those of `imports.dry_run` for a file that cannot be read; "day-sheet" naming the faulty cells.
    """
    report = imports.dry_run(_DayImport(), data, name)
    if report.errors:
        shown = "；".join(str(error) for error in report.errors[:MOST_SHOWN])
        raise RuleError(
            "day-sheet", N_("表格有 {count} 处要改。{faults}"), count=len(report.errors), faults=shown
        )
    off: dict[date, str] = {}
    work: dict[date, str] = {}
    for plan in report.plans:
        values = plan.row.values
        (off if values["off"] else work)[values["day"]] = values["title"]
    return Days(off, work)


def _day(text: str) -> date:
    plain = "".join(text.split()).replace("年", "-").replace("月", "-").replace("日", "")
    try:
        year, month, day = (int(part) for part in plain.replace("/", "-").replace(".", "-").split("-"))
        return date(year, month, day)
    except ValueError:
        raise RuleError(
            "day-sheet", N_("“{text}”无法识别为日期。请写成 2026-10-01 的样子。"), text=text[:20]
        ) from None


def _is_off(text: str) -> bool:
    word = "".join(text.split())
    if word not in _OFF | _WORK:
        raise RuleError("day-sheet", N_("“{text}”不是日子的类型。请写放假或上班。"), text=text[:20])
    return word in _OFF


class _DayImport(imports.Importer):
    def __init__(self) -> None:
        fields = [
            imports.Field("day", _("日期"), required=True, parse=_day, aliases=("日期",)),
            imports.Field("off", _("类型"), required=True, parse=_is_off, aliases=("类型",)),
            imports.Field("title", _("名称"), required=True, aliases=("名称",)),
        ]
        self.sheet = imports.Sheet("days", _("工作日历"), fields, limit_rows=2000)

    def plan(self, rows: list[imports.Row], fail: imports.Fail) -> list[imports.Plan]:
        seen: set[date] = set()
        for row in rows:
            if row.values["day"] in seen:
                fail(row, "day", _("{day} 前面已经有了。请只保留一行。").format(day=row.values["day"]))
            seen.add(row.values["day"])
        return [imports.Plan(row, "new") for row in rows]
