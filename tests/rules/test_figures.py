"""Figures: how they are rounded, printed, compared and told as JSON; and the periods behind them."""

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weicheng.rules.errors import RuleError
from weicheng.rules.figures import Figure, Period, Ratio, Scope, round_half_up

AS_OF = datetime(2026, 11, 1, 8, 0, tzinfo=timezone(timedelta(hours=8)))

RATE = Figure(
    id="completion-rate",
    title="办结率",
    definition="办结的群众意见数除以受理数",
    scope=Scope(area="320311", name="泉山区"),
    period=Period.month("2026-10"),
    as_of=AS_OF,
    value=Ratio(468, 570),
    unit="%",
    decimals=1,
    records=(("area", "320311"), ("month", "2026-10"), ("state", "已结案"), ("state", "open")),
    editions=("office-2026", "community-sample"),
)
COUNT = replace(RATE, id="opened", value=570, unit="件", decimals=0)


# --- rounding --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [
        (0, 0, "0"),
        (7, 0, "7"),
        (7, 2, "7.00"),
        (-7, 1, "-7.0"),
        (Decimal("0.5"), 0, "1"),
        (Decimal("1.5"), 0, "2"),
        (Decimal("2.5"), 0, "3"),  # not the banker's 2
        (Decimal("-2.5"), 0, "-3"),
        (Decimal("2.4999999"), 0, "2"),
        (Decimal("0.05"), 1, "0.1"),
        (Decimal("0.049"), 1, "0.0"),
        (Decimal("-0.049"), 1, "0.0"),  # no minus before a zero
        (Decimal("-0.05"), 1, "-0.1"),
        (Decimal("1.005"), 2, "1.01"),
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(2, 3), 4, "0.6667"),
        (Fraction(1, 8), 2, "0.13"),
        (Decimal(10) ** 40 + Decimal("0.5"), 0, "1" + "0" * 40),  # the sum itself is rounded by the context
        (10**40, 1, "1" + "0" * 40 + ".0"),
        (Fraction(10**40 * 2 + 1, 2), 0, "1" + "0" * 39 + "1"),
    ],
)
def test_a_half_goes_away_from_zero(value, decimals, printed):
    assert format(round_half_up(value, decimals), "f") == printed


@pytest.mark.parametrize(
    ("value", "decimals", "error"),
    [
        (1.5, 0, TypeError),
        (True, 0, TypeError),
        ("1", 0, TypeError),
        (1, -1, ValueError),
        (Decimal("NaN"), 0, ValueError),
        (Decimal("-Infinity"), 0, ValueError),
    ],
)
def test_what_is_not_exact_is_not_rounded(value, decimals, error):
    with pytest.raises(error):
        round_half_up(value, decimals)


@given(st.decimals(-(10**9), 10**9, places=6), st.integers(0, 5))
def test_rounding_agrees_with_the_decimal_library(value, decimals):
    expected = value.quantize(Decimal(1).scaleb(-decimals), context=Context(prec=60, rounding=ROUND_HALF_UP))
    assert round_half_up(value, decimals) == expected


# --- ratios ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "quotient"),
    [
        (Ratio(1, 2), Fraction(50)),
        (Ratio(1, 2, per=1), Fraction(1, 2)),
        (Ratio(3, 1500, per=1000), Fraction(2)),  # 3 traces on 1500 m = 2 per km
        (Ratio(Decimal("0.5"), Decimal("0.25")), Fraction(200)),
        (Ratio(0, 5), Fraction(0)),
        (Ratio(0, 0), None),
        (Ratio(5, 0), None),
        (Ratio(5, Decimal("0.0")), None),
        (Ratio(-1, 4), Fraction(-25)),
    ],
)
def test_a_ratio_is_exact_and_a_ratio_of_nothing_is_not_assessed(ratio, quotient):
    assert ratio.quotient() == quotient


@pytest.mark.parametrize(
    ("numerator", "denominator", "error"),
    [
        (1.0, 2, TypeError),
        (1, 2.0, TypeError),
        (True, 2, TypeError),
        (1, False, TypeError),
        (1, -1, ValueError),
        (1, Decimal("-0.5"), ValueError),
    ],
)
def test_a_ratio_is_made_of_two_exact_numbers(numerator, denominator, error):
    with pytest.raises(error):
        Ratio(numerator, denominator)


# --- periods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "start", "end", "label"),
    [
        (Period.month("2026-10"), "2026-10-01", "2026-10-31", "2026年10月"),
        (Period.month("2026-02"), "2026-02-01", "2026-02-28", "2026年2月"),
        (Period.month("2028-02"), "2028-02-01", "2028-02-29", "2028年2月"),
        (Period.month("2026-01"), "2026-01-01", "2026-01-31", "2026年1月"),
        (Period.month("2026-12"), "2026-12-01", "2026-12-31", "2026年12月"),
        (Period.month("1900-01"), "1900-01-01", "1900-01-31", "1900年1月"),
        (Period.year(2026), "2026-01-01", "2026-12-31", "2026年"),
        (Period.year(2999), "2999-01-01", "2999-12-31", "2999年"),
        (Period.half_year(2026, 1), "2026-01-01", "2026-06-30", "2026年上半年"),
        (Period.half_year(2026, 2), "2026-07-01", "2026-12-31", "2026年下半年"),
        (Period.quarter(2026, 1), "2026-01-01", "2026-03-31", "2026年第一季度"),
        (Period.quarter(2026, 2), "2026-04-01", "2026-06-30", "2026年第二季度"),
        (Period.quarter(2026, 3), "2026-07-01", "2026-09-30", "2026年第三季度"),
        (Period.quarter(2026, 4), "2026-10-01", "2026-12-31", "2026年第四季度"),
        (Period.between(date(2026, 10, 1), date(2026, 10, 31)), "2026-10-01", "2026-10-31", "2026年10月"),
        (Period.between(date(2026, 10, 5), date(2026, 10, 5)), "2026-10-05", "2026-10-05", "2026年10月5日"),
        (
            Period.between(date(2026, 10, 5), date(2026, 11, 3)),
            "2026-10-05",
            "2026-11-03",
            "2026年10月5日至11月3日",
        ),
        (
            Period.between(date(2026, 12, 30), date(2027, 1, 2)),
            "2026-12-30",
            "2027-01-02",
            "2026年12月30日至2027年1月2日",
        ),
        # whole months that are no quarter, half or year of the calendar are told by their days
        (
            Period.between(date(2026, 2, 1), date(2026, 4, 30)),
            "2026-02-01",
            "2026-04-30",
            "2026年2月1日至4月30日",
        ),
        (
            Period.between(date(2026, 4, 1), date(2026, 9, 30)),
            "2026-04-01",
            "2026-09-30",
            "2026年4月1日至9月30日",
        ),
        (
            Period.between(date(2026, 7, 1), date(2027, 6, 30)),
            "2026-07-01",
            "2027-06-30",
            "2026年7月1日至2027年6月30日",
        ),
        (
            Period.between(date(2026, 1, 1), date(2026, 12, 30)),
            "2026-01-01",
            "2026-12-30",
            "2026年1月1日至12月30日",
        ),
        (
            Period.between(date(2026, 1, 2), date(2026, 1, 31)),
            "2026-01-02",
            "2026-01-31",
            "2026年1月2日至1月31日",
        ),
    ],
)
def test_a_period_has_its_days_and_its_usual_name(period, start, end, label):
    assert (period.start.isoformat(), period.end.isoformat(), period.label) == (start, end, label)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Period.month("2026-13"), "2026-13"),
        (lambda: Period.month("2026-00"), "2026-00"),
        (lambda: Period.month("2026-1"), "2026-1"),
        (lambda: Period.month("2026年10月"), "2026年10月"),
        (lambda: Period.month("２０２６-10"), "２０２６-10"),
        (lambda: Period.month("1899-12"), "1899"),
        (lambda: Period.month("3000-01"), "3000"),
        (lambda: Period.month("x" * 41), "x" * 40),
        (lambda: Period.year(1899), "1899"),
        (lambda: Period.year(3000), "3000"),
        (lambda: Period.quarter(2026, 0), "2026-0"),
        (lambda: Period.quarter(2026, 5), "2026-5"),
        (lambda: Period.half_year(2026, 0), "2026-0"),
        (lambda: Period.half_year(2026, 3), "2026-3"),
    ],
)
def test_a_period_that_cannot_be_read_is_refused_with_examples(make, told):
    with pytest.raises(RuleError) as caught:
        make()
    assert caught.value.code == "period-unreadable"
    assert caught.value.values["text"] == told
    assert f"时段“{told}”无法识别" in caught.value.sentence()


def test_a_period_cannot_end_before_it_starts():
    with pytest.raises(RuleError) as caught:
        Period.between(date(2026, 10, 2), date(2026, 10, 1))
    assert caught.value.code == "period-order"
    assert "2026-10-01 早于开始日期 2026-10-02" in caught.value.sentence()


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (date(2026, 9, 30), False),
        (date(2026, 10, 1), True),
        (date(2026, 10, 31), True),
        (date(2026, 11, 1), False),
    ],
)
def test_the_first_and_the_last_day_belong_to_the_period(day, inside):
    assert Period.month("2026-10").contains(day) is inside


@pytest.mark.parametrize(
    ("period", "previous"),
    [
        (Period.month("2026-10"), Period.month("2026-09")),
        (Period.month("2026-01"), Period.month("2025-12")),
        (Period.month("2026-03"), Period.month("2026-02")),  # 31 days are followed back by 28
        (Period.month("2026-12"), Period.month("2026-11")),
        (Period.quarter(2026, 1), Period.quarter(2025, 4)),
        (Period.quarter(2026, 4), Period.quarter(2026, 3)),
        (Period.half_year(2026, 1), Period.half_year(2025, 2)),
        (Period.year(2026), Period.year(2025)),
        (
            Period.between(date(2026, 2, 1), date(2026, 3, 31)),
            Period.between(date(2025, 12, 1), date(2026, 1, 31)),
        ),
        (
            Period.between(date(2025, 11, 1), date(2026, 2, 28)),  # four months across the new year
            Period.between(date(2025, 7, 1), date(2025, 10, 31)),
        ),
        (
            Period.between(date(2023, 3, 1), date(2025, 2, 28)),  # two years of months
            Period.between(date(2021, 3, 1), date(2023, 2, 28)),
        ),
        (
            Period.between(date(2026, 10, 5), date(2026, 10, 13)),  # nine days before nine days
            Period.between(date(2026, 9, 26), date(2026, 10, 4)),
        ),
        (
            Period.between(date(2026, 10, 5), date(2026, 10, 5)),
            Period.between(date(2026, 10, 4), date(2026, 10, 4)),
        ),
    ],
)
def test_the_period_before_is_of_the_same_kind(period, previous):
    assert period.previous() == previous


@pytest.mark.parametrize(
    ("period", "last_year"),
    [
        (Period.month("2026-10"), Period.month("2025-10")),
        (Period.month("2029-02"), Period.month("2028-02")),  # 28 days against 29
        (Period.month("2028-02"), Period.month("2027-02")),
        (Period.quarter(2028, 1), Period.quarter(2027, 1)),
        (Period.half_year(2026, 2), Period.half_year(2025, 2)),
        (Period.year(2026), Period.year(2025)),
        (
            Period.between(date(2028, 2, 29), date(2028, 3, 5)),
            Period.between(date(2027, 2, 28), date(2027, 3, 5)),
        ),
        (
            Period.between(date(2029, 2, 20), date(2029, 2, 28)),  # not a whole month: the same days
            Period.between(date(2028, 2, 20), date(2028, 2, 28)),
        ),
    ],
)
def test_last_year_has_the_same_days(period, last_year):
    assert period.same_last_year() == last_year


_days = st.dates(date(1950, 1, 1), date(2100, 1, 1))


@given(_days, st.integers(0, 800))
def test_the_period_before_ends_the_day_before(start, length):
    period = Period.between(start, start + timedelta(days=length))
    previous = period.previous()
    assert previous.end + timedelta(days=1) == period.start
    assert period.same_last_year().start.year == start.year - 1


# --- figures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "text", "with_unit"),
    [
        (570, 0, "件", "570", "570件"),
        (0, 0, "件", "0", "0件"),
        (Decimal("17.25"), 1, "分", "17.3", "17.3分"),
        (Decimal("17"), 1, "分", "17.0", "17.0分"),
        (Ratio(468, 570), 1, "%", "82.1", "82.1%"),  # 468 / 570 = 82.105… %
        (Ratio(468, 570), 0, "%", "82", "82%"),
        (Ratio(1, 8), 1, "%", "12.5", "12.5%"),
        (Ratio(1, 800), 2, "%", "0.13", "0.13%"),  # 0.125 goes up
        (Ratio(3, 1500, per=1000), 2, "处/公里", "2.00", "2.00处/公里"),
        (Ratio(0, 570), 1, "%", "0.0", "0.0%"),
        (Ratio(0, 0), 1, "%", "未评定", "未评定"),
        (Ratio(5, 0), 1, "%", "未评定", "未评定"),
        (None, 0, "件", "未评定", "未评定"),
    ],
)
def test_a_figure_prints_one_way(value, decimals, unit, text, with_unit):
    figure = replace(RATE, value=value, decimals=decimals, unit=unit)
    assert figure.text() == text
    assert figure.with_unit() == with_unit


def test_a_ratio_is_told_as_json_with_both_its_numbers():
    assert json.loads(json.dumps(RATE.as_json())) == {
        "id": "completion-rate",
        "title": "办结率",
        "definition": "办结的群众意见数除以受理数",
        "scope": {"area": "320311", "name": "泉山区"},
        "period": {"start": "2026-10-01", "end": "2026-10-31", "label": "2026年10月"},
        "as_of": "2026-11-01T08:00:00+08:00",
        "value": "82.1",
        "numerator": 468,
        "denominator": 570,
        "per": 100,
        "text": "82.1",
        "unit": "%",
        "decimals": 1,
        "records": "area=320311&month=2026-10&state=%E5%B7%B2%E7%BB%93%E6%A1%88&state=open",
        "editions": ["office-2026", "community-sample"],
    }


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (570, {"value": 570, "text": "570.0"}),
        (Decimal("17.25"), {"value": "17.25", "text": "17.3"}),
        (Decimal("1E+2"), {"value": "100", "text": "100.0"}),
        (None, {"value": None, "text": "未评定"}),
        (
            Ratio(Decimal("1E+1"), 0, per=1),
            {"value": None, "text": "未评定", "numerator": "10", "denominator": 0, "per": 1},
        ),
        (
            Ratio(3, Decimal("1.50"), per=1),
            {"value": "2.0", "text": "2.0", "numerator": 3, "denominator": "1.50", "per": 1},
        ),
    ],
)
def test_json_keeps_exact_numbers_and_only_a_ratio_has_two(value, told):
    answer = replace(RATE, value=value).as_json()
    assert {
        key: answer[key] for key in ("value", "numerator", "denominator", "per", "text") if key in answer
    } == told
    json.dumps(answer)


def test_a_figure_without_records_or_editions_has_empty_ones():
    bare = Figure("a", "甲", "定义", RATE.scope, RATE.period, AS_OF, 1, "件").as_json()
    assert (bare["records"], bare["editions"], bare["decimals"]) == ("", [], 0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (570, 570, True),
        (570, 571, False),
        (2, Decimal("2.0"), True),
        (Decimal("82.10"), Decimal("82.14"), False),  # printed alike, still other values
        (Ratio(468, 570), Ratio(468, 570), True),
        (Ratio(1, 2), Ratio(50, 100), False),  # other facts
        (Ratio(1, 2), Ratio(1, 2, per=1000), False),
        (Ratio(1, 2), 50, True),
        (Ratio(1, 2), 51, False),
        (Ratio(0, 0), None, True),
        (None, None, True),
        (None, 0, False),
        (Ratio(0, 5), None, False),
    ],
)
def test_figures_are_compared_before_rounding(one, other, same):
    assert replace(RATE, value=one).same_value(replace(RATE, value=other)) is same
    assert replace(RATE, value=other).same_value(replace(RATE, value=one)) is same


def test_figures_in_other_units_are_not_the_same():
    assert not COUNT.same_value(replace(COUNT, unit="户"))


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"value": 1.5}, TypeError, "not exact"),
        ({"value": True}, TypeError, "not exact"),
        ({"value": Decimal("NaN")}, ValueError, "not a number"),
        ({"value": Decimal("Infinity")}, ValueError, "not a number"),
        ({"decimals": -1}, ValueError, "decimals"),
        ({"as_of": datetime(2026, 11, 1)}, RuleError, "naive-moment"),
    ],
)
def test_a_figure_that_could_not_be_printed_is_refused_when_it_is_made(change, error, says):
    with pytest.raises(error, match=says):
        replace(COUNT, **change)
