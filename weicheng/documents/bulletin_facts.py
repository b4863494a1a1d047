"""What a bulletin tells, gathered from the records: figures, places, rankings, repeats, what is late, photos.

Everything is read with the eyes of nobody in particular (`reader_of`): what only the officers of an unannounced
round know does not get into a paper that everybody reads, and the command line makes the same file as the page.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from weicheng.cases.models import Case
from weicheng.cases.repeats import Spot, category_title, hot_spots
from weicheng.documents.bulletin import (
    OVERDUE_SHOWN,
    PHOTOS,
    PROBLEMS_SHOWN,
    Facts,
    OverdueLine,
    PlaceLine,
    SpotLine,
)
from weicheng.documents.rankings import published
from weicheng.documents.wording import wording
from weicheng.evidence.models import Attachment, Purpose
from weicheng.indicators import periods
from weicheng.indicators.cli import reader_of
from weicheng.indicators.counts import scoped
from weicheng.indicators.figures import MEASURES, figures, figures_below, late_q, months_of, standing
from weicheng.inspections.models import Visit
from weicheng.inspections.photos import owned_by, owners_of
from weicheng.places.actor import Actor
from weicheng.places.areas import children, name_of, within
from weicheng.places.roles import LEVEL_NAMES
from weicheng.rules.areas import level_of
from weicheng.rules.content import Picture, chinese_number
from weicheng.rules.errors import N_
from weicheng.rules.figures import Figure, Period, Scope
from weicheng.rules.privacy import hide_numbers


def gather(*, area: str, period: Period, as_of: datetime) -> Facts:
    """Return the facts of an area and month; a constant number of statements, whatever the number of records.

    RuleError for an unknown area, and what `wording` refuses.
    """
    reader = reader_of(area)
    name = reader.area_name
    local = timezone.localtime(as_of)
    words = wording("bulletin", owner=area, name=name, period=period.label, at=local)
    now = figures(actor=reader, area=area, period=period, as_of=local)
    before = figures(actor=reader, area=area, period=period.previous(), as_of=local)
    now |= standing(actor=reader, area=area, as_of=local)
    now["visits"] = _visits(reader, area, period, local)
    before["visits"] = _visits(reader, area, period.previous(), local)
    below = children(area, period.end)
    found = (
        figures_below(
            actor=reader, area=area, areas=[child.pk for child in below], period=period, as_of=local
        )
        if below
        else {}
    )
    rankings, worst = published(area, period)
    spots = hot_spots(area, period)
    late = _late(reader, area, local)
    return Facts(
        area=area,
        name=name,
        period=period,
        as_of=local,
        wording=words,
        figures=now,
        before=before,
        below_name=str(LEVEL_NAMES[level_of(below[0].pk)]) if below else "",
        below=tuple(PlaceLine(child.name, found[child.pk]) for child in below),
        problems=_problems(reader, area, period, local),
        months=_months(reader, area, period),
        rankings=rankings,
        spots=tuple(map(_spot, spots)),
        overdue=tuple(_late_line(case, local) for case in late),
        overdue_path=f"{reverse('cases')}?{now['overdue_now'].records_query()}",
        photos=_photos(reader, area, period, local, worst, spots),
        editions=words.editions,
    )


def _visits(reader: Actor, area: str, period: Period, as_of: datetime) -> Figure:
    inside = Q()
    for column, code in within(area):
        inside |= Q(**{column: code})
    days = (period.start, period.end)
    count = Visit.objects.visible_to(reader).filter(inside, visited_on__range=days).count()
    return Figure(
        "visits", N_("检查"), N_("期内登记的检查次数，一次检查一个地点计一次。"),
        Scope(area, name_of(area)), period, as_of, count, "次",
        records=(("area", area), ("visited_on_from", str(period.start)), ("visited_on_to", str(period.end))),
    )  # fmt: skip


def _problems(reader: Actor, area: str, period: Period, as_of: datetime) -> tuple[Figure, ...]:
    """Return the categories with most cases opened in the period, each as a figure that lists them."""
    opened = MEASURES["opened"]
    counted = (
        scoped(reader, area)
        .filter(opened.condition(as_of), opened_on__range=(period.start, period.end))
        .values("category")
        .annotate(count=Count("pk"))
        .order_by("-count", "category")[:PROBLEMS_SHOWN]
    )
    return tuple(
        Figure(
            "opened_category",
            category_title(area, row["category"], period.end),
            opened.definition,
            Scope(area, name_of(area)),
            period,
            as_of,
            row["count"],
            "件",
            records=(
                *opened.query,
                ("area", area),
                ("category", row["category"]),
                ("opened_on_from", str(period.start)),
                ("opened_on_to", str(period.end)),
            ),
        )
        for row in counted
    )


def _months(reader: Actor, area: str, period: Period) -> tuple[tuple[str, int, int], ...]:
    found = months_of(actor=reader, area=area, period=periods.year_up_to(period))
    return tuple(
        (f"{int(str(month['month'])[5:])}月", int(month["opened"]), int(month["closed"])) for month in found
    )


# --- what comes back, what is late -----------------------------------------------------------------------


def _spot(spot: Spot) -> SpotLine:
    guard = "；".join(part for part in (spot.measure, spot.owner) if part)
    return SpotLine(
        hide_numbers(spot.place), spot.category_title, spot.times, spot.last_on, hide_numbers(guard), spot.url
    )


def _late(reader: Actor, area: str, as_of: datetime) -> list[Case]:
    rows = scoped(reader, area).filter(late_q(as_of)).select_related("responsible")
    return list(rows.order_by("due_at", "id")[:OVERDUE_SHOWN])


def _late_line(case: Case, as_of: datetime) -> OverdueLine:
    assert case.due_at is not None
    due_on = timezone.localtime(case.due_at).date()
    return OverdueLine(
        number=case.number,
        title=case.title,
        place=_where(case),
        unit=case.responsible.name if case.responsible else "",
        due_on=due_on,
        days=(as_of.date() - due_on).days,
        path=case.url,
    )


def _where(case: Case) -> str:
    """Return the place as everybody may read it: the community, never the door."""
    return name_of(case.community or case.street or case.area)


# --- photos ----------------------------------------------------------------------------------------------

_CANDIDATES = 60


def _photos(
    reader: Actor, area: str, period: Period, as_of: datetime, worst: Sequence[str], spots: Sequence[Spot]
) -> tuple[Picture, ...]:
    """Return at most six photos of the month, one a case and one a unit: the places that came last, what came back, the newest.

    Sealed photos, void ones and photos still waiting for their finding never stand in a document.
    """
    opened = (
        scoped(reader, area)
        .filter(MEASURES["opened"].condition(as_of), opened_on__range=(period.start, period.end))
        .select_related("responsible")
    )
    wanted: list[QuerySet[Case]] = []
    if worst:
        inside = Q()
        for code in worst:
            inside |= Q(**{level_of(code).column: code})
        wanted.append(opened.filter(inside))
    if spots:
        wanted.append(opened.filter(uid__in=[spot.case_uids[-1] for spot in spots[:_CANDIDATES]]))
    wanted.append(opened)
    chosen: dict[UUID, Case] = {}
    for rows in wanted:
        chosen |= {case.uid: case for case in rows.order_by("-id")[:_CANDIDATES] if case.uid not in chosen}
    owners = owners_of(chosen)
    files = (
        Attachment.objects.visible_to(reader)
        .standing()
        .filter(
            owned_by(owners), purpose=Purpose.BEFORE, waiting=False,
            stored__sensitive=False, stored__broken_at__isnull=True, stored__media_type__startswith="image/",
        )
        .order_by("id")
        .values_list("owner_kind", "owner_uid", "stored__sha256")
    )  # fmt: skip
    first: dict[object, str] = {}
    for kind, owner, sha256 in files:
        first.setdefault(owners[kind, owner], sha256)
    made: list[Picture] = []
    shown: set[object] = set()
    for uid, case in chosen.items():
        place = case.responsible_id or case.community or case.area
        if uid not in first or place in shown or first[uid] in {picture.sha256 for picture in made}:
            continue
        shown.add(place)
        on = f"{case.occurred_on.month}月{case.occurred_on.day}日"
        whose = f"（{case.responsible.name}）" if case.responsible else ""
        caption = f"{_where(case)}{whose}：{case.title}，{on}"
        made.append(Picture(first[uid], caption, f"现场照片{chinese_number(len(made) + 1)}：{caption}"))
        if len(made) == PHOTOS:
            break
    return tuple(made)
