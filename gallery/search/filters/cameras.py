"""The names of cameras."""

from __future__ import annotations

from django.db import connection

# The camera of no picture: longer than a name can be.
NOBODYS = "-" * 201

# A loose index scan (PostgreSQL's wiki), from one name to the next: reading the names of all
# pictures took longer than a search.
_NAMES = """
    WITH RECURSIVE name AS (
        (SELECT camera FROM gallery_image ORDER BY camera LIMIT 1)
        UNION ALL
        SELECT (SELECT camera FROM gallery_image WHERE camera > name.camera
                ORDER BY camera LIMIT 1)
        FROM name WHERE name.camera IS NOT NULL
    )
    SELECT camera, gallery_bare(camera) = gallery_bare(%s) FROM name
    WHERE camera <> '' AND strpos(gallery_bare(camera), gallery_bare(%s)) > 0
"""


def names_with(part: str) -> dict[str, bool]:
    """Return the names that contain `part`, regardless of case and diacritics, each with whether
    `part` is the whole name. The names are those of all users' pictures and must not be shown."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [part, part])
        return dict(cursor.fetchall())
