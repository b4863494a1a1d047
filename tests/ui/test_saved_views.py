"""Saved views belong to one user; nobody else sees, opens or deletes them."""

from types import SimpleNamespace

import pytest

from tests.ui import site
from weicheng.rules.errors import RuleError
from weicheng.ui import actions
from weicheng.ui.models import SavedView

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_actor(toy_site, monkeypatch):
    """Return a client acting as the given person."""

    def act(actor):
        monkeypatch.setattr(site, "ACTING", SimpleNamespace(who=actor))
        return toy_site

    return act


def test_a_view_keeps_the_query_and_leads_back_to_it(as_actor, chen):
    answer = as_actor(chen).post(
        "/ui/views/save",
        {
            "key": "things",
            "name": " 我的  超期 ",
            "query": "state=overdue&after=9&export=csv",
            "path": "/things",
        },
    )
    view = SavedView.objects.get()
    assert (view.name, view.query, view.user_id) == ("我的 超期", "state=overdue", chen.user_id)
    assert answer["Location"] == "/things?state=overdue"


def test_the_same_name_again_replaces_the_view_and_one_view_is_the_default(chen):
    for name, query in (("甲", "a=1"), ("乙", "b=1"), ("甲", "a=2")):
        actions.save_view(by=chen, list_key="things", name=name, query=query, is_default=True)
    rows = SavedView.objects.order_by("name").values_list("name", "query", "is_default")
    assert sorted(rows) == [("乙", "b=1", False), ("甲", "a=2", True)]


def test_a_view_of_another_answers_as_if_it_did_not_exist(as_actor, chen, li):
    view = actions.save_view(by=chen, list_key="things", name="甲", query="a=1")
    assert as_actor(li).post(f"/ui/views/{view.pk}/delete").status_code == 404
    assert as_actor(li).post("/ui/views/999999/delete").status_code == 404
    assert as_actor(SimpleNamespace(user_id=None)).post(f"/ui/views/{view.pk}/delete").status_code == 404
    assert SavedView.objects.count() == 1
    assert as_actor(chen).post(f"/ui/views/{view.pk}/delete", {"path": "/things"})["Location"] == "/things"
    assert SavedView.objects.count() == 0


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "/\\evil.example", ""])
def test_saving_a_view_never_leads_to_another_host(as_actor, chen, path):
    answer = as_actor(chen).post("/ui/views/save", {"key": "things", "name": "甲", "query": "", "path": path})
    assert answer["Location"] == "/"


@pytest.mark.parametrize(
    ("name", "query", "code"),
    [
        ("  ", "a=1", "view-name-missing"),
        ("长" * 41, "a=1", "view-too-long"),
        ("甲", "a=" + "1" * 2001, "view-too-long"),
    ],
)
def test_a_view_without_name_or_too_long_is_refused_in_words(chen, name, query, code):
    with pytest.raises(RuleError) as refused:
        actions.save_view(by=chen, list_key="things", name=name, query=query)
    assert refused.value.code == code
    assert SavedView.objects.count() == 0


def test_the_migration_and_the_model_agree(db):
    from django.core.management import call_command

    call_command("makemigrations", "ui", check=True, dry_run=True, verbosity=0)
