"""Visits are the contact record of who is in charge of an area: counted beside the charge, listed behind the count."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.urls import reverse

from weicheng.inspections.actions import record_visit
from weicheng.inspections.drafts import VisitIn
from weicheng.inspections.models import Visit
from weicheng.places import contacts
from weicheng.places.charges import ChargeIn, set_charge
from weicheng.places.models import Charge

DAY = date(2026, 10, 12)


def visited(city, days=0, by="Lin", area="", **changes):
    at = city.now - timedelta(days=days)
    given = VisitIn(uid=uuid4(), area=area or city.east_one, visited_on=at.date(), **changes)
    return record_visit(given, by=city.actor(by), at=at)[0]


@pytest.fixture
def charges(city):
    def charge(**given):
        said = {"kind": "leader", "area": city.east, "name": "赵书记", "from_on": date(2026, 10, 1)} | given
        return set_charge(given=ChargeIn(**said), by=city.actor("Qian"), at=city.now)

    return {
        "Lin": charge(name="林书记", user=city.user("Lin")),
        "Zhao": charge(name="赵书记"),
        "section": charge(kind="section", area=city.west_one, name="城管科"),
    }


@pytest.fixture
def visits(city, charges):
    visited(city)
    visited(city, days=3)
    visited(city, days=30)  # before Lin was in charge
    visited(city, area=city.west_one)  # another street
    visited(city, days=1, kind="leader", leader="赵书记（区委）")
    visited(city, days=2, by="Qian", kind="joint", area=city.west_one, participants="城管科、市监所")
    return charges


def contacts_of(city, charges, who="Qian", on=DAY):
    rows = list(charges.values())
    contacts.attach(rows, city.actor(who), on)
    return {name: (row.contacts[0].count, row.contacts[0].last_on) for name, row in charges.items()}


def test_visits_count_for_who_was_there_led_them_or_took_part_while_in_charge(city, visits):
    assert contacts_of(city, visits) == {
        "Lin": (3, DAY),  # the leader's round was recorded by Lin, who was there too
        "Zhao": (1, date(2026, 10, 11)),
        "section": (1, date(2026, 10, 10)),
    }
    assert contacts_of(city, visits, on=date(2026, 10, 10))["Lin"] == (1, date(2026, 10, 9))


def test_nobody_there_counts_nothing(city, charges):
    assert set(contacts_of(city, charges).values()) == {(0, None)}


def test_a_hidden_visit_counts_for_nobody_who_may_not_know(city, visits):
    Visit.objects.filter(kind="leader").update(hidden=True)
    assert contacts_of(city, visits, who="Chen")["Zhao"] == (0, None)


@pytest.mark.parametrize("query", ["", "?by=person", "?area=320311001", "?area=320311002"])
def test_the_page_shows_the_count_and_leads_to_exactly_these_visits(city, visits, query):
    qian = city.client("Qian")
    Charge.objects.update(from_on=date(2026, 10, 1))
    join = "&" if query else "?"
    page = qian.get(f"/charges{query}{join}on=2026-10-12").content.decode()
    if query == "?area=320311002":
        assert "检查 1 次" in page  # the section of the west street's community
        return
    assert "检查 3 次" in page
    assert "最近 2026-10-12" in page
    url = f"{reverse('visits')}?area={city.east}&amp;charge={visits['Lin'].uid}"
    assert url in page
    listed = qian.get(url.replace("&amp;", "&")).content.decode()
    assert "林书记" in listed  # the chip says whose visits these are
    assert listed.count(f'<a href="{reverse("visits")}') >= 3
    mine = Visit.objects.filter(pk__in=[v.pk for v in Visit.objects.all() if v.url in listed])
    assert mine.count() == 3


def test_the_counts_cost_one_statement_however_many_are_in_charge(city, visits, django_assert_num_queries):
    rows = [Charge.objects.get(pk=row.pk) for row in visits.values()]
    actor = city.actor("Qian")
    contacts.attach(rows, actor, DAY)
    with django_assert_num_queries(1):
        contacts.attach(rows, actor, DAY)


def test_a_charge_nobody_may_see_narrows_to_nothing(city, visits):
    page = city.client("Wu").get(f"{reverse('visits')}?charge={visits['Zhao'].uid}").content.decode()
    assert "没有找到" in page
