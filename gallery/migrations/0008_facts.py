"""How many frames a picture has, and how far clocks on the spot were ahead of UTC."""

from django.db import migrations, models

import gallery.models.clock


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0007_credentials"),
    ]

    operations = [
        migrations.AddField(
            model_name="image",
            name="frames",
            field=models.PositiveIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="image",
            name="duration",
            field=models.FloatField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="image",
            name="facts",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="image",
            name="is_offset_known",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.AddField(
            model_name="image",
            name="ahead_of_utc",
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="image",
            name="ahead_of_utc",
            field=models.IntegerField(default=gallery.models.clock.ahead_of_utc, editable=False),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(condition=models.Q(("facts", 0)), fields=["id"], name="image_facts_old"),
        ),
    ]
