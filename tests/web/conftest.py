"""The pages of these tests are opened a day after the cast's Monday morning."""

from datetime import timedelta

import pytest


@pytest.fixture(autouse=True)
def _clock(request, monkeypatch):
    if "city" in request.fixturenames:
        city = request.getfixturevalue("city")
        monkeypatch.setattr("django.utils.timezone.now", lambda: city.now + timedelta(days=1))
