"""The lists of this app: boards, and appeals."""

import uuid
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from weicheng.assessments.entries import plain
from weicheng.assessments.models import Appeal, Board
from weicheng.places.areas import name_of
from weicheng.places.http import HttpRequest
from weicheng.ui.lists import Choices, Column, Dates, Exact, ListPage

BOARD_TONES = {
    Board.State.DRAFT: "grey",
    Board.State.COMPUTED: "blue",
    Board.State.CONFIRMED: "orange",
    Board.State.PUBLISHED: "green",
}
APPEAL_TONES = {
    Appeal.State.OPEN: "orange",
    Appeal.State.ACCEPTED: "green",
    Appeal.State.PARTLY: "yellow",
    Appeal.State.REJECTED: "grey",
}


def _trimmed(points: Decimal | None) -> Decimal | None:
    """Return points without idle zeros, still a number for the workbook."""
    return None if points is None else Decimal(plain(points))


class BoardList(ListPage):
    """Boards, newest first."""

    key = "boards"
    title = _("考评")
    columns = [
        Column("title", _("考评"), href=lambda board: board.url, phone="title"),
        Column("state", _("状态"), lambda board: board.get_state_display(), kind="state",
               tone=lambda board: BOARD_TONES[Board.State(board.state)]),
        Column("area", _("组织单位"), lambda board: name_of(board.area), phone="meta"),
        Column("period_label", _("时段"), phone="meta"),
        Column("level", _("对象"), lambda board: board.get_level_display(), phone="meta"),
        Column("sheets", _("对象数"), lambda board: board.scored, kind="number"),
        Column("appeal_until", _("申诉截止"), kind="date"),
        Column("open_appeals", _("待答复申诉"), lambda board: board.waiting or "", kind="number", phone="meta"),
        Column("as_of", _("计算时间"), kind="moment", default=False),
        Column("published_at", _("公布时间"), kind="moment", default=False),
    ]  # fmt: skip
    filters = [
        Choices("state", _("状态"), options=Board.State.choices, multiple=True),
        Choices("level", _("对象"), options=Board.Level.choices),
        Dates("period_start", _("时段开始")),
    ]
    empty = _("还没有考评。考评按月、季或年给街道、社区或单位打分排名，每一分都查得到出处。")

    def __init__(self, request: HttpRequest) -> None:
        if request.actor.powers.assesses:
            self.empty_action = (_("新建考评"), reverse("assessments:board_new"))
        super().__init__(request, Board.objects.visible_to(request.actor).filter(beside__isnull=True))

    def queryset(self, rows: QuerySet[Board]) -> QuerySet[Board]:
        waiting = Count("sheets__appeals", filter=Q(sheets__appeals__state=Appeal.State.OPEN.value))
        return rows.annotate(scored=Count("sheets", distinct=True), waiting=waiting)


def _board_title(uid: str, request: HttpRequest) -> str | None:
    try:
        found = Board.objects.visible_to(request.actor).filter(uid=uuid.UUID(uid)).first()
    except ValueError:
        return None
    return found.title if found else None


class AppealList(ListPage):
    """Appeals, newest first."""

    key = "appeals"
    title = _("申诉")
    columns = [
        Column("filed_at", _("提出时间"), kind="moment", phone="meta"),
        Column("line", _("申诉的扣分"), lambda appeal: appeal.loss.title, href=lambda appeal: appeal.url, phone="title"),
        Column("state", _("状态"), lambda appeal: appeal.get_state_display(), kind="state",
               tone=lambda appeal: APPEAL_TONES[Appeal.State(appeal.state)]),
        Column("name", _("申诉方"), lambda appeal: appeal.sheet.name, phone="meta"),
        Column("board", _("考评"), lambda appeal: appeal.sheet.board.title, phone="meta"),
        Column("asked", _("扣分"), lambda appeal: _trimmed(appeal.loss.asked), kind="number"),
        Column("restored", _("还回"), lambda appeal: _trimmed(appeal.restored), kind="number"),
        Column("decided_at", _("答复时间"), kind="moment", default=False),
        Column("decided_by_name", _("答复人"), default=False),
    ]  # fmt: skip
    filters = [
        Choices("state", _("状态"), options=Appeal.State.choices, multiple=True),
        Dates("filed_at", _("提出日期")),
        Exact("board", _("考评"), show=_board_title, field="sheet__board__uid"),
    ]
    empty = _("还没有申诉。公示期内，被考评方可以从评分表的每一行扣分提出申诉。")

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, Appeal.objects.visible_to(request.actor))

    def queryset(self, rows: QuerySet[Appeal]) -> QuerySet[Any]:
        return rows.select_related("loss", "sheet__board")
