"""Windows of results, for scrolling that neither repeats nor skips pictures. The first page fixes
an ordered window of ids. Later pages read on in the window and widen it past its end.

The cache keeps a window in parts: the description of the query, and the pictures in chunks. A page
reads one or two chunks, so a late page costs no more than the first. If several requests widen a
window at once, the first to write it wins. The others start again with its window.
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

# How long a window lasts after its last page.
WINDOW_TTL_SECONDS = 3600
# Pages do not rewrite unchanged chunks, so chunks last for the longest session.
CHUNK_TTL_SECONDS = 24 * 3600
CHUNK = 1000


@dataclass
class Window:
    """The results of a search by `plan` so far, best first."""

    plan: Plan
    # The number of pictures, without folded ones.
    count: int = 0
    # The folded pictures behind each leader (gallery.search.folding), best first.
    behind: dict[uuid.UUID, list[Found]] = field(default_factory=dict)
    # Pictures with the words of the query, and whether they changed the order.
    by_words: frozenset[uuid.UUID] = frozenset()
    fused: bool = False
    # The relevance line, if it was raised because the best score is no better than chance.
    raised_line: float | None = None
    # Without a vector: the cursor of the next pictures (gallery.keyset).
    after: str = ""
    exact: bool = True
    complete: bool = False
    # How often the window was written; 0 for a new one.
    version: int = 0
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self._chunks: dict[int, np.ndarray] = {}
        self._changed: set[int] = set()
        self._is_changed = self.version == 0

    def as_plain(self) -> dict[str, Any]:
        """Return the cached form of the window without its chunks."""
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
        """Restore a window. Returns None if it belongs to another viewer or its space is gone.
        Raises TypeError, ValueError or LookupError if `kept` is malformed."""
        if kept["viewer"] != viewer.pk:
            return None
        space = _space_of(int(kept["space"]))
        if space is None:
            return None
        raised_line = kept["raised_line"]
        return cls(
            plan=Plan.from_plain(kept["plan"], viewer, space),
            count=int(kept["count"]),
            behind={
                uuid.UUID(bytes=leader): packing.found(packing.chunk_of(rows, 0))
                for leader, rows in kept["behind"]
            },
            by_words=frozenset(packing.unpacked_ids(kept["by_words"])),
            fused=bool(kept["fused"]),
            raised_line=None if raised_line is None else float(raised_line),
            after=str(kept["after"]),
            exact=bool(kept["exact"]),
            complete=bool(kept["complete"]),
            version=operator.index(kept["version"]),
            token=str(kept["token"]),
        )

    @property
    def judgement(self) -> Judgement:
        """The judgement of the plan, with the raised relevance line if there is one."""
        if self.raised_line is None:
            return self.plan.judgement
        return replace(self.plan.judgement, line=self.raised_line)

    @property
    def ids(self) -> list[uuid.UUID]:
        """All ids, best first, without folded ones."""
        return [image_id for image_id, _score in self.part(0, self.count)]

    def part(self, start: int, stop: int) -> list[Found]:
        """Return (id, score) from place `start` to before `stop`. Raises Expired."""
        stop = min(stop, self.count)
        rows = [
            self._chunk(number)[max(start - number * CHUNK, 0) : stop - number * CHUNK]
            for number in range(start // CHUNK, -(-stop // CHUNK))
        ]
        return [found for chunk in rows for found in packing.found(chunk)]

    def add(self, ranked: Ranked) -> None:
        """Append the pictures of `ranked` that the window does not have yet.

        A near-duplicate of a picture in an earlier part of the window is not folded: the earlier
        picture may have been shown without it.
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
        """Append `ids`. `folded` maps folded ids to their leaders among `ids`."""
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
        """Return the pictures that the window does not have yet, with their scores."""
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
    """Write the window and its changed chunks to the cache. Returns False, and writes nothing, if
    another request has changed the window since it was loaded. The caller then loads it again.
    If the cache is down, logs a warning and returns True."""
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
    except redis.RedisError as error:  # there will be no next page
        logger.warning("The results of a search are not kept: %s", error)
    window._is_changed = False
    window._changed.clear()
    return True


def _version_of(there: Any) -> Any:
    """Return the version of a cached window; None if it is malformed."""
    return there.get("version") if isinstance(there, dict) else None


def load(cursor: str, viewer: Viewer) -> tuple[Window, int]:
    """Return the window and the offset of `cursor`.

    Raises Expired if the window is unknown, too old, another viewer's or of a space that is gone,
    and Unavailable if the cache is down.
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
