"""Applying a set: a worker labels its pictures in parts, and can undo that.

A job works with one fit. Each part is one transaction, which also moves the job on: after a
kill, another worker continues with the next part. A job ends early if its set or the model has
changed meanwhile; what it has done stays, and can be undone.

The last job of a set that was not undone is `LabelSet.applied`. New pictures are labelled in its
name, so undoing it takes their labels back, too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from gallery import dispatch, task_names, trail
from gallery.errors import Expired, Refusal
from gallery.indexing.spaces import active_space
from gallery.labels import labelling
from gallery.labels.fitting import Weights, weights_of
from gallery.labels.scopes import labelled_by
from gallery.labels.writing import Order, Target, Written, write
from gallery.library import undo_log
from gallery.models import Change, EmbeddingSpace, LabelFit, LabelJob, LabelSet, User
from gallery.trail import Event
from gallery.work import leases
from gallery.work.drain import is_database_away, stopping
from gallery.work.leases import FREE, Lease, Lost

logger = logging.getLogger(__name__)

State, Kind = LabelJob.State, LabelJob.Kind
OPEN = [State.WAITING, State.RUNNING]

# Pictures, and labels of an undo, of one transaction.
PART = 5_000
# An undo of fewer labels is done at once.
SMALL = 20_000
# Renewed with each part, which takes far less time.
LEASE = timedelta(seconds=60)

CHANGED = gettext_noop("The label set has changed meanwhile. Apply it again.")
DELETED = gettext_noop("The label set was deleted meanwhile.")
REPLACED = gettext_noop("A later change has replaced this one.")
SWITCHED = gettext_noop(
    "The model has changed meanwhile. Pictures are labelled with the new one in the background."
)
FAILED = gettext_noop("This broke off. The log of the worker says why.")


class _Stopped(Exception):
    """The job cannot go on; the message is a sentence for its owner, in English."""


# --- Asking -----------------------------------------------------------------------


@transaction.atomic
def request(
    label_set: LabelSet, user: User | None, fit: LabelFit
) -> tuple[LabelJob, Change | None]:
    """Let a worker label the pictures of a set by `fit`, its current one. An open job of the set
    is stopped. Returns the job, and what undoes it (nothing without a user). Raises Refusal
    (label_set_gone)."""
    locked = _locked(label_set)
    _stop_open(locked)
    job = LabelJob.objects.create(
        label_set=locked, fit=fit, former_id=locked.applied_id, requested_by=user
    )
    if not labelling.is_wanted():
        labelling.start_over()
    locked.applied = job
    locked.save(update_fields=["applied"])
    if locked.is_of_site:
        trail.record(Event.LABEL_SET_APPLIED, target=locked, name=locked.name)
    dispatch.on_commit(task_names.RUN_LABEL_JOBS)
    change = undo_log.record(user, "apply_labels", {"job": str(job.pk)}) if user else None
    return job, change


@transaction.atomic
def undo(before: Mapping[str, Any], user: User) -> int:
    """Undo an apply job of a set that `user` may change. Few labels are restored at once, many
    by a worker. Returns how many labels that concerns; 0 if the set is gone.

    Raises Expired (applied_since) if the set was applied again since: undo that first.
    """
    job = LabelJob.objects.filter(pk=before["job"]).select_related("label_set").first()
    if job is None or not LabelSet.objects.changeable_by(user).filter(jobs=job).exists():
        return 0
    locked = _locked(job.label_set)
    if locked.applied_id != job.pk:
        raise Expired("applied_since", _("The set was applied again since: undo that first."))
    _stop_open(locked)
    locked.applied_id = job.former_id
    locked.save(update_fields=["applied"])
    LabelJob.objects.filter(pk=job.pk).update(undone_at=timezone.now())
    total = _labels_of(job.pk)
    undoing = LabelJob.objects.create(
        label_set=locked, kind=Kind.UNDO, former=job, total=total, requested_by=user
    )
    if total > SMALL:
        dispatch.on_commit(task_names.RUN_LABEL_JOBS)
        return total
    while _restore_part(job.pk):
        pass
    _settle_undone(locked, job)
    LabelJob.objects.filter(pk=undoing.pk).update(
        state=State.DONE, done=total, finished_at=timezone.now()
    )
    return total


def jobs_of(label_set: LabelSet) -> QuerySet[LabelJob]:
    return LabelJob.objects.filter(label_set=label_set).select_related("fit__version")


def _locked(label_set: LabelSet) -> LabelSet:
    """Lock a set against other changes and against labelling by its former state."""
    kept = LabelSet.objects.filter(pk=label_set.pk, deleted_at=None)
    found = kept.select_for_update(no_key=True).first()
    if found is None:
        raise Refusal("label_set_gone", _("This label set was deleted."))
    return found


def _stop_open(label_set: LabelSet) -> None:
    """Stop what runs. An open undo is finished first, by this transaction."""
    for job in LabelJob.objects.filter(label_set=label_set, state__in=OPEN).order_by("created_at"):
        if job.kind == Kind.UNDO and job.former_id is not None:
            while _restore_part(job.former_id):
                pass
            state, error = State.DONE, ""
        else:
            state, error = State.STOPPED, REPLACED
        LabelJob.objects.filter(pk=job.pk).update(
            state=state, error=error, finished_at=timezone.now(), **FREE
        )


# --- In a worker ------------------------------------------------------------------


def is_waiting() -> bool:
    """Whether a job waits for a worker or has lost its worker."""
    return _open().exists()


def _open() -> QuerySet[LabelJob]:
    return LabelJob.objects.filter(leases.free(), state__in=OPEN).order_by("created_at", "id")


def run_waiting() -> None:
    """Run all jobs that wait or have lost their worker."""
    while not stopping.is_set() and (lease := leases.take(_open(), LEASE, state=State.RUNNING)):
        try:
            _run(lease)
        except Lost:
            logger.warning("The label job %s is another worker's, or was stopped.", lease.row.pk)


def _run(lease: Lease[LabelJob]) -> None:
    """Run one job. Raises Lost, and any unexpected error, which ends the job."""
    try:
        done = _apply(lease) if lease.row.kind == Kind.APPLY else _undo(lease)
    except _Stopped as reason:
        lease.release(state=State.STOPPED, error=str(reason), finished_at=timezone.now())
    except Lost:
        raise
    except Exception as error:
        if is_database_away(error):
            # The lease ends by itself, and a worker goes on.
            raise
        lease.release(state=State.FAILED, error=FAILED, finished_at=timezone.now())
        raise
    else:
        if done:
            _know_labels()
            lease.release(state=State.DONE, finished_at=timezone.now())
        else:
            lease.release()


def _know_labels() -> None:
    """Have PostgreSQL count the labels: it would take millions of new ones for a few until it does
    so by itself, and compare them one by one."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE gallery_label")


def _apply(lease: Lease[LabelJob]) -> bool:
    """Label part after part. Return whether all are done; False if the worker stops."""
    job = lease.row
    fit = LabelFit.objects.select_related("version", "space").filter(pk=job.fit_id or 0).first()
    if fit is None or fit.space is None:
        raise _Stopped(SWITCHED)
    weights = weights_of(fit)
    if job.after is None:
        lease.keep(total=labelled_by(job.label_set).count())
    while not stopping.is_set():
        if not _apply_part(lease, fit, weights, fit.space):
            # The analyser of new pictures labels in the name of the job, too, and may have come to
            # some of them first.
            changed = _changed_by(job.pk)
            lease.keep(added=changed.added, removed=changed.removed)
            return True
    return False


@transaction.atomic
def _apply_part(
    lease: Lease[LabelJob], fit: LabelFit, weights: Weights, space: EmbeddingSpace
) -> bool:
    """Label the next part, in the transaction that moves the job on. Return False if none is
    left. Raises _Stopped, Lost."""
    job = lease.row
    # The set first, in the order of `request`.
    label_set = _still(job, fit)
    lease.hold()
    scope = labelled_by(label_set)
    if job.after is not None:
        scope = scope.filter(pk__gt=job.after)
    images = list(scope.order_by("pk").values_list("pk", flat=True)[:PART])
    if not images:
        return False
    encoded = labelling.encoded(images, space)
    written = Written(0, 0)
    if encoded:
        target = Target.of_set(weights, space, encoded)
        written = write([Order(job, fit)], encoded, target)
    lease.keep(
        after=images[-1],
        done=job.done + len(images),
        total=max(job.total, job.done + len(images)),
        added=job.added + written.added,
        removed=job.removed + written.removed,
    )
    return True


def _still(job: LabelJob, fit: LabelFit) -> LabelSet:
    """Return the set, locked against changes until the transaction ends. Raises _Stopped if the
    job's labels are no longer wanted."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version_id, applied_id, deleted_at FROM gallery_labelset"
            " WHERE id = %s FOR SHARE",
            [job.label_set_id],
        )
        version_id, applied_id, deleted_at = cursor.fetchone()
    if deleted_at is not None:
        raise _Stopped(DELETED)
    if version_id != fit.version_id:
        raise _Stopped(CHANGED)
    if applied_id != job.pk:
        raise _Stopped(REPLACED)
    space = active_space()
    if space is None or space != fit.space or space.checksum != fit.checksum:
        raise _Stopped(SWITCHED)
    return job.label_set


def _undo(lease: Lease[LabelJob]) -> bool:
    """Restore part after part. Return whether all are done; False if the worker stops."""
    job = lease.row
    if job.former is None:
        return True
    while not stopping.is_set():
        with transaction.atomic():
            lease.hold()
            restored = _restore_part(job.former.pk)
            if not restored:
                _settle_undone(job.label_set, job.former)
                return True
            lease.keep(done=min(job.done + restored, job.total))
    return False


def _changed_by(job: UUID) -> Written:
    """Count the labels that were added and taken back in the name of a job. One that was replaced
    by a label of another fit counts as neither."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH replaced AS (SELECT count(*) AS times FROM gallery_label label"
            "  JOIN gallery_label former USING (image_id, category_id)"
            "  WHERE label.added_by_id = %s AND former.removed_by_id = %s)"
            " SELECT (SELECT count(*) FROM gallery_label WHERE added_by_id = %s) - times,"
            "  (SELECT count(*) FROM gallery_label WHERE removed_by_id = %s) - times FROM replaced",
            [job] * 4,
        )
        return Written(*cursor.fetchone())


def _labels_of(job: UUID) -> int:
    """Count the labels that a job has added or taken back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM gallery_label WHERE added_by_id = %s)"
            " + (SELECT count(*) FROM gallery_label WHERE removed_by_id = %s)",
            [job, job],
        )
        return int(cursor.fetchone()[0])


def _restore_part(job: UUID) -> int:
    """Delete a part of the labels that the job has added. If none is left, bring a part of those
    back that it has taken. Return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_label WHERE id IN (SELECT id FROM gallery_label"
            " WHERE added_by_id = %s ORDER BY id LIMIT %s)",
            [job, PART],
        )
        if cursor.rowcount:
            return int(cursor.rowcount)
        # A label that was given again meanwhile stays, and the former one goes.
        cursor.execute(
            "WITH part AS (SELECT id, image_id, category_id FROM gallery_label"
            "  WHERE removed_by_id = %s ORDER BY id LIMIT %s FOR UPDATE),"
            " obsolete AS (DELETE FROM gallery_label label USING part, gallery_label live"
            "  WHERE label.id = part.id AND live.category_id = part.category_id"
            "   AND live.image_id = part.image_id AND live.removed_by_id IS NULL"
            "  RETURNING label.id),"
            " back AS (UPDATE gallery_label label SET removed_by_id = NULL FROM part"
            "  WHERE label.id = part.id AND NOT EXISTS (SELECT FROM gallery_label live"
            "   WHERE live.category_id = part.category_id AND live.image_id = part.image_id"
            "    AND live.removed_by_id IS NULL) RETURNING label.id)"
            " SELECT (SELECT count(*) FROM obsolete) + (SELECT count(*) FROM back)",
            [job, PART],
        )
        return int(cursor.fetchone()[0])


def _settle_undone(label_set: LabelSet, undone: LabelJob) -> None:
    """Have pictures that came since labelled by the set's former state."""
    if label_set.applied_id is not None:
        labelling.again_since(undone.created_at)
