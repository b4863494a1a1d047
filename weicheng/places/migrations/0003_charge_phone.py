"""A charge may name the number of the office, so that a leader can call."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("places", "0002_charges")]

    operations = [
        migrations.AddField("charge", "phone", models.CharField(blank=True, default="", max_length=20)),
    ]
