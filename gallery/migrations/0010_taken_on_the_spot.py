"""`taken_at` becomes a time on the spot. A generated column: PostgreSQL writes the table once."""

from django.db import migrations, models

import gallery.models.clock


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0009_old_rows"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="image", name="image_timeline"),
        migrations.RemoveIndex(model_name="image", name="image_public_timeline"),
        migrations.RemoveIndex(model_name="image", name="image_latest_taken"),
        migrations.RemoveField(model_name="image", name="taken_at"),
        migrations.AddField(
            model_name="image",
            name="taken_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=gallery.models.clock.OnTheSpot("captured_at", "created_at", ahead="ahead_of_utc"),
                output_field=gallery.models.clock.ClockField(),
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(fields=["owner", "-taken_at", "-id"], name="image_timeline"),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True), ("visibility", "public")),
                fields=["-taken_at", "-id"],
                name="image_public_timeline",
            ),
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["-taken_at", "-id"],
                name="image_latest_taken",
            ),
        ),
    ]
