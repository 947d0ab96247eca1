"""The plan of a search: its query vector, its scope and the meaning of its scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

from gallery import checked_cache
from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.models import EmbeddingSpace, Viewer
from gallery.search import packing
from gallery.search.filters.narrowed import Narrowed
from gallery.search.nearest.scans import Kind
from gallery.search.query.combine import Combined
from gallery.search.query.notes import Note
from gallery.search.query.query import Query
from gallery.search.relevance import relevance
from gallery.search.relevance.relevance import Judgement

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet


@dataclass(frozen=True, eq=False)
class Plan:
    """One search by one viewer. All its pages use the same plan, which is kept with its window
    (gallery.search.window).

    `vector` (d,) is the query vector. It is None if the query has only filters; there are no
    scores then. `exclude_ids` are the stored query pictures. `exclude_sha256s` are the hashes of
    all query pictures; the search leaves out pictures with these hashes. `copies_of` are the
    hashes of positive query pictures, whose exact copies are listed separately. `judgement` is the
    meaning of the scores. `fold`: near-duplicates are grouped behind the best of them.
    `unreadable`: the model cannot read a text of the query (gallery.search.relevance.readable).
    """

    narrowed: Narrowed
    space: EmbeddingSpace
    query: Query = field(default_factory=Query)
    vector: Vectors | None = None
    kind: Kind = "text"
    exclude_ids: Sequence[UUID] = ()
    exclude_sha256s: Sequence[str] = ()
    copies_of: Sequence[str] = ()
    judgement: Judgement = field(default_factory=Judgement)
    notes: Sequence[Note] = ()
    fold: bool = False
    unreadable: bool = False

    def toward(self, terms: Combined) -> Plan:
        """Return this plan with the query vector of `terms`."""
        return replace(
            self,
            vector=terms.vector,
            kind=terms.kind,
            exclude_ids=terms.exclude_ids,
            exclude_sha256s=terms.exclude_sha256s,
            copies_of=terms.copies_of,
            judgement=relevance.judge(self.space, terms.vector, terms.kind, terms.parts),
        )

    @property
    def viewer(self) -> Viewer:
        return self.narrowed.viewer

    @property
    def is_whole(self) -> bool:
        """Whether the scope is all that the viewer may see."""
        return not self.narrowed.filters and not self.exclude_sha256s

    @cached_property
    def scope(self) -> ImageQuerySet:
        """The pictures to search. Raises Refusal if the filters are invalid and not checked yet."""
        images = self.narrowed.images
        if not self.exclude_sha256s:
            return images
        return images.exclude(sha256__in=self.exclude_sha256s)

    def as_plain(self) -> dict[str, Any]:
        """Return the cached form of the plan."""
        notes = [[note.code, str(note.message), note.as_typed] for note in self.notes]
        judgement = astuple(self.judgement)[:-1]
        return {
            # As text: a query may have any number and any character of JSON.
            "asked": json.dumps([self.query.as_json(), dict(self.narrowed.filters), notes]),
            "vector": None if self.vector is None else checked_cache.pack_vectors(self.vector),
            "kind": self.kind,
            "exclude_ids": packing.packed_ids(self.exclude_ids),
            "exclude_sha256s": list(self.exclude_sha256s),
            "copies_of": list(self.copies_of),
            "judgement": [packing.plain(number) for number in judgement],
            "sure": packing.packed_ids(self.judgement.sure),
            "fold": self.fold,
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_plain(cls, kept: dict[str, Any], viewer: Viewer, space: EmbeddingSpace) -> Plan:
        """Restore a plan. Raises TypeError, ValueError or LookupError if `kept` is malformed."""
        asked, filters, notes = json.loads(kept["asked"])
        if kept["kind"] not in get_args(Kind):
            raise ValueError("no such kind")
        return cls(
            narrowed=Narrowed(viewer, dict(filters)),
            space=space,
            query=_query(asked),
            vector=_vector(kept["vector"]),
            kind=kept["kind"],
            exclude_ids=packing.unpacked_ids(kept["exclude_ids"]),
            exclude_sha256s=[str(sha256) for sha256 in kept["exclude_sha256s"]],
            copies_of=[str(sha256) for sha256 in kept["copies_of"]],
            judgement=_judgement(kept["judgement"], kept["sure"]),
            notes=[Note(*map(str, note)) for note in notes],
            fold=bool(kept["fold"]),
            unreadable=bool(kept["unreadable"]),
        )


def _query(asked: Any) -> Query:
    try:
        return Query.from_json(asked)
    except Refusal as refusal:
        raise ValueError("no query") from refusal


def _vector(kept: Any) -> Vectors | None:
    return None if kept is None else checked_cache.unpack_unit_vectors(kept, None, count=1)[0]


def _judgement(numbers: Any, sure: bytes) -> Judgement:
    line, slope, at_line, presence, least, spread, pictures = numbers
    return Judgement(
        None if line is None else float(line),
        float(slope),
        float(at_line),
        float(presence),
        float(least),
        float(spread),
        int(pictures),
        tuple(packing.unpacked_ids(sure)),
    )
