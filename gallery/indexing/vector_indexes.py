"""The indexes of a space's vectors: lists (IVFFlat) for searches if there are many vectors, and a
graph (HNSW), in which workers find the neighbours of single pictures.

Both are partial and over the space's own cast, so a query must repeat the cast and the literal
space (gallery.search.nearest.scans). They are built outside of any transaction, while uploads
go on.
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

# pgvector's default graph degree. A higher ef_construction than the default of 64 gives a
# recall that no search setting can make up for.
HNSW_M = 16
HNSW_EF_CONSTRUCTION = 200

# Lists exist from LISTED_FROM vectors on; their number is LISTS_PER_ROOT times the square root
# of the number of vectors. They are rebuilt when there should be TOO_FEW times as many
# (docs/decisions/0020).
LISTED_FROM = 5_000
LISTS_PER_ROOT = 8
TOO_FEW = 2
# The wait before another attempt to build lists that could not be built.
RETRY_SECONDS = 600

# The memory in which pgvector finds the centres of L lists (ivfkmeans.c of 0.8): 50 sample
# vectors for each list, of two bytes a number, and a distance of four bytes from each sample
# to each centre.
_SAMPLES_PER_LIST = 50
_DISTANCE_BYTES = 4
# The share of the allowed memory for that; the rest is for what does not grow with the lists.
_MEMORY_SHARE = 0.8

# The first key of the advisory lock for building an index; the space's id is the second. Any
# constant does.
_INDEX_LOCK = 20_514


@dataclass(frozen=True)
class Indexed:
    """The approximate number of vectors in the indexes of a space, and the number of lists: 0
    if there are none."""

    vectors: int
    lists: int


def index_name(space: EmbeddingSpace | int) -> str:
    return f"embedding_hnsw_{_number(space):d}"


def lists_name(space: EmbeddingSpace | int) -> str:
    return f"embedding_lists_{_number(space):d}"


def coming_lists_name(space: EmbeddingSpace | int) -> str:
    """The name of lists that are being built while the former ones serve."""
    return f"{lists_name(space)}_coming"


def _number(space: EmbeddingSpace | int) -> int:
    return space if isinstance(space, int) else space.pk


def has_index(space: EmbeddingSpace) -> bool:
    """Whether the space's graph index exists and is valid."""
    return _is_whole(index_name(space))


def indexed(space: EmbeddingSpace) -> Indexed:
    """Count over the valid indexes of the space, in one statement."""
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
    """Build the space's HNSW index unless it exists or another process builds it."""
    with _building(space) as alone:
        if alone and not has_index(space):
            _create(
                space,
                index_name(space),
                f"hnsw ((vector::halfvec({space.dimensions:d})) halfvec_cosine_ops)"
                f" WITH (m = {HNSW_M}, ef_construction = {HNSW_EF_CONSTRUCTION})",
            )


def lists_are_due(space: EmbeddingSpace) -> bool:
    """Whether the space needs lists, or more of them, and no attempt has failed just now."""
    return _wants_lists(space) and lists_failure(space) is None


def lists_failure(space: EmbeddingSpace) -> str | None:
    """Why the last attempt to build the lists failed; known for RETRY_SECONDS."""
    return checked_cache.get(_failure_key(space), str)


def refresh_lists(space: EmbeddingSpace) -> None:
    """Build the space's IVFFlat index if it is needed and missing, or has too few lists by now.
    The former index serves until the new one is valid. If the build fails (no memory, no
    room), searches go on without it, and `lists_failure` says why."""
    if not _wants_lists(space):
        return
    with _building(space) as alone:
        # Check again: another process may just have finished.
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
    # The operator class is the inner product: for unit vectors it gives the same order as the
    # cosine, and a query meant for one index never uses the other.
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
    """As many lists as the library should have, if the memory for the build allows them. The
    memory is full at L lists, the larger root of a quadratic equation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_bytes(%s)", [settings.INDEX_BUILD_MEMORY])
        memory = _MEMORY_SHARE * cursor.fetchone()[0]
    square = _SAMPLES_PER_LIST * _DISTANCE_BYTES + _DISTANCE_BYTES
    linear = (space.dimensions or 0) * 2 * (_SAMPLES_PER_LIST + 4)
    affordable = (math.sqrt(linear**2 + 4 * square * memory) - linear) / (2 * square)
    return max(min(wanted_lists(indexed(space).vectors), int(affordable)), 1)


def wanted_lists(vectors: int) -> int:
    """How many lists there should be for `vectors`, whatever the memory allows."""
    return round(LISTS_PER_ROOT * math.sqrt(vectors))


@contextmanager
def _building(space: EmbeddingSpace) -> Iterator[bool]:
    """Take the lock and the memory for a build. Yield False while another process builds an
    index of the space."""
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
        # An aborted build leaves an invalid index.
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
