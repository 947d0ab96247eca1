"""The ledger: who works on which picture, the number of attempts, and the result.

One row for each picture and analyser is both the record and the queue entry. Messages only
wake workers, so a lost message loses no work.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from gallery import dispatch, task_names
from gallery.models import Analysis, Image
from gallery.work.analyser import Analyser, Entry, Resource, wanted
from gallery.work.clock import from_now

State = Analysis.State

# A picture whose worker died this often is worked on alone ...
ISOLATE_AFTER = 2
# ... and fails after this many attempts. Three of them were alone, so the picture ends the
# worker; it was not merely in a large batch when the worker ended for another reason.
MAX_ATTEMPTS = 5
# The wait after an attempt that failed for an unknown reason; doubled with each attempt.
RETRY_DELAY = timedelta(seconds=30)
# The wait while the results that an analyser needs are missing. A new result queues the
# picture again anyway; this delay is for lost cases.
NEEDS_DELAY = timedelta(minutes=10)

CRASHED = gettext_noop("The server stopped each time it worked on this picture.")
UNKNOWN = gettext_noop("Something went wrong on the server while it worked on this picture.")
UNREADABLE = gettext_noop("The storage answers, but not for the file of this picture.")
NEEDED = gettext_noop("An earlier step of this picture has failed.")

TASKS = {
    Resource.MODEL: task_names.INDEX_PENDING,
    Resource.PROCESSOR: task_names.ANALYSE_PENDING,
}


@dataclass(frozen=True)
class Claim:
    """Rows of one analyser that one worker holds until the lease ends."""

    id: uuid.UUID
    analyser: Analyser
    entries: tuple[Entry, ...]


# --- Adding rows ------------------------------------------------------------------


def enqueue(image_ids: Sequence[uuid.UUID]) -> None:
    """Queue pictures for every analyser for which they have no row, and wake the workers on
    commit."""
    analysers = wanted()
    _insert(image_ids, analysers, "NOTHING")
    wake(analysers)


def requeue(image_ids: Sequence[uuid.UUID], analysers: Iterable[Analyser]) -> None:
    """Queue pictures for these analysers (again), and wake the workers on commit. Earlier
    results stay until new ones replace them."""
    analysers = list(analysers)
    _insert(
        image_ids,
        analysers,
        "UPDATE SET version = excluded.version, state = 'waiting',"
        " attempts = 0, not_before = NULL, claim = NULL, claimed_until = NULL,"
        " reason_code = '', reason = ''",
    )
    wake(analysers)


def _insert(image_ids: Sequence[uuid.UUID], analysers: Sequence[Analyser], if_there: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_analysis"  # noqa: S608 - our own words
            " (image_id, analyser, version, state, attempts, claimed_by, reason_code, reason)"
            " SELECT image.id, name, version, 'waiting', 0, '', '', ''"
            " FROM unnest(%s::text[], %s::smallint[]) AS wanted (name, version),"
            # The lock makes a concurrent deletion of the picture and this insert wait for
            # each other.
            "  (SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE) image"
            f" ORDER BY image.id, name ON CONFLICT (image_id, analyser) DO {if_there}",
            [
                [analyser.name for analyser in analysers],
                [analyser.version for analyser in analysers],
                list(image_ids),
            ],
        )


def retry_failed(images: QuerySet[Image]) -> int:
    """Queue all failed rows of these pictures again. Return their number."""
    names = [analyser.name for analyser in wanted()]
    failed = Analysis.objects.filter(image__in=images, analyser__in=names, state=State.FAILED)
    queued = failed.update(
        state=State.WAITING, attempts=0, not_before=None, claim=None, claimed_until=None,
        reason_code="", reason="",
    )  # fmt: skip
    wake(wanted())
    return queued


def wake(analysers: Iterable[Analyser]) -> None:
    """Wake the workers of these analysers, with one message for each resource, on commit."""
    for resource in sorted({analyser.resource for analyser in analysers}):
        dispatch.on_commit(TASKS[resource])


# --- Queries ----------------------------------------------------------------------


def waiting(name: str) -> QuerySet[Analysis]:
    """The rows that the analyser has still to do, claimed or not, without the trash."""
    return Analysis.objects.filter(analyser=name, state=State.WAITING, image__deleted_at=None)


def claimable(names: Iterable[str]) -> QuerySet[Analysis]:
    """The waiting rows that nobody holds, in the order in which workers take them."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    due = Q(not_before=None) | Q(not_before__lte=Now())
    return Analysis.objects.filter(
        free, due, analyser__in=list(names), state=State.WAITING, image__deleted_at=None
    ).order_by("attempts", "id")


def has_work(resource: Resource) -> bool:
    """Whether there is a reason to wake these workers now."""
    return claimable(analyser.name for analyser in wanted(resource)).order_by().exists()


# --- Claiming and settling ----------------------------------------------------------


@transaction.atomic
def claim(analyser: Analyser, limit: int, worker: str = "") -> Claim | None:
    """Take up to `limit` pictures for INDEX_LEASE_SECONDS, in the name of `worker`. Return None
    if none waits, and a claim without entries if all rows found are not ready yet.

    The attempt is counted now, in its own transaction: a picture that ends the process would
    leave no trace otherwise. Fresh pictures come first, suspicious ones last and alone.
    """
    _give_up_on_killers(analyser.name)
    rows = list(
        claimable([analyser.name])
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("id", "image_id", "attempts")[:limit]
    )
    if not rows:
        return None
    unready = _unready(analyser, [row[:2] for row in rows])
    rows = [row for row in rows if row[0] not in unready]
    fresh = [row for row in rows if row[-1] < ISOLATE_AFTER]
    rows = fresh or rows[:1]
    taken = Claim(uuid.uuid4(), analyser, _entries([row[:2] for row in rows]))
    Analysis.objects.filter(id__in=[entry.analysis_id for entry in taken.entries]).update(
        claim=taken.id,
        claimed_by=worker,
        claimed_until=from_now(timedelta(seconds=settings.INDEX_LEASE_SECONDS)),
        attempts=F("attempts") + 1,
        version=analyser.version,
    )
    return taken


def _entries(rows: Sequence[tuple[int, uuid.UUID]]) -> tuple[Entry, ...]:
    """Read the pictures of locked rows. Whoever gives a picture another recipe also queues its
    rows again, in one transaction: a recipe that is read too early belongs to a claim that ends
    then."""
    pictures = Image.objects.filter(pk__in=[image_id for _id, image_id in rows]).order_by()
    needed = {
        pk: facts
        for pk, *facts in pictures.values_list("pk", "file", "width", "height", "recipe", "edition")
    }
    return tuple(Entry(pk, image_id, *needed[image_id]) for pk, image_id in rows)


def _unready(analyser: Analyser, rows: Sequence[tuple[int, uuid.UUID]]) -> set[int]:
    """The rows whose picture lacks the results that the analyser needs. Postpone them, or fail
    them if the earlier step failed."""
    if not analyser.needs:
        return set()
    needed = Analysis.objects.filter(
        image_id__in=[image_id for _id, image_id in rows], analyser__in=analyser.needs
    ).values_list("image_id", "state")
    done: dict[uuid.UUID, int] = {}
    failed = set()
    for image_id, state in needed:
        done[image_id] = done.get(image_id, 0) + (state == State.DONE)
        if state == State.FAILED:
            failed.add(image_id)
    lost = {pk for pk, image_id in rows if image_id in failed}
    early = {pk for pk, image_id in rows if done.get(image_id, 0) < len(analyser.needs)} - lost
    Analysis.objects.filter(id__in=lost).update(
        state=State.FAILED, reason_code="needs", reason=NEEDED
    )
    Analysis.objects.filter(id__in=early).update(not_before=from_now(NEEDS_DELAY))
    return lost | early


def _give_up_on_killers(name: str) -> None:
    killers = claimable([name]).filter(attempts__gte=MAX_ATTEMPTS, claim__isnull=False)
    killers.order_by().update(
        state=State.FAILED, reason_code="crashed", reason=CRASHED, claim=None, claimed_until=None
    )


def complete(taken: Claim, entries: Sequence[Entry], results: Sequence[Any]) -> int:
    """Store the results of `entries`, in their order, and queue the analysers that need them.
    Return how many results were stored.

    A result is dropped if its claim has passed to another worker, if its picture is gone, or
    if nobody wants it any more.
    """
    if len(entries) != len(results):
        raise ValueError(f"{len(entries)} pictures but {len(results)} results")
    with transaction.atomic():
        if not taken.analyser.hold():
            return 0
        there, kept = _lock(taken, entries)
        for entry in entries:
            if there.get(entry.image_id) != entry.edition:
                transaction.on_commit(partial(taken.analyser.discard, entry), robust=True)
        if not kept:
            return 0
        pairs = [
            (entry, result)
            for entry, result in zip(entries, results, strict=True)
            if entry.analysis_id in kept
        ]
        taken.analyser.store([entry for entry, _ in pairs], [result for _, result in pairs])
        Analysis.objects.filter(id__in=kept).update(
            state=State.DONE, done_at=Now(), claim=None, claimed_until=None, not_before=None,
            reason_code="", reason="",
        )  # fmt: skip
        followers = [each for each in wanted() if taken.analyser.name in each.needs]
        if followers:
            requeue([entry.image_id for entry, _ in pairs], followers)
    return len(pairs)


def _lock(taken: Claim, entries: Sequence[Entry]) -> tuple[dict[uuid.UUID, str], set[int]]:
    """The editions of the pictures of `entries` that still exist, and the rows that this claim
    still holds. Both are locked in the order in which deletions lock them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, edition FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [[entry.image_id for entry in entries]],
        )
        there = dict(cursor.fetchall())
    held = _held(taken, entries).order_by("id").select_for_update()
    return there, set(held.values_list("id", flat=True))


def fail(taken: Claim, entry: Entry, code: str, reason: str) -> None:
    """Mark a picture that is itself to blame as failed at once."""
    _held(taken, [entry]).update(
        state=State.FAILED, reason_code=code, reason=reason[:2000], claim=None, claimed_until=None
    )


def postpone(taken: Claim, entry: Entry, code: str, reason: str) -> None:
    """Put a picture to the back of the queue after an unknown error, with a longer wait after
    each attempt. After the last attempt it fails with `reason`."""
    row = _held(taken, [entry])
    row.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=State.FAILED, reason_code=code, reason=reason[:2000], claim=None, claimed_until=None
    )
    for attempts in row.filter(state=State.WAITING).values_list("attempts", flat=True):
        row.update(
            reason_code=code,
            reason=reason[:2000],
            claim=None,
            claimed_until=None,
            not_before=from_now(RETRY_DELAY * 2 ** (attempts - 1)),
        )


def release(taken: Claim, entries: Sequence[Entry], after: timedelta | None = None) -> None:
    """Give rows back without counting the attempt. They can be claimed at once, or `after` a
    time."""
    _held(taken, entries).update(
        claim=None,
        claimed_until=None,
        attempts=F("attempts") - 1,
        not_before=after and from_now(after),
    )


def release_claims_of(worker: str) -> int:
    """End the leases of `worker`, so that a starting worker need not wait for those of its dead
    predecessor of the same name. The attempts stay counted."""
    held = Analysis.objects.filter(state=State.WAITING, claim__isnull=False, claimed_by=worker)
    return held.update(claimed_until=from_now(-timedelta(seconds=1)))


def discard_if_outdated(taken: Claim, entry: Entry) -> None:
    """Remove the files of an unfinished analysis if the picture has been purged or edited
    meanwhile."""
    if not Image.objects.filter(pk=entry.image_id, edition=entry.edition).exists():
        transaction.on_commit(partial(taken.analyser.discard, entry), robust=True)


def _held(taken: Claim, entries: Sequence[Entry]) -> QuerySet[Analysis]:
    ids = [entry.analysis_id for entry in entries]
    return Analysis.objects.filter(id__in=ids, claim=taken.id)
