"""Deadlines that explain themselves: a limit, a calendar and a start give a moment and the days behind it.

Source of the five kinds of counting: `time_limits` of the urban-management case catalogue, practice under
GB/T 30428.
Days off, make-up days (调休) and office hours are data of a calendar edition, never of this module.

How it is counted

- URGENT_HOUR, URGENT_DAY, NATURAL_DAY run on by day and night; n days end n x 24 hours after the start.
- WORK_HOUR runs only inside the office hours of working days. A start outside them waits for the next span.
- WORK_DAY: the day of the start is not counted, whatever its hour (Civil Code, article 201). Day one is the
  first working day after it; the limit ends with the last office hour of day n. From a Saturday, "1 working
  day" is therefore the end of Monday.

The warning comes when two thirds are counted in the same way; of working days, a day's part is counted
in its office hours.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from weicheng.rules.errors import N_, RuleError
from weicheng.rules.moments import ZONE, require_aware

# Nobody sets ten years; a larger number is a slip of the hand and would fill the page with steps.
MAX_DAYS = 3660
# A calendar that works every other day gets there within twice the days; one that does not has no end.
MAX_DAYS_WALKED = 2 * MAX_DAYS

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_NOTHING = timedelta(0)


class Counting(StrEnum):
    """How a limit is counted; the unit of its amount is hours or days as the name says."""

    URGENT_HOUR = "urgent_hour"  # 紧急工作时: hours on end, day and night
    URGENT_DAY = "urgent_day"  # 紧急工作日: days on end
    WORK_HOUR = "work_hour"  # 工作时: office hours of working days only
    WORK_DAY = "work_day"  # 工作日: without weekends and public holidays
    NATURAL_DAY = "natural_day"  # 自然日(天): days on end

    @property
    def in_hours(self) -> bool:
        """Is the amount a number of hours? Otherwise it is a number of days."""
        return self in (Counting.URGENT_HOUR, Counting.WORK_HOUR)

    @property
    def asks_calendar(self) -> bool:
        """Does a calendar decide which time counts?"""
        return self in (Counting.WORK_HOUR, Counting.WORK_DAY)


@dataclass(frozen=True)
class Limit:
    """How long something may take.

    amount: hours or days, as `counting` says; above 0, at most 3660 days, at most two decimal places;
    working days are whole

    RuleError: "limit-out-of-range", "limit-too-fine" or "limit-not-whole".
    """

    amount: Decimal
    counting: Counting

    def __post_init__(self) -> None:
        largest = MAX_DAYS * 24 if self.counting.in_hours else MAX_DAYS
        if not (self.amount.is_finite() and 0 < self.amount <= largest):
            raise RuleError(
                "limit-out-of-range",
                N_("时限 {amount} 不在允许的范围内。请填写大于 0、不超过 {largest} 的数。"),
                amount=self.amount,
                largest=largest,
            )
        # Hundredths of an hour are whole seconds, so no deadline is ever rounded.
        if self.amount != round(self.amount, 2):
            raise RuleError(
                "limit-too-fine",
                N_("时限 {amount} 的小数太多。请最多保留两位小数。"),
                amount=self.amount,
            )
        if self.counting is Counting.WORK_DAY and self.amount != int(self.amount):
            raise RuleError(
                "limit-not-whole",
                N_("工作日时限 {amount} 不是整数。请填写整数，或改用工作时。"),
                amount=self.amount,
            )


# The city tables write "1紧急工作时制止": stop it within one hour. The limit is the hour; the text stays in
# the edition for people to read.
_LIMIT = re.compile(
    r"(?P<amount>[0-9]+(?:\.[0-9]+)?)个?"
    r"(?P<unit>紧急工作时|紧急工作日|工作小时|工作时|工作日|小时|自然日|天|日)"
    r"(?:之?内)?(?:制止)?"
)
_UNITS = {
    "紧急工作时": Counting.URGENT_HOUR,
    "紧急工作日": Counting.URGENT_DAY,
    "工作小时": Counting.WORK_HOUR,
    "工作时": Counting.WORK_HOUR,
    "小时": Counting.WORK_HOUR,
    "工作日": Counting.WORK_DAY,
    "自然日": Counting.NATURAL_DAY,
    "天": Counting.NATURAL_DAY,
    "日": Counting.NATURAL_DAY,
}


def parse_limit(text: str) -> Limit:
    """Return the limit that a text of a standard means: "2紧急工作时", "4小时", "15天", "3个工作日".

    The wording decides how it is counted; full-width digits and spaces are read too.

    RuleError("limit-unreadable"): the text is no limit; the errors of `Limit` for its amount.
    """
    found = _LIMIT.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None:
        raise RuleError(
            "limit-unreadable",
            N_("时限“{text}”无法识别。请写成数字加单位，例如 2紧急工作时、4小时、3个工作日、15天。"),
            text=text[:40],
        )
    return Limit(Decimal(found["amount"]), _UNITS[found["unit"]])


@dataclass(frozen=True)
class WorkCalendar:
    """One edition of a place's working time.

    edition: its id, named by every deadline computed with it
    hours: office hours of a working day as (from, to), in order, without overlap
    off_days: days off that are no plain weekend, with the holiday's name
    make_up_days: days worked in exchange (调休上班), with the holiday's name
    announced_years: years whose holidays have been announced

    RuleError: "calendar-hours" or "calendar-day-twice".
    """

    edition: str
    hours: tuple[tuple[time, time], ...]
    off_days: Mapping[date, str]
    make_up_days: Mapping[date, str]
    announced_years: frozenset[int]
    # The same hours as distances from midnight: computed once, as a deadline asks for them on every day.
    _spans: tuple[tuple[timedelta, timedelta], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        edges = [edge for span in self.hours for edge in span]
        out_of_order = any(start >= end for start, end in self.hours)
        overlapping = any(later < earlier for earlier, later in pairwise(edges))
        if not self.hours or out_of_order or overlapping:
            raise RuleError(
                "calendar-hours",
                N_("工作日历“{edition}”的工作时段为空、颠倒或重叠。请按先后顺序填写，例如 08:30 至 12:00。"),
                edition=self.edition,
            )
        for day in sorted(set(self.off_days) & set(self.make_up_days)):
            raise RuleError(
                "calendar-day-twice",
                N_("工作日历“{edition}”中 {day} 既是放假又是调休上班。请只保留一种。"),
                edition=self.edition,
                day=day,
            )
        spans = tuple((_since_midnight(start), _since_midnight(end)) for start, end in self.hours)
        object.__setattr__(self, "_spans", spans)

    @property
    def day_length(self) -> timedelta:
        """Return the office hours of one working day."""
        return sum((end - start for start, end in self._spans), _NOTHING)

    def is_working_day(self, day: date) -> bool:
        """Is work done on this day? Make-up days yes, days off no, otherwise Monday to Friday."""
        return day in self.make_up_days or (day not in self.off_days and day.weekday() < 5)

    def is_announced(self, day: date) -> bool:
        """Have the holidays of the day's year been announced?"""
        return day.year in self.announced_years

    def reason(self, day: date) -> str:
        """Return in Chinese why the day counts or not: "周六", "国庆节", "调休上班（国庆节）", "工作日"."""
        if day in self.make_up_days:
            return N_("调休上班（{name}）").format(name=self.make_up_days[day])
        if day in self.off_days:
            return self.off_days[day]
        return _WEEKEND.get(day.weekday(), N_("工作日"))

    def remaining_spans(self, day: date, since: timedelta) -> list[tuple[timedelta, timedelta]]:
        """Return the office hours left on a day after `since`, as distances from midnight."""
        if not self.is_working_day(day):
            return []
        return [(max(start, since), end) for start, end in self._spans if end > since]


_WEEKEND = {5: N_("周六"), 6: N_("周日")}


@dataclass(frozen=True)
class Step:
    """One day that a deadline touches.

    counted: what was counted on this day, left: what is left after it; hours or days, as the limit is
    reason: why it counted or did not, in Chinese
    """

    day: date
    counted: Decimal
    left: Decimal
    reason: str


@dataclass(frozen=True)
class Deadline:
    """When something is due, and why.

    warn_at: two thirds of the limit are counted, one third is left
    steps: every day from the start to the due day; their `counted` add up to the limit
    provisional: a day among them lies in a year whose holidays are not announced, so it may move. Limits that
    run on by day and night ask no calendar and are never provisional.
    """

    due_at: datetime
    warn_at: datetime
    steps: tuple[Step, ...]
    provisional: bool
    calendar_edition: str


def deadline(start: datetime, limit: Limit, calendar: WorkCalendar) -> Deadline:
    """Return when a limit that starts at `start` ends, with the days that explain it.

    RuleError: "naive-moment" for a start without zone; "deadline-out-of-reach" when the calendar has no
    working time for it within twenty years, or the date leaves the range of dates.
    """
    require_aware(start)
    local = start.astimezone(ZONE)
    try:
        if limit.counting is Counting.WORK_DAY:
            due_at, warn_at, steps = _count_work_days(local, int(limit.amount), calendar)
        elif limit.counting is Counting.WORK_HOUR:
            due_at, warn_at, steps = _count_work_hours(local, limit.amount, calendar)
        elif limit.counting is Counting.URGENT_HOUR:
            due_at, warn_at, steps = _count_hours_on_end(local, limit.amount)
        else:
            due_at, warn_at, steps = _count_days_on_end(local, limit.amount)
    except OverflowError:
        raise _out_of_reach(local) from None
    return Deadline(
        due_at=due_at,
        warn_at=warn_at,
        steps=tuple(steps),
        provisional=limit.counting.asks_calendar
        and not all(calendar.is_announced(step.day) for step in steps),
        calendar_edition=calendar.edition,
    )


def is_overdue(due_at: datetime, closed_at: datetime | None, now: datetime) -> bool:
    """Is (or was) it late? Something closed is judged by when it was closed, something open by now."""
    require_aware(due_at, closed_at, now)
    return (now if closed_at is None else closed_at) > due_at


def was_on_time(due_at: datetime, done_at: datetime) -> bool:
    """Was it handed in or closed not later than due? The due moment itself is on time."""
    require_aware(due_at, done_at)
    return done_at <= due_at


def _count_work_days(
    start: datetime, amount: int, calendar: WorkCalendar
) -> tuple[datetime, datetime, list[Step]]:
    day, left = start.date(), amount
    steps = [Step(day, Decimal(0), Decimal(left), N_("开始当日不计"))]
    # Two thirds of the limit in office hours, so that one working day still has a warning within it.
    before_warning = calendar.day_length * amount * 2 / 3
    warn_at = None
    while left:
        day += _DAY
        _stay_in_reach(start, day)
        counted = 1 if calendar.is_working_day(day) else 0
        left -= counted
        steps.append(Step(day, Decimal(counted), Decimal(left), calendar.reason(day)))
        if counted and warn_at is None:
            if before_warning <= calendar.day_length:
                warn_at = _after(day, calendar.remaining_spans(day, _NOTHING), before_warning)
            before_warning -= calendar.day_length
    due_at = _moment(day, _since_midnight(calendar.hours[-1][1]))
    return due_at, warn_at or due_at, steps


def _count_work_hours(
    start: datetime, amount: Decimal, calendar: WorkCalendar
) -> tuple[datetime, datetime, list[Step]]:
    day, since = start.date(), _since_midnight(start.time())
    left = _span(amount, _HOUR)
    before_warning = left * 2 / 3
    warn_at = None
    steps: list[Step] = []
    shown = amount
    while True:
        _stay_in_reach(start, day)
        spans = calendar.remaining_spans(day, since)
        working = sum((end - begin for begin, end in spans), _NOTHING)
        counted = min(working, left)
        if warn_at is None and before_warning <= counted:
            warn_at = _after(day, spans, before_warning)
        before_warning -= counted
        left -= counted
        reason = calendar.reason(day)
        if not working and calendar.is_working_day(day):
            reason = N_("当日工作时间已过")
        shown, before = _hours(left), shown
        steps.append(Step(day, before - shown, shown, reason))
        if not left:
            due_at = _after(day, spans, counted)
            return due_at, warn_at or due_at, steps
        day, since = day + _DAY, _NOTHING


def _count_hours_on_end(start: datetime, amount: Decimal) -> tuple[datetime, datetime, list[Step]]:
    length = _span(amount, _HOUR)
    due_at = start + length
    steps: list[Step] = []
    moment, shown = start, amount
    while moment < due_at:
        moment = min(due_at, _moment(moment.date() + _DAY, _NOTHING))
        day = start.date() + _DAY * len(steps)
        shown, before = _hours(due_at - moment), shown
        steps.append(Step(day, before - shown, shown, N_("不分昼夜节假日连续计时")))
    return due_at, start + length * 2 / 3, steps


def _count_days_on_end(start: datetime, amount: Decimal) -> tuple[datetime, datetime, list[Step]]:
    """Count a day where its 24 hours are complete: 0 on the first day, 1 on each of the next n."""
    length = _span(amount, _DAY)
    due_at = start + length
    steps: list[Step] = []
    left = amount
    for passed in range((due_at.date() - start.date()).days + 1):
        day = start.date() + _DAY * passed
        after = amount - passed if day < due_at.date() else Decimal(0)
        reason = N_("自然日连续计算") if passed else N_("起算当日")
        steps.append(Step(day, left - after, after, reason))
        left = after
    return due_at, start + length * 2 / 3, steps


def _after(day: date, spans: list[tuple[timedelta, timedelta]], counted: timedelta) -> datetime:
    """Return the earliest moment of the day at which `counted` of the spans has passed."""
    for start, end in spans:
        if counted <= end - start:
            return _moment(day, start + counted)
        counted -= end - start
    raise AssertionError("more was counted on a day than its spans hold")


def _stay_in_reach(start: datetime, day: date) -> None:
    if (day - start.date()).days > MAX_DAYS_WALKED:
        raise _out_of_reach(start)


def _out_of_reach(start: datetime) -> RuleError:
    return RuleError(
        "deadline-out-of-reach",
        N_("从 {start_on} 起算不出到期时间，日历中的工作时间不够。请检查工作日历或缩短时限。"),
        start_on=start.date(),
    )


def _moment(day: date, since_midnight: timedelta) -> datetime:
    return datetime.combine(day, time(0), ZONE) + since_midnight


def _since_midnight(clock: time) -> timedelta:
    return timedelta(
        hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond
    )


def _span(amount: Decimal, unit: timedelta) -> timedelta:
    # An amount has at most two decimal places, so hundredths of a unit are exact.
    return int(amount * 100) * unit / 100


def _hours(span: timedelta) -> Decimal:
    """Return a span in hours to four places, without trailing zeros; for showing, never for counting."""
    ten_thousandths = round(span * 10000 / _HOUR)
    whole, part = divmod(ten_thousandths, 10000)
    # A whole number is not normalized: that would turn 10 into 1E+1.
    return Decimal(ten_thousandths).scaleb(-4).normalize() if part else Decimal(whole)
