"""The form renderer: every error is tied to its field, and nothing typed is lost."""

import re
import uuid
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template import Context, Template

from tests.ui.site import ThingForm
from weicheng.ui.forms import Place

GOOD = {
    "uid": "1f0c9f9e-52a7-4d57-9c6e-0a6f3c1de001",
    "kind": "litter",
    "severity": "grave",
    "area": "32031100005",
    "found_on": "2026-05-08",
    "route_m": "1200",
    "traces": "3",
    "note": "三号楼 <西侧>",
    "place_lon": "117.19",
    "place_lat": "34.26",
    "place_accuracy_m": "12",
}


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def with_attr(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _tag, attrs in self.found if name in attrs]


def drawn(form) -> str:
    return Template("{% load ui %}{% form_fields form %}").render(Context({"form": form}))


def test_every_visible_field_has_a_name_and_every_description_exists():
    page = Elements(drawn(ThingForm({"severity": "grave"})))
    ids = [attrs["id"] for attrs in page.with_attr("id")]
    assert len(ids) == len(set(ids))
    for attrs in page.with_attr("aria-describedby"):
        for one in attrs["aria-describedby"].split():
            assert one in ids
    for attrs in page.with_attr("for"):
        assert attrs["for"] in ids
    for tag, attrs in page.found:
        if tag in {"input", "select", "textarea"} and attrs.get("type") not in {
            "hidden",
            "radio",
            "checkbox",
            "file",
        }:
            assert any(label.get("for") == attrs["id"] for label in page.with_attr("for")), attrs


def test_an_error_is_a_sentence_tied_to_its_field_and_linked_from_the_top():
    html = drawn(ThingForm({**GOOD, "route_m": "0"}))
    field = next(attrs for attrs in Elements(html).with_attr("name") if attrs["name"] == "route_m")
    assert field["aria-invalid"] == "true"
    assert "id_route_m_error" in field["aria-describedby"]
    assert field["value"] == "0"
    assert 'href="#id_route_m"' in html
    assert re.search(r'role="alert" tabindex="-1" data-focus', html)


def test_an_empty_field_is_named_in_the_sentence_that_asks_for_it():
    html = drawn(ThingForm({**GOOD, "kind": "", "route_m": ""}))
    assert "还没有选择“问题类别”。请选择一项。" in html
    assert "还没有填写“检查路线”。请填写后再保存。" in html


def test_a_fault_of_the_whole_form_is_said_at_the_top():
    html = drawn(ThingForm({**GOOD, "severity": "normal", "urgent": "on"}))
    assert "一般问题不能要求当天处置" in html.split('class="wc-field')[0]


def test_what_was_typed_is_still_there_after_an_error(toy_site):
    answer = toy_site.post("/form", {**GOOD, "kind": ""})
    page = answer.content.decode()
    assert answer.status_code == 422
    for text in ("三号楼 &lt;西侧&gt;", 'value="1200"', 'value="2026-05-08"', GOOD["uid"], 'value="117.19"'):
        assert text in page
    assert re.search(r'value="grave"[^>]*checked', page)
    assert re.search(r'value="32031100005" selected', page)


def test_a_good_form_goes_on_and_htmx_is_told_to_load_the_page(toy_site):
    assert toy_site.post("/form", GOOD).status_code == 303
    answer = toy_site.post("/form", GOOD, headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/things")


def test_units_stand_beside_their_fields_and_required_is_written_out():
    html = drawn(ThingForm())
    assert '<span class="wc-unit">米</span>' in html
    assert '<span class="wc-unit">处</span>' in html
    assert "必填" in html


def test_each_opened_form_carries_an_identity_of_its_own():
    first, second = (re.search(r'name="uid" value="([^"]+)"', drawn(ThingForm())) for _time in range(2))
    assert uuid.UUID(first[1]) != uuid.UUID(second[1])


@pytest.mark.parametrize(
    ("lon", "lat", "place"),
    [("117.19", "34.26", Place(117.19, 34.26, 12.0)), ("", "", None), ("117.19", "", None)],
)
def test_a_place_is_a_value_or_nothing(lon, lat, place):
    form = ThingForm({**GOOD, "place_lon": lon, "place_lat": lat})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["place"] == place


@pytest.mark.parametrize("lon", ["181", "east", "nan", "1e400"])
def test_a_place_off_the_map_is_one_sentence(lon):
    form = ThingForm({**GOOD, "place_lon": lon})
    assert not form.is_valid()
    assert form.errors["place"] == ["位置无法识别。请重新点击“取当前位置”。"]


def test_several_photos_come_as_a_list_and_too_many_are_refused():
    from django.utils.datastructures import MultiValueDict

    def with_photos(count):
        files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(count)]
        return ThingForm(GOOD, MultiValueDict({"photos": files}))

    form = with_photos(2)
    assert form.is_valid(), form.errors
    assert [file.name for file in form.cleaned_data["photos"]] == ["0.jpg", "1.jpg"]
    assert with_photos(10).errors["photos"] == ["一次最多 9 张照片，现在选了 10 张。请减少后重新选择。"]
    assert ThingForm(GOOD).is_valid()
