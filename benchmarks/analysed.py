"""Ledger rows for synthetic pictures."""

from __future__ import annotations


def all_done() -> None:
    """Mark all wanted analyses of pictures without a row as done."""
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
