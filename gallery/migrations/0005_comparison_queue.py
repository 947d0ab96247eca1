"""What waits to be compared moves from a column into a small table of its own.

The table is filled before it refers to the embeddings, so that a million rows are
checked at once and not one by one. Dropping a column rewrites nothing.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0004_search_speed"),
    ]

    operations = [
        migrations.RunSQL(
            sql=[
                "CREATE TABLE gallery_comparison (embedding_id bigint PRIMARY KEY,"
                " queued_at timestamptz NOT NULL, due_at timestamptz NOT NULL)",
                "INSERT INTO gallery_comparison (embedding_id, queued_at, due_at)"
                " SELECT entry.id, now(), now() FROM gallery_embedding entry"
                " JOIN gallery_embeddingspace space ON space.id = entry.space_id"
                " WHERE space.state = 'active' AND entry.state = 'encoded'"
                " AND entry.compared_at IS NULL",
                "ALTER TABLE gallery_comparison ADD CONSTRAINT comparison_embedding"
                " FOREIGN KEY (embedding_id) REFERENCES gallery_embedding (id)"
                " ON DELETE CASCADE",
                "CREATE INDEX comparison_due ON gallery_comparison (due_at, embedding_id)",
            ],
            reverse_sql="DROP TABLE gallery_comparison",
            state_operations=[
                migrations.CreateModel(
                    name="Comparison",
                    fields=[
                        (
                            "embedding",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                serialize=False,
                                to="gallery.embedding",
                            ),
                        ),
                        ("queued_at", models.DateTimeField(editable=False)),
                        ("due_at", models.DateTimeField(editable=False)),
                    ],
                    options={
                        "verbose_name": "comparison",
                        "verbose_name_plural": "comparisons",
                        "indexes": [
                            models.Index(fields=["due_at", "embedding"], name="comparison_due")
                        ],
                    },
                ),
            ],
        ),
        migrations.RemoveIndex(model_name="embedding", name="embedding_to_compare"),
        migrations.RemoveField(model_name="embedding", name="compared_at"),
    ]
