"""Finds near-duplicates: by their vectors through the index, confirmed by their perceptual
hashes and, where the hashes say nothing, by their colours.

Each vector of the active space is compared once with its nearest neighbours, after the
picture's visual features are known. The later picture of a pair finds the pair, so the order
does not matter. Pairs are stored without regard to owners: readers check who may see both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet
from pgvector import HalfVector

from gallery.indexing import previews, spaces, vector_indexes
from gallery.indexing.encoding import name_of
from gallery.models import Analysis, EmbeddingSpace, Image
from gallery.work.analyser import Analyser, Entry

ANALYSER = "comparison"

# Vectors whose neighbours one statement looks up.
BATCH = 100

# The number of neighbours of each vector, and the breadth of the graph search for them.
NEIGHBOURS = 30
EF_SEARCH = 60

# Models differ in how close unrelated pictures lie. So distances are measured in the space's
# own unit: the mean cosine distance of two of its pictures. It is measured on a sample, and
# drawn towards the value of the bundled model if there are few pictures.
SAMPLE = 400
USUAL_DISTANCE = 0.97
USUAL_WEIGHT = 50


@dataclass(frozen=True)
class Pair:
    """Two pictures, the smaller id first. `similarity` is the cosine of their vectors, `bits`
    the number of differing bits of their 64-bit perceptual hashes, and `difference` their
    largest local difference, None if it was not measured (NearDuplicate)."""

    first: UUID
    second: UUID
    similarity: float
    bits: int
    difference: float | None = None


# (share of the mean distance, bits): a pair must be within both limits of at least one entry.
# Tuned on 2,000 photographs and 21 variants of 80 of them (docs/decisions). If at most 10
# bits of the hashes differ, the vectors may differ more; they only keep flat pictures apart.
# A cropped, framed or turned picture has another hash, so the vectors must nearly agree. No
# two photographs of one subject came below 18 bits at a share of .15.
LIMITS = ((0.60, 6), (0.40, 10), (0.25, 14), (0.15, 16), (0.12, 18), (0.05, 22))


def are_near_duplicates(similarity: float, bits: int, unit: float) -> bool:
    """Whether vectors and hashes together show a near-duplicate: the closer one of them is, the
    further apart the other may be. `unit` is the mean distance of the space."""
    share = (1.0 - similarity) / unit
    return any(share <= most and bits <= most_bits for most, most_bits in LIMITS)


@dataclass(frozen=True)
class Progress:
    """`compared` of `total` pictures have been compared."""

    compared: int
    total: int

    @property
    def is_complete(self) -> bool:
        return self.compared >= self.total


def progress(images: QuerySet[Image]) -> Progress:
    """How many of `images` have been compared in the active space. Pictures that cannot be
    encoded or decoded never will be, and do not count."""
    space = spaces.active_space()
    if space is None:
        return Progress(0, images.count())
    needed = Analysis.objects.filter(
        analyser__in=[ANALYSER, *_needs(space)], state=Analysis.State.FAILED
    )
    done = Analysis.objects.filter(
        analyser=ANALYSER, version=space.generation, state=Analysis.State.DONE
    )
    counted = images.exclude(pk__in=needed.values("image_id")).aggregate(
        total=Count("pk"), compared=Count("pk", filter=Q(pk__in=done.values("image_id")))
    )
    return Progress(counted["compared"], counted["total"])


# --- The work ---------------------------------------------------------------------


def _needs(space: EmbeddingSpace) -> tuple[str, ...]:
    return name_of(space), "visual_features"


class Comparison(Analyser):
    """Compares each vector of the active space with its neighbours. A switch of spaces raises
    the version: pairs always come from the space that answers searches."""

    name = ANALYSER
    batch_size = BATCH
    things = ()

    def __init__(self, space: EmbeddingSpace) -> None:
        self.space = space
        self.version = space.generation
        self.needs = _needs(space)

    def open(self) -> bool:
        """Return False without the space's index: each comparison would read every vector."""
        if not vector_indexes.has_index(self.space):
            return False
        self.unit = mean_distance(self.space)
        return True

    def run(self, prepared: Sequence[Entry]) -> Sequence[dict[Pair, bool]]:
        """Return the pairs of each picture, and whether they are near-duplicates."""
        judged = candidates(self.space, [entry.image_id for entry in prepared], self.unit)
        close = {
            pair for pair in judged if are_near_duplicates(pair.similarity, pair.bits, self.unit)
        }
        alike = close - _of_other_colours(close)
        found: dict[UUID, dict[Pair, bool]] = {entry.image_id: {} for entry in prepared}
        for pair in judged:
            for pk in {pair.first, pair.second} & found.keys():
                found[pk][pair] = pair in alike
        return [found[entry.image_id] for entry in prepared]

    def hold(self) -> bool:
        """Lock the space. Return False if it is no longer active: its pairs do not count then."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM gallery_embeddingspace WHERE id = %s AND generation = %s"
                " AND state = 'active' FOR SHARE",
                [self.space.pk, self.version],
            )
            return cursor.fetchone() is not None

    def store(self, entries: Sequence[Entry], results: Sequence[dict[Pair, bool]]) -> None:
        judged = {pair: is_alike for found in results for pair, is_alike in found.items()}
        _store([pair for pair, is_alike in judged.items() if is_alike])
        _drop([pair for pair, is_alike in judged.items() if not is_alike])


def analysers() -> Iterable[Comparison]:
    space = spaces.active_space()
    return [] if space is None or not space.is_loaded else [Comparison(space)]


def mean_distance(space: EmbeddingSpace) -> float:
    """The mean cosine distance of two pictures of `space`, from a deterministic sample.

    The cosines of all ordered pairs of n unit vectors add up to |sum of the vectors|²; n of
    them are the cosines of each vector with itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), avg(vector) FROM gallery_embedding WHERE id IN"
            " (SELECT id FROM gallery_embedding WHERE space_id = %s"
            "  ORDER BY hashint8(id) LIMIT %s)",
            [space.pk, SAMPLE],
        )
        count, mean = cursor.fetchone()
    if count < 2:
        return USUAL_DISTANCE
    vector = HalfVector.from_text(mean).to_numpy() if isinstance(mean, str) else mean.to_numpy()
    squared = float(np.square(vector.astype(np.float64)).sum())
    distance = 1.0 - (count * squared - 1.0) / (count - 1)
    return (count * distance + USUAL_WEIGHT * USUAL_DISTANCE) / (count + USUAL_WEIGHT)


@transaction.atomic
def candidates(space: EmbeddingSpace, image_ids: Sequence[UUID], unit: float) -> set[Pair]:
    """The pairs to judge: these pictures with their nearest neighbours, and all stored pairs of
    these pictures, measured again."""
    limits = {
        "farthest": unit * max(share for share, _bits in LIMITS),
        "bits": max(bits for _share, bits in LIMITS),
    }
    with connection.cursor() as cursor:
        # Statistics of a table that has just been filled suggest a plan that sorts the table
        # for each vector.
        cursor.execute(
            "SELECT set_config('hnsw.ef_search', %s, true), set_config('jit', 'off', true),"
            " set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)",
            [str(EF_SEARCH)],
        )
        cursor.execute(_candidates_of(space), {"claimed": list(image_ids), **limits})
        # A pair that was found from both sides may differ in the last digits.
        met = {(row[0], row[1]): Pair(*row) for row in cursor.fetchall()}
    return set(met.values())


def _candidates_of(space: EmbeddingSpace) -> str:
    """The statement of `candidates`, with the parameters `claimed`, `farthest` and `bits`.

    The index is partial and over its own cast, so the statement repeats both literally; they are
    our own integers. The hashes exclude most neighbours before anything else of them is read.
    """
    number, vector = int(space.pk), f"vector::halfvec({int(space.dimensions or 0)})"
    return (
        "WITH mine AS MATERIALIZED"  # noqa: S608 - see above
        f"  (SELECT image_id, embedding.{vector} AS vector, perceptual_hash AS hash"
        "   FROM gallery_embedding embedding JOIN gallery_image image ON image.id = image_id"
        "   WHERE embedding.image_id = ANY(%(claimed)s)"
        f"   AND embedding.space_id = {number})"
        " SELECT least(mine.image_id, twin.id), greatest(mine.image_id, twin.id),"
        "  1 - near.distance, bit_count((mine.hash # twin.perceptual_hash)::bit(64))"
        " FROM mine CROSS JOIN LATERAL"
        f"  (SELECT image_id, embedding.{vector} <=> mine.vector AS distance"
        f"   FROM gallery_embedding embedding WHERE embedding.space_id = {number}"
        f"   ORDER BY embedding.{vector} <=> mine.vector LIMIT {NEIGHBOURS}) near"
        " JOIN gallery_image twin ON twin.id = near.image_id"
        " WHERE twin.id <> mine.image_id AND near.distance <= %(farthest)s"
        "  AND bit_count((mine.hash # twin.perceptual_hash)::bit(64)) <= %(bits)s"
        " UNION SELECT first_id, second_id, 1 - (one.vector <=> other.vector),"
        "  bit_count((image.perceptual_hash # twin.perceptual_hash)::bit(64))"
        " FROM mine JOIN gallery_nearduplicate known"
        "  ON known.first_id = mine.image_id OR known.second_id = mine.image_id"
        f" JOIN gallery_embedding one ON one.image_id = first_id AND one.space_id = {number}"
        " JOIN gallery_embedding other ON other.image_id = second_id"
        f"  AND other.space_id = {number}"
        " JOIN gallery_image image ON image.id = first_id"
        " JOIN gallery_image twin ON twin.id = second_id"
        " WHERE image.perceptual_hash IS NOT NULL AND twin.perceptual_hash IS NOT NULL"
    )


def _of_other_colours(pairs: Collection[Pair]) -> set[Pair]:
    """The pairs whose pictures have similar hashes only because they are plain, but differ in
    colour."""
    ids = {pk for pair in pairs for pk in (pair.first, pair.second)}
    placeholders = Image.objects.filter(pk__in=ids).exclude(placeholder="").order_by()
    shown = {
        pk: previews.levels(placeholder)
        for pk, placeholder in placeholders.values_list("pk", "placeholder")
    }
    return {
        pair
        for pair in pairs
        if pair.first in shown
        and pair.second in shown
        and previews.are_told_apart_by_colour(shown[pair.first], shown[pair.second])
    }


def _store(pairs: Sequence[Pair]) -> None:
    """Insert pairs or update their measures. This locks their pictures against deletion; pairs
    whose pictures are gone are skipped."""
    ids = {pk for pair in pairs for pk in (pair.first, pair.second)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM gallery_image WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",
            [list(ids)],
        )
        there = {row[0] for row in cursor.fetchall()}
        rows = sorted(
            (pair.first, pair.second, pair.similarity, pair.bits)
            for pair in pairs
            if pair.first in there and pair.second in there
        )
        if rows:
            cursor.execute(
                "INSERT INTO gallery_nearduplicate"
                " (first_id, second_id, similarity, bits, created_at)"
                " SELECT first, second, similarity, bits, now()"
                " FROM unnest(%s::uuid[], %s::uuid[], %s::float8[], %s::smallint[])"
                "  AS pair (first, second, similarity, bits)"
                " ON CONFLICT (first_id, second_id)"
                " DO UPDATE SET similarity = excluded.similarity, bits = excluded.bits",
                [list(column) for column in zip(*rows, strict=True)],
            )


def _drop(pairs: Sequence[Pair]) -> None:
    """Delete pairs that are no longer near-duplicates, except dismissed ones."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM gallery_nearduplicate known"
            " USING unnest(%s::uuid[], %s::uuid[]) AS pair (first, second)"
            " WHERE known.first_id = pair.first AND known.second_id = pair.second"
            " AND known.dismissed_at IS NULL",
            [[pair.first for pair in pairs], [pair.second for pair in pairs]],
        )
