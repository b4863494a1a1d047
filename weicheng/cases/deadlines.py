"""Deadlines of cases: from the editions in force to a moment, and back to the explanation."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from weicheng.cases.models import Case
from weicheng.rules.cases import clock_plan
from weicheng.rules.deadlines import Deadline, deadline, parse_limit
from weicheng.rules.errors import N_, RuleError
from weicheng.standards import editions

ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Running:
    """A clock that runs: the limit as written, the deadline it gives, and the editions that said so."""

    limit: str
    clock_from: datetime
    deadline: Deadline
    calendar_edition: int
    limit_editions: str

    def put_on(self, case: Case) -> None:
        """Write this clock onto the head row; the caller saves it."""
        case.limit = self.limit
        case.clock_from = self.clock_from
        case.calendar_edition = self.calendar_edition
        case.limit_editions = self.limit_editions
        case.due_at = self.deadline.due_at
        case.warn_at = self.deadline.warn_at
        case.due_provisional = self.deadline.provisional
        case.next_at = clock_plan(self.clock_from, self.deadline.warn_at, self.deadline.due_at)[0][0]


def start_clock(area: str, category: str, severity: str, at: datetime) -> Running:
    """Return the clock of a case of this category and severity in this area, started at this moment.

    RuleError("no-edition") when no calendar or severity scale is in force there on that day.
    """
    on = at.astimezone(ZONE).date()
    limit, limit_editions = editions.limit_of(area, on, category, severity)
    return _run(limit, area, at, ",".join(str(edition) for edition in limit_editions))


def require_day(due_on: date, at: datetime) -> None:
    """RuleError("due-day") for an ordered day before the day of `at`, or more than a year after it."""
    on = at.astimezone(ZONE).date()
    if not on <= due_on <= on + timedelta(days=366):
        raise RuleError(
            "due-day", N_("整改期限 {due_on} 应在今天 {on} 到一年之内。请改选日期。"), due_on=due_on, on=on
        )


def order_day(case: Case, due_on: date, at: datetime) -> None:
    """Put a deadline that an officer ordered onto a head whose clock has just started: the end of that day.

    The caller has asked `require_day`.
    """
    case.due_at = datetime.combine(due_on, time(23, 59, 59), ZONE)
    # As where the limit is counted: warned when a third of the time is left.
    case.warn_at = at + (case.due_at - at) * 2 / 3
    case.due_provisional = False
    case.next_at = clock_plan(at, case.warn_at, case.due_at)[0][0]


def restart_clock(case: Case, at: datetime, *, on: date | None = None) -> Running:
    """Return the same limit counted again from `at`: a failed verification starts it anew.

    on: the day whose calendar is used; today's, where a new calendar is applied to a clock that runs already
    """
    return _run(case.limit, case.area, at, case.limit_editions, on)


def _run(limit: str, area: str, at: datetime, limit_editions: str, on: date | None = None) -> Running:
    loaded = editions.calendar(area, on or at.astimezone(ZONE).date())
    result = deadline(at.astimezone(ZONE), parse_limit(limit), loaded.calendar)
    return Running(limit, at, result, loaded.edition_id, limit_editions)


def explain(case: Case) -> Deadline | None:
    """Return the deadline with its steps, computed again under the edition it was computed with.

    None where the deadline does not come from counting: before there is one, after an extension, and where an
    officer ordered the day.
    """
    if case.clock_from is None or case.calendar_edition is None or not case.limit:
        return None
    calendar = editions.calendar_by_id(case.calendar_edition).calendar
    counted = deadline(case.clock_from.astimezone(ZONE), parse_limit(case.limit), calendar)
    return counted if counted.due_at == case.due_at else None
