"""The list of visits."""

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.inspections.models import Visit
from weicheng.places.areas import area as area_of
from weicheng.places.areas import name_of, within
from weicheng.places.http import HttpRequest
from weicheng.rules.errors import RuleError
from weicheng.ui.lists import Choices, Column, Dates, Exact, Flag, ListPage


def _area_name(code: str, request: HttpRequest) -> str | None:
    try:
        return area_of(code).name
    except RuleError:
        return None


def _inside(rows: QuerySet[Visit], code: str) -> QuerySet[Visit]:
    inside = Q(pk__in=[])
    for column, known in within(code):
        inside |= Q(**{column: known})
    return rows.filter(inside)


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
        Column("unit", _("受检单位"), lambda visit: visit.unit.name if visit.unit else "", default=False),
    ]
    filters = [
        Choices("kind", _("类型"), options=Visit.Kind.choices),
        Dates("visited_on", _("日期")),
        Flag("mine", _("我的检查"), apply="_mine"),
        Exact("area", _("区划"), show=_area_name, apply=_inside),
    ]
    empty = _("还没有检查。点“开始检查”，边查边记问题。")

    def __init__(self, request: HttpRequest) -> None:
        if request.actor.powers.records:
            self.empty_action = (_("开始检查"), reverse("visit_new"))
        super().__init__(request, Visit.objects.visible_to(request.actor))

    def _mine(self, rows: QuerySet[Visit], _value: bool) -> QuerySet[Visit]:
        return rows.filter(by_key=self.request.actor.key)

    def queryset(self, rows: QuerySet[Visit]) -> QuerySet[Visit]:
        return rows.select_related("unit").annotate(found=Count("findings"))
