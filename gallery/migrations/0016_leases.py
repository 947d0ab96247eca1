"""One way to say who works on a row, and when a map that failed is tried again."""

from django.db import migrations, models

CLAIM = models.UUIDField(editable=False, null=True)
UNTIL = models.DateTimeField(editable=False, null=True)


class Migration(migrations.Migration):
    dependencies = [("gallery", "0015_vectors_alone")]

    operations = [
        migrations.AddField("exploremap", "claim", CLAIM),
        migrations.AddField("importbatch", "claim", CLAIM),
        migrations.AddField("recallmeasurement", "claim", CLAIM),
        migrations.AddField("recallmeasurement", "claimed_until", UNTIL),
        migrations.AddField("user", "claim", CLAIM),
        migrations.AddField("user", "claimed_until", UNTIL),
        migrations.AlterField("importbatch", "claimed_until", UNTIL),
        migrations.AddField(
            "exploremap", "not_before", models.DateTimeField(editable=False, null=True)
        ),
        migrations.RunSQL(
            "UPDATE gallery_exploremap SET not_before = claimed_until, claimed_until = NULL"
            " WHERE state = 'failed'",
            "UPDATE gallery_exploremap SET claimed_until = not_before WHERE state = 'failed'",
        ),
    ]
