"""What the statistics of cases count, each as one condition: the same for the count and for the list behind it.

What is found is counted by whole cases, and what was cancelled or withdrawn only among the reports. What is done
(派遣 处置 核查) is counted by cases with such a step in the period, parts included, because units do it.
Everything is counted as the records stand now: a case reopened after the period is open at its end.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.db.models import Q, QuerySet
from django.utils.timezone import make_aware
from django.utils.translation import gettext

from weicheng.cases.models import Event
from weicheng.rules.cases import Move, State
from weicheng.rules.errors import N_
from weicheng.rules.figures import Period

_CANCELLED = Q(state=State.CANCELLED.value)
_CLOSED = Q(state=State.CLOSED.value)


def bounds(period: Period) -> tuple[datetime, datetime]:
    """Return the first moment of the period and the first after it."""
    after = period.end + timedelta(days=1)
    return make_aware(datetime.combine(period.start, time.min)), make_aware(datetime.combine(after, time.min))


def due_by(period: Period, as_of: datetime) -> Q:
    """Return "had to be settled by the end of the period"; of a running period, by now."""
    return Q(due_at__lt=min(bounds(period)[1], as_of))


# Three slices of the table, each served by an index of its own; a count is a sum over slices. They overlap, so a
# count names the slices it wants and what it wants of each.
SLICES: Mapping[str, Callable[[Period], Q]] = {
    "opened": lambda period: Q(opened_on__range=(period.start, period.end)),
    "open": lambda period: Q(open=True, opened_on__lte=period.end),
    "ended": lambda period: Q(closed_on__gte=period.start, opened_on__lte=period.end) & _CLOSED,
}


@dataclass(frozen=True)
class Head:
    """A count over cases. parts: slice -> what of it is counted, from the period and the moment."""

    title: str
    definition: str
    parts: Mapping[str, Callable[[Period, datetime], Q]]


def _all(_period: Period, _as_of: datetime) -> Q:
    return Q()


HEADS: Mapping[str, Head] = {
    "reported": Head(N_("上报数"), N_("期内上报的问题数，后来撤销的也在内。"), {"opened": _all}),
    "registered": Head(
        N_("立案数"), N_("期内立案的事项数，不含已撤销的。"), {"opened": lambda _p, _n: ~_CANCELLED}
    ),
    "repeated": Head(
        N_("重复案件数"),
        N_("期内立案、且为同一地点同类问题反复的事项数。"),
        {"opened": lambda _p, _n: ~_CANCELLED & Q(repeats__gt=0)},
    ),
    "open_start": Head(
        N_("期初未结数"),
        N_("期初之前立案、期初尚未结案的事项数，即上期结转。"),
        {"open": lambda p, _n: Q(opened_on__lt=p.start), "ended": lambda p, _n: Q(opened_on__lt=p.start)},
    ),
    "should_close": Head(
        N_("应结案数"),
        N_("期内结案的，和到期末已过期限仍未结案的事项数；未到期不计，结转的计入。"),
        {
            "open": due_by,
            "ended": lambda p, n: Q(closed_on__lte=p.end) | due_by(p, n),
        },
    ),
    "closed": Head(
        N_("结案数"),
        N_("期内核查通过而结案的事项数，不论何时立案。"),
        {"ended": lambda p, _n: Q(closed_on__lte=p.end)},
    ),
    "closed_in_time": Head(
        N_("按期结案数"),
        N_("期内结案、且最后一次上报整改不晚于期限的事项数。"),
        {"ended": lambda p, _n: Q(closed_on__lte=p.end, on_time=True)},
    ),
    "open_end": Head(
        N_("期末未结数"),
        N_("期末尚未结案的事项数，即结转下期。"),
        {"open": _all, "ended": lambda p, _n: Q(closed_on__gt=p.end)},
    ),
}


@dataclass(frozen=True)
class Done:
    """A count over cases with one of these steps in the period; also: what else the case must be."""

    title: str
    definition: str
    moves: tuple[Move, ...]
    also: Q = field(default_factory=Q)


DONE: Mapping[str, Done] = {
    "dispatched": Done(N_("派遣数"), N_("期内派遣过的事项数（拆分的按分办件计）。"), (Move.DISPATCH,)),
    "wrongly_dispatched": Done(
        N_("错误派遣数"), N_("期内被单位以“非本单位”退回的事项数，即错误派遣。"), (Move.DECLINE,)
    ),
    "returned": Done(N_("退回案件数"), N_("期内退回派遣的事项数。"), (Move.DECLINE,)),
    "handled": Done(N_("处置数"), N_("期内上报过整改的事项数。"), (Move.HAND_IN,)),
    "reworked": Done(N_("返工案件数"), N_("期内核查不通过而返工的事项数。"), (Move.FAIL,)),
    "checked": Done(N_("核查数"), N_("期内核查过的事项数，通过与不通过都在内。"), (Move.PASS, Move.FAIL)),
    "passed_at_once": Done(
        N_("一次核查通过数"), N_("期内核查通过、从未返工的事项数。"), (Move.PASS,), Q(rework=0)
    ),
}
COUNTED = (*HEADS, *DONE)


def steps(moves: tuple[Move, ...], period: Period) -> QuerySet[Event]:
    """Return the steps of these kinds in the period."""
    start, after = bounds(period)
    return Event.objects.filter(move__in=[move.value for move in moves], at__gte=start, at__lt=after)


def condition(key: str, period: Period, as_of: datetime, *, whole: bool) -> Q:
    """Return the cases that one count counts; whole: leave out parts of what is found, as areas do."""
    if key in DONE:
        done = DONE[key]
        return Q(pk__in=steps(done.moves, period).values("case_id")) & done.also
    found = Q(pk__in=[])
    for name, wanted in HEADS[key].parts.items():
        found |= SLICES[name](period) & wanted(period, as_of)
    return found & Q(parent__isnull=True) if whole else found


def read_query(text: str) -> tuple[str, Period]:
    """Return count and period of "closed.2026-10-01.2026-10-31"; ValueError for anything else."""
    key, start, end = text.split(".")
    if key not in COUNTED:
        raise ValueError(text)
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    if last < first:
        raise ValueError(text)
    return key, Period.between(first, last)


def query_of(key: str, period: Period) -> str:
    """Return a count and a period as the list of cases reads them."""
    return f"{key}.{period.start}.{period.end}"


def label_of(text: str) -> str | None:
    """Return what a list narrowed to one of these counts says, None for nonsense."""
    try:
        key, period = read_query(text)
    except ValueError:
        return None
    return f"{gettext(titles()[key])} {period.label}"


def titles() -> dict[str, str]:
    """Return count -> its name; the same names as in the pack of rates, which a test compares."""
    return {
        **{key: head.title for key, head in HEADS.items()},
        **{key: done.title for key, done in DONE.items()},
    }
