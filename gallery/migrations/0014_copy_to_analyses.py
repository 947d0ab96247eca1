"""What is done to pictures, in one table: copied from the three that told it so far.

The site can be read and written to meanwhile by the code from before, whose columns are there
until the next migration, which is short. Pictures are copied in parts, each of which is a
transaction of its own that also notes how far it came: a migration that is ended goes on where
it was.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import connection, migrations, transaction

PART = 10_000
NOTE = "migration 14"

# For pictures `%(ids)s`: what was made of each, or waits, or failed.
COPY = """
INSERT INTO gallery_analysis (image_id, analyser, version, state, attempts, claimed_by,
                              reason_code, reason, done_at)
SELECT image_id, 'encoding-' || space_id, 1,
       CASE state WHEN 'encoded' THEN 'done' WHEN 'failed' THEN 'failed' ELSE 'waiting' END,
       CASE state WHEN 'pending' THEN 0 ELSE attempts END, '',
       CASE WHEN state <> 'failed' THEN '' WHEN attempts >= 3 THEN 'unknown' ELSE 'damaged' END,
       CASE state WHEN 'failed' THEN error ELSE '' END, encoded_at
FROM gallery_embedding WHERE image_id = ANY(%(ids)s)
UNION ALL
SELECT id, 'renditions', 1,
       CASE render_state WHEN 'ready' THEN 'done' WHEN 'failed' THEN 'failed' ELSE 'waiting' END,
       0, '',
       CASE WHEN render_state <> 'failed' THEN '' WHEN render_attempts >= 3 THEN 'unknown'
            ELSE 'damaged' END,
       CASE render_state WHEN 'failed' THEN render_error ELSE '' END,
       CASE render_state WHEN 'ready' THEN updated_at END
FROM gallery_image WHERE id = ANY(%(ids)s)
UNION ALL
SELECT id, 'looks', looks,
       CASE WHEN looks > 0 THEN 'done' WHEN render_state = 'failed' THEN 'failed'
            ELSE 'waiting' END,
       0, '', CASE WHEN looks = 0 AND render_state = 'failed' THEN 'needs' ELSE '' END, '',
       CASE WHEN looks > 0 THEN updated_at END
FROM gallery_image WHERE id = ANY(%(ids)s)
UNION ALL
SELECT entry.image_id, 'comparison', 1,
       CASE WHEN queued.embedding_id IS NULL THEN 'done' ELSE 'waiting' END, 0, '', '', '',
       CASE WHEN queued.embedding_id IS NULL THEN entry.encoded_at END
FROM gallery_embedding entry
JOIN gallery_embeddingspace space ON space.id = entry.space_id AND space.state = 'active'
LEFT JOIN gallery_comparison queued ON queued.embedding_id = entry.id
WHERE entry.image_id = ANY(%(ids)s) AND entry.state = 'encoded'
ON CONFLICT (image_id, analyser) DO NOTHING
"""


def copy(apps: Any, schema_editor: Any) -> None:
    note = apps.get_model("gallery", "Backfill").objects
    known = note.filter(pk=NOTE).first()
    after = known.after if known else uuid.UUID(int=0)
    while (after := _copy_part(note, after)) is not None:
        pass


def _copy_part(note: Any, after: uuid.UUID) -> uuid.UUID | None:
    """The last picture of the part that comes after this one; None if there is none."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gallery_image WHERE id > %s ORDER BY id LIMIT %s FOR KEY SHARE",
            [after, PART],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        if not ids:
            return None
        cursor.execute(COPY, {"ids": ids})
        note.update_or_create(pk=NOTE, defaults={"version": 1, "after": ids[-1]})
        return ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gallery", "0013_analyses")]

    operations = [
        migrations.RunPython(copy),
        migrations.RunSQL("ALTER TABLE gallery_embedding VALIDATE CONSTRAINT embedding_image"),
        migrations.RunSQL("ALTER TABLE gallery_embedding VALIDATE CONSTRAINT embedding_space"),
        # One that was ended half-way is there and of no use.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS one_embedding_each"),
        migrations.RunSQL(
            "CREATE UNIQUE INDEX CONCURRENTLY one_embedding_each"
            " ON gallery_embedding (image_id, space_id, part)"
        ),
    ]
