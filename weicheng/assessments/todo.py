"""What assessments ask of a reader today: sheets to confirm, appeals to answer, an own sheet to check in time."""

from datetime import date

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.assessments.appeals import is_open
from weicheng.assessments.models import PUBLIC, Appeal, Board, Sheet
from weicheng.inspections.todo import MOST, Todo
from weicheng.places.actor import Actor


def todo_of(actor: Actor, on: date) -> list[Todo]:
    """Return what there is to do, the most pressing first; two statements for an office, one for others."""
    found = _of_office(actor, on) if actor.powers.assesses else []
    return found + _of_object(actor, on)


def _of_office(actor: Actor, on: date) -> list[Todo]:
    waiting = Count("sheets__appeals", filter=Q(sheets__appeals__state=Appeal.State.OPEN.value))
    states = (Board.State.COMPUTED.value, Board.State.CONFIRMED.value)
    rows = Board.objects.visible_to(actor).filter(area=actor.area, beside__isnull=True, state__in=states)
    answer, publish, confirm = [], [], []
    for board in rows.annotate(waiting=waiting).order_by("appeal_until", "id")[: MOST * 2]:
        if board.waiting:
            url = f"{reverse('assessments:appeals')}?state=open&board={board.uid}"
            text = _("{title}有 {count} 件申诉待答复").format(title=board.title, count=board.waiting)
            answer.append(Todo(text, url, board.appeal_until))
        elif board.state == Board.State.COMPUTED:
            confirm.append(Todo(_("{title}已计算，待确认公示").format(title=board.title), board.url))
        elif not is_open(board, on):
            publish.append(Todo(_("{title}公示期满，待公布").format(title=board.title), board.url))
    return (answer + publish + confirm)[:MOST]


def _of_object(actor: Actor, on: date) -> list[Todo]:
    code = actor.area
    rows = Sheet.objects.filter(board__state__in=PUBLIC, board__appeal_until__gte=on)
    if actor.unit_id is not None:
        rows = rows.filter(unit_id=actor.unit_id)
    elif code:
        rows = rows.filter(code=code)
    else:
        return []
    return [
        Todo(
            _("{title}：请核对本单位的评分表，有异议可申诉").format(title=sheet.board.title),
            sheet.url,
            sheet.board.appeal_until,
        )
        for sheet in rows.select_related("board").order_by("board__appeal_until", "id")[:MOST]
    ]
