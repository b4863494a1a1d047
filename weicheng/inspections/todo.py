"""What inspections ask of a reader today: places to look at, rounds to publish, a yellow card to clear."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext as _

from weicheng.inspections.models import Round, RoundPlace, YellowCard, runs_rounds
from weicheng.places.actor import Actor
from weicheng.rules.areas import Level

MOST = 5  # of each kind; what is further down comes up as the first ones are done


@dataclass(frozen=True)
class Todo:
    """One thing to do: what, where, and until when if that is fixed."""

    text: str
    url: str
    until: date | None = None


def todo_of(actor: Actor, on: date) -> list[Todo]:
    """Return what there is to do, the most pressing first; at most two statements for any post."""
    found = _places(actor, on) if actor.powers.records else []
    if runs_rounds(actor):
        return found + _rounds(actor, on)
    return found + _cards(actor)


def _places(actor: Actor, on: date) -> list[Todo]:
    going_on = (Round.State.DRAWN.value, Round.State.RUNNING.value)
    rows = (
        RoundPlace.objects.filter(
            inspector_key=actor.key, current=True, visits__isnull=True, unit__closed_on__isnull=True,
            round__state__in=going_on, round__starts_on__lte=on,
        )
        .values_list("round__uid", "round__title", "round__ends_on")
        .annotate(count=Count("pk"))
        .order_by("round__ends_on", "round_id")
    )  # fmt: skip
    return [
        Todo(
            _("{title}：有 {count} 处由您检查").format(title=title, count=count),
            f"{reverse('round', args=[uid])}?mine=1&left=1",
            until,
        )
        for uid, title, until, count in rows[:MOST]
    ]


def _rounds(actor: Actor, on: date) -> list[Todo]:
    over = Round.objects.filter(area=actor.area, ends_on__lt=on).exclude(state=Round.State.PUBLISHED)
    return [
        Todo(
            _("{title}已到期，还没有抽取").format(title=round.title)
            if round.state == Round.State.PLANNED
            else _("{title}已到期，待公布").format(title=round.title),
            round.url,
            round.ends_on,
        )
        for round in over.order_by("ends_on", "id")[:MOST]
    ]


def _cards(actor: Actor) -> list[Todo]:
    rows = YellowCard.objects.filter(state=YellowCard.State.OPEN)
    if actor.unit_id is not None:
        rows = rows.filter(unit_id=actor.unit_id)
    elif actor.level is Level.COMMUNITY and actor.powers.records:
        rows = rows.filter(community=actor.area)
    else:
        return []
    return [
        Todo(_("黄牌未摘：{name}，请整改后申请复查").format(name=card.name), card.url)
        for card in rows.order_by("id")[:MOST]
    ]
