"""Reading many vectors of a space, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, F, Func, QuerySet

from gallery.encoders.base import Vectors
from gallery.models import Embedding, EmbeddingSpace

Block = tuple[list[UUID], Vectors]

# Before the halves come their number and an unused field of two bytes each (pgvector,
# halfvec_send); all in network order.
_HEADER = 4


def encoded(space: EmbeddingSpace) -> QuerySet[Embedding]:
    """What has a vector in `space`, without the trash."""
    return Embedding.objects.filter(space=space, image__deleted_at=None).order_by()


def blocks(entries: QuerySet[Embedding], size: int) -> Iterator[Block]:
    """(ids, (n, d) float32) of the pictures of `entries`, by falling chance: ids are
    random, so that any first part of them is a fair sample. Memory holds one block.
    """
    raw = Func(F("vector"), function="halfvec_send", output_field=BinaryField())
    rows = entries.order_by("image_id").values_list("image_id", raw).iterator(chunk_size=size)
    ids: list[UUID] = []
    vectors: list[Vectors] = []
    for image_id, data in rows:
        ids.append(image_id)
        vectors.append(unpacked(data))
        if len(ids) == size:
            yield ids, np.stack(vectors)
            ids, vectors = [], []
    if ids:
        yield ids, np.stack(vectors)


def unpacked(data: bytes) -> Vectors:
    """(d,) float32 from what `halfvec_send` gives."""
    return np.frombuffer(data, ">f2", offset=_HEADER).astype(np.float32)
