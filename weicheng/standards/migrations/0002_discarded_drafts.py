from django.db import migrations, models

from weicheng.standards.guards import published_stays


class Migration(migrations.Migration):
    dependencies = [
        ("standards", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="edition",
            name="standards_one_label_per_owner",
        ),
        migrations.RemoveConstraint(
            model_name="edition",
            name="standards_published_says_when",
        ),
        migrations.AlterField(
            model_name="edition",
            name="state",
            field=models.CharField(
                choices=[("draft", "草稿"), ("published", "已发布"), ("discarded", "已放弃")],
                default="draft",
                max_length=10,
            ),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "discarded"), _negated=True),
                fields=("owner", "kind", "key", "edition"),
                name="standards_one_label_per_owner",
            ),
        ),
        migrations.AddConstraint(
            model_name="edition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("published_at__isnull", True), ("state__in", ["draft", "discarded"])),
                    models.Q(("published_at__isnull", False), ("state", "published")),
                    _connector="OR",
                ),
                name="standards_published_says_when",
            ),
        ),
        # SQLite rebuilds the table for a constraint, and a rebuilt table has no triggers.
        published_stays(),
    ]
