"""The list of cases, for every page that shows one."""

import uuid
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from weicheng.cases import stats
from weicheng.cases.doors import on_list
from weicheng.cases.models import Case
from weicheng.places.areas import area as area_of
from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.places.models import Unit
from weicheng.rules.cases import OPEN_STATES, STATE_LABELS, WAITING_STATES, Move, Part, State
from weicheng.rules.errors import RuleError
from weicheng.standards import editions
from weicheng.ui.lists import BatchAction, Choices, Column, Dates, Exact, Flag, ListPage, Order, Search

STATE_TONES = {
    State.FILED: "orange",
    State.DISPATCHED: "blue",
    State.HANDLING: "teal",
    State.HANDED_IN: "yellow",
    State.REWORK: "red",
    State.SPLIT: "blue",
    State.CLOSED: "green",
    State.CANCELLED: "grey",
}


def is_late(case: Case) -> bool:
    """Is the unit late with this open case now? Not while it waits for its verifier or its parts."""
    waits = State(case.state) in WAITING_STATES
    return bool(case.open and case.due_at and not waits and case.due_at < timezone.now())


def late(rows: QuerySet[Case], _value: Any = True) -> QuerySet[Case]:
    """Narrow to open cases whose unit is late."""
    waiting = [state.value for state in WAITING_STATES]
    return rows.filter(open=True, due_at__lt=timezone.now()).exclude(state__in=waiting)


def find(rows: QuerySet[Case], words: str) -> QuerySet[Case]:
    """Narrow to a case number (20261122-000123, or its last part), or to words of title and place."""
    tail = words.rpartition("-")[2]
    if tail.isascii() and tail.isdigit() and len(tail) <= 12 and ("-" in words or len(words) >= 6):
        return rows.filter(pk=int(tail))
    for word in words.split():
        rows = rows.filter(Q(title__contains=word) | Q(address__contains=word))
    return rows


def severity_names(area: str) -> list[tuple[str, str]]:
    """Return (code, name) of the severities in force, empty where no scale is."""
    try:
        scale = editions.severities(area, timezone.localdate())
    except RuleError:
        return []
    return [(each.code, each.name) for each in scale.body.severities]


def area_name(code: str, request: HttpRequest) -> str | None:
    try:
        return area_of(code).name
    except RuleError:
        return None


def _unit_name(uid: str, request: HttpRequest) -> str | None:
    try:
        found = Unit.objects.visible_to(request.actor).filter(uid=uuid.UUID(uid)).first()
    except ValueError:
        return None
    return found.name if found else None


def _due_tone(case: Case) -> str:
    return "red" if is_late(case) else "grey"


class CaseList(ListPage):
    """Cases, newest first; open ones unless the reader asks for others."""

    key = "cases"
    title = _("事项")
    columns = [
        Column("number", _("编号"), href=lambda case: case.url),
        Column("title", _("问题"), phone="title", href=lambda case: case.url),
        Column("state", _("状态"), lambda case: case.state_label, kind="state",
               tone=lambda case: STATE_TONES[State(case.state)]),
        Column("place", _("区划"), lambda case: name_of(case.community or case.street or case.area), phone="meta"),
        Column("address", _("地点"), phone="rest"),
        Column("unit", _("责任单位"), lambda case: case.responsible.name if case.responsible else "", phone="meta"),
        Column("due_at", _("期限"), kind="moment", order="due_at", phone="meta"),
        Column("late", _("超期"), lambda case: gettext("超期") if is_late(case) else "", kind="state",
               tone=_due_tone, default=True, phone="rest"),
        Column("severity", _("程度"), lambda case: dict(severity_names(case.area)).get(case.severity, case.severity),
               default=False),
        Column("opened_at", _("立案时间"), kind="moment", default=False),
        Column("filed_by", _("上报人"), lambda case: case.filed_by_name, default=False),
        Column("closed_at", _("结案时间"), kind="moment", default=False),
        Column("rework", _("返工次数"), kind="number", default=False),
        Column("repeats", _("反复次数"), kind="number", default=False),
        Column("extended", _("延期次数"), kind="number", default=False),
    ]  # fmt: skip
    filters = [
        Choices("state", _("状态"), options=[(s.value, _(STATE_LABELS[s])) for s in State], multiple=True),
        Search("q", _("查找"), apply=find, placeholder=_("编号、问题或地点")),
        Flag("overdue", _("超期"), apply=late),
        Flag("on_time", _("按期结案")),
        Flag("whole", _("整件（不含分办件）"), apply="_whole"),
        Flag("repeated", _("反复问题"), apply=lambda rows, _v: rows.filter(repeats__gt=0)),
        Flag("supervised", _("督办"), apply=lambda rows, _v: rows.filter(supervised_at__isnull=False)),
        Flag("extension", _("延期待批"), apply=lambda rows, _v: rows.filter(extension_until__isnull=False)),
        Choices("severity", _("程度"), options=lambda request: severity_names(request.actor.area)),
        Flag("mine", _("我上报的"), apply="_mine"),
        Dates("due_at", _("期限日期")),
        Dates("opened_on", _("立案日期")),
        Dates("closed_on", _("结案日期")),
        Exact("stat", _("案件统计"), show=lambda text, _r: stats.label_of(text), apply="_stat"),
        Exact("area", _("区划"), show=area_name, apply=lambda rows, _v: rows),
        Exact("unit", _("责任单位"), show=_unit_name, field="responsible__uid"),
        Exact("category", _("类别"), show=lambda code, _r: code if code.isdigit() else None),
        Exact("desk", _("待办区划"), show=area_name),
        Exact("filed_area", _("立案区划"), show=area_name),
    ]
    orders = [Order("due_at", _("期限"), "due_at")]
    default = {"state": [state.value for state in OPEN_STATES]}
    merge_on = "state"
    empty = _("没有符合条件的事项。上报的问题会自动立案，显示在这里。")

    def __init__(self, request: HttpRequest) -> None:
        code = request.GET.get("area", "")
        scoped = code if area_name(code, request) else ""
        if request.actor.powers.records:
            self.empty_action = (_("上报问题"), reverse("finding_new"))
        self.batch = self._batch(request)
        super().__init__(request, Case.objects.branches(request.actor, scoped))

    @staticmethod
    def _batch(request: HttpRequest) -> list[BatchAction]:
        parts = request.actor.powers.parts
        offered = []
        if Part.DISPATCHER in parts:
            offered.append(
                BatchAction("dispatch", _("批量派遣"), reverse("case_batch", args=[Move.DISPATCH]))
            )
        if Part.VERIFIER in parts:
            offered.append(BatchAction("pass", _("批量核查通过"), reverse("case_batch", args=[Move.PASS])))
        offered += [BatchAction(door.key, door.label, reverse(door.name)) for door in on_list(request.actor)]
        return offered

    def _mine(self, rows: QuerySet[Case], _value: bool) -> QuerySet[Case]:
        return rows.filter(filed_by_key=self.request.actor.key)

    def _stat(self, rows: QuerySet[Case], value: str) -> QuerySet[Case]:
        """Narrow to what one count of the statistics counts, for this reader."""
        key, period = stats.read_query(value)
        whole = self.request.actor.unit_id is None
        return rows.filter(stats.condition(key, period, timezone.now(), whole=whole))

    def _whole(self, rows: QuerySet[Case], _value: bool) -> QuerySet[Case]:
        """Leave out parts, as figures of an area do; for a unit its parts are all there is."""
        return rows if self.request.actor.unit_id is not None else rows.filter(parent__isnull=True)

    def queryset(self, rows: QuerySet[Case]) -> QuerySet[Case]:
        return rows.select_related("responsible")
