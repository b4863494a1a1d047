"""Quick search: bounded, in scope, a number leads to its case."""

import pytest


def test_a_case_number_leads_straight_to_the_case_of_the_reader_and_to_nobody_elses(city):
    case = city.case()
    found = city.client("Chen").get("/search", {"q": case.number})
    assert found.status_code == 302
    assert found.url == case.url
    foreign = city.client("Wu").get("/search", {"q": case.number})
    assert foreign.status_code == 200
    assert case.title not in foreign.content.decode()


def test_a_number_with_another_day_is_not_that_case(city):
    case = city.case()
    wrong = f"20200101-{case.pk:06d}"
    assert city.client("Chen").get("/search", {"q": wrong}).status_code == 200


def test_words_find_cases_and_units_in_reach(city):
    city.case(address="解放桥东侧")
    page = city.client("Chen").get("/search", {"q": "解放桥"}).content.decode()
    assert "解放桥东侧" in page
    assert "解放桥农贸市场" in page
    other = city.client("Wu").get("/search", {"q": "解放桥"}).content.decode()
    assert "解放桥东侧" not in other
    assert "解放桥农贸市场" not in other


@pytest.mark.parametrize(
    "words", ["", "   ", "%", "'; DROP TABLE", "\x00", "字" * 500, "99999999-999999999999", "1" * 70]
)
def test_odd_words_give_a_page(city, words):
    assert city.client("Chen").get("/search", {"q": words}).status_code == 200


def test_administrators_do_not_search_cases(city):
    assert city.client("An").get("/search?q=1").status_code == 403
