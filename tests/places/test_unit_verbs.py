"""Units are registered, changed, closed and merged; contacts stay sealed."""

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from tests.places.cast import NOW, TODAY, refused
from weicheng.journal.models import Entry
from weicheng.journal.sealing import unseal
from weicheng.places import actions, unit_verbs, unit_versions
from weicheng.places.actions import Point, UnitFields
from weicheng.places.models import Unit, UnitVersion
from weicheng.places.roles import Role
from weicheng.rules.errors import ConflictError, ForbiddenError, MissingError

pytestmark = pytest.mark.django_db


def fields(town, **more) -> UnitFields:
    return UnitFields(**{"name": "老张面馆", "kind": "shop", "area": town.east_one, **more})


@pytest.fixture
def create(town, officer):
    return lambda **more: actions.create_unit(fields=fields(town, **more), by=officer, at=NOW)


def test_a_unit_is_registered_with_its_own_fields_and_one_journal_entry(town, create):
    unit = create(
        particulars={"area_m2": "36.50", "trade": "餐饮", "frontage": "是", "nonsense": "x"},
        contact={"name": "张大山", "phone": "138 0013 5678"},
        services=[town.west],
    )
    assert json.loads(unit.particulars) == {"area_m2": "36.5", "frontage": True, "trade": "餐饮"}
    assert (unit.street, unit.community, unit.grid) == (town.east, town.east_one, "")
    assert unit.contact_masked == "张** 138****5678"
    assert unseal(unit.contact_sealed, unit.contact_key) == {"name": "张大山", "phone": "13800135678"}
    assert list(unit.services.values_list("area", flat=True)) == [town.west]
    assert Entry.objects.count() == 1
    assert "13800135678" not in bytes(Entry.objects.get().body).decode()
    assert "13800135678" not in bytes(UnitVersion.objects.get().body).decode()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": " "}, "unit-name"),
        ({"name": "长" * 121}, "unit-name"),
        ({"kind": "castle"}, "unknown-kind"),
        ({"kind": "market"}, "particular-missing"),
        ({"kind": "market", "particulars": {"stalls": "many"}}, "particular-invalid"),
        ({"kind": "market", "particulars": {"stalls": "3.5"}}, "particular-invalid"),
        ({"particulars": {"trade": "航天"}}, "particular-invalid"),
        ({"particulars": {"area_m2": "NaN"}}, "particular-invalid"),
        ({"area": "320311999"}, "unknown-area"),
        ({"area": "32031"}, "unknown-area"),
        ({"area": "320322001"}, "foreign-area"),
        ({"credit_code": "91320311MA1"}, "credit-code-form"),
        ({"contact": {"name": "张三", "phone": "12"}}, "phone-invalid"),
        ({"contact": {"name": "张" * 41}}, "contact-name"),
        ({"point": Point("200", "34")}, "coordinate-out-of-range"),
        ({"point": Point("117.1", None)}, "point-incomplete"),
        ({"point": Point("117.1", "34.2", "mars")}, "point-incomplete"),
        ({"point": Point("117.1", "34.2", accuracy_m="-3")}, "point-incomplete"),
        ({"address": "路" * 201}, "address-long"),
        ({"services": ["320322"]}, "foreign-area"),
    ],
)
def test_a_registration_is_refused_in_a_sentence(town, create, given, code):
    refused(partial(create, **given), code)


def test_a_closed_community_takes_no_unit(town, create, keeper):
    actions.close_area(code=town.east_one, on=TODAY, by=keeper, at=NOW)
    refused(create, "closed-area")


def test_the_same_name_twice_in_a_community_is_refused(create):
    create()
    refused(create, "unit-exists")


def test_the_same_uid_is_the_same_unit_and_with_other_content_a_conflict(town, officer):
    uid = uuid.uuid4()
    make = partial(actions.create_unit, by=officer, at=NOW, uid=uid)
    assert make(fields=fields(town)).pk == make(fields=fields(town)).pk
    assert Unit.objects.count() == Entry.objects.count() == 1
    refused(partial(make, fields=fields(town, name="别家")), "same-uid", ConflictError)


def test_a_point_is_stored_in_one_datum(create):
    gps = create(point=Point("117.2", "34.26", "WGS84", "12.34"))
    assert (gps.lon, gps.lat, gps.datum, gps.accuracy_m) == (
        Decimal("117.2000000"),
        Decimal("34.2600000"),
        "CGCS2000",
        Decimal("12.3"),
    )
    drawn = create(name="高德标注", point=Point("117.2", "34.26", "gcj02"))
    assert drawn.datum == "CGCS2000"
    assert 0.001 < abs(drawn.lon - gps.lon) < 0.01


def test_who_keeps_no_units_registers_none(town):
    inspector = town.actor("inspector", Role.INSPECTOR, town.district)
    make = partial(actions.create_unit, fields=fields(town), by=inspector, at=NOW)
    refused(make, "no-power", ForbiddenError)


def test_a_change_leaves_a_version_and_no_change_leaves_none(town, create, officer):
    unit = create(contact={"name": "张大山", "phone": "13800135678"})
    change = partial(actions.change_unit, unit=unit, by=officer, at=NOW)
    change(fields=fields(town))
    assert unit_verbs.newest(unit) == 1
    change(fields=fields(town, address="湖北路 8 号"))
    assert unit_verbs.newest(unit) == 2
    newest = unit_versions.history(unit)[0]
    assert newest.note == "地址：— → 湖北路 8 号"
    assert newest.actor == "人officer"
    unit.refresh_from_db()
    assert unit_verbs.contact_of(unit)["phone"] == "13800135678"
    change(fields=fields(town, address="湖北路 8 号", contact={}))
    unit.refresh_from_db()
    assert (unit.contact_masked, unit.contact_sealed) == ("", None)


def test_two_people_do_not_overwrite_each_other(town, create, officer):
    unit = create()
    change = partial(actions.change_unit, unit=unit, by=officer, at=NOW, base=1)
    change(fields=fields(town, address="一号"))
    refused(partial(change, fields=fields(town, address="二号")), "unit-changed", ConflictError)


def test_a_unit_moves_with_its_liaisons(town, create, officer):
    unit = create()
    post = town.post("liaison", Role.LIAISON, unit=unit)
    actions.change_unit(unit=unit, fields=fields(town, area=town.west_one), by=officer, at=NOW)
    post.refresh_from_db()
    assert (post.area, post.street) == (town.west_one, town.west)


def test_a_closed_unit_is_not_changed_again(town, create, officer):
    unit = create()
    close = partial(actions.close_unit, unit=unit, by=officer, at=NOW)
    refused(partial(close, on=TODAY - timedelta(days=1)), "before-opening")
    close(on=TODAY)
    refused(partial(close, on=TODAY), "unit-closed")
    change = partial(actions.change_unit, unit=unit, fields=fields(town, address="x"), by=officer, at=NOW)
    refused(change, "unit-closed")
    assert create().pk != unit.pk  # its name is free again


def test_a_unit_with_liaisons_is_not_closed(town, create, officer):
    unit = create()
    town.post("liaison", Role.LIAISON, unit=unit)
    refused(partial(actions.close_unit, unit=unit, on=TODAY, by=officer, at=NOW), "unit-has-posts")


def test_a_merged_unit_answers_through_its_heir(town, create, officer):
    one, two, three = (create(name=name) for name in ("甲", "乙", "丙"))
    post = town.post("liaison", Role.LIAISON, unit=one)
    merge = partial(actions.merge_units, by=officer, at=NOW)
    merge(unit=one, into=two)
    merge(unit=two, into=three)
    one.refresh_from_db()
    post.refresh_from_db()
    assert actions.canonical(one) == three
    assert post.unit == three
    assert one.closed_on == TODAY
    refused(partial(merge, unit=three, into=three), "merge-into-itself")
    refused(partial(merge, unit=three, into=one), "unit-closed")


def test_units_of_two_districts_are_not_merged(town, create, officer):
    foreign = town.unit("外店", town.beyond_street)
    refused(partial(actions.merge_units, unit=create(), into=foreign, by=officer, at=NOW), "foreign-area")
    refused(partial(actions.close_unit, unit=foreign, on=TODAY, by=officer, at=NOW), "foreign-area")


def test_each_reading_of_a_contact_is_journalled(town, create, officer):
    unit = create(contact={"name": "张大山", "phone": "13800135678"})
    before = Entry.objects.count()
    assert actions.read_contact(unit=unit, by=officer, at=NOW)["phone"] == "13800135678"
    assert Entry.objects.filter(verb="unit.read_contact").count() == 1
    assert Entry.objects.count() == before + 1
    leader = town.actor("leader", Role.LEADER, town.district)
    refused(partial(actions.read_contact, unit=unit, by=leader, at=NOW), "no-power", ForbiddenError)
    west = town.actor("west", Role.STREET, town.west)
    refused(partial(actions.read_contact, unit=unit, by=west, at=NOW), "unit", MissingError)


def test_versions_cannot_be_rewritten(create):
    create()
    for statement in ("UPDATE places_unitversion SET number = 9", "DELETE FROM places_unitversion"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_scope_of_units(town, create):
    east, west = create(), create(name="西店", area=town.west_one)
    water = town.unit("自来水公司", town.beyond_street, services=[town.west])
    seen = lambda actor: set(Unit.objects.visible_to(actor))  # noqa: E731
    assert seen(town.actor("district", Role.DISTRICT_OFFICER, town.district)) == {east, west}
    assert seen(town.actor("east", Role.STREET, town.east)) == {east}
    assert seen(town.actor("west", Role.STREET, town.west)) == {west, water}
    assert seen(town.actor("west_one", Role.COMMUNITY, town.west_one)) == {west, water}
    assert seen(town.actor("liaison", Role.LIAISON, unit=east)) == {east}
    from weicheng.places.actors import NOBODY

    assert seen(NOBODY) == set()
