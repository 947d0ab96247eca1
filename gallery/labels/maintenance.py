"""What workers do for label sets by themselves: fits for each space, also while it is being
built; learning from answers; removing what can no longer be undone or is not used."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from gallery.encoders import client
from gallery.errors import Unavailable
from gallery.indexing.encoding import target_spaces
from gallery.labels import fitting, sets, teaching, wishes
from gallery.labels.definition import newest
from gallery.models import EmbeddingSpace, LabelFit, LabelJob, LabelSet

logger = logging.getLogger(__name__)

# Labels that are removed at once.
_PART = 20_000
# How long a fit that a newer one has replaced is kept: somebody may be about to apply it.
_REPLACED = timedelta(hours=1)


def is_due() -> bool:
    """Whether a set has no fit in a space that is in use, or has answers or wishes that its fit
    does not know."""
    return any(
        _without_fit(space).exists() or _to_learn(space) or wishes.is_open(space)
        for space in _spaces()
    )


def maintain() -> None:
    for space in _spaces():
        if not _make_fits(space):
            return
        for label_set in LabelSet.objects.filter(pk__in=_to_learn(space)):
            fit = fitting.current(label_set, space)
            if fit is not None:
                teaching.learn(fit, space)
        wishes.fulfil_open(space)
    forget_old()


def _make_fits(space: EmbeddingSpace) -> bool:
    """Make the fits that are missing in a space. Return False while the encoder is down."""
    for label_set in _without_fit(space):
        try:
            fitting.make(newest(label_set), space, client.encode_texts)
        except Unavailable as reason:
            logger.info("The fits of label sets wait: %s", reason)
            return False
    return True


def _spaces() -> QuerySet[EmbeddingSpace]:
    return target_spaces().filter(dimensions__isnull=False)


def _without_fit(space: EmbeddingSpace) -> QuerySet[LabelSet]:
    known = LabelFit.objects.filter(
        version=OuterRef("version"), space=space, checksum=space.checksum
    )
    return LabelSet.objects.filter(~Exists(known), deleted_at=None, version__isnull=False)


def is_learning(label_set: LabelSet, space: EmbeddingSpace) -> bool:
    """Whether workers have yet to learn from answers to the set."""
    return bool(_to_learn(space, label_set))


def _to_learn(space: EmbeddingSpace, label_set: LabelSet | None = None) -> list[UUID]:
    """The sets, or the one that is asked for, whose fit in `space` does not know all answers to
    pictures that are encoded in it, or knows answers that were taken back."""
    only = label_set.pk if label_set else None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT label_set.id FROM gallery_labelset label_set"
            " CROSS JOIN LATERAL (SELECT answers, answers_until FROM gallery_labelfit fit"
            "  WHERE fit.version_id = label_set.version_id AND fit.space_id = %s"
            "   AND fit.checksum = %s ORDER BY id DESC LIMIT 1) AS fit"
            " CROSS JOIN LATERAL (SELECT count(*) AS said, max(answer.at) AS latest"
            "  FROM gallery_answer answer"
            "  JOIN gallery_category category ON category.id = answer.category_id"
            "  JOIN gallery_embedding embedding ON embedding.image_id = answer.image_id"
            "   AND embedding.space_id = %s AND embedding.part = 0"
            "  WHERE category.label_set_id = label_set.id AND category.retired_at IS NULL"
            " ) AS known"
            " WHERE label_set.deleted_at IS NULL"
            " AND (%s::uuid IS NULL OR label_set.id = %s) AND (known.said <> fit.answers"
            "  OR known.latest IS DISTINCT FROM fit.answers_until)",
            [space.pk, space.checksum, space.pk, only, only],
        )
        return [pk for (pk,) in cursor.fetchall()]


# --- Forgetting -------------------------------------------------------------------


def forget_old() -> None:
    """Remove deleted sets and taken-back labels that can no longer be brought back, and fits that
    nothing uses."""
    sets.purge_deleted()
    old = LabelJob.objects.filter(created_at__lt=timezone.now() - sets.KEEP)
    for job in old.values_list("pk", flat=True):
        while _forget(job):
            pass
    _replaced_fits().delete()


def _forget(job: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_label WHERE id IN"
            " (SELECT id FROM gallery_label WHERE removed_by_id = %s LIMIT %s)",
            [job, _PART],
        )
        return int(cursor.rowcount)


def _replaced_fits() -> QuerySet[LabelFit]:
    """Fits that newer ones have replaced and that gave no label: labels are given by the fits of
    jobs or, after a switch of spaces, by fits in another space than the applied job's."""
    newer = LabelFit.objects.filter(
        version=OuterRef("version"), space=OuterRef("space"), id__gt=OuterRef("id")
    )
    used = LabelJob.objects.filter(fit=OuterRef("pk"))
    applied_here = LabelJob.objects.filter(
        label_set__versions=OuterRef("version"), fit__space=OuterRef("space")
    )
    unapplied = LabelSet.objects.filter(versions=OuterRef("version"), applied=None)
    return LabelFit.objects.filter(
        Exists(newer),
        ~Exists(used),
        Exists(applied_here) | Exists(unapplied),
        created_at__lt=timezone.now() - _REPLACED,
    )
