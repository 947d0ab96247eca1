"""Rows for pictures that are older than an analyser or its version.

Any worker adds them in parts, each in its own transaction. So nobody waits for a million
rows, and a worker that dies loses no finished part.
"""

from __future__ import annotations

import uuid

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from gallery.models import Backfill
from gallery.work.analyser import Analyser, Resource, wanted
from gallery.work.ledger import wake

# Pictures of one transaction.
PART = 5000

_NONE = uuid.UUID(int=0)


def start_over(names: list[str]) -> None:
    """Look at all pictures again, for example for a space that was out of use for a while."""
    Backfill.objects.filter(pk__in=names).delete()


def is_finished(analyser: Analyser) -> bool:
    """Whether every picture has a row of the analyser, of its version."""
    made = Backfill.objects.filter(pk=analyser.name, version=analyser.version)
    return made.filter(finished_at__isnull=False).exists()


def is_due(resource: Resource) -> bool:
    return any(not is_finished(analyser) for analyser in wanted(resource))


def advance(resource: Resource) -> None:
    """Make all rows that are missing for this kind of worker."""
    for analyser in wanted(resource):
        while not is_finished(analyser) and _advance(analyser):
            pass


@transaction.atomic
def _advance(analyser: Analyser) -> bool:
    """Add one part. Return False if another worker does so or none is left."""
    Backfill.objects.get_or_create(pk=analyser.name, defaults={"version": analyser.version})
    row = (
        Backfill.objects.select_for_update(skip_locked=True)
        .filter(Q(finished_at=None) | ~Q(version=analyser.version), pk=analyser.name)
        .first()
    )
    if row is None:
        return False
    if row.version != analyser.version:
        row.version, row.after = analyser.version, None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gallery_image WHERE id > %s ORDER BY id LIMIT %s",
            [row.after or _NONE, PART],
        )
        ids = [pk for (pk,) in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO gallery_analysis AS known"
            " (image_id, analyser, version, state, attempts, claimed_by, reason_code, reason)"
            " SELECT id, %s, %s, 'waiting', 0, '', '', ''"
            " FROM (SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE)"
            "  AS image"
            " ON CONFLICT (image_id, analyser) DO UPDATE SET version = excluded.version,"
            "  state = 'waiting', attempts = 0, not_before = NULL, claim = NULL,"
            "  claimed_until = NULL, reason_code = '', reason = ''"
            " WHERE known.version < excluded.version",
            [analyser.name, analyser.version, ids],
        )
    row.after = ids[-1] if ids else row.after
    row.finished_at = timezone.now() if len(ids) < PART else None
    row.save()
    wake([analyser])
    return True
