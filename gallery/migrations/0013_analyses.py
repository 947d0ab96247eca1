"""Tables for what is done to pictures by workers, beside those that told it so far."""

from typing import Any

import django.db.models.deletion
from django.db import connection, migrations, models

from gallery.migrations._locks import shut_out_readers

# Vectors go with their picture or their space in the database, which sees also what a worker
# writes meanwhile.
ALTER = """
ALTER TABLE gallery_analysis ADD CONSTRAINT analysis_image
    FOREIGN KEY (image_id) REFERENCES gallery_image (id) ON DELETE CASCADE;
ALTER TABLE gallery_embeddingspace
    ADD COLUMN generation smallint DEFAULT 0 NOT NULL CHECK (generation >= 0);
UPDATE gallery_embeddingspace SET generation = 1 WHERE state = 'active';
ALTER TABLE gallery_embedding
    ADD COLUMN part smallint DEFAULT 0 NOT NULL CHECK (part >= 0),
    ADD CONSTRAINT embedding_image FOREIGN KEY (image_id) REFERENCES gallery_image (id)
        ON DELETE CASCADE NOT VALID,
    ADD CONSTRAINT embedding_space FOREIGN KEY (space_id) REFERENCES gallery_embeddingspace (id)
        ON DELETE CASCADE NOT VALID
"""


def alter(apps: Any, schema_editor: Any) -> None:
    with connection.cursor() as cursor:
        shut_out_readers(cursor, "gallery_image", "gallery_embedding", "gallery_embeddingspace")
        cursor.execute(ALTER)


class Migration(migrations.Migration):
    dependencies = [("gallery", "0012_names_and_copies")]

    operations = [
        migrations.CreateModel(
            name="Backfill",
            fields=[
                (
                    "analyser",
                    models.CharField(max_length=40, primary_key=True, serialize=False),
                ),
                ("version", models.PositiveSmallIntegerField()),
                ("after", models.UUIDField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={"verbose_name": "backfill", "verbose_name_plural": "backfills"},
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                ("thing", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("since", models.DateTimeField(auto_now_add=True)),
                ("ask_at", models.DateTimeField()),
                ("asked", models.PositiveIntegerField(default=0)),
                ("detail", models.TextField(blank=True)),
            ],
            options={"verbose_name": "outage", "verbose_name_plural": "outages"},
        ),
        migrations.CreateModel(
            name="Analysis",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "image",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="analyses",
                        to="gallery.image",
                    ),
                ),
                ("analyser", models.CharField(max_length=40, verbose_name="analyser")),
                ("version", models.PositiveSmallIntegerField(default=1, verbose_name="version")),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("done", "Done"), ("failed", "Failed")],
                        default="waiting",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, verbose_name="attempts")),
                ("not_before", models.DateTimeField(editable=False, null=True)),
                ("claim", models.UUIDField(editable=False, null=True)),
                (
                    "claimed_by",
                    models.CharField(blank=True, default="", editable=False, max_length=255),
                ),
                ("claimed_until", models.DateTimeField(editable=False, null=True)),
                (
                    "reason_code",
                    models.CharField(
                        blank=True, default="", max_length=40, verbose_name="reason"
                    ),
                ),
                ("reason", models.TextField(blank=True, default="", verbose_name="reason")),
                ("done_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "analysis",
                "verbose_name_plural": "analyses",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["analyser", "attempts", "id"],
                        name="analysis_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("state", "failed")),
                        fields=["analyser", "-id"],
                        name="analysis_failed",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("image", "analyser"), name="one_analysis_each"
                    )
                ],
            },
        ),
        # What Django has to compute for its own picture of the tables comes before their locks.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    model_name="embedding",
                    name="part",
                    field=models.PositiveSmallIntegerField(
                        default=0, db_default=0, editable=False
                    ),
                ),
                migrations.AddField(
                    model_name="embeddingspace",
                    name="generation",
                    field=models.PositiveSmallIntegerField(
                        default=0, db_default=0, editable=False
                    ),
                ),
            ],
        ),
        migrations.RunPython(alter),
    ]
