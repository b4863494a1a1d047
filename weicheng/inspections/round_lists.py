"""The lists of rounds, of their places, and of yellow cards."""

from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from weicheng.cases.lists import area_name
from weicheng.inspections.lists import unit_name
from weicheng.inspections.models import Finding, Round, RoundKind, RoundPlace, Visit, YellowCard, runs_rounds
from weicheng.places.areas import inside, name_of
from weicheng.places.http import HttpRequest
from weicheng.ui.lists import Choices, Column, Dates, Exact, Flag, ListPage, Search

ROUND_TONES = {
    Round.State.PLANNED: "grey",
    Round.State.DRAWN: "blue",
    Round.State.RUNNING: "yellow",
    Round.State.PUBLISHED: "green",
}


def _counted(rows: QuerySet, outer: str) -> Coalesce:
    """Return how many of `rows` belong to the outer row by the column `outer`, as a subquery."""
    counted = (
        rows.filter(**{outer: OuterRef("pk")}).order_by().values(outer).annotate(n=Count("pk", distinct=True))
    )
    return Coalesce(Subquery(counted.values("n")), 0)


def _titled(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(title__contains=words)


def _called(rows: QuerySet, words: str) -> QuerySet:
    return rows.filter(name__contains=words)


class RoundList(ListPage):
    """Rounds in reach, newest first."""

    key = "rounds"
    title = _("检查任务")
    columns = [
        Column("number", _("编号"), href=lambda round: round.url, default=False),
        Column("title", _("任务"), phone="title", href=lambda round: round.url),
        Column("kind", _("类型"), lambda round: round.get_kind_display(), phone="meta"),
        Column("state", _("状态"), lambda round: round.get_state_display(), kind="state", phone="badge",
               tone=lambda round: ROUND_TONES[Round.State(round.state)]),
        Column("hidden", _("保密"), lambda round: _now("保密") if round.is_hidden else "", phone="rest"),
        Column("starts_on", _("开始"), kind="date", phone="meta"),
        Column("ends_on", _("结束"), kind="date", phone="rest"),
        Column("drawn", _("地点数"), kind="number", phone="meta"),
        Column("visited", _("已检查"), kind="number", phone="meta"),
        Column("area", _("组织"), lambda round: name_of(round.area), default=False),
        Column("by_name", _("建立人"), default=False),
    ]  # fmt: skip
    filters = [
        Search("q", _("任务"), apply=_titled, placeholder=_("任务名称")),
        Choices("state", _("状态"), options=Round.State.choices, multiple=True),
        Choices("kind", _("类型"), options=RoundKind.choices),
        Dates("starts_on", _("开始日期")),
    ]
    empty = _("还没有检查任务。建立任务后，在这里抽取地点、查看进度、公布结果。")

    def __init__(self, request: HttpRequest) -> None:
        if runs_rounds(request.actor):
            self.empty_action = (_("建立任务"), reverse("round_new"))
        super().__init__(request, Round.objects.visible_to(request.actor))

    def queryset(self, rows: QuerySet[Round]) -> QuerySet[Round]:
        places = RoundPlace.objects.filter(current=True)
        return rows.annotate(
            drawn=_counted(places, "round"), visited=_counted(places.filter(visits__isnull=False), "round")
        )


def place_state(place: RoundPlace) -> tuple[str, str]:
    """Return how far the visit of a place is, with the colour of the badge."""
    visits = list(place.visits.all())
    if visits:
        over = all(one.ended_at for one in visits)
        return (_now("已检查"), "green") if over else (_now("检查中"), "yellow")
    if place.unit is not None and place.unit.closed_on is not None:
        return _now("已停用"), "grey"
    return _now("未检查"), "orange"


def _leads_to(place: RoundPlace) -> str:
    """Return where a row leads: its visit, or the page of the place, where one begins."""
    visits = list(place.visits.all())
    if visits:
        return visits[0].url
    return reverse("round_place", args=[place.uid])


_PLACE_COLUMNS = [
    Column("name", _("地点"), phone="title", href=_leads_to),
    Column("area", _("区划"), lambda place: name_of(place.area), phone="meta"),
    Column("stratum", _("分组"), phone="rest"),
    Column("origin", _("方式"), lambda place: place.get_origin_display(), phone="rest"),
    Column("inspector_name", _("检查人"), phone="meta"),
    Column("state", _("状态"), lambda place: place_state(place)[0], kind="state", phone="badge",
           tone=lambda place: place_state(place)[1]),
    Column("found", _("问题数"), kind="number", phone="rest"),
]  # fmt: skip


class PlaceList(ListPage):
    """The places of one round that the reader sees."""

    key = "round-places"
    title = _("检查地点")
    columns = _PLACE_COLUMNS
    filters = [
        Search("q", _("地点"), apply=_called, placeholder=_("地点名称")),
        Flag("left", _("未检查"), apply="_left"),
        Flag("mine", _("由我检查"), apply="_mine"),
        Choices("origin", _("方式"), options=RoundPlace.Origin.choices),
    ]
    empty = _("还没有地点。抽取以后，地点和检查人会列在这里。")
    page_size = 50

    def _left(self, rows: QuerySet[RoundPlace], _value: bool) -> QuerySet[RoundPlace]:
        return rows.filter(visits__isnull=True)

    def _mine(self, rows: QuerySet[RoundPlace], _value: bool) -> QuerySet[RoundPlace]:
        return rows.filter(inspector_key=self.request.actor.key)

    def queryset(self, rows: QuerySet[RoundPlace]) -> QuerySet[RoundPlace]:
        actor = self.request.actor
        found = Finding.objects.all()
        return (
            rows.select_related("unit", "round")
            .prefetch_related(Prefetch("visits", Visit.objects.visible_to(actor).order_by("pk")))
            .annotate(found=_counted(found, "visit__round_place"))
        )


class MyPlaceList(PlaceList):
    """The places one is sent to, of rounds that are not published."""

    key = "my-places"
    title = _("派给我的检查")
    columns = [
        _PLACE_COLUMNS[0],
        Column("round", _("任务"), lambda place: place.round.title, phone="meta",
               href=lambda place: place.round.url),
        _PLACE_COLUMNS[1],
        Column("ends_on", _("截止"), lambda place: place.round.ends_on, kind="date", phone="meta"),
        _PLACE_COLUMNS[5],
        _PLACE_COLUMNS[6],
    ]  # fmt: skip
    filters = [
        Search("q", _("地点"), apply=_called, placeholder=_("地点名称")),
        Flag("left", _("未检查"), apply="_left"),
    ]
    default = {"left": "1"}
    empty = _("现在没有派给您的检查。抽到您的任务会出现在这里，并发通知。")

    def __init__(self, request: HttpRequest) -> None:
        rows = RoundPlace.objects.visible_to(request.actor).filter(
            current=True, inspector_key=request.actor.key,
            round__state__in=[Round.State.DRAWN, Round.State.RUNNING],
            round__starts_on__lte=timezone.localdate(),
        )  # fmt: skip
        super().__init__(request, rows)


class CardList(ListPage):
    """Yellow cards in reach, newest first."""

    key = "yellow-cards"
    title = _("黄牌")
    columns = [
        Column("number", _("编号"), href=lambda card: card.url, default=False),
        Column("name", _("地点"), phone="title", href=lambda card: card.url),
        Column("area", _("区划"), lambda card: name_of(card.area), phone="meta"),
        Column("state", _("状态"), lambda card: card.get_state_display(), kind="state", phone="badge",
               tone=lambda card: "yellow" if card.state == YellowCard.State.OPEN else "green"),
        Column("issued_on", _("发牌"), kind="date", phone="meta"),
        Column("lifted_on", _("摘牌"), kind="date", phone="rest"),
        Column("days", _("历时（天）"), lambda card: card.days(timezone.localdate()), kind="number", phone="meta"),
        Column("issued_area", _("发牌单位"), lambda card: name_of(card.issued_area), phone="rest"),
        Column("reason", _("理由"), lambda card: card.reason[:60], phone="rest"),
    ]  # fmt: skip
    filters = [
        Search("q", _("地点"), apply=_called, placeholder=_("社区或单位名称")),
        Choices("state", _("状态"), options=YellowCard.State.choices),
        Dates("issued_on", _("发牌日期")),
        Exact("unit", _("受检单位"), show=unit_name, field="unit__uid"),
        Exact("area", _("区划"), show=area_name, apply=lambda rows, code: rows.filter(inside(code))),
    ]
    empty = _("没有黄牌。检查发现严重问题时，上级办公室可从那次检查发出黄牌，复查通过才能摘牌。")

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, YellowCard.objects.visible_to(request.actor))
