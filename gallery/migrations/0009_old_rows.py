"""The facts of pictures that are there, a thousand at a time, each batch in a transaction of
its own: what was broken off goes on where it was.

- What is stored was computed with the zone of the site, or its offset was not kept: the clocks
  of the site are assumed, as pages showed these times until now.
- 0° N 0° E is no place.
- What has no more than one frame, whatever is in the file, has one; all others are counted by
  the sweep.
"""

from typing import Any

from django.conf import settings
from django.db import migrations

BATCH = 1000

_CHANGE = """
    UPDATE gallery_image image
    SET ahead_of_utc = new.ahead, frames = new.frames,
        latitude = new.latitude, longitude = new.longitude
    FROM (
        SELECT id,
            CASE WHEN is_offset_known THEN ahead_of_utc ELSE extract(epoch FROM
                (coalesce(captured_at, created_at) AT TIME ZONE %s)
                - (coalesce(captured_at, created_at) AT TIME ZONE 'UTC')
            )::integer END AS ahead,
            CASE WHEN content_type IN ('image/jpeg', 'image/tiff', 'image/bmp') THEN 1
                ELSE frames END AS frames,
            CASE WHEN nowhere THEN NULL ELSE latitude END AS latitude,
            CASE WHEN nowhere THEN NULL ELSE longitude END AS longitude
        FROM gallery_image,
            LATERAL (SELECT abs(latitude) < 0.0001 AND abs(longitude) < 0.0001 AS nowhere) AS place
        WHERE id = ANY(%s)
    ) new
    WHERE image.id = new.id
        AND (image.ahead_of_utc, image.frames, image.latitude, image.longitude)
            IS DISTINCT FROM (new.ahead, new.frames, new.latitude, new.longitude)
"""


def facts_of_rows(apps: Any, schema_editor: Any) -> None:
    last = "00000000-0000-0000-0000-000000000000"
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id FROM gallery_image WHERE id > %s ORDER BY id LIMIT %s", [last, BATCH]
            )
            ids = [row[0] for row in cursor.fetchall()]
            if not ids:
                return
            cursor.execute(_CHANGE, [settings.TIME_ZONE, ids])
            last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("gallery", "0008_facts"),
    ]

    operations = [
        migrations.RunPython(facts_of_rows, migrations.RunPython.noop),
    ]
