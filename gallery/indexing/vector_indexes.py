"""The indexes of a space's vectors: a graph from the start, lists where there are many.

Both are partial, over the space's own cast, and a query must repeat both the cast and the
literal space (gallery.search.scans). They are made outside of any transaction, while
uploads go on.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction

from gallery import checked_cache
from gallery.models import EmbeddingSpace

logger = logging.getLogger(__name__)

# pgvector's usual graph degree; more construction effort than its default of 64
# buys recall that no search setting can make up for.
HNSW_M = 16
HNSW_EF_CONSTRUCTION = 200

# From so many pictures on there are lists, this many times the root of their number; they
# are made anew when there should be twice as many (docs/decisions/0020).
LISTED_FROM = 20_000
LISTS_PER_ROOT = 8
TOO_FEW = 2
# Lists that could not be made are tried again after so long.
RETRY_SECONDS = 600

# What pgvector takes to find the middles of L lists (ivfkmeans.c of 0.8): 50 vectors of two
# bytes a number for each, and a distance of four bytes from each of these to each middle.
_SAMPLES_PER_LIST = 50
_DISTANCE_BYTES = 4
# Of the memory allowed; the rest is for what does not grow with the lists.
_MEMORY_SHARE = 0.8

# The advisory lock of building an index, beside the space's number (any constant does).
_INDEX_LOCK = 20_514


@dataclass(frozen=True)
class Indexed:
    """How many vectors the indexes of a space hold, about, and in how many lists: 0 where
    there are none."""

    vectors: int
    lists: int


def index_name(space: EmbeddingSpace | int) -> str:
    return f"embedding_hnsw_{_number(space):d}"


def lists_name(space: EmbeddingSpace | int) -> str:
    return f"embedding_lists_{_number(space):d}"


def coming_lists_name(space: EmbeddingSpace | int) -> str:
    """Of lists in the making, while former ones serve."""
    return f"{lists_name(space)}_coming"


def _number(space: EmbeddingSpace | int) -> int:
    return space if isinstance(space, int) else space.pk


def has_index(space: EmbeddingSpace) -> bool:
    """Whether the space's graph is there and whole."""
    return _is_whole(index_name(space))


def indexed(space: EmbeddingSpace) -> Indexed:
    """As far as the indexes are whole; one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples, reloptions FROM pg_class"
            " JOIN pg_index ON indexrelid = pg_class.oid"
            " WHERE relname IN (%s, %s) AND indisvalid",
            [index_name(space), lists_name(space)],
        )
        found = {name: (tuples, options or ()) for name, tuples, options in cursor.fetchall()}
    vectors = max((int(tuples) for tuples, _ in found.values()), default=0)  # -1: never counted
    _, options = found.get(lists_name(space), (0, ()))
    lists = next((int(option[6:]) for option in options if option.startswith("lists=")), 0)
    return Indexed(max(vectors, 0), lists)


def create_index(space: EmbeddingSpace) -> None:
    """Make the space's HNSW index unless it is there or in the making."""
    with _building(space) as alone:
        if alone and not has_index(space):
            _create(
                space,
                index_name(space),
                f"hnsw ((vector::halfvec({space.dimensions:d})) halfvec_cosine_ops)"
                f" WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION})",
            )


def lists_are_due(space: EmbeddingSpace) -> bool:
    """Whether the space wants lists, or more of them, and has not just been refused them."""
    return _wants_lists(space) and lists_failure(space) is None


def lists_failure(space: EmbeddingSpace) -> str | None:
    """Why the lists could not be made when it was last tried, for some minutes."""
    return checked_cache.get(_failure_key(space), str)


def refresh_lists(space: EmbeddingSpace) -> None:
    """Make the space's IVFFlat index where it is wanted and missing, or has too few lists
    by now. The former one serves until the new one is whole. Where it cannot be made (no
    memory, no room) searches go on without, and `lists_failure` says why."""
    if not _wants_lists(space):
        return
    with _building(space) as alone:
        # Asked again: somebody else may just have been done with it.
        if not alone or not _wants_lists(space):
            return
        try:
            _exchange_lists(space)
        except DatabaseError as error:
            logger.error("Could not make the lists of %s: %s", space, error)
            cache.set(_failure_key(space), str(error).strip(), RETRY_SECONDS)
        else:
            cache.delete(_failure_key(space))


def drop_indexes(space: EmbeddingSpace | int) -> None:
    with connection.cursor() as cursor:
        names = index_name(space), lists_name(space), coming_lists_name(space)
        cursor.execute(f"DROP INDEX IF EXISTS {', '.join(names)}")


def _exchange_lists(space: EmbeddingSpace) -> None:
    coming = coming_lists_name(space)
    # By the inner product, which of unit vectors gives the order of the cosine: so no
    # query for one index is ever answered by the other.
    _create(
        space,
        coming,
        f"ivfflat ((vector::halfvec({space.dimensions:d})) halfvec_ip_ops)"
        f" WITH (lists = {_affordable_lists(space)})",
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {lists_name(space)}")
        cursor.execute(f"ALTER INDEX {coming} RENAME TO {lists_name(space)}")


def _failure_key(space: EmbeddingSpace) -> str:
    return f"lists-failure:{space.pk}"


def _wants_lists(space: EmbeddingSpace) -> bool:
    held = indexed(space)
    if held.vectors < LISTED_FROM:
        return False
    too_few = held.lists * TOO_FEW <= wanted_lists(held.vectors)
    return too_few and held.lists < _affordable_lists(space)


def _affordable_lists(space: EmbeddingSpace) -> int:
    """As many as the library asks for and the memory for building them allows: the larger
    root of the quadratic formula for the lists L at which it is full."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_bytes(%s)", [settings.INDEX_BUILD_MEMORY])
        memory = _MEMORY_SHARE * cursor.fetchone()[0]
    square = _SAMPLES_PER_LIST * _DISTANCE_BYTES + _DISTANCE_BYTES
    linear = (space.dimensions or 0) * 2 * (_SAMPLES_PER_LIST + 4)
    affordable = (math.sqrt(linear**2 + 4 * square * memory) - linear) / (2 * square)
    return max(min(wanted_lists(indexed(space).vectors), int(affordable)), 1)


def wanted_lists(vectors: int) -> int:
    """How many there should be of so many vectors, whatever memory allows."""
    return round(LISTS_PER_ROOT * math.sqrt(vectors))


@contextmanager
def _building(space: EmbeddingSpace) -> Iterator[bool]:
    """With the memory for it; False while another process builds an index of the space."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_INDEX_LOCK, space.pk])
        if not cursor.fetchone()[0]:
            yield False
            return
        cursor.execute(
            "SELECT set_config('maintenance_work_mem', %s, false)", [settings.INDEX_BUILD_MEMORY]
        )
        try:
            yield True
        finally:
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_INDEX_LOCK, space.pk])


def _create(space: EmbeddingSpace, name: str, method: str) -> None:
    with connection.cursor() as cursor:
        # What a build that was killed left behind serves nothing.
        cursor.execute(f"DROP INDEX IF EXISTS {name}")
        # DDL takes no parameters: these are our own names and integers.
        cursor.execute(
            f"CREATE INDEX CONCURRENTLY {name} ON gallery_embedding"
            f" USING {method} WHERE space_id = {space.pk:d}"
        )


def _is_whole(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE relname = %s",
            [name],
        )
        row = cursor.fetchone()
    return row is not None and row[0]
