"""Scrolling that neither repeats nor skips: the first page fixes an ordered window
of ids, later pages read on in it, and past its end it is widened.

The window is kept in the cache in parts, so that a page far down costs no more than the
first: what describes the query, and the pictures in chunks of which a page reads one or
two.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from gallery.encoders.base import Vectors
from gallery.errors import Expired
from gallery.search import kept
from gallery.search.relevance import Judgement
from gallery.search.scans import Kind

# A session of scrolling; each page starts it anew.
WINDOW_TTL_SECONDS = 3600
# Chunks are not written anew by each page: they last for the longest session.
CHUNK_TTL_SECONDS = 24 * 3600
CHUNK = 1000

# A picture and its score.
Found = tuple[uuid.UUID, float | None]
# The same in a chunk; NaN for no score.
_ROW = np.dtype([("id", "V16"), ("score", "<f4")])


@dataclass
class Window:
    """One query of one viewer and what it has found so far.

    `vector` is None where only filters were asked for; then the scores are None, too.
    """

    viewer_id: int | None
    space_id: int
    vector: Vectors | None
    kind: Kind
    # The query as gallery.search.query writes it, and what of it narrows each page:
    # filters as gallery.search.filters takes them.
    query: dict[str, Any] = field(default_factory=dict)
    filters: dict[str, Any] = field(default_factory=dict)
    # Pictures with the words of the query, and whether these changed the order.
    by_words: set[uuid.UUID] = field(default_factory=set)
    fused: bool = False
    # Without a vector: the cursor of what comes next (gallery.keyset).
    after: str = ""
    # Query pictures, and the bytes that they and their exact copies have: all of these
    # are left out, and copies of those to be like are named apart.
    exclude_ids: list[uuid.UUID] = field(default_factory=list)
    exclude_sha256s: list[str] = field(default_factory=list)
    copies_of: list[str] = field(default_factory=list)
    judgement: Judgement = field(default_factory=Judgement)
    # (code, sentence) of what the searcher should know.
    notes: list[tuple[str, str]] = field(default_factory=list)
    # Whether near-duplicates are folded (gallery.search.folding), and what stands behind
    # a picture of the window, best first.
    fold: bool = False
    behind: dict[uuid.UUID, list[Found]] = field(default_factory=dict)
    # How many pictures it has; what stands behind another does not count.
    count: int = 0
    exact: bool = True
    complete: bool = False
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        self._chunks: dict[int, np.ndarray] = {}
        self._changed: set[int] = set()

    def __getstate__(self) -> dict[str, Any]:
        """What is kept of it beside its chunks."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()

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
        return [
            (uuid.UUID(bytes=bytes(row["id"])), _score(row["score"]))
            for chunk in rows
            for row in chunk
        ]

    def append(
        self,
        ids: Sequence[uuid.UUID],
        scores: Sequence[float | None],
        folded: Mapping[uuid.UUID, uuid.UUID] | None = None,
    ) -> None:
        """Add `ids` behind what is there; `folded` ones stand behind another of them."""
        leaders = []
        for image_id, score in zip(ids, scores, strict=True):
            if folded and image_id in folded:
                self.behind.setdefault(folded[image_id], []).append((image_id, score))
            else:
                leaders.append((image_id.bytes, np.nan if score is None else score))
        rows = np.array(leaders, dtype=_ROW)
        while len(rows):
            number, filled = divmod(self.count, CHUNK)
            fitting, rows = rows[: CHUNK - filled], rows[CHUNK - filled :]
            before = self._chunk(number) if filled else fitting[:0]
            self._chunks[number] = np.concatenate([before, fitting])
            self._changed.add(number)
            self.count += len(fitting)

    def unknown(self, ids: Iterable[uuid.UUID], scores: Iterable[float | None]) -> list[Found]:
        """Those that are not in it yet, with their scores."""
        known = {*self.ids, *(pk for group in self.behind.values() for pk, _score in group)}
        return [pair for pair in zip(ids, scores, strict=True) if pair[0] not in known]

    def cursor(self, offset: int) -> str:
        return f"{self.token}.{offset}"

    def _chunk(self, number: int) -> np.ndarray:
        if number not in self._chunks:
            packed = kept.get(_key(self.token, number))
            if packed is None:
                raise _expired()
            self._chunks[number] = np.frombuffer(packed, dtype=_ROW)
        return self._chunks[number]


def save(window: Window) -> None:
    """Keep it from now on; of its chunks only the changed ones are written."""
    cache.set(_key(window.token), window, WINDOW_TTL_SECONDS)
    changed = {_key(window.token, n): window._chunks[n].tobytes() for n in window._changed}
    if changed:
        cache.set_many(changed, CHUNK_TTL_SECONDS)
        window._changed.clear()


def load(cursor: str, viewer_id: int | None) -> tuple[Window, int]:
    """The window and the offset that `cursor` names.

    Raises Expired if it is unknown, too old or somebody else's, and Unavailable where
    that cannot be known.
    """
    token, _dot, offset = cursor.partition(".")
    window: Window | None = kept.get(_key(token)) if token.isalnum() else None
    if window is None or window.viewer_id != viewer_id or not offset.isdecimal():
        raise _expired()
    return window, min(int(offset[:9]), window.count)


def _expired() -> Expired:
    return Expired("search_expired", _("These results are no longer kept. Search again."), "cursor")


def _score(score: np.floating[Any]) -> float | None:
    return None if np.isnan(score) else float(score)


def _key(token: str, chunk: int | None = None) -> str:
    return f"search-window:{token[:64]}" + ("" if chunk is None else f":{chunk}")
