"""The rates of digital city management from counts, and months that carry over into each other."""

import pytest

from weicheng.indicators.casestats import book
from weicheng.rules.casestats import Kind, as_json, read_book, read_month, report
from weicheng.rules.errors import RuleError

# A published monthly report, as the collection of standards quotes it: 天门数字城管 2016-12,
# http://www.hbcic.net.cn/info/wcm/74587.htm. The two rates are the report's own.
TIANMEN = {
    "month": "2016-12 天门",
    "accepted": 1054,
    "registered": 996,
    "should_close": 972,
    "closed": 911,
    "close_rate": 93.72,
    "closed_in_time": 737,
    "timely_close_rate": 75.82,
    "source": 4,
}
BOOK = book()


def one(**counts):
    return report(BOOK, [counts]).months[0]


def test_the_published_month_gives_its_published_rates():
    made = report(BOOK, [TIANMEN])
    assert as_json(made)["whole"]["rates"]["close_rate"]["value"] == 93.72  # 911 / 972
    assert as_json(made)["whole"]["rates"]["timely_close_rate"]["value"] == 75.82  # 737 / 972
    assert as_json(made)["whole"]["rates"]["register_rate"]["value"] == 94.5  # 996 / 1054
    assert [(each.rate_id, each.agrees) for each in made.whole.stated] == [
        ("close_rate", True), ("timely_close_rate", True),
    ]  # fmt: skip
    assert made.whole.unknown == ()


@pytest.mark.parametrize(
    ("rate", "counts", "numerator", "denominator", "per_cent"),
    [
        ("register_rate", {"registered": 8, "accepted": 10, "reported": 16}, 8, 10, "80.00"),
        ("register_rate", {"registered": 8, "reported": 16}, 8, 16, "50.00"),
        ("timely_register_rate", {"registered_in_time": 7, "registered": 8}, 7, 8, "87.50"),
        ("accurate_register_rate", {"registered_accurately": 2, "registered": 3}, 2, 3, "66.67"),
        (
            "accurate_dispatch_rate",
            {"dispatched": 40, "wrongly_dispatched": 1},
            39,
            40,
            "97.50",
        ),  # (40 - 1) / 40
        ("handle_rate", {"handled": 5, "should_handle": 6}, 5, 6, "83.33"),
        ("timely_handle_rate", {"handled_in_time": 1, "should_handle": 6}, 1, 6, "16.67"),
        ("close_rate", {"closed": 0, "should_close": 6}, 0, 6, "0.00"),
        ("timely_close_rate", {"closed_in_time": 6, "should_close": 6}, 6, 6, "100.00"),
        ("rework_rate", {"reworked": 3, "should_handle": 30, "handled": 20}, 3, 30, "10.00"),
        ("rework_rate", {"reworked": 3, "handled": 20}, 3, 20, "15.00"),  # 应处置 is not known: 已处置
        ("return_rate", {"returned": 1, "dispatched": 800}, 1, 800, "0.13"),  # 0.125: a half goes up
        ("repeat_rate", {"repeated": 1, "registered": 3}, 1, 3, "33.33"),
        ("check_pass_rate", {"passed_at_once": 9, "checked": 10}, 9, 10, "90.00"),
        ("verify_rate", {"verified": 1, "should_verify": 8}, 1, 8, "12.50"),
        ("valid_report_rate", {"reports_registered": 1, "reported": 2}, 1, 2, "50.00"),
        ("miss_rate", {"missed": 5, "reported": 95}, 5, 100, "5.00"),  # 5 / (95 + 5)
        ("coverage", {"grids_patrolled": 3, "grids_to_patrol": 4}, 3, 4, "75.00"),
    ],
)
def test_each_rate_by_its_formula(rate, counts, numerator, denominator, per_cent):
    found = one(**counts).rate(rate)
    assert (found.ratio.numerator, found.ratio.denominator) == (numerator, denominator)
    assert str(found.number()) == per_cent
    assert found.reason == ""


def test_there_is_a_test_for_every_rate_and_each_says_where_it_is_from():
    assert {each.id for each in BOOK.rates} == {
        "register_rate", "timely_register_rate", "accurate_register_rate", "accurate_dispatch_rate", "handle_rate",
        "timely_handle_rate", "close_rate", "timely_close_rate", "rework_rate", "return_rate", "repeat_rate",
        "check_pass_rate", "verify_rate", "valid_report_rate", "miss_rate", "coverage",
    }  # fmt: skip
    assert all(each.source and each.confidence and each.formula for each in BOOK.rates)


def test_a_missing_count_leaves_its_rates_unknown_with_the_reason():
    found = one(closed=5, should_close=6)
    late = found.rate("timely_close_rate")
    assert (late.ratio, late.number()) == (None, None)
    assert late.reason.format(**late.values) == "未给出：按期结案数 closed_in_time。"
    assert found.rate("close_rate").number() is not None


@pytest.mark.parametrize("nothing", [None, "", "—"])
def test_null_and_a_dash_are_unknown_and_not_zero(nothing):
    assert one(closed=nothing, should_close=6).rate("close_rate").ratio is None


def test_nothing_due_is_not_assessed_and_neither_nought_nor_a_hundred():
    found = one(closed=0, closed_in_time=0, should_close=0).rate("close_rate")
    assert (found.number(), found.reason) == (None, "未评定")
    assert (found.ratio.numerator, found.ratio.denominator) == (0, 0)


def test_chinese_names_and_other_spellings_mean_the_same():
    chinese = one(月份="2026-10", 立案数=8, 受理数=10, 应结案数=6, 结案数=5, 按时结案数=4)
    english = one(month="2026-10", opened=8, accepted=10, should_close=6, closed=5, closed_on_time=4)
    assert chinese == english
    assert one(**{"Should Close": 6, "CLOSED": 5}).counts == {"should_close": 6, "closed": 5}


def test_the_same_count_under_two_names_must_agree():
    assert one(closed=5, 结案数=5).counts == {"closed": 5}
    with pytest.raises(RuleError) as caught:
        one(closed=5, 结案数=6)
    assert caught.value.code == "count-twice"


def test_a_name_that_means_nothing_is_told_and_not_swallowed():
    assert one(closd=5, should_close=6).unknown == ("closd",)


@pytest.mark.parametrize(
    "value", [-1, 1.5, 5.0, "5", "五", True, [5], {"n": 5}, float("nan"), float("inf"), "1,234", "5件"]
)
def test_what_is_no_count_is_refused_naming_the_key(value):
    with pytest.raises(RuleError) as caught:
        one(closed=value)
    assert caught.value.code == "count-unreadable"
    assert "“closed”" in caught.value.sentence()


def test_a_csv_says_numbers_as_text_and_only_whole_ones():
    assert read_month(BOOK, {"closed": "911"}, text_numbers=True).counts == {"closed": 911}
    for text in ("911.0", "-3", "９", "1e3"):
        with pytest.raises(RuleError):
            read_month(BOOK, {"closed": text}, text_numbers=True)


@pytest.mark.parametrize(
    ("counts", "key"),
    [
        ({"closed": 5, "closed_in_time": 6}, "closed_in_time"),
        ({"closed": 7, "should_close": 6}, "closed"),
        ({"registered": 11, "accepted": 10}, "registered"),
        ({"registered": 11, "reported": 10}, "registered"),
        ({"registered_in_time": 4, "registered": 3}, "registered_in_time"),
        ({"wrongly_dispatched": 4, "dispatched": 3}, "wrongly_dispatched"),
        ({"handled": 4, "should_handle": 3}, "handled"),
        ({"passed_at_once": 4, "checked": 3}, "passed_at_once"),
        ({"grids_patrolled": 4, "grids_to_patrol": 3}, "grids_patrolled"),
    ],
)
def test_counts_that_cannot_both_be_true_are_refused_naming_the_key(counts, key):
    with pytest.raises(RuleError) as caught:
        one(**counts)
    assert caught.value.code == "count-contradicts"
    assert key in caught.value.sentence()
    # The bound itself is possible.
    largest = min(counts.values())
    assert one(**dict.fromkeys(counts, largest)).counts


# --- carry-over ------------------------------------------------------------------------------------


def test_the_stock_balances():
    # 10 open + 50 registered - 2 cancelled - 45 closed = 13
    made = one(open_start=10, registered=50, cancelled=2, closed=45, open_end=13)
    assert (made.balance.expected, made.balance.holds) == (13, True)
    with pytest.raises(RuleError) as caught:
        one(open_start=10, registered=50, cancelled=2, closed=45, open_end=12)
    assert caught.value.code == "carry-over"
    assert "13" in caught.value.sentence()
    with pytest.raises(RuleError) as below:
        one(open_start=0, registered=5, closed=6)
    assert below.value.code == "carry-over"
    assert "多 1 件" in below.value.sentence()


def test_what_is_missing_for_the_balance_is_named():
    assert one(registered=5).balance.missing == ("open_start", "closed")
    assert one(registered=5).balance.holds is None
    assert one(open_start=1, registered=5, closed=2).balance.missing == ("open_end",)


MONTHS = [
    # September: 100 due, 90 of them closed: 10 are late and carried over.
    {"month": "2026-09", "open_start": 5, "registered": 110, "closed": 90, "should_close": 100, "closed_in_time": 80},
    # October: the 10 and 50 more are due; 55 closed. 25 + 60 - 55 = 30 open.
    {"month": "2026-10", "open_start": 25, "registered": 60, "closed": 55, "should_close": 60, "closed_in_time": 40,
     "open_end": 30},
]  # fmt: skip


def test_two_months_count_what_was_carried_over_once():
    whole = report(BOOK, MONTHS).whole
    assert whole.label == "2026-09 — 2026-10"
    assert whole.counts["should_close"] == 150  # 90 + 60, and not 100 + 60
    assert whole.counts["closed"] == 145
    assert str(whole.rate("close_rate").number()) == "96.67"  # 145 / 150
    assert str(whole.rate("timely_close_rate").number()) == "80.00"  # 120 / 150
    assert (whole.counts["open_start"], whole.counts["registered"], whole.counts["open_end"]) == (5, 170, 30)
    assert whole.balance.holds is True  # 5 + 170 - 145


def test_each_month_stands_beside_the_whole():
    made = report(BOOK, MONTHS)
    assert [str(month.rate("close_rate").number()) for month in made.months] == ["90.00", "91.67"]
    assert report(BOOK, MONTHS[:1]).whole == made.months[0]


def test_a_case_late_for_two_months_is_due_once():
    # One case due in January, closed in March: due(whole) = 0 + 0 + 1
    rows = [{"month": f"2026-0{n}", "should_close": 1, "closed": int(n == 3)} for n in (1, 2, 3)]
    whole = report(BOOK, rows).whole
    assert (whole.counts["should_close"], whole.counts["closed"]) == (1, 1)


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ({"open_end": 20}, {"open_start": 19}, "carry-over"),
        ({"open_start": 1, "registered": 2, "closed": 0}, {"open_start": 2}, "carry-over"),  # 3 are left
        ({"should_close": 10, "closed": 4}, {"should_close": 5}, "carry-over"),  # 6 are carried
        ({"month": "2026-10"}, {"month": "2026-10"}, "month-order"),
        ({"month": "2026-10"}, {"month": "2026-09"}, "month-order"),
        ({"month": "2026-10"}, {"month": "2026-12"}, "month-gap"),
    ],
)
def test_months_that_do_not_follow_each_other_are_refused(first, second, code):
    with pytest.raises(RuleError) as caught:
        report(BOOK, [first, second])
    assert caught.value.code == code


def test_a_year_turns_without_a_gap():
    assert report(
        BOOK, [{"month": "2025-12", "closed": 1}, {"month": "2026-01", "closed": 2}]
    ).whole.counts == {"closed": 3}


def test_a_month_that_does_not_say_leaves_the_whole_unknown():
    whole = report(
        BOOK, [{"month": "2026-09", "should_close": 9}, {"month": "2026-10", "should_close": 9, "closed": 8}]
    ).whole
    assert "closed" not in whole.counts
    assert "should_close" not in whole.counts
    value = whole.rate("close_rate")
    assert value.ratio is None
    assert (
        value.reason.format(**value.values)
        == "各期给出的数量不全，或不能合并：结案数 closed、应结案数 should_close。"
    )


def test_different_grids_are_not_added():
    rows = [{"month": f"2026-0{n}", "grids_patrolled": 3, "grids_to_patrol": 4} for n in (1, 2)]
    assert report(BOOK, rows).whole.rate("coverage").ratio is None


@pytest.mark.parametrize(("rows", "code"), [([], "no-months"), ([{}] * 121, "too-many-months")])
def test_no_months_and_too_many_are_refused(rows, code):
    with pytest.raises(RuleError) as caught:
        report(BOOK, rows)
    assert caught.value.code == code


# --- stated rates and the book ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "agrees"),
    [("93.72", True), (93.7, True), ("94%", True), ("93.73", False), (97, False)],  # 911 / 972 = 93.724…
)
def test_a_rate_the_file_states_is_compared_to_its_own_places(stated, agrees):
    assert one(closed=911, should_close=972, close_rate=stated).stated[0].agrees is agrees


def test_a_stated_rate_without_its_counts_is_neither_true_nor_false():
    assert one(closed=5, 结案率="82").stated[0].agrees is None
    with pytest.raises(RuleError):
        one(closed=5, close_rate="高")


def test_a_book_that_does_not_fit_together_is_refused():
    count = {"id": "closed", "name": "结案数", "kind": "flow"}
    rate = {"id": "r", "name": "率", "formula": "f", "numerator": "closed", "denominators": ["due"]}
    base = {"edition": "e", "source": "s", "confidence": "c"}
    with pytest.raises(ValueError, match="names the count due"):
        read_book({**base, "counts": [count], "rates": [rate]})
    with pytest.raises(ValueError, match="same name"):
        read_book({**base, "counts": [count, count], "rates": []})
    assert read_book({**base, "counts": [count], "rates": []}).count("closed").kind is Kind.FLOW
