"""Serve the toy site with 300 rows, to look at the design system without the apps above it.

UI_TEST_SQLITE=toy.sqlite3 python -m tests.ui.run_site 8765
"""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.ui.settings_ui"
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402 - the apps have to be ready
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tests.ui.site import make_things  # noqa: E402
from tests.ui.things import Thing  # noqa: E402


def main() -> None:
    if Thing._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", verbosity=0)
        with connection.schema_editor() as editor:
            editor.create_model(Thing)
        get_user_model().objects.create(pk=1)
        make_things(300)
    port = sys.argv[1] if len(sys.argv) > 1 else "8765"
    call_command("runserver", f"127.0.0.1:{port}", "--noreload")


if __name__ == "__main__":
    main()
