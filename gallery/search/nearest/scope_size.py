"""The size of a scope, its distribution in the library, and how far the indexes are read for it
(docs/decisions/0014 and 0020)."""

from __future__ import annotations

import hashlib
import math
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from gallery import checked_cache, requester
from gallery.indexing.vector_indexes import indexed, wanted_lists
from gallery.models import EmbeddingSpace
from gallery.search.nearest import sample, scans
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Kind, Scope

# The least number of list entries to read. Texts lie further from pictures than pictures from each
# other and need a wider search. In libraries larger than USUAL the number grows with this power of
# the size. It also grows if memory allowed fewer lists than wanted.
USUAL = 100_000
LISTED: dict[Kind, int] = {"text": 2_000, "image": 800}
GROWTH: dict[Kind, float] = {"text": 0.4, "image": 0.2}
# The nearest pictures of a small scope are not among the nearest of all. The number of entries
# grows with this power of the inverse of the scope's share.
THIN = 0.3
# The pictures of a clustered scope may lie in lists far from the query. At least this share of
# the library is read for it, and more for a small scope, as above.
GATHERED = 0.06
# The cost of a picture that is compared one by one relative to a list entry.
PICTURE_COST = 8
# Scopes are counted up to this many times the size up to which they are small. If the count ends
# before, the index is read at once as far as the scope's share demands.
COUNT_ON = 4
# The factor on the expected number of entries: the number of hits varies, and recall with it.
SLACK: dict[Kind, float] = {"text": 2.0, "image": 1.5}
# The faster plan changes slowly, and the other plans are valid, too.
SIZE_TTL_SECONDS = 60

# The pictures of the sample that are looked up in the scope. The standard error of a share of
# 1/20 is then a tenth of it.
ASKED = 2_000
# Decide from at most MOST_ASKING sampled pictures whether the scope is clustered. With fewer than
# LEAST_ASKING it counts as clustered. The NEIGHBOURS of each are this share of the sample.
MOST_ASKING, LEAST_ASKING = 100, 10
NEIGHBOURS = 1 / 100
# A scope is clustered if the odds that a neighbour belongs to it exceed the odds in the whole
# sample by this factor, and the shares differ by more than SURE standard errors.
GATHERED_ODDS, SURE = 2.0, 3.0


@dataclass(frozen=True)
class Size:
    """The size of a scope. `counted` is the number of its pictures, at most COUNT_ON · `bound`;
    up to `bound` the scope is small. `indexed` is the number of pictures in the space, `lists` the
    number of its lists, 0 before they are built. `pictures` estimates the scope's pictures
    without a limit. `is_scattered`: the scope is known not to be clustered."""

    counted: int
    bound: int
    indexed: int
    lists: int = 0
    pictures: int = 0
    is_scattered: bool = False

    @property
    def is_small(self) -> bool:
        return self.counted <= self.bound

    @property
    def is_known(self) -> bool:
        return self.counted < COUNT_ON * self.bound

    def probes(self, window: int, kind: Kind) -> int:
        """Return the number of lists to read: enough for recall, and likely to include `window`
        pictures of the scope."""
        grown = LISTED[kind] * max(self.indexed / USUAL, 1.0) ** GROWTH[kind]
        grown *= max(wanted_lists(self.indexed) / max(self.lists, 1), 1.0)
        if not self.is_scattered:
            grown = max(grown, GATHERED * self.indexed)
        wanted = max(grown * self._share**-THIN, SLACK[kind] * window / self._share)
        return min(math.ceil(wanted * self.lists / max(self.indexed, 1)), self.lists)

    def is_cheaper_than(self, probes: int) -> bool:
        """Whether comparing the whole scope costs less than reading `probes` lists."""
        return self.is_known and self.counted * PICTURE_COST * self.lists < probes * self.indexed

    @property
    def _share(self) -> float:
        pictures = max(self.pictures, self.counted, 1)
        return min(pictures / max(self.indexed, 1), 1.0)


def measured(space: EmbeddingSpace, scope: Scope) -> Size:
    """Return the size of a scope, cached for SIZE_TTL_SECONDS."""
    # The size of a filtered scope is cached for its requester alone. All that a viewer may see
    # is part of every search, and is the same for all visitors.
    cache_scope = "everything" if scope.is_whole else requester.cache_scope()
    if not cache_scope:
        return _counted(space, scope)
    asked = repr((cache_scope, space.pk, settings.EXACT_SEARCH_LIMIT, scope))
    key = f"scope-size:{hashlib.sha256(asked.encode()).hexdigest()}"
    size = checked_cache.get(key, _size)
    if size is None:
        size = _counted(space, scope)
        cache.set(key, astuple(size), SIZE_TTL_SECONDS)
    return size


def _size(kept: list[Any]) -> Size:
    counted, bound, held, lists, pictures = (int(number) for number in kept[:5])
    return Size(counted, bound, held, lists, pictures, is_scattered=bool(kept[5]))


def _counted(space: EmbeddingSpace, scope: Scope) -> Size:
    held = indexed(space)
    bound = settings.EXACT_SEARCH_LIMIT
    most = COUNT_ON * bound
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({scope.sql} LIMIT {most}) AS bounded", scope.params)  # noqa: S608
        counted = cursor.fetchone()[0]
    drawn = sample.sample_of(space) if held.lists and counted > bound else None
    if drawn is None:
        return Size(counted, bound, held.vectors, held.lists, counted)
    inside = _inside(scope, drawn)
    return Size(
        counted,
        bound,
        held.vectors,
        held.lists,
        pictures=counted if counted < most else round(np.mean(inside) * held.vectors),
        is_scattered=_is_scattered(drawn.vectors[: len(inside)], inside),
    )


def _inside(scope: Scope, drawn: Sample) -> np.ndarray:
    """Return (n,) bool: whether each of the first ASKED sampled pictures is in the scope."""
    asked = drawn.ids[:ASKED]
    found = set(scans.among(scope, asked))
    return np.array([pk in found for pk in asked])


def _is_scattered(vectors: np.ndarray, inside: np.ndarray) -> bool:
    """Whether the neighbours of pictures `inside` (n,) a scope are no likelier in it than other
    pictures are. The neighbours are those among the unit vectors (n, d)."""
    share = float(np.mean(inside))
    asking = np.flatnonzero(inside)[:MOST_ASKING]
    if len(asking) < LEAST_ASKING:
        return False
    nearest = max(1, round(NEIGHBOURS * len(inside)))
    scores = vectors[asking] @ vectors.T
    scores[np.arange(len(asking)), asking] = -np.inf  # a picture is no neighbour of itself
    beside = np.argpartition(-scores, nearest, axis=1)[:, :nearest]
    met = float(np.mean(inside[beside]))
    error = math.sqrt(share * (1 - share) / beside.size)
    return met * (1 - share) <= GATHERED_ODDS * share * (1 - met) or met - share <= SURE * error
