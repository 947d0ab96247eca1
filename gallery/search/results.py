"""The results of a search."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gallery.models import EmbeddingSpace, Image, Viewer
from gallery.search.query.notes import Note
from gallery.search.query.query import Query
from gallery.search.relevance.relevance import Fit, Judgement

_TOLD_MS = 100
# The longest bar of a hit of a query that the model cannot read: that of a fair hit.
_MOST_SHARE_UNREAD = 0.49


@dataclass(frozen=True)
class Hit:
    """One result. `score` is the cosine of query and picture, in [-1, 1]; None if the query has
    only filters.

    `fit` is the meaning of the score in a word. `share` is the probability that the picture fits,
    the length of its bar.
    `by_words`: the title, description, tags or file name have the words of the query. `similar`
    are the near-duplicates that are folded behind it, best first.
    """

    image: Image
    score: float | None
    fit: Fit | None = None
    share: float = 0.0
    by_words: bool = False
    similar: list[Image] = field(default_factory=list)

    def capped(self) -> Hit:
        """Return the hit of a query that the model cannot read: it is fair at best."""
        if self.fit not in ("good", "excellent"):
            return self
        return replace(self, fit="fair", share=min(self.share, _MOST_SHARE_UNREAD))


@dataclass(frozen=True)
class Results:
    """One page of results, best first.

    `exact` is False if an approximate index was used. `next` is the cursor of the next page, None
    after the last. `start` is the cursor of the first page. `took_ms` holds milliseconds by step,
    as `Clock` shows them to the viewer. `judgement.line` is the relevance line, the least score of
    a match (gallery.search.relevance). `fused`: pictures with the words of the query rank higher
    than by their scores alone. `exact_copies` are visible pictures with the same bytes as a query
    picture; they are never among the hits.
    """

    hits: list[Hit]
    exact: bool
    space: EmbeddingSpace
    next: str | None
    start: str
    took_ms: dict[str, float]
    query: Query = field(default_factory=Query)
    fused: bool = False
    judgement: Judgement = field(default_factory=Judgement)
    notes: list[Note] = field(default_factory=list)
    exact_copies: list[Image] = field(default_factory=list)

    def is_match(self, hit: Hit) -> bool:
        """Whether a hit counts as a match (`Judgement.is_match`)."""
        return self.judgement.is_match(hit.score, by_words=hit.by_words)


class Clock:
    """A stopwatch with milliseconds by step. Administrators see them exactly, others rounded up
    to tenths of a second: finer times would tell what was in a cache."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.took_ms[name] = round((time.perf_counter() - start) * 1000, 2)

    def shown_to(self, viewer: Viewer) -> dict[str, float]:
        took = {**self.took_ms, "total": round(sum(self.took_ms.values()), 2)}
        if getattr(viewer, "is_administrator", False):
            return took
        return {step: _TOLD_MS * math.ceil(ms / _TOLD_MS) for step, ms in took.items()}
