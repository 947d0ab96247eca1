"""The regions of a map as one viewer sees them: only with pictures that they may see, and named
by what these have in common and other regions do not."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
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

# A map of fewer pictures has no regions: the judgement of words knows little of so few, and people
# see them at a glance.
LEAST_FOR_REGIONS = 60
# Pictures of one region that it is judged by.
MEASURED = 64
SHOWN = 4
CACHE_SECONDS = 3600
# The least cosine of a concept with the direction that sets a region apart: with less, a name
# would be a guess.
LEAST_FIT = 0.1
# With this many regions their common mean counts about half. Chosen by looking at the names.
FEW = 7
# A name fits at least this share of a region's pictures, and so many times the share of the others.
# docs/decisions/0019-the-map.md has the figures.
MOST, MORE = 0.6, 2.5
# Whoever gave one tag to so many of a region's pictures has named it.
_TAGGED = 0.5
# Means closer than this count as the same: half floats have 11 bits.
_SAME = 1e-3

Name = tuple[Concept, ...]


@dataclass(frozen=True)
class Region:
    """`x` and `y` are the mean place of its `count` pictures, `spread` is the larger standard
    deviation of the two. `concepts` form its name; there are none if nothing fits or names are
    not known. Then `tag` is the viewer's own tag that most of its pictures have, if there is one.
    `samples` are a few of its pictures."""

    id: int
    x: float
    y: float
    spread: float
    count: int
    concepts: Name
    samples: list[UUID]
    tag: str = ""
    # Of several regions with the same concepts, the second has 2, and so on.
    number: int = 1

    @property
    def name(self) -> str:
        words = " · ".join(concept.name for concept in self.concepts) or self.tag
        return f"{words} {self.number}" if self.number > 1 else words


def seen(drawn: ExploreMap, pictures: ImageQuerySet, viewer_id: int | None) -> list[Region]:
    """The regions with any of `pictures`, which the caller has limited to what the viewer may
    see; the largest first. A map of few pictures has none.

    Raises Unavailable until a worker has encoded the concepts.
    """
    rate_limits.charge("search", rate_limits.LOOKUP)
    if drawn.laid_out < LEAST_FOR_REGIONS:
        return []
    found = _regions(drawn, pictures, names(drawn, pictures, viewer_id))
    tags = _tags(drawn, pictures, viewer_id, [one.id for one in found if not one.concepts])
    before: Counter[Name] = Counter()
    for place, one in enumerate(found):
        before[one.concepts] += 1
        number = before[one.concepts] if one.concepts else 1
        found[place] = replace(one, tag=tags.get(one.id, ""), number=number)
    return found


def unnamed(drawn: ExploreMap, pictures: ImageQuerySet) -> list[Region]:
    """The regions like `seen`, but without names."""
    return _regions(drawn, pictures, {}) if drawn.laid_out >= LEAST_FOR_REGIONS else []


def names(drawn: ExploreMap, pictures: ImageQuerySet, viewer_id: int | None) -> dict[int, Name]:
    """The name of each region that has one. Several have the same if nothing sets them apart.

    Names are cached for each requester, until the viewer sees other pictures there.
    """
    cache_scope = requester.cache_scope()
    key = _key(drawn, _counts(drawn, pictures), f"{viewer_id} {cache_scope}")
    known = concepts.concepts()
    kept = checked_cache.get(key, lambda plain: _chosen(plain, len(known))) if cache_scope else None
    if kept is None:
        kept = {}
        if measured := _measured(drawn, pictures):
            texts = concepts.vectors(drawn.space)
            if texts is None:
                raise Unavailable("not_measured_yet", _("The concepts are still being encoded."))
            lines = relevance.lines(drawn.space, texts)
            chosen = fitting(list(measured.values()), texts, lines)
            regions = list(measured)
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
    regions: Sequence[Vectors], texts: Vectors, lines: Vectors | None = None
) -> dict[int, tuple[int, ...]]:
    """Number of a region -> one or two rows of `texts` (m, d): the concept that sets it apart most.
    Each of `regions` are unit vectors (n, d) of its pictures. If several regions have the same
    concept, the surest is named by it alone, the others also by what sets them apart from each
    other, if anything does: "Dogs", "Dogs · Snow".

    Both sides are taken relative to their means: what all pictures have in common names none
    of them. This also removes the gap between pictures and texts (Liang et al., 2022, "Mind
    the Gap"). The mean of a few regions consists mostly of these regions, so it has less weight
    if there are few; a single region is compared as it is.

    This finds the concept that sets a region apart, but not whether it fits: one concept
    always comes first. So it counts only if it fits most pictures of the region, and far more of
    them than of the others. A picture fits from the relevance line of the concept on, its row of
    `lines` (m,). Where the first does not, the next one is not tried: it would be a guess. Without
    `lines` every concept counts.
    """
    means = np.stack([pictures.mean(axis=0) for pictures in regions])
    sizes = np.array([len(pictures) for pictures in regions], dtype="f4")
    if lines is None:
        fits = np.ones((len(regions), len(texts)), dtype=bool)
    else:
        fits = _fit(regions, sizes, texts, lines)
    share = (len(means) - 1) / (len(means) + FEW)
    scores = _apart(means, sizes, share) @ l2_normalise(texts - share * texts.mean(axis=0)).T
    words = l2_normalise(texts - texts.mean(axis=0))
    first = scores.argmax(axis=1)
    is_sure = fits[np.arange(len(first)), first] & (scores.max(axis=1) >= LEAST_FIT)
    chosen: dict[int, tuple[int, ...]] = {}
    for concept in np.unique(first[is_sure]):
        alike = np.flatnonzero(is_sure & (first == concept))
        alike = alike[np.argsort(-scores[alike, concept], kind="stable")]
        chosen |= {int(row): (int(concept),) for row in alike}
        if len(alike) == 1:
            continue
        within = _apart(means[alike], sizes[alike]) @ words.T
        within[:, concept] = -np.inf
        for row, second in _second_concepts(within, fits[alike]).items():
            chosen[int(alike[row])] = (int(concept), second)
    return chosen


def _fit(
    regions: Sequence[Vectors], sizes: Vectors, texts: Vectors, lines: Vectors
) -> npt.NDArray[np.bool_]:
    """(n, m): whether each text fits most pictures of each region, and far fewer of the others."""
    hits = np.stack([(pictures @ texts.T >= lines).sum(axis=0) for pictures in regions])
    shares = hits / sizes[:, np.newaxis]
    others = np.maximum(sizes.sum() - sizes, 1.0)[:, np.newaxis]
    elsewhere = (hits.sum(axis=0) - hits) / others
    return np.asarray((shares >= MOST) & (shares >= MORE * elsewhere))


def _second_concepts(scores: Vectors, fits: npt.NDArray[np.bool_]) -> dict[int, int]:
    """Row of `scores` (n, m) -> the concept that sets this region apart from the others with the
    same first concept, where it fits. The first row needs none, and each concept is given once."""
    left, chosen = scores.copy(), {}
    for row in range(1, len(left)):
        second = int(left[row].argmax())
        if left[row, second] >= LEAST_FIT and fits[row, second]:
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


def _tags(
    drawn: ExploreMap, pictures: ImageQuerySet, viewer_id: int | None, regions: Sequence[int]
) -> dict[int, str]:
    """The tag of the viewer that most pictures of each of these regions have; of one region alone
    if several have the same."""
    if viewer_id is None or not regions:
        return {}
    points = _inside(drawn, pictures).order_by()
    inside = points.filter(cluster__in=regions)
    sizes = dict(inside.values("cluster").annotate(n=Count("pk")).values_list("cluster", "n"))
    tagged = (
        inside.filter(image__tags__owner=viewer_id)
        .values("cluster", name=F("image__tags__name"))
        .annotate(n=Count("pk"))
        .order_by("-n", "name")
    )
    found: dict[int, str] = {}
    for row in tagged:
        is_most = row["n"] > _TAGGED * sizes[row["cluster"]]
        if is_most and row["cluster"] not in found and row["name"] not in found.values():
            found[row["cluster"]] = row["name"]
    return found


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


def _measured(drawn: ExploreMap, pictures: ImageQuerySet) -> dict[int, Vectors]:
    """The vectors (n, d) of the first pictures in each region."""
    chosen = _first(_inside(drawn, pictures), MEASURED).values_list("cluster", "image_id")
    inner, parameters = chosen.query.sql_with_params()
    found: dict[int, list[Vectors]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            # `inner` is Django's own SQL, with placeholders.
            "SELECT region, halfvec_send(entry.vector)"  # noqa: S608
            f" FROM ({inner}) AS chosen (region, image_id)"
            " JOIN gallery_embedding entry ON entry.image_id = chosen.image_id"
            " AND entry.space_id = %s AND entry.vector IS NOT NULL"
            " ORDER BY region, entry.image_id",
            [*parameters, drawn.space_id],
        )
        for region, packed in cursor.fetchall():
            found.setdefault(region, []).append(unpacked(packed))
    return {region: np.stack(vectors) for region, vectors in found.items()}
