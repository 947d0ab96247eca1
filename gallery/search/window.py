"""Scrolling that neither repeats nor skips: the first page fixes an ordered window
of ids, later pages read on in it, and past its end it is widened.

The window is kept in the cache in parts, so that a page far down costs no more than the
first: what describes the query, and the pictures in chunks of which a page reads one or
two. Of several requests that read on at once the first one to write it wins; the others do
it over with what that one found.
"""

from __future__ import annotations

import logging
import operator
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import redis
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from gallery.errors import Expired
from gallery.models import EmbeddingSpace, Viewer
from gallery.search import folding, packing, strict_cache
from gallery.search.packing import Found
from gallery.search.plan import Plan
from gallery.search.ranking import Ranked
from gallery.search.relevance.relevance import Judgement

logger = logging.getLogger(__name__)

# A session of scrolling; each page starts it anew.
WINDOW_TTL_SECONDS = 3600
# Chunks are not written anew by each page: they last for the longest session.
CHUNK_TTL_SECONDS = 24 * 3600
CHUNK = 1000


@dataclass
class Window:
    """What a search by `plan` has found so far, best first."""

    plan: Plan
    # How many pictures it has; what stands behind another does not count.
    count: int = 0
    # What stands behind a picture of the window (gallery.search.folding), best first.
    behind: dict[uuid.UUID, list[Found]] = field(default_factory=dict)
    # Pictures with the words of the query, and whether these changed the order.
    by_words: frozenset[uuid.UUID] = frozenset()
    fused: bool = False
    # The line, where the best score is no better than chance has it.
    raised_line: float | None = None
    # Without a vector: the cursor of what comes next (gallery.keyset).
    after: str = ""
    exact: bool = True
    complete: bool = False
    # How often it was written; 0 for a new one.
    version: int = 0
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self._chunks: dict[int, np.ndarray] = {}
        self._changed: set[int] = set()
        self._is_changed = self.version == 0

    def as_plain(self) -> dict[str, Any]:
        """What is kept of it beside its chunks."""
        return {
            "token": self.token,
            "viewer": self.plan.viewer.pk,
            "space": self.plan.space.pk,
            "plan": self.plan.as_plain(),
            "count": self.count,
            "behind": [
                [leader.bytes, packing.rows(group).tobytes()]
                for leader, group in self.behind.items()
            ],
            "by_words": packing.packed_ids(self.by_words),
            "fused": self.fused,
            "raised_line": packing.plain(self.raised_line),
            "after": self.after,
            "exact": self.exact,
            "complete": self.complete,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, kept: dict[str, Any], viewer: Viewer) -> Window | None:
        """None for somebody else's window, or one of a space that is gone. Raises TypeError,
        ValueError or LookupError for what is no window."""
        if kept["viewer"] != viewer.pk:
            return None
        space = _space_of(int(kept["space"]))
        if space is None:
            return None
        line = kept["raised_line"]
        return cls(
            plan=Plan.from_plain(kept["plan"], viewer, space),
            count=int(kept["count"]),
            behind={
                uuid.UUID(bytes=leader): packing.found(packing.chunk_of(rows, 0))
                for leader, rows in kept["behind"]
            },
            by_words=frozenset(packing.unpacked_ids(kept["by_words"])),
            fused=bool(kept["fused"]),
            raised_line=None if line is None else float(line),
            after=str(kept["after"]),
            exact=bool(kept["exact"]),
            complete=bool(kept["complete"]),
            version=operator.index(kept["version"]),
            token=str(kept["token"]),
        )

    @property
    def judgement(self) -> Judgement:
        """What its scores mean, as far as is known by now."""
        if self.raised_line is None:
            return self.plan.judgement
        return replace(self.plan.judgement, line=self.raised_line)

    @property
    def ids(self) -> list[uuid.UUID]:
        """All of them, best first."""
        return [image_id for image_id, _score in self.part(0, self.count)]

    def part(self, start: int, stop: int) -> list[Found]:
        """(id, score) from place `start` to before `stop`. Raises Expired."""
        stop = min(stop, self.count)
        rows = [
            self._chunk(number)[max(start - number * CHUNK, 0) : stop - number * CHUNK]
            for number in range(start // CHUNK, -(-stop // CHUNK))
        ]
        return [found for chunk in rows for found in packing.found(chunk)]

    def add(self, ranked: Ranked) -> None:
        """What of `ranked` is not in it yet comes behind what is there.

        What is near-duplicate of a picture in an earlier part of the window stands for
        itself: the earlier one may have been shown without it.
        """
        fresh = self._unknown(ranked.ids, ranked.scores)
        ids = [pk for pk, _score in fresh]
        folded = folding.fold(ids) if self.plan.fold else None
        self.append(ids, [score for _pk, score in fresh], folded)
        if ranked.by_words:
            self.by_words = ranked.by_words
            self.fused = ranked.fused
        if ranked.raised_line is not None:
            self.raised_line = ranked.raised_line
        self.after = ranked.after
        self.exact = self.exact and ranked.exact
        self.complete = ranked.complete

    def append(
        self,
        ids: Sequence[uuid.UUID],
        scores: Sequence[float | None],
        folded: Mapping[uuid.UUID, uuid.UUID] | None = None,
    ) -> None:
        """Add `ids` behind what is there; `folded` ones stand behind another of them."""
        self._is_changed = True
        leaders = []
        for image_id, score in zip(ids, scores, strict=True):
            if folded and image_id in folded:
                self.behind.setdefault(folded[image_id], []).append((image_id, score))
            else:
                leaders.append((image_id, score))
        rows = packing.rows(leaders)
        while len(rows):
            number, filled = divmod(self.count, CHUNK)
            fitting, rows = rows[: CHUNK - filled], rows[CHUNK - filled :]
            before = self._chunk(number) if filled else fitting[:0]
            self._chunks[number] = np.concatenate([before, fitting])
            self._changed.add(number)
            self.count += len(fitting)

    def _unknown(self, ids: Iterable[uuid.UUID], scores: Iterable[float | None]) -> list[Found]:
        """Those that are not in it yet, with their scores."""
        known = {*self.ids, *(pk for group in self.behind.values() for pk, _score in group)}
        return [pair for pair in zip(ids, scores, strict=True) if pair[0] not in known]

    def cursor(self, offset: int) -> str:
        return f"{self.token}.{offset}"

    def _chunk(self, number: int) -> np.ndarray:
        if number not in self._chunks:
            filled = min(self.count - number * CHUNK, CHUNK)
            chunk = strict_cache.get(
                _key(self.token, number), lambda data: packing.chunk_of(data, filled)
            )
            if chunk is None:
                raise _expired()
            self._chunks[number] = chunk
        return self._chunks[number]


def save(window: Window) -> bool:
    """Keep it from now on; of its chunks only the changed ones are written. False where
    somebody else has added to it since it was loaded: then nothing is written, and it has to
    be loaded anew."""
    key, known = _key(window.token), window.version
    if not window._is_changed:
        cache.touch(key, WINDOW_TTL_SECONDS)
        return True
    window.version = known + 1
    values: dict[str, tuple[Any, int]] = {
        _key(window.token, n): (window._chunks[n].tobytes(), CHUNK_TTL_SECONDS)
        for n in window._changed
    }
    values[key] = (window.as_plain(), WINDOW_TTL_SECONDS)
    is_known = (lambda there: _version_of(there) in (None, known)) if known else None
    try:
        if not strict_cache.exchange(key, values, is_known):
            return False
    except redis.RedisError as error:  # then there is no next page
        logger.warning("The results of a search are not kept: %s", error)
    window._is_changed = False
    window._changed.clear()
    return True


def _version_of(there: Any) -> Any:
    """None for what is no window."""
    return there.get("version") if isinstance(there, dict) else None


def load(cursor: str, viewer: Viewer) -> tuple[Window, int]:
    """The window and the offset that `cursor` names.

    Raises Expired if it is unknown, too old, somebody else's or of a space that is gone, and
    Unavailable where that cannot be known.
    """
    token, _dot, offset = cursor.partition(".")
    window = None
    if token.isalnum():
        window = strict_cache.get(_key(token), lambda kept: Window.from_plain(kept, viewer))
    if window is None or not offset.isdecimal():
        raise _expired()
    return window, min(int(offset[:9]), window.count)


def _space_of(pk: int) -> EmbeddingSpace | None:
    return EmbeddingSpace.objects.filter(pk=pk).first()


def _expired() -> Expired:
    return Expired("search_expired", _("These results are no longer kept. Search again."), "cursor")


def _key(token: str, chunk: int | None = None) -> str:
    return f"search-window:{token[:64]}" + ("" if chunk is None else f":{chunk}")
