"""The ledger of embeddings: what is encoded in which space, what waits, what failed.

One row for each picture and space is both the record and the queue entry. A
worker claims rows for a limited time; whoever dies loses the claim, not the work.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext_noop
from pgvector import HalfVector

from gallery.doorbell import ring
from gallery.encoders.base import Vectors
from gallery.indexing import comparisons
from gallery.models import Embedding, EmbeddingSpace, Image

State = Embedding.State
ImageQS = TypeVar("ImageQS", bound=QuerySet[Image])

# A picture that was lost with its worker this often is encoded alone ...
ISOLATE_AFTER = 2
# ... and given up after this many tries: it is what kills the worker.
MAX_ATTEMPTS = 3
RETRY_DELAY = timedelta(seconds=30)

CRASHED = gettext_noop("The encoder stopped each time it worked on this picture.")


@dataclass(frozen=True)
class Entry:
    """One claimed row: which picture, and where its original lies."""

    embedding_id: int
    image_id: uuid.UUID
    file_name: str


@dataclass(frozen=True)
class Claim:
    """Rows of one space that one worker holds until the lease ends."""

    id: uuid.UUID
    space: EmbeddingSpace
    entries: tuple[Entry, ...]


# --- Putting in and asking ------------------------------------------------------


def target_spaces() -> QuerySet[EmbeddingSpace]:
    """The spaces that every picture belongs to, the active one first."""
    return EmbeddingSpace.objects.filter(
        state__in=[EmbeddingSpace.State.ACTIVE, EmbeddingSpace.State.BUILDING]
    ).order_by("state", "id")  # "active" sorts before "building"


def enqueue(image: Image) -> None:
    """Put a new picture in the queue of every target space (in the caller's transaction)."""
    Embedding.objects.bulk_create(
        [Embedding(image=image, space=space) for space in target_spaces()],
        ignore_conflicts=True,
    )


def enqueue_many(image_ids: Sequence[uuid.UUID]) -> None:
    """Put pictures in the queue of every target space that lacks them, and ring."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_embedding"
            " (image_id, space_id, state, error, attempts, claimed_by, created_at)"
            " SELECT image.id, space, 'pending', '', 0, '', now()"
            " FROM unnest(%s::bigint[]) AS space, gallery_image image"
            " WHERE image.id = ANY(%s) ON CONFLICT (image_id, space_id) DO NOTHING",
            [list(target_spaces().values_list("pk", flat=True)), list(image_ids)],
        )
    ring("gallery.tasks.index_pending")


def enqueue_all(space: EmbeddingSpace) -> int:
    """Put every picture that `space` lacks in its queue; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_embedding"
            " (image_id, space_id, state, error, attempts, claimed_by, created_at)"
            " SELECT id, %s, 'pending', '', 0, '', now() FROM gallery_image"
            " ON CONFLICT (image_id, space_id) DO NOTHING",
            [space.pk],
        )
        return cursor.rowcount


def with_state(images: ImageQS) -> ImageQS:
    """Annotate `index_state` ("pending", "ready" or "failed") and `index_error`, for
    the space that answers searches (before there is one: the one being built)."""
    space = target_spaces().values("pk")[:1]
    entry = Embedding.objects.filter(image=OuterRef("pk"), space__in=space)
    state = Case(
        When(state=State.ENCODED, then=Value("ready")), default=F("state"), output_field=CharField()
    )
    # The first line is for the owner (translate it to show it), the rest for the log.
    reason = Func("error", Value("\n"), Value(1), function="split_part", output_field=CharField())
    return images.annotate(
        index_state=Coalesce(Subquery(entry.values(s=state)[:1]), Value("pending")),
        index_error=Coalesce(Subquery(entry.values(e=reason)[:1]), Value("")),
    )


def counts(space: EmbeddingSpace) -> Counter[str]:
    """How many rows of `space` are in each state."""
    return Counter(dict(space.embeddings.values_list("state").annotate(Count("id"))))


def waiting(space: EmbeddingSpace) -> QuerySet[Embedding]:
    """What is still to be encoded in `space`, claimed or not; the trash can wait."""
    return space.embeddings.filter(state=State.PENDING, image__deleted_at=None)


def has_pending() -> bool:
    return _claimable(target_spaces()).exists()


def may_pass(image: Image) -> bool:
    """Whether a picture that failed may be encoded another time. What was wrong with it
    alone failed at once (`fail`); whatever was tried to the end says nothing about it
    (`postpone`, a worker that died)."""
    failed = Embedding.objects.filter(image=image, space__in=target_spaces(), state=State.FAILED)
    return failed.filter(attempts__gte=MAX_ATTEMPTS).exists()


def retry_failed(images: QuerySet[Image]) -> int:
    """Queue the failed rows of these pictures again; returns how many."""
    return _requeue(Embedding.objects.filter(image__in=images, state=State.FAILED))


def reencode(images: QuerySet[Image]) -> int:
    """Queue these pictures again in the target spaces. They stay findable by their
    old vectors until the new ones are there."""
    return _requeue(Embedding.objects.filter(image__in=images, space__in=target_spaces()))


def _requeue(rows: QuerySet[Embedding]) -> int:
    queued = rows.update(state=State.PENDING, error="", attempts=0, claim=None, claimed_until=None)
    ring("gallery.tasks.index_pending")
    return queued


# --- Claiming and settling ------------------------------------------------------


def _claimable(spaces: Iterable[EmbeddingSpace]) -> QuerySet[Embedding]:
    free = Q(claimed_until=None) | Q(claimed_until__lt=Now())
    return Embedding.objects.filter(
        free, space__in=spaces, state=State.PENDING, image__deleted_at=None
    ).order_by("attempts", "id")


@transaction.atomic
def claim(space: EmbeddingSpace, limit: int, worker: str = "") -> Claim | None:
    """Take up to `limit` pending pictures for INDEX_LEASE_SECONDS, in the name of
    `worker`; None if none waits.

    The attempt is counted now, in its own transaction: only so does a picture
    that kills the process leave a trace. Fresh pictures come first, suspicious
    ones last and alone.
    """
    _give_up_on_killers(space)
    rows = list(
        _claimable([space])
        .select_for_update(skip_locked=True, of=("self",))
        .values_list("id", "image_id", "image__file", "attempts")[:limit]
    )
    if not rows:
        return None
    fresh = [row for row in rows if row[3] < ISOLATE_AFTER]
    rows = fresh or rows[:1]
    taken = Claim(uuid.uuid4(), space, tuple(Entry(*row[:3]) for row in rows))
    Embedding.objects.filter(id__in=[entry.embedding_id for entry in taken.entries]).update(
        claim=taken.id,
        claimed_by=worker,
        claimed_until=timezone.now() + timedelta(seconds=settings.INDEX_LEASE_SECONDS),
        attempts=F("attempts") + 1,
    )
    return taken


def _give_up_on_killers(space: EmbeddingSpace) -> None:
    _claimable([space]).filter(attempts__gte=MAX_ATTEMPTS, claim__isnull=False).order_by().update(
        state=State.FAILED, error=CRASHED, claim=None, claimed_until=None
    )


def complete(taken: Claim, entries: list[Entry], vectors: Vectors) -> int:
    """Store the vectors (n, d) of `entries`, in their order, and have those that answer
    searches compared with their neighbours; returns how many were kept.

    Dropped are those whose claim has passed to another worker, whose picture is
    gone, or whose space was retired meanwhile.
    """
    if len(entries) != len(vectors):
        raise ValueError(f"{len(entries)} pictures but {len(vectors)} vectors")
    with transaction.atomic(), connection.cursor() as cursor:
        # A switch of spaces waits for us, or we for it: what it does with all vectors
        # of the space, it does with these too.
        cursor.execute(
            "SELECT state FROM gallery_embeddingspace WHERE id = %s"
            " AND state IN ('active', 'building') FOR SHARE",
            [taken.space.pk],
        )
        serving = cursor.fetchone()
        if serving is None:
            return 0
        cursor.execute(
            "UPDATE gallery_embedding SET state = 'encoded', vector = fresh.vector, error = '',"
            " encoded_at = now(), claim = NULL, claimed_until = NULL"
            " FROM unnest(%s::bigint[], %s::halfvec[]) AS fresh (id, vector)"
            " WHERE gallery_embedding.id = fresh.id AND claim = %s"
            " RETURNING gallery_embedding.id",
            [
                [entry.embedding_id for entry in entries],
                [HalfVector(vector).to_text() for vector in vectors],
                taken.id,
            ],
        )
        kept = [row[0] for row in cursor.fetchall()]
        if serving[0] == EmbeddingSpace.State.ACTIVE:
            comparisons.put(kept)
    return len(kept)


def fail(taken: Claim, entry: Entry, reason: str) -> None:
    """This picture cannot be encoded, and trying again would not help."""
    _held(taken, [entry]).update(
        state=State.FAILED, error=reason[:2000], claim=None, claimed_until=None
    )


def postpone(taken: Claim, entry: Entry, reason: str) -> None:
    """Something around this picture went wrong: to the back of the queue, a little
    later; failed with its reason when the tries are used up."""
    row = _held(taken, [entry])
    row.filter(attempts__gte=MAX_ATTEMPTS).update(
        state=State.FAILED, error=reason[:2000], claim=None, claimed_until=None
    )
    row.filter(state=State.PENDING).update(
        error=reason[:2000], claim=None, claimed_until=timezone.now() + RETRY_DELAY
    )


def put_off(taken: Claim, entry: Entry) -> None:
    """There was no room for this picture: a little later, and no try is counted."""
    _held(taken, [entry]).update(
        claim=None, claimed_until=timezone.now() + RETRY_DELAY, attempts=F("attempts") - 1
    )


def release(taken: Claim) -> None:
    """Give the rows back untried (the worker stops, or cannot load the model)."""
    _held(taken, list(taken.entries)).update(
        claim=None, claimed_until=None, attempts=F("attempts") - 1
    )


def release_claims_of(worker: str) -> int:
    """A worker that starts takes back what its predecessor of the same name held when
    it died: its attempts stay counted, its lease need not run out."""
    held = Embedding.objects.filter(claim__isnull=False, claimed_by=worker)
    return held.update(claimed_until=timezone.now() - timedelta(seconds=1))


def _held(taken: Claim, entries: list[Entry]) -> QuerySet[Embedding]:
    ids = [entry.embedding_id for entry in entries]
    return Embedding.objects.filter(id__in=ids, claim=taken.id)
