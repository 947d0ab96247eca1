"""The analyser of colours and hashes gets the name that the code uses.

In parts, each a transaction of its own: a migration that is ended goes on where it was.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, migrations

PART = 50_000
FORMER, NAME = "looks", "visual_features"


def rename(former: str, name: str) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM gallery_analysis")
            (last,) = cursor.fetchone()
            for first in range(1, last + 1, PART):
                cursor.execute(
                    "UPDATE gallery_analysis SET analyser = %s"
                    " WHERE id BETWEEN %s AND %s AND analyser = %s",
                    [name, first, first + PART - 1, former],
                )
            cursor.execute(
                "UPDATE gallery_backfill SET analyser = %s WHERE analyser = %s", [name, former]
            )

    return run


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("gallery", "0016_leases")]

    operations = [migrations.RunPython(rename(FORMER, NAME), rename(NAME, FORMER))]
