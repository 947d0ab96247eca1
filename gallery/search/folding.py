"""Grouping of near-duplicates among results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from django.db import connection


def fold(ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Group `ids` (best first) by leader clustering. Return {folded id: id of its leader}, without
    the leaders themselves.

    The viewer may see all of `ids`; no others are read. Only earlier pictures decide about a
    picture, so a list that grows at its end never changes groups already shown. A near-duplicate of
    a folded picture gets the same leader, unless the owner has marked it as different from that
    leader.
    """
    same, different = _pairs_among(ids)
    folded: dict[UUID, UUID] = {}
    rank = {pk: number for number, pk in enumerate(ids)}
    for pk in sorted(same, key=rank.__getitem__):
        before = (other for other in same[pk] if rank[other] < rank[pk])
        leaders = {folded.get(other, other) for other in before} - different[pk]
        if leaders:
            folded[pk] = min(leaders, key=rank.__getitem__)
    return folded


Neighbours = defaultdict[UUID, set[UUID]]


def _pairs_among(ids: Sequence[UUID]) -> tuple[Neighbours, Neighbours]:
    """Return the near-duplicates of each picture, and the pictures marked as different from it."""
    same: Neighbours = defaultdict(set)
    different: Neighbours = defaultdict(set)
    # The ids are sent once, as text: adapting them as UUIDs takes as long as the query.
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
