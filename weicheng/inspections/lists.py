"""The list of visits."""

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.inspections.models import Visit
from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.ui.lists import Choices, Column, Dates, Flag, ListPage


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
