"""The analyser that gives pictures their vectors: one for each space that is in use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext_noop
from pgvector import HalfVector
from PIL.Image import Image as Pixels

from gallery.encoders.base import Encoder, ModelUnavailable
from gallery.encoders.registry import get_encoder
from gallery.errors import Refusal
from gallery.models import EmbeddingSpace
from gallery.niceness import lower
from gallery.pixels import isolation, jobs, places
from gallery.pixels.recipe import read as read_recipe
from gallery.work import originals
from gallery.work.analyser import Analyser, Entry, Resource
from gallery.work.failures import Away, Fault, NotNow

DAMAGED = gettext_noop("The picture cannot be decoded.")

# The thread in which the model runs for batches. Celery's own threads run the model for
# queries, which must not wait for batches.
_model = ThreadPoolExecutor(1, thread_name_prefix="batch", initializer=lower)


def target_spaces() -> QuerySet[EmbeddingSpace]:
    """The spaces in which every picture should have a vector, the active one first."""
    return EmbeddingSpace.objects.filter(
        state__in=[EmbeddingSpace.State.ACTIVE, EmbeddingSpace.State.BUILDING]
    ).order_by("state", "id")  # "active" sorts before "building"


def name_of(space: EmbeddingSpace) -> str:
    """The name of the space's analyser."""
    return f"encoding-{space.pk}"


def model_of(space: EmbeddingSpace) -> str:
    """The name of the space's model as a thing that may be away (gallery.work.breakers)."""
    return f"model-{space.pk}"


class Encoding(Analyser):
    resource = Resource.MODEL

    def __init__(self, space: EmbeddingSpace) -> None:
        self.space = space
        self.name = name_of(space)
        self.things = (originals.STORAGE, model_of(space))

    def open(self) -> bool:
        """Load the model. Return False while the space is not prepared. Raises Away."""
        if not self.space.is_loaded:
            return False
        self.encoder: Encoder = loaded(self.space)
        self.batch_size = self.encoder.batch_size
        return True

    def prepare(self, entry: Entry) -> Pixels:
        original = originals.read(entry.file_name)
        try:
            return jobs.pixels_for_encoder(
                original, jobs.header_of(original), read_recipe(entry.recipe)
            )
        except places.Busy as error:
            raise NotNow from error
        except (isolation.Undecodable, Refusal) as error:
            raise Fault("damaged", DAMAGED, repr(error)) from error

    def run(self, prepared: Sequence[Pixels]) -> Sequence[Any]:
        return list(_model.submit(self.encoder.encode_images, list(prepared)).result())

    def hold(self) -> bool:
        """Lock the space, so that this and a switch of spaces wait for each other: a switch
        treats these vectors like all others of the space. Return False if the space is no
        longer used or has other weights."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM gallery_embeddingspace WHERE id = %s AND checksum = %s"
                " AND state IN ('active', 'building') FOR SHARE",
                [self.space.pk, self.encoder.checksum],
            )
            return cursor.fetchone() is not None

    def store(self, entries: Sequence[Entry], results: Sequence[Any]) -> None:
        keep_vectors(self.space, [entry.image_id for entry in entries], np.stack(list(results)))


def keep_vectors(space: EmbeddingSpace, image_ids: Sequence[Any], vectors: Any) -> None:
    """Write or replace the vectors (n, d) of still pictures, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gallery_embedding (image_id, space_id, part, vector, encoded_at)"
            " SELECT image_id, %s, 0, vector, now()"
            " FROM unnest(%s::uuid[], %s::halfvec[]) AS fresh (image_id, vector)"
            " ON CONFLICT (image_id, space_id, part)"
            " DO UPDATE SET vector = excluded.vector, encoded_at = excluded.encoded_at",
            [
                space.pk,
                list(image_ids),
                [HalfVector(vector).to_text() for vector in vectors],
            ],
        )


def loaded(space: EmbeddingSpace) -> Encoder:
    """Return the encoder of `space` with the weights that made its vectors. Raises Away."""
    try:
        encoder = get_encoder(space.architecture, space.pretrained)
    except ModelUnavailable as error:
        raise Away(model_of(space), str(error)) from error
    if encoder.checksum != space.checksum:
        raise Away(model_of(space), f"The weights of {space} have changed.")
    return encoder


def analysers() -> Iterable[Encoding]:
    return map(Encoding, target_spaces())
