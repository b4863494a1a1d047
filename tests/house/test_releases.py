"""Every version that was ever released is migrated to this one, and its pages open."""

import json
import lzma
from contextlib import closing
from sqlite3 import connect

import pytest

from tests.house.conftest import ROOT, Installation

RELEASES = sorted((ROOT / "tests" / "releases").glob("*.sqlite3.xz"))

OPEN = """
import json
from django.apps import apps
from django.test import Client
from weicheng.places.models import User
for model in apps.get_models():
    list(model._base_manager.all()[:50])
answers = {}
for user in User.objects.order_by("login"):
    client = Client(headers={"host": "localhost"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    for path in ("/", "/cases/", "/units/", "/standards/", "/notices/"):
        answers[f"{user.login} {path}"] = client.get(path).status_code
print(json.dumps(answers))
"""


def test_there_is_a_release_to_migrate():
    assert RELEASES


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name.removesuffix(".sqlite3.xz"))
def test_a_released_database_is_migrated_and_its_pages_open(release, tmp_path):
    house = Installation(tmp_path)
    database = tmp_path / "weicheng.sqlite3"
    database.write_bytes(lzma.decompress(release.read_bytes()))
    with closing(connect(database)) as link:
        tables = [
            name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name.startswith(("cases_", "inspections_", "places_", "evidence_", "standards_"))
        ]  # fmt: skip
        before = {name: link.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
    ran = house.weicheng("init")
    assert ran.returncode == 0, ran.stderr
    assert house.weicheng("check").returncode == 0
    answers = json.loads(house.python(OPEN))
    assert [path for path, status in answers.items() if status >= 500] == []
    # The first page opens for everybody; a page beside one's own work is refused, not broken.
    assert {status for path, status in answers.items() if path.endswith(" /")} == {200}
    # Nothing is lost on the way: a table that still exists has the rows it had, the base editions may grow.
    with closing(connect(database)) as link:
        there = {name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for name in before.keys() & there:
            assert link.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] >= before[name], name
