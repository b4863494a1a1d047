"""The list of visits."""

from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from weicheng.cases.lists import area_name
from weicheng.inspections.contacts import charge_name, of_charge
from weicheng.inspections.models import Answer, Round, Visit
from weicheng.places.areas import inside, name_of
from weicheng.places.http import HttpRequest
from weicheng.places.models import Charge, Unit
from weicheng.rules.answers import RESULT_LABELS, Result
from weicheng.standards import editions
from weicheng.standards.models import Edition
from weicheng.ui.lists import Choices, Column, Dates, Exact, Flag, ListPage

ROUNDS_OFFERED = 30  # of the newest; an older one is reached from its own page


def _rounds(request: HttpRequest) -> list[tuple[str, str]]:
    rows = Round.objects.visible_to(request.actor).order_by("-id")
    return [(str(uid), title) for uid, title in rows.values_list("uid", "title")[:ROUNDS_OFFERED]]


def _checklists(request: HttpRequest) -> list[tuple[str, str]]:
    return [(each.key, each.title) for each in editions.checklists(request.actor.area, timezone.localdate())]


def _by_checklist(rows: QuerySet[Visit], key: str) -> QuerySet[Visit]:
    """Every edition of a check list is the same list."""
    known = Edition.objects.published().filter(kind="checklist", key=key)
    return rows.filter(checklist_edition__in=known.values("pk"))


def _answered(result: Result) -> QuerySet[Answer]:
    return Answer.objects.filter(visit=OuterRef("pk"), result=result.value)


def _by_result(rows: QuerySet[Visit], result: str) -> QuerySet[Visit]:
    return rows.filter(Exists(_answered(Result(result))))


def _counted(result: Result) -> Coalesce:
    """Return how many lines of the outer visit were told this."""
    rows = _answered(result).order_by().values("visit").annotate(n=Count("pk"))
    return Coalesce(Subquery(rows.values("n"), output_field=IntegerField()), 0)


def _checklist_title(visit: Visit) -> str:
    return editions.checklist_by_id(visit.checklist_edition).title if visit.checklist_edition else ""


def unit_name(uid: str, request: HttpRequest) -> str | None:
    """Return whose visits or cards are meant, for the chip of the list; None where the reader may not see the unit."""
    found = Unit.objects.visible_to(request.actor).filter(uid=UUID(uid)).first()
    return found.name if found else None


class VisitList(ListPage):
    """Visits, newest first."""

    key = "visits"
    title = _("检查")
    columns = [
        Column("number", _("编号"), href=lambda visit: visit.url),
        Column("place", _("地点"), phone="title", href=lambda visit: visit.url),
        Column(
            "kind", _("类型"), lambda visit: visit.get_kind_display(), kind="state", tone=lambda _v: "teal"
        ),
        Column("area", _("区划"), lambda visit: name_of(visit.area), phone="meta"),
        Column("visited_on", _("日期"), kind="date", phone="meta"),
        Column("by_name", _("检查人"), phone="meta"),
        Column("found", _("问题数"), kind="number"),
        Column("failed", _("不通过"), kind="number"),
        Column("partly", _("部分通过"), kind="number", default=False),
        Column("unchecked", _("未查"), kind="number", default=False),
        Column("checklist", _("检查表"), _checklist_title, default=False),
        Column("round", _("检查任务"), lambda visit: visit.round.title if visit.round else "", default=False),
        Column("unit", _("受检单位"), lambda visit: visit.unit.name if visit.unit else "", default=False),
    ]
    filters = [
        Choices("kind", _("类型"), options=Visit.Kind.choices),
        Choices("round", _("检查任务"), options=_rounds, field="round__uid"),
        Choices("checklist", _("检查表"), options=_checklists, apply=_by_checklist),
        Choices(
            "result",
            _("结论"),
            options=[
                (each.value, _(RESULT_LABELS[each]))
                for each in (Result.FAIL, Result.PARTLY, Result.UNCHECKED)
            ],
            apply=_by_result,
        ),
        Dates("visited_on", _("日期")),
        Flag("mine", _("我的检查"), apply="_mine"),
        Exact("area", _("区划"), show=area_name, apply=lambda rows, code: rows.filter(inside(code))),
        Exact("unit", _("受检单位"), show=unit_name, field="unit__uid"),
        Exact("charge", _("包抓联络"), show=charge_name, apply="_of_charge"),
    ]
    empty = _("还没有检查。点“开始检查”，边查边记问题。")

    def __init__(self, request: HttpRequest) -> None:
        if request.actor.powers.records:
            self.empty_action = (_("开始检查"), reverse("visit_new"))
        super().__init__(request, Visit.objects.visible_to(request.actor))

    def _mine(self, rows: QuerySet[Visit], _value: bool) -> QuerySet[Visit]:
        return rows.filter(by_key=self.request.actor.key)

    def _of_charge(self, rows: QuerySet[Visit], uid: str) -> QuerySet[Visit]:
        found = Charge.objects.visible_to(self.request.actor).filter(uid=uid).first()
        return rows.filter(of_charge(found)) if found else rows.none()

    def queryset(self, rows: QuerySet[Visit]) -> QuerySet[Visit]:
        return rows.select_related("unit", "round").annotate(
            found=Count("findings"),
            failed=_counted(Result.FAIL),
            partly=_counted(Result.PARTLY),
            unchecked=_counted(Result.UNCHECKED),
        )
