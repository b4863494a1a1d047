"""What a leader sees first: the state of the area, who stands first and last, and the places to call today.

The places come with the page; state and trend are loaded after it. Every number leads to its records, and none
is typed here: figures are those of `indicators`, rankings those of `assessments`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from weicheng.assessments import ranking
from weicheng.assessments.boards import scheme_of
from weicheng.assessments.models import Board
from weicheng.cases.models import Case, HotSpot
from weicheng.indicators.figures import figures, late_q, shown, standing, url_of
from weicheng.indicators.tables import change
from weicheng.inspections.models import YellowCard
from weicheng.places.actor import Actor
from weicheng.places.actors import today
from weicheng.places.areas import names
from weicheng.places.charges import in_charge_of
from weicheng.places.models import Charge
from weicheng.rules.areas import Level, is_within
from weicheng.rules.calls import Reason, Trouble, Why, worst
from weicheng.rules.cases import OPEN_STATES
from weicheng.rules.errors import N_
from weicheng.rules.figures import Figure, Period, Scope, round_half_up
from weicheng.web.rows import Pairs, cases_url

CALLS = 3
SPOT_DAYS = 30  # a place where nothing came back for so long needs no call
ENDS = 3  # named at either end of a ranking
GROUPS = 3  # shown of a ranking; the rest stands on its page

_OPEN: Pairs = tuple(("state", state.value) for state in OPEN_STATES)
_BELOW = {Level.PROVINCE: Level.CITY, Level.CITY: Level.DISTRICT, Level.DISTRICT: Level.STREET,
          Level.STREET: Level.COMMUNITY, Level.COMMUNITY: Level.GRID}  # fmt: skip


# --- the places to call ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """One reason in words: what, where its records are, and what else is known of it."""

    text: str
    url: str
    note: str = ""


@dataclass(frozen=True)
class Call:
    """A place to call today: why, and whom. url: its figures; charges: who is in charge of it"""

    area: str
    name: str
    url: str
    why: Sequence[Said]
    charges: Sequence[Charge]


@dataclass(frozen=True)
class _Late:
    """Overdue now; oldest_days: whole days the oldest is over; supervised: of them, under supervision."""

    count: int
    oldest_days: int
    supervised: int


def calls(actor: Actor, now: datetime) -> list[Call]:
    """Return the children of the reader's area to ask about first; at most six statements."""
    below = _BELOW.get(actor.level) if actor.level else None
    if below is None:
        return []
    on = today(now)
    late = _late(actor, now, below.column)
    spots = _counted(
        HotSpot.objects.visible_to(actor).filter(listed=True, last_on__gte=on - timedelta(days=SPOT_DAYS)), below.column
    )  # fmt: skip
    cards = _counted(
        YellowCard.objects.visible_to(actor).filter(state=YellowCard.State.OPEN.value), below.column
    )
    falls = _falls(actor, below)
    troubles = []
    for code in {*late, *spots, *cards, *falls}:
        reasons = [
            Reason(Why.OVERDUE, late[code].count, max(one.count for one in late.values())) if code in late else None,
            Reason(Why.FALL, -(ranking.rank_change(falls[code]) or 0), falls[code].group_size) if code in falls else None,
            Reason(Why.SPOTS, spots[code], max(spots.values())) if code in spots else None,
            Reason(Why.CARDS, cards[code], max(cards.values())) if code in cards else None,
        ]  # fmt: skip
        told = tuple(reason for reason in reasons if reason)
        troubles.append(Trouble(code, told, late[code].oldest_days if code in late else 0))
    found = worst(troubles, CALLS)
    codes = [one.area for one in found]
    held = in_charge_of(codes, on) if codes else {}
    called = names(codes)
    return [
        Call(
            one.area,
            called[one.area],
            f"{reverse('figures')}?{urlencode({'area': one.area})}",
            [_said(reason, one.area, late, falls, on) for reason in one.reasons],
            held[one.area],
        )
        for one in found
    ]


def _late(actor: Actor, now: datetime, column: str) -> dict[str, _Late]:
    rows = (
        Case.objects.visible_to(actor)
        .filter(late_q(now))
        .exclude(**{column: ""})
        .values(column)
        .annotate(
            late=Count("pk"),
            oldest=Min("due_at"),
            supervised=Count("pk", filter=Q(supervised_at__isnull=False)),
        )
        .order_by()
    )
    return {row[column]: _Late(row["late"], (now - row["oldest"]).days, row["supervised"]) for row in rows}


def _counted(rows: QuerySet, column: str) -> dict[str, int]:
    counted = rows.exclude(**{column: ""}).values(column).annotate(count=Count("pk")).order_by()
    return {row[column]: row["count"] for row in counted}


def _falls(actor: Actor, below: Level) -> dict[str, ranking.RankRow]:
    """Return child -> the row that fell furthest in it, of the newest published ranking."""
    board = ranking.newest_board(actor)
    found: dict[str, ranking.RankRow] = {}
    for row in ranking.rows(board) if board else ():
        moved = ranking.rank_change(row)
        if moved is None or moved >= 0 or not actor.covers(row.code) or len(row.code) < below:
            continue
        child = row.code[:below]
        if child not in found or moved < (ranking.rank_change(found[child]) or 0):
            found[child] = row
    return found


def _said(
    reason: Reason, area: str, late: Mapping[str, _Late], falls: Mapping[str, ranking.RankRow], on: date
) -> Said:
    if reason.why is Why.OVERDUE:
        url = cases_url((*_OPEN, ("overdue", "1"), ("area", area), ("order", "due_at")))
        return Said(_("超期 {count} 件").format(count=reason.amount), url, _late_note(late[area]))
    if reason.why is Why.FALL:
        row = falls[area]
        said = _("名次下降 {count} 名").format(count=reason.amount)
        note = _("现第 {rank} 名，共 {size} 个").format(rank=row.rank, size=row.group_size)
        if row.code != area:
            note = f"{row.name} · {note}"
        return Said(said, reverse("assessments:sheet", args=[row.sheet_uid]), note)
    if reason.why is Why.SPOTS:
        query = {"listed": "1", "area": area, "last_on_from": on - timedelta(days=SPOT_DAYS)}
        note = _("近 {days} 天仍有反复").format(days=SPOT_DAYS)
        return Said(
            _("重点地段 {count} 处").format(count=reason.amount),
            f"{reverse('hot_spots')}?{urlencode(query)}",
            note,
        )
    query = {"state": YellowCard.State.OPEN.value, "area": area}
    return Said(
        _("未摘黄牌 {count} 块").format(count=reason.amount), f"{reverse('yellow_cards')}?{urlencode(query)}"
    )


def _late_note(late: _Late) -> str:
    oldest = (
        _("最久的已超 {days} 天").format(days=late.oldest_days) if late.oldest_days else _("均在一天之内")
    )
    if late.supervised:
        return f"{oldest} · " + _("其中 {count} 件已督办").format(count=late.supervised)
    return f"{oldest} · " + _("尚未督办")


# --- the state -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Placed:
    """One line of a ranking in short. own: of the reader's area, so that it may be found among others"""

    rank: int
    name: str
    url: str
    total: str
    change: int | None
    own: bool

    @property
    def lost(self) -> int:
        """Places lost, above zero."""
        return -(self.change or 0)


@dataclass(frozen=True)
class Ends:
    """A rank group: who stands first and who last; a group too small for both stands whole in `first`."""

    title: str
    size: int
    first: Sequence[Placed]
    last: Sequence[Placed]


def month_figures(actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return the figures of the month, each beside the same days of the last month, and what stands now.

    Days are compared with as many days: half a month beside a whole one would always look like a fall.
    """
    on = today(now)
    month = Period.month(f"{on:%Y-%m}")
    last = month.previous()
    same = Period.between(last.start, min(last.end, last.start + (on - month.start)))
    found = figures(actor=actor, area=actor.area, period=month, as_of=now)
    before = figures(actor=actor, area=actor.area, period=same, as_of=now)
    cards = [
        shown(found[key], note=_beside(found[key], before[key]))
        for key in ("opened", "closed", "on_time_rate")
    ]
    stands = standing(actor=actor, area=actor.area, as_of=now)
    cards.append(shown(stands["open_now"], note=_("此刻")))
    cards.append(
        shown(stands["overdue_now"], note=_("此刻"), tone="red" if stands["overdue_now"].value else "")
    )
    yellow = open_cards(actor, now)
    cards.append(shown(yellow, note=_("此刻"), tone="orange" if yellow.value else ""))
    return cards


def _beside(now: Figure, before: Figure) -> str:
    """Return "上月同期 12件，+3" with the old number as a link to its records."""
    link = format_html('<a href="{}">{}</a>', url_of(before), before.with_unit())
    moved = change(now, before)
    if not moved:
        return format_html("{} {}", _("上月同期"), link)
    return format_html("{} {}，{}", _("上月同期"), link, moved)


def open_cards(actor: Actor, now: datetime) -> Figure:
    """Return how many yellow cards stand in the reader's area at the moment."""
    on = today(now)
    count = YellowCard.objects.visible_to(actor).filter(state=YellowCard.State.OPEN.value).count()
    return Figure(
        "cards_open", N_("未摘黄牌"), N_("此刻生效中、尚未经复查摘牌的黄牌数。"), Scope(actor.area, actor.area_name),
        Period.between(on, on), now, count, "块", records=(("state", YellowCard.State.OPEN.value),),
    )  # fmt: skip


def standings(actor: Actor) -> tuple[Board | None, list[Ends]]:
    """Return the newest published ranking, its first and last of each group; two statements."""
    board = ranking.newest_board(actor)
    if board is None:
        return None, []
    places = scheme_of(board).rule.decimals
    groups: dict[str, list[Placed]] = {}
    for row in ranking.rows(board):
        if row.rank is not None:
            groups.setdefault(row.group_title, []).append(
                Placed(
                    row.rank,
                    row.name,
                    reverse("assessments:sheet", args=[row.sheet_uid]),
                    f"{round_half_up(row.total, places)}",
                    ranking.rank_change(row),
                    own=board.area != actor.area and is_within(row.code, actor.area),
                )
            )
    return board, [
        Ends(title, len(lines), lines[:ENDS], lines[-ENDS:])
        if len(lines) > 2 * ENDS
        else Ends(title, len(lines), lines, ())
        for title, lines in list(groups.items())[:GROUPS]
    ]


# --- the trend -------------------------------------------------------------------------------------


def mean_scores(actor: Actor, period: Period) -> dict[str, dict[str, Any]]:
    """Return month -> {"text", "url"} of the mean score; a month without a published ranking is not there."""
    board = ranking.newest_board(actor)
    if board is None:
        return {}
    places = scheme_of(board).rule.decimals
    found = {}
    for month, (mean, uid) in ranking.monthly_means(board, actor, period).items():
        quotient = mean.quotient()
        if quotient is not None:
            found[month] = {
                "text": f"{round_half_up(quotient, places)}",
                "url": reverse("assessments:board", args=[uid]),
            }
    return found
