"""Who works on which picture, how often that was tried, and what became of it.

One row for each picture and analyser is both the record and the queue entry. Messages only
wake workers: losing one loses nothing.
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

from gallery import dispatch
from gallery.models import Analysis, Image
from gallery.work.analyser import Analyser, Entry, Resource, wanted
from gallery.work.clock import from_now

State = Analysis.State

# A picture that was lost with its worker this often is worked on alone ...
ISOLATE_AFTER = 2
# ... and given up after this many tries: three of them were alone, so it is what ends the
# worker, and not one that ended for another reason while many pictures were in its hands.
MAX_ATTEMPTS = 5
# After a try that failed for a reason nobody knows; doubled with each.
RETRY_DELAY = timedelta(seconds=30)
# Where what an analyser needs is not there yet. It is woken when it comes, this is for
# whatever was lost.
NEEDS_DELAY = timedelta(minutes=10)

CRASHED = gettext_noop("The server stopped each time it worked on this picture.")
UNKNOWN = gettext_noop("Something went wrong on the server while it worked on this picture.")
UNREADABLE = gettext_noop("The storage answers, but not for the file of this picture.")
NEEDED = gettext_noop("An earlier step of this picture has failed.")

TASKS = {
    Resource.MODEL: "gallery.tasks.index_pending",
    Resource.PROCESSOR: "gallery.tasks.analyse_pending",
}


@dataclass(frozen=True)
class Claim:
    """Rows of one analyser that one worker holds until the lease ends."""

    id: uuid.UUID
    analyser: Analyser
    entries: tuple[Entry, ...]


# --- Putting in -------------------------------------------------------------------


def enqueue(image_ids: Sequence[uuid.UUID]) -> None:
    """Have pictures pass every analyser that they lack, and wake the workers on commit."""
    analysers = wanted()
    _insert(image_ids, analysers, "NOTHING")
    wake(analysers)


def requeue(image_ids: Sequence[uuid.UUID], analysers: Iterable[Analyser]) -> None:
    """Have pictures pass these analysers (again), and wake the workers on commit. What they
    made before stays until it is replaced."""
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
            # Whoever removes the picture waits, or is waited for.
            "  (SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE) image"
            f" ORDER BY image.id, name ON CONFLICT (image_id, analyser) DO {if_there}",
            [
                [analyser.name for analyser in analysers],
                [analyser.version for analyser in analysers],
                list(image_ids),
            ],
        )


def retry_failed(images: QuerySet[Image]) -> int:
    """Queue everything that failed of these pictures; returns of how many rows."""
    names = [analyser.name for analyser in wanted()]
    failed = Analysis.objects.filter(image__in=images, analyser__in=names, state=State.FAILED)
    queued = failed.update(
        state=State.WAITING, attempts=0, not_before=None, claim=None, claimed_until=None,
        reason_code="", reason="",
    )  # fmt: skip
    wake(wanted())
    return queued


def wake(analysers: Iterable[Analyser]) -> None:
    """Ring for the workers of these analysers, once each, on commit."""
    for resource in sorted({analyser.resource for analyser in analysers}):
        dispatch.on_commit(TASKS[resource])


# --- Asking -----------------------------------------------------------------------


def waiting(name: str) -> QuerySet[Analysis]:
    """What the analyser has still to do, claimed or not; the trash can wait."""
    return Analysis.objects.filter(analyser=name, state=State.WAITING, image__deleted_at=None)


def claimable(names: Iterable[str]) -> QuerySet[Analysis]:
    """What waits and is in nobody's hands, in the order in which it is taken."""
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    due = Q(not_before=None) | Q(not_before__lte=Now())
    return Analysis.objects.filter(
        free, due, analyser__in=list(names), state=State.WAITING, image__deleted_at=None
    ).order_by("attempts", "id")


def has_work(resource: Resource) -> bool:
    """Whether a ring for these workers is worth it now."""
    return claimable(analyser.name for analyser in wanted(resource)).order_by().exists()


# --- Claiming and settling ----------------------------------------------------------


@transaction.atomic
def claim(analyser: Analyser, limit: int, worker: str = "") -> Claim | None:
    """Take up to `limit` pictures for INDEX_LEASE_SECONDS, in the name of `worker`; None if
    none waits, and a claim without entries if all that were met are not ready yet.

    The attempt is counted now, in its own transaction: only so does a picture that ends the
    process leave a trace. Fresh pictures come first, suspicious ones last and alone.
    """
    _give_up_on_killers(analyser.name)
    rows = list(
        claimable([analyser.name])
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("id", "image_id", "image__file", "image__width", "image__height", "attempts")[
            :limit
        ]
    )
    if not rows:
        return None
    unready = _unready(analyser, [row[:2] for row in rows])
    rows = [row for row in rows if row[0] not in unready]
    fresh = [row for row in rows if row[-1] < ISOLATE_AFTER]
    rows = fresh or rows[:1]
    taken = Claim(uuid.uuid4(), analyser, tuple(Entry(*row[:-1]) for row in rows))
    Analysis.objects.filter(id__in=[entry.analysis_id for entry in taken.entries]).update(
        claim=taken.id,
        claimed_by=worker,
        claimed_until=from_now(timedelta(seconds=settings.INDEX_LEASE_SECONDS)),
        attempts=F("attempts") + 1,
        version=analyser.version,
    )
    return taken


def _unready(analyser: Analyser, rows: Sequence[tuple[int, uuid.UUID]]) -> set[int]:
    """Rows whose picture lacks what the analyser needs: put off, or failed with it."""
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
    """Store the results of `entries`, in their order, and queue what is made of them;
    returns how many were kept.

    Dropped are those whose claim has passed to another worker, whose picture is gone, or
    which nobody wants any more.
    """
    if len(entries) != len(results):
        raise ValueError(f"{len(entries)} pictures but {len(results)} results")
    with transaction.atomic():
        if not taken.analyser.hold():
            return 0
        there, kept = _lock(taken, entries)
        for entry in entries:
            if entry.image_id not in there:
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


def _lock(taken: Claim, entries: Sequence[Entry]) -> tuple[set[uuid.UUID], set[int]]:
    """The pictures of `entries` that are still there, and the rows that this claim still
    holds, locked in the order in which whoever removes them does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [[entry.image_id for entry in entries]],
        )
        there = {pk for (pk,) in cursor.fetchall()}
    held = _held(taken, entries).order_by("id").select_for_update()
    return there, set(held.values_list("id", flat=True))


def fail(taken: Claim, entry: Entry, code: str, reason: str) -> None:
    """The picture is to blame: it fails at once."""
    _held(taken, [entry]).update(
        state=State.FAILED, reason_code=code, reason=reason[:2000], claim=None, claimed_until=None
    )


def postpone(taken: Claim, entry: Entry, code: str, reason: str) -> None:
    """Something went wrong, nobody knows why: to the back of the queue, later with each
    try; failed with its reason when the tries are used up."""
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
    """Give rows back untried: at once, or `after` a while."""
    _held(taken, entries).update(
        claim=None,
        claimed_until=None,
        attempts=F("attempts") - 1,
        not_before=after and from_now(after),
    )


def release_claims_of(worker: str) -> int:
    """A worker that starts takes back what its predecessor of the same name held when
    it died: its attempts stay counted, its lease need not run out."""
    held = Analysis.objects.filter(state=State.WAITING, claim__isnull=False, claimed_by=worker)
    return held.update(claimed_until=from_now(-timedelta(seconds=1)))


def discard_if_gone(taken: Claim, entry: Entry) -> None:
    """What was left before it came to an end goes, if the picture has been purged meanwhile."""
    if not Image.objects.filter(pk=entry.image_id).exists():
        transaction.on_commit(partial(taken.analyser.discard, entry), robust=True)


def _held(taken: Claim, entries: Sequence[Entry]) -> QuerySet[Analysis]:
    ids = [entry.analysis_id for entry in entries]
    return Analysis.objects.filter(id__in=ids, claim=taken.id)
