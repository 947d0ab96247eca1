"""The ledger of made-up pictures."""

from __future__ import annotations


def all_done() -> None:
    """As if workers had made everything of all pictures that are new to them."""
    from django.db import connection

    from gallery.work.analyser import wanted

    with connection.cursor() as cursor:
        for analyser in wanted():
            cursor.execute(
                "INSERT INTO gallery_analysis (image_id, analyser, version, state, attempts,"
                "  claimed_by, reason_code, reason, done_at)"
                " SELECT id, %s, %s, 'done', 1, '', '', '', now() FROM gallery_image ORDER BY id"
                " ON CONFLICT (image_id, analyser) DO NOTHING",
                [analyser.name, analyser.version],
            )
