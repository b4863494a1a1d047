import uuid

from django.db import migrations, models

from weicheng.journal.guards import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("body", models.BinaryField()),
                ("digest", models.CharField(max_length=64)),
                ("leaf", models.CharField(blank=True, default="", max_length=64)),
                ("actor_key", models.CharField(help_text='"user:7", "link:3" or "system"', max_length=40)),
                ("actor_name", models.CharField(blank=True, default="", max_length=60)),
                ("post_id", models.BigIntegerField(null=True)),
                ("post_label", models.CharField(blank=True, default="", max_length=120)),
                ("verb", models.CharField(max_length=40)),
                ("object_kind", models.CharField(max_length=30)),
                ("object_key", models.CharField(max_length=64)),
                (
                    "origin",
                    models.CharField(
                        blank=True, default="", help_text="address the request came from", max_length=64
                    ),
                ),
                ("city", models.CharField(blank=True, default="", max_length=4)),
                ("district", models.CharField(blank=True, default="", max_length=6)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["district", "id"], name="journal_entry_district"),
                    models.Index(fields=["city", "id"], name="journal_entry_city"),
                    models.Index(fields=["object_kind", "object_key"], name="journal_entry_object"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("epoch", models.UUIDField(default=uuid.uuid4)),
                ("generation", models.BigIntegerField(default=1)),
                ("root_area", models.CharField(blank=True, default="", max_length=15)),
                ("demo", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="journal_one_site")
                ],
            },
        ),
        append_only("journal_entry"),
    ]
