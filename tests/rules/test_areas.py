"""Area codes as paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.areas import Level, ancestors, cut, is_within, level_of, parent
from weicheng.rules.errors import RuleError


@pytest.mark.parametrize(
    ("code", "level", "above"),
    [
        ("32", Level.PROVINCE, ""),
        ("3203", Level.CITY, "32"),
        ("320311", Level.DISTRICT, "3203"),
        ("320311001", Level.STREET, "320311"),
        ("320311001005", Level.COMMUNITY, "320311001"),
        ("320311001005001", Level.GRID, "320311001005"),
    ],
)
def test_a_code_tells_its_level_and_its_parent(code, level, above):
    assert level_of(code) is level
    assert parent(code) == above


@pytest.mark.parametrize(
    "code", ["", "3", "320", "3203110", "32031100100500", "3203110010050011", "32031a", "３２０３１１"]
)
def test_a_code_of_no_level_is_refused_in_words(code):
    with pytest.raises(RuleError) as caught:
        level_of(code)
    assert caught.value.code == "area-code"
    assert "请从区划列表中选择" in caught.value.sentence()


@pytest.mark.parametrize("code", ["x" * 60, "3" * 60])
def test_a_refused_code_is_quoted_in_part(code):
    with pytest.raises(RuleError) as caught:
        level_of(code)
    assert caught.value.values["code"] == code[0] * 40


def test_cut_fills_the_levels_above_and_leaves_those_below_empty():
    assert cut("320311001") == {
        "province": "32",
        "city": "3203",
        "district": "320311",
        "street": "320311001",
        "community": "",
        "grid": "",
    }


def test_zeros_belong_to_a_code():
    # 320300 is a district-level code that really ends in zeros: stripping would make it the city.
    assert level_of("320300") is Level.DISTRICT
    assert parent("320300") == "3203"


def test_owners_win_from_near_to_far():
    assert ancestors("320311001") == ("320311001", "320311", "3203", "32")


digits = st.text("0123456789", min_size=15, max_size=15)


@given(digits, st.sampled_from(list(Level)), st.sampled_from(list(Level)))
def test_a_code_is_within_exactly_its_prefixes(code, low, high):
    low, high = max(low, high), min(low, high)
    assert is_within(code[:low], code[:high])
    other = ("1" if code[0] != "1" else "2") + code[1:high]
    assert not is_within(code[:low], other)
    if low > high:
        assert not is_within(code[:high], code[:low])
