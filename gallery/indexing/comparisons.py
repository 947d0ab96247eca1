"""The queue of vectors that wait to be compared with their neighbours.

A table of its own and not a note on the embedding: each change of an embedding that is
in a partial index enters its row into the vector index once more, which costs several
times as much as comparing it. Only vectors of the active space stand in the queue.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models.functions import Now

from gallery.models import Comparison, Embedding, EmbeddingSpace

# A picture that cannot be compared yet (in the trash, or not looked at) is asked about
# again after as long as it has waited, within these bounds in seconds: soon after an
# upload, and seldom where many lie in the trash. So they hold up nobody behind them.
SOONEST = 10
LATEST = 3600


def put(embedding_ids: Sequence[int]) -> None:
    """Queue vectors of the active space that are new, in the caller's transaction.

    One that is being compared at this moment is waited for and queued again: what was
    compared may be its old vector.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_comparison (embedding_id, queued_at, due_at)"
            " SELECT id, now(), now() FROM unnest(%s::bigint[]) AS id ORDER BY id"
            " ON CONFLICT (embedding_id)"
            " DO UPDATE SET queued_at = excluded.queued_at, due_at = excluded.due_at",
            [list(embedding_ids)],
        )


def start_over(space: EmbeddingSpace) -> None:
    """Let all vectors of `space`, which is the active one from now on, wait, and no
    others."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM gallery_comparison")
        cursor.execute(
            "INSERT INTO gallery_comparison (embedding_id, queued_at, due_at)"
            " SELECT id, now(), now() FROM gallery_embedding"
            " WHERE space_id = %s AND state = 'encoded'",
            [space.pk],
        )


def has_due() -> bool:
    return Comparison.objects.filter(due_at__lte=Now()).exists()


def take(space: EmbeddingSpace, limit: int) -> list[int] | None:
    """Take up to `limit` embeddings out of the queue, in the caller's transaction: until
    it ends other workers pass them over, and if it is rolled back they still wait.

    Those that cannot be compared yet are put off, and those that have no vector any
    more are dropped (they come back with their next one); so there may be none. None
    if no more is due, or another space is the active one by now.
    """
    due = _lock_due(limit)
    if not due:
        return None
    # A statement of its own: only now is all seen that others wrote before our locks.
    encoded = Embedding.objects.filter(
        pk__in=due, space__state=EmbeddingSpace.State.ACTIVE, state=Embedding.State.ENCODED
    ).values_list("pk", "space_id", "image__perceptual_hash", "image__deleted_at")
    ready: list[int] = []
    waiting: list[int] = []
    for pk, space_id, bits, deleted_at in encoded:
        if space_id != space.pk:
            return None
        (ready if bits is not None and deleted_at is None else waiting).append(pk)
    if waiting:
        _put_off(waiting)
    Comparison.objects.filter(pk__in=set(due).difference(waiting)).delete()
    return ready


def _lock_due(limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT embedding_id FROM gallery_comparison WHERE due_at <= now()"
            " ORDER BY due_at, embedding_id LIMIT %s FOR UPDATE SKIP LOCKED",
            [limit],
        )
        return [row[0] for row in cursor.fetchall()]


def _put_off(embedding_ids: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_comparison"
            " SET due_at = now() + least(greatest(now() - queued_at,"
            "  make_interval(secs => %s)), make_interval(secs => %s))"
            " WHERE embedding_id = ANY(%s)",
            [SOONEST, LATEST, list(embedding_ids)],
        )
