"""A library sorted into categories at once, without keeping anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gallery import rate_limits
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.labels import defaults, fitting, scoring
from gallery.labels.definition import Definition, Mode
from gallery.models import EmbeddingSpace

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

SHOWN, MOST_SHOWN = 12, 200


@dataclass(frozen=True)
class Heap:
    """The pictures of one category: how many, and some of them, the surest first."""

    name: str
    count: int
    images: list[UUID]


@dataclass(frozen=True)
class Sorted:
    """`pictures` were compared, and `without` of them got no category, `rest` are some of these;
    None and empty if categories do not exclude each other."""

    pictures: int
    without: int | None
    heaps: list[Heap]
    rest: list[UUID] = field(default_factory=list)


def sort(
    definition: Definition, space: EmbeddingSpace, images: ImageQuerySet, shown: int = SHOWN
) -> Sorted:
    """Sort `images` by the texts of a definition alone. Raises TooMany, Unavailable."""
    usual = defaults.of(space, judged=definition.mode == Mode.ANY)
    weights, _texts = fitting.zero_shot(space, definition, _encode, usual)
    scope = scoring.pictures(images)
    total, counts = scoring.counts(weights, space, scope)
    found = scoring.decisions(weights, space, scope, keep_none=True)
    rows = scoring.Statement(
        "SELECT category, array_agg(image_id ORDER BY place) FROM ("  # noqa: S608 - our own words
        " SELECT category, image_id, row_number() OVER"
        "  (PARTITION BY category ORDER BY probability DESC, image_id) AS place"
        f" FROM ({found.sql}) AS found"
        ") AS ranked WHERE place <= %s GROUP BY category",
        (*found.params, shown),
    ).rows()
    surest = dict(rows)
    heaps = [
        Heap(form.name, counts[number], surest.get(number + 1, []))
        for number, form in enumerate(definition.categories)
    ]
    # Of categories that exclude each other, a picture has one at most.
    without = total - sum(counts) if definition.mode == Mode.ONE else None
    return Sorted(total, without, heaps, surest.get(None, []))


def _encode(space: Any, texts: list[str]) -> Vectors:
    return client.encode_texts(space, texts, charge=rate_limits.charge_classification)
