"""Reads many vectors of a space, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import numpy as np
from django.db.models import BinaryField, F, Func, QuerySet

from gallery.encoders.base import Vectors
from gallery.models import Embedding, EmbeddingSpace

Block = tuple[list[UUID], Vectors]

# halfvec_send of pgvector puts the number of halves and an unused field, of two bytes each,
# before the halves; all in network order.
_HEADER = 4


def encoded(space: EmbeddingSpace) -> QuerySet[Embedding]:
    """The vectors of `space`, without the trash."""
    return Embedding.objects.filter(space=space, image__deleted_at=None).order_by()


def blocks(entries: QuerySet[Embedding], size: int) -> Iterator[Block]:
    """Yield (ids, (n, d) float32) of the pictures of `entries`, in the order of their ids. Ids
    are random, so that any first part is a fair sample. Memory holds one block.
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
    """(d,) float32 from the output of `halfvec_send`."""
    return np.frombuffer(data, ">f2", offset=_HEADER).astype(np.float32)
