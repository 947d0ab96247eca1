"""The regions of a map as one viewer sees them: only with pictures that they may see, and named
by what these have in common and other regions do not."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from django.core.cache import cache
from django.db import connection
from django.db.models import Avg, Count, F, OrderBy, QuerySet, StdDev, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from gallery import checked_cache, rate_limits, requester
from gallery.encoders.base import Vectors, l2_normalise
from gallery.errors import Unavailable
from gallery.explore.points import within
from gallery.explore.vectors import unpacked
from gallery.indexing import concepts
from gallery.indexing.concepts import Concept
from gallery.models import ExploreMap, MapPoint
from gallery.search.relevance import relevance

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Pictures of one region that its mean is computed from: more would not move it.
MEASURED = 200
SHOWN = 4
CACHE_SECONDS = 3600
# The least cosine of a concept with the direction that sets a region apart: with less, a name
# would be a guess.
LEAST_FIT = 0.1
# With this many regions their common mean counts about half. Chosen by looking at the names.
FEW = 7
# Means closer than this count as the same: half floats have 11 bits.
_SAME = 1e-3

Name = tuple[Concept, ...]


@dataclass(frozen=True)
class Region:
    """`x` and `y` are the mean place of its `count` pictures, `spread` is the larger standard
    deviation of the two. `concepts` form its name; there are none if nothing fits or names are
    not known. `samples` are a few of its pictures."""

    id: int
    x: float
    y: float
    spread: float
    count: int
    concepts: Name
    samples: list[UUID]

    @property
    def name(self) -> str:
        return " · ".join(concept.name for concept in self.concepts)


def seen(drawn: ExploreMap, pictures: ImageQuerySet, viewer_id: int | None) -> list[Region]:
    """The regions with any of `pictures`, which the caller has limited to what the viewer may
    see; the largest first.

    Raises Unavailable until a worker has encoded the concepts.
    """
    rate_limits.charge("search", rate_limits.LOOKUP)
    return _regions(drawn, pictures, names(drawn, pictures, viewer_id))


def unnamed(drawn: ExploreMap, pictures: ImageQuerySet) -> list[Region]:
    """The regions like `seen`, but without names."""
    return _regions(drawn, pictures, {})


def names(drawn: ExploreMap, pictures: ImageQuerySet, viewer_id: int | None) -> dict[int, Name]:
    """The name of each region that has one; all names differ.

    Names are cached for each requester, until the viewer sees other pictures there.
    """
    cache_scope = requester.cache_scope()
    key = _key(drawn, _counts(drawn, pictures), f"{viewer_id} {cache_scope}")
    known = concepts.concepts()
    kept = checked_cache.get(key, lambda plain: _chosen(plain, len(known))) if cache_scope else None
    if kept is None:
        regions, means, sizes = _means(drawn, pictures)
        kept = {}
        if regions:
            texts = concepts.vectors(drawn.space)
            if texts is None:
                raise Unavailable("not_measured_yet", _("The concepts are still being encoded."))
            chosen = fitting(means, sizes, texts, relevance.lines(drawn.space, texts))
            kept = {regions[row]: found for row, found in chosen.items()}
        if cache_scope:
            cache.set(key, list(kept.items()), CACHE_SECONDS)
    return {region: tuple(known[row] for row in rows) for region, rows in kept.items()}


def _chosen(plain: list[Any], count: int) -> dict[int, tuple[int, ...]]:
    """Read cached rows of the `count` concepts by region. Raises ValueError for rows that do
    not exist."""
    chosen = {int(region): tuple(int(row) for row in rows) for region, rows in plain}
    if not all(0 <= row < count for rows in chosen.values() for row in rows):
        raise ValueError("no such concept")
    return chosen


def fitting(
    means: Vectors, sizes: Vectors, texts: Vectors, least: Vectors | None = None
) -> dict[int, tuple[int, ...]]:
    """Row of `means` (n, d) -> one or two rows of `texts` (m, d): the concept that fits the
    region best. If several regions have the same concept, the surest is named by it alone,
    the others also by what sets them apart from each other: "Dogs", "Dogs · Snow".

    Both sides are taken relative to their means: what all pictures have in common names none
    of them. This also removes the gap between pictures and texts (Liang et al., 2022, "Mind
    the Gap"). The mean of a few regions consists mostly of these regions, so it has less weight
    if there are few; a single region is compared as it is.

    This finds the concept that sets a region apart, but not whether it fits: one concept
    always comes first. So a concept counts only if the mean score of the region's pictures
    reaches its value in `least` (m,). The mean of unit vectors has the mean of their scores.
    Without `least` every concept counts.
    """
    fits = np.ones((len(means), len(texts)), dtype=bool)
    if least is not None:
        fits = means @ texts.T >= least
    share = (len(means) - 1) / (len(means) + FEW)
    scores = _apart(means, sizes, share) @ l2_normalise(texts - share * texts.mean(axis=0)).T
    words = l2_normalise(texts - texts.mean(axis=0))
    scores[~fits] = -np.inf
    first = scores.argmax(axis=1)
    chosen: dict[int, tuple[int, ...]] = {}
    for concept in np.unique(first):
        alike = np.flatnonzero(first == concept)
        alike = alike[np.argsort(-scores[alike, concept], kind="stable")]
        sure = alike[scores[alike, concept] >= LEAST_FIT]
        if not len(sure):
            continue
        chosen[int(sure[0])] = (int(concept),)
        if len(sure) == 1:
            continue
        within = _apart(means[sure], sizes[sure]) @ words.T
        within[~fits[sure]] = -np.inf
        within[:, concept] = -np.inf
        for row, second in _second_concepts(within).items():
            chosen[int(sure[row])] = (int(concept), second)
    return chosen


def _second_concepts(scores: Vectors) -> dict[int, int]:
    """Row of `scores` (n, m) -> the concept that sets this region apart from the others with the
    same first concept. The first row needs none, and each concept is given once."""
    left, chosen = scores.copy(), {}
    for row in range(1, len(left)):
        second = int(left[row].argmax())
        if left[row, second] >= LEAST_FIT:
            chosen[row] = second
            left[:, second] = -np.inf
    return chosen


def _apart(means: Vectors, sizes: Vectors, share: float = 1.0) -> Vectors:
    """(n, d): the unit direction in which each mean differs from `share` of the mean of all.
    Zeros if it does not differ; these fit no concept."""
    offsets = means - share * ((sizes / sizes.sum()) @ means)
    lengths = np.linalg.norm(offsets, axis=1, keepdims=True)
    return np.divide(offsets, lengths, out=np.zeros_like(offsets), where=lengths > _SAME)


def _regions(drawn: ExploreMap, pictures: ImageQuerySet, named: dict[int, Name]) -> list[Region]:
    points = _inside(drawn, pictures)
    facts = (
        points.order_by()
        .values("cluster")
        .annotate(count=Count("pk"), mid_x=Avg("x"), mid_y=Avg("y"), dx=StdDev("x"), dy=StdDev("y"))
    )
    samples: dict[int, list[UUID]] = {}
    for region, image_id in _innermost(points, SHOWN).values_list("cluster", "image_id"):
        samples.setdefault(region, []).append(image_id)
    return [
        Region(
            id=row["cluster"],
            x=row["mid_x"],
            y=row["mid_y"],
            spread=max(row["dx"], row["dy"]),
            count=row["count"],
            concepts=named.get(row["cluster"], ()),
            samples=samples.get(row["cluster"], []),
        )
        for row in facts.order_by("-count", "cluster")
    ]


def _inside(drawn: ExploreMap, pictures: ImageQuerySet) -> QuerySet[MapPoint]:
    return within(drawn, pictures).filter(cluster__isnull=False)


def _first(points: QuerySet[MapPoint], count: int) -> QuerySet[MapPoint]:
    """The first `count` points of each region, by id: a fair sample."""
    return _leading(points, count, F("image_id").asc())


def _innermost(points: QuerySet[MapPoint], count: int) -> QuerySet[MapPoint]:
    """The `count` points of each region that are nearest to its centre, and so most typical."""
    x, y = F("x") - F("cluster__x"), F("y") - F("cluster__y")
    return _leading(points, count, (x * x + y * y).asc())


def _leading(points: QuerySet[MapPoint], count: int, order: OrderBy) -> QuerySet[MapPoint]:
    number = Window(RowNumber(), partition_by=F("cluster"), order_by=[order, "image_id"])
    return points.annotate(number=number).filter(number__lte=count).order_by("number", "image_id")


def _counts(drawn: ExploreMap, pictures: ImageQuerySet) -> list[tuple[int, int]]:
    points = _inside(drawn, pictures).order_by("cluster")
    return list(points.values("cluster").annotate(n=Count("pk")).values_list("cluster", "n"))


def _key(drawn: ExploreMap, counts: list[tuple[int, int]], viewer: str) -> str:
    """A cache key that changes with the map, the concepts, and what the viewer sees."""
    facts = (drawn.pk, drawn.built_at, concepts.digest(), counts, viewer)
    return f"map-names:{hashlib.sha256(repr(facts).encode()).hexdigest()}"


def _means(drawn: ExploreMap, pictures: ImageQuerySet) -> tuple[list[int], Vectors, Vectors]:
    """The regions, the mean vectors (n, d) of the first pictures in each, and the counts of
    these pictures (n,). The database computes the means."""
    chosen = _first(_inside(drawn, pictures), MEASURED).values_list("cluster", "image_id")
    inner, parameters = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            # `inner` is Django's own SQL, with placeholders.
            "SELECT region, halfvec_send(avg(entry.vector)), count(*)"  # noqa: S608
            f" FROM ({inner}) AS chosen (region, image_id)"
            " JOIN gallery_embedding entry ON entry.image_id = chosen.image_id"
            " AND entry.space_id = %s AND entry.vector IS NOT NULL"
            " GROUP BY region ORDER BY region",
            [*parameters, drawn.space_id],
        )
        rows = cursor.fetchall()
    if not rows:
        return [], np.empty((0, 1), dtype=np.float32), np.empty(0, dtype=np.float32)
    means = [unpacked(row[1]) for row in rows]
    return [row[0] for row in rows], np.stack(means), np.array([row[2] for row in rows], "f4")
