"""The toy table and the toy site, under whichever settings the suite runs with."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.ui import settings_ui


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Add the toy table to the test database: its model belongs to no installed app."""
    from tests.ui.things import Thing

    with django_db_blocker.unblock():
        if Thing._meta.db_table not in connection.introspection.table_names():
            with connection.schema_editor() as editor:
                editor.create_model(Thing)


@pytest.fixture
def toy_site(settings):
    """Serve `tests.ui.site` and nothing above `ui`."""
    settings.TEMPLATES = settings_ui.TEMPLATES
    settings.MIDDLEWARE = settings_ui.MIDDLEWARE
    settings.ROOT_URLCONF = settings_ui.ROOT_URLCONF
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return Client()


def make_user(name):
    """Return a user of whichever model the settings name; moments it asks for are now."""
    model = get_user_model()
    moments = {
        field.name: timezone.now()
        for field in model._meta.fields
        if isinstance(field, models.DateTimeField) and not field.null and not field.has_default()
    }
    return model.objects.create(**{model.USERNAME_FIELD: name}, **moments)


@pytest.fixture
def chen(db):
    return SimpleNamespace(name="陈明远", post_label="督查员", user_id=make_user("chen-ui").pk)


@pytest.fixture
def li(db):
    return SimpleNamespace(name="李静", post_label="街道", user_id=make_user("li-ui").pk)


@pytest.fixture
def asked(toy_site):
    """Return a function making a GET request of the list, by an actor or by nobody."""

    def ask(query="", *, actor=None, **headers):
        request = RequestFactory().get(f"/things{query}", headers=headers)
        request.actor = actor
        return request

    return ask
