"""The map: open cases with a point, in scope, in the box, in the datum of the tiles."""

from decimal import Decimal

import pytest

from weicheng.cases.models import Case
from weicheng.rules.coordinates import wgs84_to_gcj02
from weicheng.web import map as web_map

HERE = {"lon": Decimal("117.1000000"), "lat": Decimal("34.2500000")}


def placed(city, **changes):
    case = city.case(**changes)
    Case.objects.filter(pk=case.pk).update(**HERE)
    return case


def shown(client, query=""):
    return client.get(f"/map/cases.json{query}").json()["cases"]


def test_the_owner_sees_the_point_before_the_neighbour_sees_none(city):
    case = placed(city)
    assert [one["number"] for one in shown(city.client("Chen"))] == [case.number]
    assert [one["number"] for one in shown(city.client("Zhao"))] == [case.number]
    assert shown(city.client("Wu")) == shown(city.client("Ne")) == shown(city.client("Feng")) == []


def test_a_point_says_its_state_by_a_letter_and_in_words(city):
    placed(city)
    one = shown(city.client("Chen"))[0]
    assert (one["letter"], one["state"], one["tone"]) == ("接", "待接收", "blue")
    assert one["url"].startswith("/cases/")


def test_closed_cases_and_cases_without_a_point_are_not_on_the_map(city):
    city.case()
    case = placed(city)
    Case.objects.filter(pk=case.pk).update(
        state="closed", open=False, closed_at=city.now, closed_on=city.now.date(), next_at=None
    )
    assert shown(city.client("Chen")) == []


def test_only_the_part_that_is_looked_at_is_sent(city):
    placed(city)
    client = city.client("Chen")
    assert len(shown(client, "?box=117.0,34.2,117.2,34.3")) == 1
    assert shown(client, "?box=118.0,34.2,118.2,34.3") == []


@pytest.mark.parametrize("box", ["1,2,3", "a,b,c,d", "3,3,1,1", "nan,1,2,3", "1,2,3,4,5", "9" * 5000])
def test_a_box_that_is_none_is_refused_in_a_sentence(city, box):
    reply = city.client("Chen").get("/map/cases.json", {"box": box})
    assert reply.status_code == 422
    assert "无法识别" in reply.json()["sentence"]


def test_points_are_sent_in_the_datum_of_the_tiles(city, settings):
    placed(city)
    settings.MAP_TILES, settings.MAP_TILES_DATUM = "https://tiles.example/{z}/{x}/{y}.png", "GCJ02"
    one = shown(city.client("Chen"))[0]
    lon, lat = wgs84_to_gcj02(117.1, 34.25)
    assert (one["lon"], one["lat"]) == (round(lon, 6), round(lat, 6))
    assert (
        len(shown(city.client("Chen"), f"?box={lon - 0.0001},{lat - 0.0001},{lon + 0.0001},{lat + 0.0001}"))
        == 1
    )


def test_no_more_than_the_limit_is_sent_and_the_reader_is_told(city, monkeypatch):
    monkeypatch.setattr(web_map, "MOST", 2)
    newest = [placed(city) for _number in range(3)][-1]
    reply = city.client("Chen").get("/map/cases.json").json()
    assert len(reply["cases"]) == 2
    assert reply["more"] is True
    assert reply["cases"][0]["number"] == newest.number


def test_the_map_costs_the_same_statements_for_one_point_and_for_many(city, django_assert_max_num_queries):
    client = city.client("Chen")
    for _number in range(8):
        placed(city)
    client.get("/map/cases.json")
    with django_assert_max_num_queries(4):
        client.get("/map/cases.json")


@pytest.mark.parametrize("name", ["Xi", "An", "Shen"])
def test_administrators_see_no_map(city, name):
    assert city.client(name).get("/map").status_code == 403
    assert city.client(name).get("/map/cases.json").status_code == 403
