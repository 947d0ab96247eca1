"""The facts of pictures that are there, a thousand at a time, each batch in a transaction of
its own: what was broken off goes on where it was.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import migrations

BATCH = 1000


def _batches(schema_editor: Any, condition: str) -> Iterator[list[Any]]:
    """The ids of all rows of `condition`, in parts."""
    last = "00000000-0000-0000-0000-000000000000"
    while True:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM gallery_image WHERE id > %s AND {condition} ORDER BY id LIMIT %s",  # noqa: S608 - our own words
                [last, BATCH],
            )
            ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return
        yield ids
        last = ids[-1]


def clocks_of_the_site(apps: Any, schema_editor: Any) -> None:
    """What is stored was computed with the zone of the site, or its offset was not kept:
    the clocks of the site are assumed, as pages showed these times until now."""
    zone = settings.TIME_ZONE
    ahead = (
        "extract(epoch FROM (coalesce(captured_at, created_at) AT TIME ZONE %s)"
        " - (coalesce(captured_at, created_at) AT TIME ZONE 'UTC'))::integer"
    )
    for ids in _batches(schema_editor, "ahead_of_utc = 0"):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE gallery_image SET ahead_of_utc = {ahead}"  # noqa: S608 - our own words
                f" WHERE id = ANY(%s) AND {ahead} <> 0",
                [zone, ids, zone],
            )


def nowhere_is_no_place(apps: Any, schema_editor: Any) -> None:
    for ids in _batches(schema_editor, "abs(latitude) < 0.0001 AND abs(longitude) < 0.0001"):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE gallery_image SET latitude = NULL, longitude = NULL WHERE id = ANY(%s)",
                [ids],
            )


def one_frame_of_what_has_no_more(apps: Any, schema_editor: Any) -> None:
    """Those of all others are counted by the sweep, in their files."""
    still = "content_type IN ('image/jpeg', 'image/tiff', 'image/bmp') AND frames IS NULL"
    for ids in _batches(schema_editor, still):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("UPDATE gallery_image SET frames = 1 WHERE id = ANY(%s)", [ids])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("gallery", "0008_facts"),
    ]

    operations = [
        migrations.RunPython(clocks_of_the_site, migrations.RunPython.noop),
        migrations.RunPython(nowhere_is_no_place, migrations.RunPython.noop),
        migrations.RunPython(one_frame_of_what_has_no_more, migrations.RunPython.noop),
    ]
