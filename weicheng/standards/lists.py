"""The list of editions."""

from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.standards.editions import find_in_force
from weicheng.standards.kinds import KINDS, Confidence
from weicheng.standards.models import Edition
from weicheng.ui.lists import Choices, Column, Flag, ListPage, Order, Search

TONES = {"draft": "orange", "here": "green", "holds": "teal", "later": "yellow", "past": "grey"}


def standing_of(row: Edition, area: str, on: date) -> str:
    """Return draft, later, here (it holds in the reader's area), holds (elsewhere) or past."""
    if not row.is_published:
        return "draft"
    if row.in_force_from > on:
        return "later"
    here = find_in_force(row.kind, row.key, area, on)
    if here and here.edition_id == row.pk:
        return "here"
    own = find_in_force(row.kind, row.key, row.owner, on)
    return "holds" if own and own.edition_id == row.pk else "past"


def standing_label(standing: str) -> str:
    return {
        "draft": _("草稿"),
        "later": _("待生效"),
        "here": _("本地适用"),
        "holds": _("现行"),
        "past": _("已停用"),
    }[standing]


def owner_name(code: str) -> str:
    return name_of(code) if code else _("通用")


def _search(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(Q(title__icontains=words) | Q(edition__icontains=words) | Q(source__icontains=words))


class EditionList(ListPage):
    key = "standards"
    title = gettext_lazy("标准")
    filters = [
        Choices("kind", gettext_lazy("类别"), options=[(code, kind.title) for code, kind in KINDS.items()]),
        Choices("state", gettext_lazy("状态"), options=Edition.State.choices),
        Search("q", gettext_lazy("查找"), apply=_search, placeholder=gettext_lazy("名称、版本、来源")),
        Flag("own", gettext_lazy("只看本级"), apply="own_only"),
    ]
    orders = [Order("from", gettext_lazy("生效日期"), field="in_force_from")]
    empty = gettext_lazy(
        "这里列出工作日历、问题等级、时限、分类、检查表等标准的各个版本。请先由系统载入基础标准。"
    )

    def __init__(self, request: HttpRequest, rows: Any) -> None:
        self.area = request.actor.area
        self.today = timezone.localdate()
        self.columns = [
            Column(
                "title",
                gettext_lazy("名称"),
                href=lambda row: reverse("standards:edition", args=[row.uid]),
                phone="title",
            ),
            Column("kind", gettext_lazy("类别"), cell=lambda row: KINDS[row.kind].title, phone="meta"),
            Column("edition", gettext_lazy("版本"), phone="meta"),
            Column("owner", gettext_lazy("制定"), cell=lambda row: owner_name(row.owner), phone="meta"),
            Column("in_force_from", gettext_lazy("生效"), kind="date", order="from", phone="meta"),
            Column("in_force_to", gettext_lazy("失效"), kind="date", default=False),
            Column(
                "standing",
                gettext_lazy("状态"),
                cell=lambda row: standing_label(self.standing(row)),
                kind="state",
                tone=lambda row: TONES[self.standing(row)],
                phone="badge",
            ),
            Column("confidence", gettext_lazy("可信程度"), cell=lambda row: Confidence(row.confidence).label),
            Column("source", gettext_lazy("来源"), default=False),
        ]
        super().__init__(request, rows)

    def queryset(self, rows: QuerySet) -> QuerySet:
        return rows.defer("body")

    def own_only(self, rows: QuerySet, _value: bool) -> QuerySet:
        return rows.filter(owner=self.area)

    def standing(self, row: Edition) -> str:
        return standing_of(row, self.area, self.today)
