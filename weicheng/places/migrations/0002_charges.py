import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("places", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Charge",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("area", models.CharField(max_length=15)),
                ("province", models.CharField(blank=True, default="", max_length=2)),
                ("city", models.CharField(blank=True, default="", max_length=4)),
                ("district", models.CharField(blank=True, default="", max_length=6)),
                ("street", models.CharField(blank=True, default="", max_length=9)),
                ("community", models.CharField(blank=True, default="", max_length=12)),
                ("grid", models.CharField(blank=True, default="", max_length=15)),
                ("uid", models.UUIDField(default=uuid.uuid4, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("leader", "领导包抓"), ("liaison", "干部联络"), ("section", "科室承包")],
                        max_length=8,
                    ),
                ),
                ("name", models.CharField(max_length=60)),
                ("title", models.CharField(blank=True, default="", max_length=60)),
                ("targets", models.TextField(blank=True, default="")),
                ("due_on", models.DateField(blank=True, null=True)),
                ("result", models.TextField(blank=True, default="")),
                ("solved", models.BooleanField(blank=True, null=True)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField(blank=True, null=True)),
                ("owner", models.CharField(blank=True, default="", max_length=15)),
                ("cancelled_at", models.DateTimeField(blank=True, null=True)),
                ("cancelled_for", models.CharField(blank=True, default="", max_length=200)),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "follows",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="followed_by",
                        to="places.charge",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="charges",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["area", "kind", "from_on"], name="places_charge_area"),
                    models.Index(fields=["district", "id"], name="places_charge_district"),
                    models.Index(fields=["street", "id"], name="places_charge_street"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("to_on__isnull", True), ("to_on__gte", models.F("from_on")), _connector="OR"
                        ),
                        name="places_charge_ends_after_it_begins",
                    )
                ],
            },
        ),
    ]
