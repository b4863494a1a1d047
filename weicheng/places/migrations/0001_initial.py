import datetime
import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from weicheng.journal.guards import append_only


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                ("login", models.CharField(max_length=40, unique=True)),
                ("name", models.CharField(max_length=40)),
                ("email", models.EmailField(blank=True, default="", max_length=254)),
                ("is_active", models.BooleanField(default=True)),
                ("must_change_password", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                (
                    "created_in",
                    models.CharField(
                        blank=True, default="", help_text="area of the administrator", max_length=15
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Area",
            fields=[
                ("code", models.CharField(max_length=15, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("opened_on", models.DateField(default=datetime.date(1949, 10, 1))),
                (
                    "closed_on",
                    models.DateField(blank=True, help_text="the first day it no longer exists", null=True),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="places.area",
                    ),
                ),
            ],
            options={
                "ordering": ["code"],
            },
        ),
        migrations.CreateModel(
            name="AreaChange",
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
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("open", "设立"),
                            ("close", "撤销"),
                            ("merge", "并入"),
                            ("move", "改隶"),
                            ("rename", "更名"),
                        ],
                        max_length=8,
                    ),
                ),
                ("on", models.DateField()),
                ("old_name", models.CharField(blank=True, default="", max_length=60)),
                ("new_name", models.CharField(blank=True, default="", max_length=60)),
                (
                    "area",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="places.area"
                    ),
                ),
                (
                    "to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="predecessor_changes",
                        to="places.area",
                    ),
                ),
            ],
            options={
                "ordering": ["on", "id"],
            },
        ),
        migrations.CreateModel(
            name="Post",
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
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("city_officer", "市创卫办"),
                            ("district_officer", "区创卫办"),
                            ("street", "街道"),
                            ("community", "社区"),
                            ("inspector", "督查员"),
                            ("liaison", "单位联络员"),
                            ("technician", "病媒防制技术员"),
                            ("leader", "领导"),
                            ("expert", "评估专家"),
                            ("system_admin", "系统管理员"),
                            ("security_admin", "安全管理员"),
                            ("audit_admin", "审计管理员"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", models.CharField(blank=True, default="", max_length=60)),
                ("from_on", models.DateField()),
                ("to_on", models.DateField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="posts",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ApiToken",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("token_digest", models.CharField(max_length=64, unique=True)),
                ("label", models.CharField(blank=True, default="", max_length=60)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_tokens",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="places.post"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="user",
            name="last_post",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="places.post",
            ),
        ),
        migrations.CreateModel(
            name="SignIn",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("session_key", models.CharField(max_length=40, unique=True)),
                ("at", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("origin", models.CharField(blank=True, default="", max_length=64)),
                ("device", models.CharField(blank=True, default="", max_length=120)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sign_ins",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Unit",
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
                ("name", models.CharField(max_length=120)),
                ("kind", models.CharField(max_length=20)),
                ("particulars", models.TextField(blank=True, default="{}")),
                ("credit_code", models.CharField(blank=True, default="", max_length=18)),
                ("address", models.CharField(blank=True, default="", max_length=200)),
                ("lon", models.DecimalField(blank=True, decimal_places=7, max_digits=10, null=True)),
                ("lat", models.DecimalField(blank=True, decimal_places=7, max_digits=9, null=True)),
                ("datum", models.CharField(default="CGCS2000", max_length=8)),
                ("accuracy_m", models.DecimalField(blank=True, decimal_places=1, max_digits=8, null=True)),
                ("contact_sealed", models.BinaryField(null=True)),
                ("contact_key", models.BinaryField(null=True)),
                ("contact_masked", models.CharField(blank=True, default="", max_length=60)),
                ("opened_on", models.DateField()),
                ("closed_on", models.DateField(blank=True, null=True)),
                (
                    "merged_into",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merged",
                        to="places.unit",
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="post",
            name="unit",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="posts",
                to="places.unit",
            ),
        ),
        migrations.CreateModel(
            name="UnitService",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("area", models.CharField(max_length=15)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="services", to="places.unit"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UnitVersion",
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
                ("number", models.PositiveIntegerField()),
                ("verb", models.CharField(max_length=20)),
                ("by_key", models.CharField(max_length=40)),
                ("by_name", models.CharField(blank=True, default="", max_length=60)),
                ("post_label", models.CharField(blank=True, default="", max_length=120)),
                (
                    "unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="places.unit"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddConstraint(
            model_name="area",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_on__isnull", True), ("closed_on__gte", models.F("opened_on")), _connector="OR"
                ),
                name="places_area_closes_after_it_opens",
            ),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["district", "id"], name="places_unit_district"),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["street", "id"], name="places_unit_street"),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["community", "id"], name="places_unit_community"),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["city", "id"], name="places_unit_city"),
        ),
        migrations.AddIndex(
            model_name="unit",
            index=models.Index(fields=["kind", "id"], name="places_unit_kind"),
        ),
        migrations.AddConstraint(
            model_name="unit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into__isnull", True),
                    models.Q(("merged_into", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="places_unit_does_not_merge_into_itself",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["district", "id"], name="places_post_district"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["city", "id"], name="places_post_city"),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("to_on__isnull", True), ("to_on__gte", models.F("from_on")), _connector="OR"
                ),
                name="places_post_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="post",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("role", "liaison"), ("unit__isnull", False)),
                    models.Q(models.Q(("role", "liaison"), _negated=True), ("unit__isnull", True)),
                    _connector="OR",
                ),
                name="places_liaison_stands_at_a_unit",
            ),
        ),
        migrations.AddIndex(
            model_name="unitservice",
            index=models.Index(fields=["area"], name="places_service_area"),
        ),
        migrations.AddConstraint(
            model_name="unitservice",
            constraint=models.UniqueConstraint(fields=("unit", "area"), name="places_unit_serves_once"),
        ),
        migrations.AddConstraint(
            model_name="unitversion",
            constraint=models.UniqueConstraint(
                fields=("unit", "number"), name="places_unit_version_is_numbered_once"
            ),
        ),
        append_only("places_areachange", columns=("at", "body", "digest", "area_id", "kind", "to_id")),
        append_only("places_unitversion", columns=("at", "body", "digest", "unit_id", "number")),
    ]
