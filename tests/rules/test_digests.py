"""The one spelling of a payload: what it looks like, what it refuses, and that order does not matter."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.digests import _ENCODER, _plain, canonical, digest, token_digest


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Mood(Enum):
    GOOD = "good"


SHANGHAI = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (1, "1"),
        (-12, "-12"),
        ("门前堆放", '"门前堆放"'),  # not ASCII-escaped
        ('a"b\n', '"a\\"b\\n"'),
        (Decimal("1.50"), '"1.50"'),  # the places are part of what was said
        (Decimal("1E+3"), '"1000"'),
        (Decimal("1E-7"), '"0.0000001"'),
        (date(2026, 10, 1), '"2026-10-01"'),
        (datetime(2026, 10, 1, 8, 30, tzinfo=SHANGHAI), '"2026-10-01T08:30:00+08:00"'),
        (datetime(2026, 10, 1, 0, 30, 0, 5, tzinfo=UTC), '"2026-10-01T00:30:00.000005+00:00"'),
        (UUID("12345678-1234-5678-1234-567812345678"), '"12345678-1234-5678-1234-567812345678"'),
        (Colour.RED, '"red"'),
        ((1, 2), "[1,2]"),
        ([1, (2, "三")], '[1,[2,"三"]]'),
        ({"b": 1, "a": {"d": 2, "c": 3}}, '{"a":{"c":3,"d":2},"b":1}'),
        ({}, "{}"),
    ],
)
def test_each_kind_of_value_has_one_spelling(value, spelling):
    assert canonical({"v": value}) == ('{"v":' + spelling + "}").encode()


def test_keys_are_sorted_and_nothing_is_spaced():
    assert canonical({"b": 1, "a": [1, 2], Colour.RED: "x"}) == b'{"a":[1,2],"b":1,"red":"x"}'


@pytest.mark.parametrize(
    ("payload", "error", "says"),
    [
        ({"lon": 117.2}, TypeError, "^lon: a float"),
        ({"points": [{"lon": 117.2}]}, TypeError, r"^points\[0\]\.lon: a float"),
        ({"a": (1, 2.0)}, TypeError, r"^a\[1\]: a float"),
        ({"a": {1: "x"}}, TypeError, r"^a\.1: a key must be text, not int"),
        ({"a": {1, 2}}, TypeError, "^a: set has no spelling"),
        ({"a": b"x"}, TypeError, "^a: bytes has no spelling"),
        ({"a": Size.SMALL}, TypeError, "^a: Size is no StrEnum"),
        ({"a": Mood.GOOD}, TypeError, "^a: Mood is no StrEnum"),
        ({"at": datetime(2026, 10, 1)}, ValueError, "^at: the moment 2026-10-01T00:00:00 has no zone"),
        ({"a": Decimal("NaN")}, ValueError, "^a: NaN is not a number"),
        ({"a": Decimal("Infinity")}, ValueError, "^a: Infinity is not a number"),
        ({"a": {"b": "\ud800"}}, ValueError, "^a.b: the text holds half a character"),
        (3.0, TypeError, "^payload: a float"),
        (b"x", TypeError, "^payload: bytes"),
        (Mood.GOOD, TypeError, "^payload: Mood"),
        (Decimal("NaN"), ValueError, "^payload: NaN"),
        (datetime(2026, 10, 1), ValueError, "^payload: the moment"),
        ({"\ud800": 1}, ValueError, "^payload: the text holds half"),
    ],
)
def test_what_has_no_exact_spelling_is_refused_with_its_path(payload, error, says):
    with pytest.raises(error, match=says):
        canonical(payload)


def test_the_digest_is_sha256_in_lower_hex():
    # FIPS 180-4 example: SHA-256 of "abc"
    assert digest(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert token_digest("abc") == digest(b"abc")
    assert token_digest("卫") == digest("卫".encode())


_plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc中", max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abcdef", max_size=4), _plain_values, max_size=6), st.randoms())
def test_the_order_of_the_keys_changes_nothing(payload, random):
    items = list(payload.items())
    random.shuffle(items)
    assert canonical(dict(items)) == canonical(payload)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_read_back_equal_and_shows_no_exponent(value):
    text = canonical({"v": value}).decode()[6:-2]
    assert "E" not in text
    assert Decimal(text) == value


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(allow_nan=False, allow_infinity=False)
    | st.datetimes(timezones=st.just(SHANGHAI)) | st.dates() | st.uuids() | st.sampled_from(Colour),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), _VALUES))
def test_the_quick_way_spells_as_the_slow_one(payload):
    assert canonical(payload) == _ENCODER.encode(_plain(payload, "")).encode()
