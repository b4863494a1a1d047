"""The packed division data is the published one, whole, and small enough to ship."""

from collections import Counter
from itertools import pairwise

import pytest

from weicheng.places import divisions
from weicheng.places.divisions import Division, find, full_name, read
from weicheng.rules.errors import RuleError

pytestmark = pytest.mark.once  # a packed file, no database

FOUR_MB = 4_000_000
PARENT = {4: 2, 6: 4, 9: 6, 12: 9}  # digits of a code, digits of its parent's


@pytest.fixture(scope="module")
def everything() -> dict[str, str]:
    return {area.code: area.name for province in divisions.provinces() for area in read(province.code)}


def test_the_counts_are_the_published_ones(everything):
    assert Counter(map(len, everything)) == {2: 31, 4: 342, 6: 2978, 9: 41352, 12: 620573}


def test_every_area_has_its_parent_and_a_name(everything):
    assert [
        code for code in everything if len(code) > 2 and code[: PARENT[len(code)]] not in everything
    ] == []
    assert [code for code, name in everything.items() if not name or name != name.strip()] == []


def test_the_data_takes_at_most_four_megabytes():
    assert sum(file.stat().st_size for file in divisions.DATA.iterdir()) <= FOUR_MB


def test_no_packed_file_is_missing_from_the_list_of_provinces():
    packed = sorted(file.name.removesuffix(".txt.xz") for file in divisions.DATA.glob("*.xz"))
    assert packed == [province.code for province in divisions.provinces()]


def test_a_district_is_read_with_its_ancestors_and_everything_below():
    areas = list(read("320311"))
    assert areas[:3] == [Division("32", "江苏省"), Division("3203", "徐州市"), Division("320311", "泉山区")]
    assert all(area.code.startswith("320311") for area in areas[3:])
    assert {len(area.code) for area in areas[3:]} == {9, 12}
    assert all(before.code < after.code for before, after in pairwise(areas))


def test_a_community_is_read_with_its_four_ancestors_only():
    *above, community = read("110101001001")
    assert [area.name for area in above] == ["北京市", "市辖区", "东城区", "东华门街道"]
    assert community == Division("110101001001", "多福巷社区居委会")


@pytest.mark.parametrize("code", ["99", "3299", "320399", "320311999", "320311001999", "320311001005001"])
def test_an_unknown_area_is_refused_by_its_code(code):
    with pytest.raises(RuleError) as refusal:  # at the call, before the first area is asked for
        read(code)
    assert refusal.value.code == "unknown-area"
    assert f"“{code}”" in refusal.value.sentence()


@pytest.mark.parametrize("code", ["", "3", "32031", "3203xx", "../../32", "３２０３"])
def test_what_is_no_area_code_is_refused_too(code):
    with pytest.raises(RuleError) as refusal:
        read(code)
    assert refusal.value.code == "area-code"


def test_an_area_is_found_by_its_name_or_a_part_of_it():
    assert find("泉山区") == [Division("320311", "泉山区")]
    assert Division("320311", "泉山区") in find("泉山")
    assert find("徐州市")[0] == Division("3203", "徐州市")
    assert find("没有这个地方") == []
    assert find("  ") == []


def test_equal_names_come_first_and_the_limit_is_kept():
    found = find("鼓楼区")
    assert [area.code for area in found] == ["320106", "320302", "350102", "410204"]
    assert len(find("街道")) == 20
    assert len(find("街道", limit=3)) == 3


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("32", "江苏省"),
        ("320311", "江苏省徐州市泉山区"),
        ("110101", "北京市东城区"),  # without the pseudo-city 市辖区
        ("441900", "广东省东莞市"),  # its one district repeats the city's name
    ],
)
def test_a_full_name_leaves_out_what_names_no_place(code, name):
    assert full_name(code) == name
