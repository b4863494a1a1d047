"""The worker looks for running and finished tasks; the package indexes ready ones only, and on SQLite not even
those can be found through its partial index, because a bound value does not prove the condition."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0001_initial"),
        ("django_tasks_database", "0021_conditional_partial_index_ordering"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX IF NOT EXISTS notices_task_status "
            "ON django_tasks_database_dbtaskresult (status, finished_at)",
            "DROP INDEX IF EXISTS notices_task_status",
        )
    ]
