"""Areas open, close, merge, move and are renamed with dates; old codes stay within their heirs."""

from datetime import date, timedelta
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from tests.places.cast import LONG_AGO, NOW, TODAY, refused
from weicheng.journal.models import AppendOnlyError, Entry, Site
from weicheng.places import actions, areas
from weicheng.places.models import Area, AreaChange, Unit
from weicheng.places.roles import Role
from weicheng.rules.errors import ForbiddenError, RuleError

pytestmark = pytest.mark.django_db


def test_an_area_is_opened_below_its_parent_and_journalled_once(town, keeper):
    before = Entry.objects.count()
    opened = actions.open_area(
        code="320311001003", parent=town.east, name=" 东三 社区 ", on=TODAY, by=keeper, at=NOW
    )
    assert (opened.name, opened.parent_id, opened.opened_on) == ("东三 社区", town.east, TODAY)
    assert [c.kind for c in opened.changes.all()] == ["open"]
    assert Entry.objects.count() == before + 1
    assert areas.children(town.east, TODAY)[-1].code == "320311001003"
    assert "320311001003" not in [a.code for a in areas.children(town.east, TODAY - timedelta(days=1))]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"code": "32031100"}, "area-code"),
        ({"code": "3203110010x3"}, "area-code"),
        ({"code": "320311002009"}, "code-not-below"),
        ({"code": "320311001001"}, "code-taken"),
        ({"name": "  "}, "area-name"),
        ({"name": "长" * 61}, "area-name"),
        ({"on": date(1949, 1, 1)}, "before-opening"),
    ],
)
def test_opening_is_refused_in_a_sentence(town, keeper, changed, code):
    given = {"code": "320311001003", "parent": town.east, "name": "东三社区", "on": TODAY, **changed}
    refused(partial(actions.open_area, by=keeper, at=NOW, **given), code)


def test_only_the_system_administrator_of_the_area_changes_it(town, keeper, guard):
    rename = partial(actions.rename_area, code=town.east, name="新东街道", on=TODAY, at=NOW)
    refused(partial(rename, by=guard), "no-power", ForbiddenError)
    foreign = partial(actions.rename_area, code=town.beyond_street, name="新", on=TODAY, at=NOW, by=keeper)
    refused(foreign, "foreign-area")


def test_a_rename_keeps_the_old_name_for_older_days(town, keeper):
    actions.rename_area(code=town.east, name="泰山街道", on=TODAY, by=keeper, at=NOW)
    assert areas.name_of(town.east) == "泰山街道"
    assert areas.name_of(town.east, TODAY) == "泰山街道"
    assert areas.name_of(town.east, TODAY - timedelta(days=1)) == "东街道"
    rename = partial(actions.rename_area, code=town.east, by=keeper, at=NOW)
    refused(partial(rename, name="泰山街道", on=TODAY), "same-name")
    refused(partial(rename, name="黄山街道", on=TODAY - timedelta(days=9)), "before-last-change")


def test_a_closed_area_is_gone_from_its_first_day_without(town, keeper):
    actions.close_area(code=town.east_two, on=TODAY, by=keeper, at=NOW)
    assert areas.open_area(town.east_two, TODAY - timedelta(days=1)).name == "东二社区"
    with pytest.raises(RuleError, match="已于2026-05-08撤销"):
        areas.open_area(town.east_two, TODAY)
    refused(partial(actions.close_area, code=town.east_two, on=TODAY, by=keeper, at=NOW), "closed-area")


def test_closing_waits_for_children_and_posts(town, keeper):
    close = partial(actions.close_area, on=TODAY, by=keeper, at=NOW)
    error = refused(partial(close, code=town.east), "open-children")
    assert "东一社区" in error.sentence()
    town.post("clerk", Role.COMMUNITY, town.east_one)
    assert "1 个在任岗位" in refused(partial(close, code=town.east_one), "posts-held").sentence()
    refused(partial(close, code=town.east_two, on=date(1949, 1, 1)), "before-opening")
    refused(partial(close, code="320311999"), "unknown-area")


def test_a_merged_area_lives_on_within_its_heir(town, keeper):
    unit = town.unit("东二超市", town.east_two)
    actions.merge_area(code=town.east_two, into=town.west_one, on=TODAY, by=keeper, at=NOW)
    assert areas.successor(town.east_two).code == town.west_one
    assert ("community", town.east_two) in areas.within(town.west)
    assert ("community", town.east_two) in areas.within(town.west_one)
    assert areas.within(town.west, TODAY - timedelta(days=1)) == (("street", town.west),)
    assert areas.within(town.district) == (("district", town.district),)
    with pytest.raises(RuleError, match="现为西一社区"):
        areas.open_area(town.east_two, TODAY)
    unit.refresh_from_db()
    assert (unit.area, unit.street) == (town.west_one, town.west)
    assert [v.verb for v in unit.versions.all()] == ["create", "move"]


def test_merging_is_refused_in_a_sentence(town, keeper):
    merge = partial(actions.merge_area, on=TODAY, by=keeper, at=NOW)
    refused(partial(merge, code=town.east_one, into=town.east_one), "merge-into-itself")
    refused(partial(merge, code=town.east, into=town.east_one), "merge-into-child")
    refused(partial(merge, code=town.east_one, into=town.west), "merge-level")
    refused(partial(merge, code=town.east, into=town.west), "open-children")
    refused(partial(merge, code=town.east_one, into="320311001999"), "unknown-area")
    refused(partial(merge, code=town.east_one, into=town.east_two, on=date(1949, 1, 1)), "before-opening")
    refused(
        partial(merge, code=town.east_one, into=town.east_two, on=TODAY + timedelta(days=1)), "future-change"
    )
    actions.close_area(code=town.east_two, on=TODAY, by=keeper, at=NOW)
    refused(partial(merge, code=town.east_one, into=town.east_two), "closed-area")


def test_a_moved_street_takes_its_communities_units_and_posts_along(town, keeper):
    clerk = town.post("clerk", Role.COMMUNITY, town.west_one)
    unit = town.unit("西一菜场", town.west_one)
    town.post("liaison", Role.LIAISON, unit=unit)
    actions.move_area(code=town.west_one, to_code="320311001009", on=TODAY, by=keeper, at=NOW)
    clerk.refresh_from_db()
    unit.refresh_from_db()
    assert (clerk.area, clerk.street, unit.area) == ("320311001009", town.east, "320311001009")
    assert unit.posts.get().area == "320311001009"
    assert Area.objects.get(pk=town.west_one).closed_on == TODAY
    assert ("community", town.west_one) in areas.within(town.east)
    # A second move: the first code is still found two steps later.
    actions.move_area(code="320311001009", to_code="320311002077", on=TODAY, by=keeper, at=NOW)
    assert {code for _level, code in areas.within("320311002077")} == {
        "320311002077",
        "320311001009",
        town.west_one,
    }
    assert areas.successor(town.west_one).code == "320311002077"


def test_moving_is_refused_in_a_sentence(town, keeper):
    move = partial(actions.move_area, on=TODAY, by=keeper, at=NOW)
    refused(partial(move, code=town.west_one, to_code=town.east), "merge-level")
    refused(partial(move, code=town.west_one, to_code="320311002008"), "move-into-itself")
    refused(partial(move, code=town.west_one, to_code=town.east_one), "code-taken")
    refused(partial(move, code=town.west_one, to_code="320311777001"), "unknown-area")
    refused(partial(move, code=town.west_one, to_code="320322001001"), "foreign-area")


def test_grids_are_numbered_after_the_last_one_that_ever_was(town, keeper):
    grids = partial(actions.create_grids, community=town.east_one, on=TODAY, by=keeper, at=NOW)
    made = grids(names=["第一网格", "第二网格", " "])
    assert [one.code for one in made] == ["320311001001001", "320311001001002"]
    actions.close_area(code=made[1].code, on=TODAY, by=keeper, at=NOW)
    assert grids(names=["新网格"])[0].code == "320311001001003"
    refused(partial(grids, names=["第一网格"]), "same-name")
    refused(partial(grids, names=[]), "too-many-grids")
    refused(partial(grids, names=[f"网格{n}" for n in range(201)]), "too-many-grids")
    refused(
        partial(actions.create_grids, community=town.east, names=["x"], on=TODAY, by=keeper, at=NOW),
        "grid-parent",
    )


def test_the_history_of_areas_cannot_be_rewritten(town, keeper):
    actions.rename_area(code=town.east, name="泰山街道", on=TODAY, by=keeper, at=NOW)
    change = AreaChange.objects.get()
    with pytest.raises(AppendOnlyError):
        change.save()
    with pytest.raises(AppendOnlyError):
        AreaChange.objects.all().delete()
    for statement in ("UPDATE places_areachange SET kind = 'open'", "DELETE FROM places_areachange"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db
def test_a_district_is_loaded_quickly_and_only_once():
    assert actions.init_areas("320311", NOW) > 100
    assert Site.objects.get().root_area == "320311"
    assert Area.objects.get(pk="320311").parent_id == "3203"
    assert actions.init_areas("320311", NOW) == 0
    assert actions.init_areas("3203", NOW) > 1000
    assert Site.objects.get().root_area == "3203"
    with pytest.raises(RuleError):
        actions.init_areas("329999", NOW)


def test_children_read_the_new_tree_without_a_restart(town, keeper):
    assert len(areas.children(town.east, TODAY)) == 2
    actions.close_area(code=town.east_two, on=TODAY, by=keeper, at=NOW)
    assert len(areas.children(town.east, TODAY)) == 1
    assert Unit.objects.count() == 0
    assert LONG_AGO < TODAY
