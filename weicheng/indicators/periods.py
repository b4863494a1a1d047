"""Periods as they stand in a URL: 2026, 2026-H1, 2026-Q3, 2026-10, or two days."""

import re
from dataclasses import dataclass
from datetime import date

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.figures import Period

MONTHS, QUARTERS, HALVES, YEARS = 14, 6, 4, 3  # how many of each are offered


@dataclass(frozen=True)
class Offer:
    """A period to choose: its text in the URL, and how it is called."""

    text: str
    label: str


def read(text: str, start: str, end: str, today: date) -> tuple[str, Period]:
    """Return the chosen period with its text; two days win over a text; nothing gives this month.

    RuleError("period-unreadable" | "period-order" | "period-days") for what makes no sense.
    """
    if start or end:
        return "", Period.between(_day(start), _day(end))
    text = text or f"{today:%Y-%m}"
    found = re.fullmatch(r"([0-9]{4})(?:-([HQ])([1-4]))?", text)
    if found is None:
        return text, Period.month(text)
    year, kind, number = int(found[1]), found[2], int(found[3] or 0)
    if kind == "Q":
        return text, Period.quarter(year, number)
    return text, Period.half_year(year, number) if kind == "H" else Period.year(year)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleError(
            "period-days",
            N_("起止日期“{text}”无法识别。请把两个日期都选上，例如 2026-10-01 和 2026-10-31。"),
            text=text[:40],
        ) from None


def offers(today: date) -> list[tuple[str, list[Offer]]]:
    """Return what is offered as (kind, offers) pairs, the newest first."""
    quarter, half = (today.month - 1) // 3, (today.month - 1) // 6
    months = [divmod(today.year * 12 + today.month - 1 - back, 12) for back in range(MONTHS)]
    quarters = [divmod(today.year * 4 + quarter - back, 4) for back in range(QUARTERS)]
    halves = [divmod(today.year * 2 + half - back, 2) for back in range(HALVES)]
    return [
        (N_("月"), [_offer(f"{year}-{month + 1:02d}", today) for year, month in months]),
        (N_("季度"), [_offer(f"{year}-Q{number + 1}", today) for year, number in quarters]),
        (N_("半年"), [_offer(f"{year}-H{number + 1}", today) for year, number in halves]),
        (N_("年"), [_offer(str(today.year - back), today) for back in range(YEARS)]),
    ]


def _offer(text: str, today: date) -> Offer:
    return Offer(text, read(text, "", "", today)[1].label)


def year_up_to(period: Period) -> Period:
    """Return the twelve months that end with the last month of a period, or the period where it is longer."""
    last = Period.month(f"{period.end:%Y-%m}")
    first = last
    for _step in range(11):
        first = first.previous()
    return Period.between(min(first.start, period.start.replace(day=1)), last.end)
