"""Scrolling that neither repeats nor skips: the first page fixes an ordered window
of ids, later pages read on in it, and past its end it is widened.

The window is kept in the cache in parts, so that a page far down costs no more than the
first: what describes the query, and the pictures in chunks of which a page reads one or
two. Of several requests that read on at once the first one to write it wins; the others do
it over with what that one found.
"""

from __future__ import annotations

import json
import logging
import operator
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import cached_property
from typing import Any, get_args

import numpy as np
import redis
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from gallery import checked_cache
from gallery.encoders.base import Vectors
from gallery.errors import Expired
from gallery.search import packing, strict_cache
from gallery.search.packing import Found
from gallery.search.query import Query
from gallery.search.relevance import Judgement
from gallery.search.scans import Kind

logger = logging.getLogger(__name__)

# A session of scrolling; each page starts it anew.
WINDOW_TTL_SECONDS = 3600
# Chunks are not written anew by each page: they last for the longest session.
CHUNK_TTL_SECONDS = 24 * 3600
CHUNK = 1000


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
            "viewer": self.viewer_id,
            "space": self.space_id,
            "vector": None if self.vector is None else checked_cache.pack_vectors(self.vector),
            "kind": self.kind,
            # As text: any number and any sign that JSON has may stand in a query.
            "asked": json.dumps([self.query, self.filters, self.notes]),
            "by_words": packing.packed_ids(self.by_words),
            "fused": self.fused,
            "after": self.after,
            "exclude_ids": packing.packed_ids(self.exclude_ids),
            "exclude_sha256s": self.exclude_sha256s,
            "copies_of": self.copies_of,
            "judgement": [*map(packing.plain, astuple(self.judgement)[:-1])],
            "sure": packing.packed_ids(self.judgement.sure),
            "fold": self.fold,
            "behind": [
                [leader.bytes, packing.rows(group).tobytes()]
                for leader, group in self.behind.items()
            ],
            "count": self.count,
            "exact": self.exact,
            "complete": self.complete,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, kept: dict[str, Any]) -> Window:
        """Raises TypeError, ValueError or LookupError for what is no window."""
        query, filters, notes = json.loads(kept["asked"])
        line, centre, spread, is_common, pictures = kept["judgement"]
        if kept["kind"] not in get_args(Kind):
            raise ValueError("no such kind")
        return cls(
            viewer_id=None if kept["viewer"] is None else int(kept["viewer"]),
            space_id=int(kept["space"]),
            vector=(
                None
                if kept["vector"] is None
                else checked_cache.unpack_unit_vectors(kept["vector"], None, count=1)[0]
            ),
            kind=kept["kind"],
            query=dict(query),
            filters=dict(filters),
            by_words=set(packing.unpacked_ids(kept["by_words"])),
            fused=bool(kept["fused"]),
            after=str(kept["after"]),
            exclude_ids=packing.unpacked_ids(kept["exclude_ids"]),
            exclude_sha256s=[str(sha256) for sha256 in kept["exclude_sha256s"]],
            copies_of=[str(sha256) for sha256 in kept["copies_of"]],
            judgement=Judgement(
                None if line is None else float(line),
                float(centre),
                float(spread),
                bool(is_common),
                int(pictures),
                tuple(packing.unpacked_ids(kept["sure"])),
            ),
            notes=[(str(code), str(sentence)) for code, sentence in notes],
            fold=bool(kept["fold"]),
            behind={
                uuid.UUID(bytes=leader): packing.found(packing.chunk_of(rows, 0))
                for leader, rows in kept["behind"]
            },
            count=int(kept["count"]),
            exact=bool(kept["exact"]),
            complete=bool(kept["complete"]),
            version=operator.index(kept["version"]),
            token=str(kept["token"]),
        )

    @cached_property
    def asked(self) -> Query:
        """The query that it is of, read once."""
        return Query.from_json(self.query)

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

    def unknown(self, ids: Iterable[uuid.UUID], scores: Iterable[float | None]) -> list[Found]:
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


def load(cursor: str, viewer_id: int | None) -> tuple[Window, int]:
    """The window and the offset that `cursor` names.

    Raises Expired if it is unknown, too old or somebody else's, and Unavailable where
    that cannot be known.
    """
    token, _dot, offset = cursor.partition(".")
    window = strict_cache.get(_key(token), Window.from_plain) if token.isalnum() else None
    if window is None or window.viewer_id != viewer_id or not offset.isdecimal():
        raise _expired()
    return window, min(int(offset[:9]), window.count)


def _expired() -> Expired:
    return Expired("search_expired", _("These results are no longer kept. Search again."), "cursor")


def _key(token: str, chunk: int | None = None) -> str:
    return f"search-window:{token[:64]}" + ("" if chunk is None else f":{chunk}")
