"""Near-duplicates among results, shown as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import connection


def fold(ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Which of `ids` (best first) stands behind which: {folded id: id of its first
    near-duplicate in the list}. What stands for itself is not in it.

    All of `ids` are pictures that the viewer may see; nothing is told of others.
    Each picture is decided by those before it alone (leader clustering), so that a
    list that grows at its end never changes what was shown of it. One that resembles
    a picture which is itself folded goes behind the same leader, unless their owner
    said that the two are different.
    """
    same, different = _pairs_among(ids)
    folded: dict[UUID, UUID] = {}
    place = {pk: number for number, pk in enumerate(ids)}
    for pk in sorted(same, key=place.__getitem__):
        before = (other for other in same[pk] if place[other] < place[pk])
        leaders = {folded.get(other, other) for other in before} - different[pk]
        if leaders:
            folded[pk] = min(leaders, key=place.__getitem__)
    return folded


Neighbours = defaultdict[UUID, set[UUID]]


def _pairs_among(ids: Sequence[UUID]) -> tuple[Neighbours, Neighbours]:
    """Of each picture those that show the same, and those that were told apart from it."""
    same: Neighbours = defaultdict(set)
    different: Neighbours = defaultdict(set)
    # Sent once, and as text: half of the time went into adapting the ids.
    wanted = "{" + ",".join(map(str, ids)) + "}"
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH wanted AS (SELECT %s::uuid[] AS ids)"
            " SELECT first_id, second_id, dismissed_at IS NOT NULL FROM gallery_nearduplicate"
            " WHERE first_id = ANY((SELECT ids FROM wanted)::uuid[])"
            " AND second_id = ANY((SELECT ids FROM wanted)::uuid[])",
            [wanted],
        )
        for first, second, told_apart in cursor.fetchall():
            pairs = different if told_apart else same
            pairs[first].add(second)
            pairs[second].add(first)
    return same, different
