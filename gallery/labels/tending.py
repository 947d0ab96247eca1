"""What workers do for label sets by themselves: fits for each space, also while it is being
built, and removing what can no longer be undone."""

from __future__ import annotations

import logging
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from gallery.encoders import client
from gallery.errors import Unavailable
from gallery.indexing.encoding import target_spaces
from gallery.labels import fitting, sets
from gallery.labels.definition import newest
from gallery.models import EmbeddingSpace, LabelFit, LabelJob, LabelSet

logger = logging.getLogger(__name__)

# Labels that are removed at once.
_PART = 20_000


def is_due() -> bool:
    """Whether a set has no fit in a space that is in use."""
    return any(_without_fit(space).exists() for space in _spaces())


def tend() -> None:
    for space in _spaces():
        for label_set in _without_fit(space):
            try:
                fitting.make(newest(label_set), space, client.encode_texts)
            except Unavailable as reason:
                logger.info("The fits of label sets wait: %s", reason)
                return
    forget_old()


def forget_old() -> None:
    """Remove deleted sets and taken-back labels that can no longer be brought back."""
    sets.purge_deleted()
    old = LabelJob.objects.filter(created_at__lt=timezone.now() - sets.KEEP)
    for job in old.values_list("pk", flat=True):
        while _forget(job):
            pass


def _forget(job: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_label WHERE id IN"
            " (SELECT id FROM gallery_label WHERE removed_by_id = %s LIMIT %s)",
            [job, _PART],
        )
        return int(cursor.rowcount)


def _spaces() -> QuerySet[EmbeddingSpace]:
    return target_spaces().filter(dimensions__isnull=False)


def _without_fit(space: EmbeddingSpace) -> QuerySet[LabelSet]:
    known = LabelFit.objects.filter(
        version=OuterRef("version"), space=space, checksum=space.checksum
    )
    return LabelSet.objects.filter(~Exists(known), deleted_at=None, version__isnull=False)
