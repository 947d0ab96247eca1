"""What told so far what is done to pictures goes, and vectors are all that their table has.

Nobody writes while the rest is copied, everybody reads; readers wait for the last statements
alone. What Django has to compute for its own picture of the tables comes first.
"""

from importlib import import_module
from typing import Any

import django.db.models.deletion
import pgvector.django
from django.db import connection, migrations, models

from gallery.migrations._locks import shut_out_readers

COPY = import_module("gallery.migrations.0014_copy_to_analyses").COPY

# Whatever has changed since the copy: it lay in the hands of workers then, or was queued again.
SINCE = """
UPDATE gallery_analysis known SET state = 'done', done_at = entry.encoded_at
FROM gallery_embedding entry
WHERE known.state = 'waiting' AND entry.state = 'encoded' AND known.image_id = entry.image_id
  AND known.analyser = 'encoding-' || entry.space_id;
UPDATE gallery_analysis known SET state = 'failed', reason_code = 'damaged', reason = entry.error
FROM gallery_embedding entry
WHERE known.state = 'waiting' AND entry.state = 'failed' AND known.image_id = entry.image_id
  AND known.analyser = 'encoding-' || entry.space_id;
UPDATE gallery_analysis known SET state = 'waiting', attempts = 0
FROM gallery_embedding entry
WHERE known.state <> 'waiting' AND entry.state = 'pending' AND known.image_id = entry.image_id
  AND known.analyser = 'encoding-' || entry.space_id;
UPDATE gallery_analysis known SET state = 'done', done_at = now()
FROM gallery_image image
WHERE known.state = 'waiting' AND known.image_id = image.id AND known.analyser = 'renditions'
  AND image.render_state = 'ready';
UPDATE gallery_analysis known SET state = 'waiting', attempts = 0
FROM gallery_image image
WHERE known.state <> 'waiting' AND known.image_id = image.id AND known.analyser = 'renditions'
  AND image.render_state = 'pending';
UPDATE gallery_analysis known SET state = 'done', version = image.looks, done_at = now()
FROM gallery_image image
WHERE known.state <> 'done' AND known.image_id = image.id AND known.analyser = 'looks'
  AND image.looks > 0;
UPDATE gallery_analysis known SET state = 'waiting'
FROM gallery_comparison queued JOIN gallery_embedding entry ON entry.id = queued.embedding_id
WHERE known.state <> 'waiting' AND known.image_id = entry.image_id
  AND known.analyser = 'comparison';
"""


TABLES = (
    *("gallery_image", "gallery_embedding"),
    *("gallery_embeddingspace", "gallery_comparison"),
)

ALTER = """
DROP TABLE gallery_comparison;
ALTER TABLE gallery_embedding
    DROP CONSTRAINT one_embedding_per_space,
    DROP COLUMN state, DROP COLUMN error, DROP COLUMN attempts, DROP COLUMN claim,
    DROP COLUMN claimed_by, DROP COLUMN claimed_until, DROP COLUMN created_at,
    ALTER COLUMN vector SET NOT NULL, ALTER COLUMN encoded_at SET NOT NULL,
    ADD CONSTRAINT one_embedding_each UNIQUE USING INDEX one_embedding_each;
ALTER TABLE gallery_image
    DROP COLUMN render_state, DROP COLUMN render_error, DROP COLUMN render_attempts,
    DROP COLUMN looks
"""


def move(apps: Any, schema_editor: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {', '.join(TABLES)} IN EXCLUSIVE MODE")
        _copy_the_rest(cursor)
        # Foreign keys that Django checks at the end of a transaction would not let the
        # table be altered in it.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        shut_out_readers(cursor, *TABLES)
        # Those that do not cascade, by names that Django made.
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'gallery_embedding'::regclass"
            " AND contype = 'f' AND conname NOT IN ('embedding_image', 'embedding_space')"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE gallery_embedding DROP CONSTRAINT "{name}"')
        cursor.execute(ALTER)


def _copy_the_rest(cursor: Any) -> None:
    cursor.execute(
        "SELECT id FROM gallery_image image WHERE NOT EXISTS (SELECT FROM gallery_analysis"
        " WHERE image_id = image.id AND analyser = 'renditions')"
    )
    cursor.execute(COPY, {"ids": [pk for (pk,) in cursor.fetchall()]})
    cursor.execute(SINCE)
    cursor.execute("DELETE FROM gallery_embedding WHERE vector IS NULL")
    cursor.execute("DELETE FROM gallery_backfill WHERE analyser = 'migration 14'")
    # A model that cannot be loaded just now is an outage: nothing sticks to its space.
    cursor.execute("UPDATE gallery_embeddingspace SET error = '' WHERE state <> 'failed'")


class Migration(migrations.Migration):
    dependencies = [("gallery", "0014_copy_to_analyses")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.DeleteModel("Comparison"),
                migrations.RemoveConstraint("embedding", "one_embedding_per_space"),
                migrations.RemoveIndex("embedding", "embedding_queue"),
                migrations.RemoveIndex("embedding", "embedding_failed"),
                *(
                    migrations.RemoveField("embedding", name)
                    for name in (
                        *("state", "error", "attempts", "claim", "claimed_by", "claimed_until"),
                        "created_at",
                    )
                ),
                migrations.AlterField(
                    "embedding", "vector", pgvector.django.HalfVectorField(editable=False)
                ),
                migrations.AlterField(
                    "embedding", "encoded_at", models.DateTimeField(editable=False)
                ),
                migrations.AddConstraint(
                    "embedding",
                    models.UniqueConstraint(
                        fields=("image", "space", "part"), name="one_embedding_each"
                    ),
                ),
                *(
                    migrations.AlterField(
                        "embedding",
                        name,
                        models.ForeignKey(
                            db_constraint=False,
                            on_delete=django.db.models.deletion.DO_NOTHING,
                            related_name="embeddings",
                            to=f"gallery.{to}",
                        ),
                    )
                    for name, to in (("image", "image"), ("space", "embeddingspace"))
                ),
                migrations.RemoveIndex("image", "image_not_looked_at"),
                migrations.RemoveIndex("image", "image_render_pending"),
                *(
                    migrations.RemoveField("image", name)
                    for name in ("render_state", "render_error", "render_attempts", "looks")
                ),
            ],
        ),
        migrations.RunPython(move),
    ]
