"""A client of the API for each of the cast."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from weicheng.places.actions import issue_token


class Api:
    """Speaks JSON as one person."""

    def __init__(self, secret: str) -> None:
        self.client, self.secret = Client(), secret

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/{path}", query, headers=self._headers)

    def post(self, path: str, payload: Any) -> Any:
        return self.client.post(
            f"/api/{path}", json.dumps(payload, default=str), "application/json", headers=self._headers
        )

    def send(self, path: str, **parts: Any) -> Any:
        """Send a multipart form."""
        return self.client.post(f"/api/{path}", parts, headers=self._headers)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@pytest.fixture
def api(city):
    def speak_as(name: str) -> Api:
        _token, secret = issue_token(post=city.posts[name], by=city.actor(name), at=timezone.now())
        return Api(secret)

    return speak_as
