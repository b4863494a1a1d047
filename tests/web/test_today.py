"""Today: what is due, from whom, by when, for every role."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

EVERYBODY = ("Qian", "Lin", "Chen", "Sun", "Zhao", "Li", "Wei", "Ding", "Xi", "An", "Shen")


@pytest.fixture(autouse=True)
def _clock(city, monkeypatch):
    """The pages of these tests are opened a day after the cast's Monday morning."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: city.now + timedelta(days=1))


@pytest.mark.parametrize("name", EVERYBODY)
def test_the_first_page_after_sign_in_is_today_for_every_role(city, name):
    city.case()
    page = city.client(name).get("/")
    assert page.status_code == 200
    assert "今天" in page.content.decode()


@pytest.mark.parametrize("name", EVERYBODY)
def test_today_costs_at_most_fourteen_statements_however_many_cases_there_are(city, name):
    for _number in range(3):
        city.finding()
        city.case()
    client = city.client(name)
    client.get("/")
    with CaptureQueriesContext(connection) as few:
        client.get("/")
    for _number in range(12):
        city.finding()
        city.case()
    with CaptureQueriesContext(connection) as many:
        client.get("/")
    assert len(many) <= 14
    assert len(many) <= len(few) + 1  # the count of blocks that are now full
