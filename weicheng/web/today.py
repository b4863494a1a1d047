"""Today (今天): the first page after sign-in. What is due, from whom, by when, and one click to do it.

Each role has its own blocks. A block reads a few rows along an index of open cases and never the table; all
counts of a page come in one statement, and figures are loaded after the first paint.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from weicheng.assessments import todo as assessments_todo
from weicheng.cases.models import Case
from weicheng.indicators.figures import figures, late_q, months_of, shown, standing, trend
from weicheng.inspections import todo as inspections_todo
from weicheng.inspections.models import Finding
from weicheng.places.actor import Actor
from weicheng.places.actors import today as day_of
from weicheng.places.decorators import actor_required
from weicheng.places.http import HttpRequest
from weicheng.places.roles import ADMINISTRATORS, Role
from weicheng.rules.areas import Level
from weicheng.rules.cases import OPEN_STATES, WAITING_STATES, State
from weicheng.rules.figures import Period
from weicheng.web import administrators, leader
from weicheng.web.rows import CaseRow, Pairs, case_rows, cases_url, counts_of

SHOWN = 6  # rows of a block
SHOWN_LONG = 12  # rows of a block that is the page's main one
MOST = 99  # counted no further
SOON = timedelta(hours=48)
OWN_FINDINGS = 400  # of one's own findings, so far back an open one is looked for

_OPEN: Pairs = tuple(("state", state.value) for state in OPEN_STATES)


@dataclass
class Block:
    """One list of the page.

    source: the cases, in the order in which they are to be done; query: the same as filters of the case list
        where the list can say exactly that, otherwise ()
    empty: what to say when there is nothing, kindly
    tone: of the count, when it is not zero
    """

    key: str
    title: str
    source: QuerySet[Case]
    query: Pairs
    empty: str
    tone: str = "grey"
    shown: int = SHOWN
    rows: list[CaseRow] = field(default_factory=list)
    count: int = 0

    @property
    def url(self) -> str:
        return cases_url(self.query) if self.query else ""

    @property
    def count_text(self) -> str:
        return f"{MOST}+" if self.count > MOST else str(self.count)


# --- blocks ----------------------------------------------------------------------------------------


def _open(actor: Actor) -> QuerySet[Case]:
    return Case.objects.visible_to(actor).filter(open=True)


def _desk(actor: Actor) -> QuerySet[Case]:
    """Return the open cases on which the officers of exactly this area must act."""
    return Case.objects.visible_to(actor).filter(desk=actor.area, open=True)


def to_dispatch(actor: Actor, _now: datetime) -> Block:
    rows = _desk(actor) if actor.level in (Level.CITY, Level.DISTRICT, Level.STREET) else _open(actor)
    at_desk: Pairs = (("desk", actor.area),) if actor.level != Level.COMMUNITY else ()
    return Block(
        "dispatch", _("待派遣"), rows.filter(state=State.FILED.value).order_by("due_at", "id"),
        (("state", State.FILED.value), *at_desk),
        _("没有等待派遣的事项。新上报的问题会出现在这里。"), "orange",
    )  # fmt: skip


def to_verify(actor: Actor, _now: datetime) -> Block:
    return Block(
        "verify", _("待核查"), _open(actor).filter(state=State.HANDED_IN.value).order_by("id"),
        (("state", State.HANDED_IN.value),),
        _("没有等待核查的整改。单位上报整改后会出现在这里。"), "yellow",
    )  # fmt: skip


def to_verify_own(actor: Actor, _now: datetime) -> Block:
    """Handed in, and found by somebody of this very office."""
    rows = _open(actor).filter(state=State.HANDED_IN.value, filed_area=actor.area)
    return Block(
        "verify", _("本级上报、待核查"), rows.order_by("id"), (),
        _("本级上报的问题没有等待核查的。"), "yellow",
    )  # fmt: skip


def extensions(actor: Actor, _now: datetime) -> Block:
    rows = _open(actor) if actor.level == Level.COMMUNITY else _desk(actor)
    at_desk: Pairs = (("desk", actor.area),) if actor.level != Level.COMMUNITY else ()
    return Block(
        "extension", _("延期申请待答复"), rows.filter(extension_until__isnull=False).order_by("due_at", "id"),
        (*_OPEN, ("extension", "1"), *at_desk),
        _("没有等待答复的延期申请。"), "blue",
    )  # fmt: skip


def overdue(actor: Actor, now: datetime) -> Block:
    return Block(
        "overdue", _("已超期"), _open(actor).filter(late_q(now)).order_by("due_at", "id"),
        (*_OPEN, ("overdue", "1"), ("order", "due_at")), _("没有超期的事项，保持住。"), "red",
    )  # fmt: skip


def escalated(actor: Actor, now: datetime) -> Block:
    """Carried up to this office because nobody below has answered, or late on its own desk."""
    return Block(
        "escalated", _("升级到本级"), _desk(actor).order_by("due_at", "id"),
        (*_OPEN, ("desk", actor.area), ("order", "due_at")),
        _("没有升级到本级的事项。超期过久的事项会升级到这里。"), "red",
    )  # fmt: skip


def due_soon(actor: Actor, now: datetime) -> Block:
    waiting = [state.value for state in WAITING_STATES]
    rows = _open(actor).filter(due_at__range=(now, now + SOON)).exclude(state__in=waiting)
    return Block(
        "soon", _("两天内到期"), rows.order_by("due_at", "id"), (),
        _("两天内没有到期的事项。"), "orange",
    )  # fmt: skip


def to_settle(actor: Actor, _now: datetime) -> Block:
    """What the unit must do, by deadline."""
    rows = _open(actor).exclude(state=State.HANDED_IN.value)
    states = [state for state in OPEN_STATES if state is not State.HANDED_IN]
    return Block(
        "settle", _("待我单位办理"), rows.order_by("due_at", "id"),
        (*(("state", state.value) for state in states), ("order", "due_at")),
        _("没有待办理的事项。派遣给贵单位的事项会出现在这里。"), "orange", shown=SHOWN_LONG,
    )  # fmt: skip


def handed_in(actor: Actor, _now: datetime) -> Block:
    return Block(
        "handed", _("已上报，等核查"), _open(actor).filter(state=State.HANDED_IN.value).order_by("-id"),
        (("state", State.HANDED_IN.value),), _("没有等待核查的事项。"), "yellow",
    )  # fmt: skip


def own_findings(actor: Actor, _now: datetime) -> Block:
    """Still open among one's own last findings: so bounded, because one's findings grow for years."""
    mine = Finding.objects.visible_to(actor).filter(by_key=actor.key).order_by("-id").values("case_id")
    return Block(
        "own", _("我上报的、未办结"), _open(actor).filter(pk__in=mine[:OWN_FINDINGS]).order_by("due_at", "id"),
        (), _("您上报的问题都已办结。发现新问题请点“上报问题”。"), "teal",
    )  # fmt: skip


def newest(actor: Actor, _now: datetime) -> Block:
    return Block(
        "newest", _("最近立案"), _open(actor).order_by("-id"), _OPEN, _("还没有立案的事项。"), "grey"
    )


Maker = Callable[[Actor, datetime], Block]
BLOCKS: dict[Role, Sequence[Maker]] = {
    Role.CITY_OFFICER: (escalated, to_verify_own, extensions, due_soon),
    Role.DISTRICT_OFFICER: (escalated, to_verify_own, extensions, due_soon),
    Role.STREET: (to_dispatch, to_verify, extensions, overdue, due_soon),
    Role.COMMUNITY: (to_dispatch, to_verify, extensions, overdue, due_soon),
    Role.INSPECTOR: (to_verify_own, own_findings),
    Role.TECHNICIAN: (own_findings, due_soon),
    Role.LIAISON: (to_settle, handed_in),
    Role.LEADER: (overdue,),
    Role.EXPERT: (newest, overdue),
}
WITH_FIGURES = {Role.CITY_OFFICER, Role.DISTRICT_OFFICER, Role.STREET, Role.LEADER, Role.EXPERT}
WITH_TREND = {Role.LEADER}
WITH_CALLS = {Role.CITY_OFFICER, Role.DISTRICT_OFFICER, Role.LEADER}


def blocks_of(actor: Actor, now: datetime) -> list[Block]:
    """Return the blocks of a role with their rows: a statement a block, one for all counts."""
    role = actor.role
    blocks = [make(actor, now) for make in BLOCKS.get(role, ())] if role else []
    fetched = [list(block.source.select_related("responsible")[: block.shown]) for block in blocks]
    # A block whose rows did not fill it is counted already.
    for block, cases in zip(blocks, fetched, strict=True):
        block.count = len(cases)
    full = [block for block in blocks if block.count == block.shown]
    for block, count in zip(full, counts_of([block.source for block in full], MOST + 1), strict=True):
        block.count = count
    for block, cases in zip(blocks, fetched, strict=True):
        block.rows = case_rows(cases, actor)
    # What there is to do stands before what there is not.
    return sorted(blocks, key=lambda block: not block.rows)


# --- pages -----------------------------------------------------------------------------------------


def _todo(actor: Actor, on: date) -> list[inspections_todo.Todo]:
    return inspections_todo.todo_of(actor, on) + assessments_todo.todo_of(actor, on)


@actor_required
def today(request: HttpRequest) -> HttpResponse:
    """The page of the role acted in."""
    actor, now = request.actor, timezone.now()
    if actor.role in ADMINISTRATORS:
        return render(request, "web/today_admin.html", {"now": now, **administrators.work_of(actor, now)})
    context: dict[str, Any] = {
        "now": now,
        "blocks": blocks_of(actor, now),
        "report_url": reverse("finding_new") if actor.powers.records else "",
        "with_figures": actor.role in WITH_FIGURES,
        "with_trend": actor.role in WITH_TREND,
        "with_calls": actor.role in WITH_CALLS,
        # Whom to call is what a leader comes for; an office's own work stands before it and is painted first.
        "calls": leader.calls(actor, now) if actor.role is Role.LEADER else [],
        "leads": actor.role is Role.LEADER,
        "todo": _todo(actor, day_of(now)) if actor.powers.sees_cases else [],
    }
    return render(request, "web/today.html", context)


@actor_required
def today_calls(request: HttpRequest) -> HttpResponse:
    """The places in most trouble, loaded after the first paint where other work stands first."""
    actor, now = request.actor, timezone.now()
    found = leader.calls(actor, now) if actor.role in WITH_CALLS else []
    return render(request, "web/_calls.html", {"calls": found, "leads": actor.role is Role.LEADER})


@actor_required
def today_figures(request: HttpRequest) -> HttpResponse:
    """The figures of this month, loaded after the first paint."""
    actor, now = request.actor, timezone.now()
    if actor.role is Role.LEADER:
        return _state(request, now)
    made = (
        figures(actor=actor, area=actor.area, period=month_of(now), as_of=now)
        if actor.powers.sees_cases
        else {}
    )
    wanted = [shown(made[key]) for key in ("opened", "closed", "on_time_rate") if key in made]
    if made:
        late = standing(actor=actor, area=actor.area, as_of=now)["overdue_now"]
        wanted.append(shown(late, tone="red" if late.value else ""))
    return render(request, "web/_today_figures.html", {"figures": wanted, "month": month_of(now).label})


def _state(request: HttpRequest, now: datetime) -> HttpResponse:
    """The figures of a leader, and who stands first and last in the newest published ranking."""
    actor = request.actor
    board, groups = leader.standings(actor)
    context = {
        "figures": leader.month_figures(actor, now),
        "month": month_of(now).label,
        "board": board,
        "groups": groups,
    }
    return render(request, "web/_state.html", context)


@actor_required
def today_trend(request: HttpRequest) -> HttpResponse:
    """Opened, closed and the mean score of each of the last twelve months, loaded after the first paint."""
    actor, now = request.actor, timezone.now()
    months = (
        months_of(actor=actor, area=actor.area, period=year_up_to(now)) if actor.powers.sees_cases else []
    )
    scores = leader.mean_scores(actor, year_up_to(now)) if months else {}
    return render(request, "indicators/_trend.html", trend(months, scores))


def year_up_to(now: datetime) -> Period:
    """Return the twelve months that end with the month of a moment."""
    last = month_of(now)
    first = last
    for _step in range(11):
        first = first.previous()
    return Period.between(first.start, last.end)


def month_of(now: datetime) -> Period:
    """Return the month of a moment, as a period."""
    return Period.month(f"{day_of(now):%Y-%m}")
