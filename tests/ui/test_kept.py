"""What is drawn once: kept for its values and its language, and no longer than it is asked for."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from weicheng.ui import kept


class Told:
    """Says a word, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def word(self) -> str:
        self.asked += 1
        return f"<{self.asked}>"


@pytest.fixture
def drawn():
    template = Template("{% kept a b %}{{ told.word }}{% endkept %}")
    told = Told()
    return lambda **values: template.render(Context({"told": told, **values}))


def test_the_same_values_are_drawn_once_and_stay_escaped(drawn):
    assert [drawn(a=1, b=2), drawn(a=1, b=2), drawn(a=1, b=3), drawn(a=1, b=2)] == [
        "&lt;1&gt;",
        "&lt;1&gt;",
        "&lt;2&gt;",
        "&lt;1&gt;",
    ]


def test_each_language_is_drawn_for_itself(drawn):
    first = drawn(a=1, b=2)
    with override("en"):
        assert drawn(a=1, b=2) != first
    assert drawn(a=1, b=2) == first


def test_the_oldest_is_given_up_when_there_are_too_many(drawn, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 2)
    first = drawn(a=1, b=1)
    drawn(a=2, b=1)
    assert drawn(a=1, b=1) == first
    drawn(a=3, b=1)
    assert drawn(a=1, b=1) != first


def test_two_places_in_a_template_keep_apart():
    template = Template("{% kept %}一{% endkept %}{% kept %}二{% endkept %}")
    assert [template.render(Context()), template.render(Context())] == ["一二", "一二"]
