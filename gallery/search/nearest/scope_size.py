"""How many pictures a scope has, how they lie in the library, and how far the indexes are
read for it (docs/decisions/0014 and 0020)."""

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

# So many entries of the graph are read. Texts lie further from pictures than pictures from
# each other, and must be sought more widely.
ENTRIES: dict[Kind, int] = {"text": 400, "image": 150}
# Of lists so many entries, each of which costs a fraction of one of the graph; in libraries
# larger than USUAL more by this power of their size, and more where memory allowed fewer
# lists than there should be.
USUAL = 100_000
LISTED: dict[Kind, int] = {"text": 2_000, "image": 800}
GROWTH: dict[Kind, float] = {"text": 0.4, "image": 0.2}
# The nearest of a thin scope are not among the nearest of all: more by this power of how
# thin it is.
THIN = 0.3
# Pictures of a scope that gather may lie in lists far from what is asked: this part of the
# library is read at least, and likewise more of thin ones.
GATHERED = 0.06
# Scopes up to this size are compared one by one however small the library is.
ALWAYS_EXACT = 2_000
# What an entry of the graph costs beside a picture that is compared one by one, and such a
# picture beside an entry of the lists.
INDEX_COST, PICTURE_COST = 1.5, 8
# Scopes are counted to this many times the largest that is small: of those, the index is
# read at once as far as their share of it demands.
COUNT_ON = 4
# So much more than the mean, since chance varies, and recall with it.
SLACK: dict[Kind, float] = {"text": 2.0, "image": 1.5}
# Which plan is the faster one changes slowly, and all are right.
SIZE_TTL_SECONDS = 60

# So many pictures of the sample are asked whether they are in the scope: its share is then
# known to a tenth for a share of a twentieth.
ASKED = 2_000
# Whether the pictures of a scope gather is seen from so many of them or fewer, and not from
# less than that: each by the hundredth of the sample that is nearest to it.
MOST_ASKING, LEAST_ASKING = 100, 10
NEIGHBOURS = 1 / 100
# They do where the odds to meet another of the scope there are more than so many times those
# in the whole library, and by so many standard errors no chance.
GATHERED_ODDS, SURE = 2.0, 3.0


@dataclass(frozen=True)
class Size:
    """How many pictures a scope has, counted no further than COUNT_ON times `bound`: the
    size up to which it is small. `indexed` are the entries of the whole index, which also
    lie in so many `lists`; `pictures` is about how many the scope has, however many.
    `is_scattered`: they are known to lie all over it, and do not gather."""

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

    def entries(self, window: int, kind: Kind) -> int:
        """So many of the graph are to be read: for recall, and so that they are likely to
        hold `window` of the scope's pictures. Of a scope that was not counted to its end
        that is less than what recall needs."""
        demanded = (
            SLACK[kind] * window * self.indexed / max(self.counted, 1) if self.is_known else 0
        )
        return min(max(ENTRIES[kind], window, int(demanded)), scans.MAX_EF_SEARCH)

    def probes(self, window: int, kind: Kind) -> int:
        """In so many of the lists to read, for the same."""
        grown = LISTED[kind] * max(self.indexed / USUAL, 1.0) ** GROWTH[kind]
        grown *= max(wanted_lists(self.indexed) / max(self.lists, 1), 1.0)
        if not self.is_scattered:
            grown = max(grown, GATHERED * self.indexed)
        wanted = max(grown * self._share**-THIN, SLACK[kind] * window / self._share)
        return min(math.ceil(wanted * self.lists / max(self.indexed, 1)), self.lists)

    def is_cheaper_than(self, probes: int) -> bool:
        """Whether comparing all of the scope costs less than reading so many lists."""
        return self.is_known and self.counted * PICTURE_COST * self.lists < probes * self.indexed

    @property
    def _share(self) -> float:
        pictures = max(self.pictures, self.counted, 1)
        return min(pictures / max(self.indexed, 1), 1.0)


def measured(space: EmbeddingSpace, scope: Scope, window: int) -> Size:
    """Kept for a while. Where n of N pictures are in the scope, the index is read for
    about window·N/n entries: with n = √(window·N) that is as many as there are pictures
    to compare one by one."""
    limit = settings.EXACT_SEARCH_LIMIT
    # What filters leave is known to whoever asked for them alone. All that somebody may see
    # is asked for by every search; visitors see the same.
    cache_scope = "everything" if scope.is_whole else requester.cache_scope()
    if not cache_scope:
        return _counted(space, scope, window, limit)
    asked = repr((cache_scope, space.pk, window, limit, scope))
    key = f"scope-size:{hashlib.sha256(asked.encode()).hexdigest()}"
    size = checked_cache.get(key, _size)
    if size is None:
        size = _counted(space, scope, window, limit)
        cache.set(key, astuple(size), SIZE_TTL_SECONDS)
    return size


def _size(kept: list[Any]) -> Size:
    counted, bound, held, lists, pictures = (int(number) for number in kept[:5])
    return Size(counted, bound, held, lists, pictures, is_scattered=bool(kept[5]))


def _counted(space: EmbeddingSpace, scope: Scope, window: int, limit: int) -> Size:
    held = indexed(space)
    crossover = int((INDEX_COST * window * held.vectors) ** 0.5)
    bound = min(limit, max(ALWAYS_EXACT, crossover))
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
    """(n,) bool: whether pictures of the sample are in the scope."""
    asked = drawn.ids[:ASKED]
    found = set(scans.among(scope, asked))
    return np.array([pk in found for pk in asked])


def _is_scattered(vectors: np.ndarray, inside: np.ndarray) -> bool:
    """Whether pictures beside those `inside` a scope are no likelier in it than others:
    of (n, d) unit vectors those nearest to some of them are looked at."""
    share = float(np.mean(inside))
    asking = np.flatnonzero(inside)[:MOST_ASKING]
    if len(asking) < LEAST_ASKING:
        return False
    nearest = max(1, round(NEIGHBOURS * len(inside)))
    scores = vectors[asking] @ vectors.T
    scores[np.arange(len(asking)), asking] = -np.inf  # each is nearest to itself
    beside = np.argpartition(-scores, nearest, axis=1)[:, :nearest]
    met = float(np.mean(inside[beside]))
    error = math.sqrt(share * (1 - share) / beside.size)
    return met * (1 - share) <= GATHERED_ODDS * share * (1 - met) or met - share <= SURE * error
