"""Visits as the contact record (联络记录) of who is in charge of an area (ORG-6, ORG-7)."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse

from weicheng.inspections.models import Visit
from weicheng.places import areas
from weicheng.places.actor import Actor
from weicheng.places.contacts import Contact
from weicheng.places.http import HttpRequest
from weicheng.places.models import Charge
from weicheng.rules.errors import N_

NAME = N_("检查")


def counted(charges: Sequence[Charge], reader: Actor, on: date) -> Mapping[int, Contact]:
    """Return how often each of them was in the area while in charge of it; one statement for all."""
    if not charges:
        return {}
    keys = {f"user:{each.user_id}" for each in charges if each.user_id}
    rows = (
        Visit.objects.visible_to(reader)
        .filter(Q(by_key__in=keys) | Q(kind__in=_NAMED), visited_on__lte=on)
        .filter(visited_on__gte=min(each.from_on for each in charges))
        .order_by()
        .values_list("by_key", "kind", "leader", "participants", "area", "visited_on")
        .annotate(n=Count("pk"))
    )
    made = list(rows)
    found = {}
    for charge in charges:
        codes = tuple(code for _column, code in areas.within(charge.area))
        own = [
            (day, n)
            for by_key, kind, leader, participants, area, day, n in made
            if area.startswith(codes)
            and charge.span.holds(day)
            and (
                (charge.user_id and by_key == f"user:{charge.user_id}")
                or (kind == Visit.Kind.LEADER and charge.name in leader)
                or (kind == Visit.Kind.JOINT and charge.name in participants)
            )
        ]
        query = urlencode({"area": charge.area, "charge": charge.uid})
        found[charge.pk] = Contact(
            NAME,
            sum(n for _day, n in own),
            max((day for day, _n in own), default=None),
            f"{reverse('visits')}?{query}" if own else "",
        )
    return found


_NAMED = (
    Visit.Kind.LEADER.value,
    Visit.Kind.JOINT.value,
)  # these say in words who led them, or which section came


def of_charge(charge: Charge) -> Q:
    """Return the visits that somebody made while in charge: in person, as the leader named, as the section named."""
    who = Q(kind=Visit.Kind.LEADER.value, leader__contains=charge.name)
    who |= Q(kind=Visit.Kind.JOINT.value, participants__contains=charge.name)
    if charge.user_id:
        who |= Q(by_key=f"user:{charge.user_id}")
    where = Q(pk__in=[])
    for column, code in areas.within(charge.area):
        where |= Q(**{column: code})
    until = Q(visited_on__lte=charge.to_on) if charge.to_on else Q()
    return who & where & until & Q(visited_on__gte=charge.from_on)


def charge_name(uid: str, request: HttpRequest) -> str | None:
    """Return who is meant, for the chip of the list; None where the reader may not see the charge."""
    found = Charge.objects.visible_to(request.actor).filter(uid=UUID(uid)).first()
    return found.who if found else None
