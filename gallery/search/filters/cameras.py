"""Which cameras the pictures were taken with."""

from __future__ import annotations

from django.db import connection

# No camera of any picture: longer than a name can be.
NOBODYS = "-" * 201

# From one name to the next in the index: reading those of all pictures for each search
# took longer than the search. (PostgreSQL's wiki calls it a loose index scan.)
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
    """Names that have `part`, whatever the case and marks of letters, each with whether it
    is all of the name: of everybody's pictures, so not to be shown."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [part, part])
        return dict(cursor.fetchall())
