"""Rows for tests that need no model: spaces with made-up vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image as PILImage

from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing import encoding, near_duplicates, states
from gallery.models import Analysis, EmbeddingSpace, Image
from gallery.work import drain, ledger
from gallery.work.analyser import Resource


class ColourEncoder:
    """A deterministic encoder. Its vector is the mean colour, in three dimensions. Texts that are
    no colour are grey."""

    dimensions = 3
    logit_scale = 100.0
    logit_bias: float | None = None
    checksum = "colour"
    batch_size = 4
    running: ClassVar[dict[str, Any]] = {"batch": 4, "precision": "float32", "device": "cpu"}

    def encode_images(self, images: Sequence[PILImage.Image]) -> Vectors:
        means = [np.asarray(image).reshape(-1, 3).mean(axis=0) + 1.0 for image in images]
        return l2_normalise(np.stack(means))

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        colours = {"red": (255, 1, 1), "green": (1, 128, 1), "blue": (1, 1, 255)}
        return l2_normalise(np.array([colours.get(text, (128, 128, 128)) for text in texts]))


def make_space(
    state: str = "active", dimensions: int = 3, architecture: str = "colour", **facts: object
) -> EmbeddingSpace:
    defaults = {"checksum": "colour", "logit_scale": 100.0}
    return EmbeddingSpace.objects.create(
        architecture=architecture, state=state, dimensions=dimensions, **{**defaults, **facts}
    )


def set_vector(image: Image, space: EmbeddingSpace, vector: Sequence[float]) -> None:
    """Give a picture a vector as if a worker had encoded it."""
    unit = l2_normalise(np.array([vector]))[0]
    encoding.keep_vectors(space, [image.pk], unit[None])
    set_state(image, encoding.name_of(space), "done")
    ledger.requeue([image.pk], near_duplicates.analysers())


def set_state(image: Image, analyser: str, state: str, **fields: Any) -> Analysis:
    """Set the state of an analysis as a worker does."""
    row, _created = Analysis.objects.update_or_create(
        image=image, analyser=analyser, defaults={"state": state, **fields}
    )
    return row


def analyse(resource: Resource = Resource.PROCESSOR) -> int:
    """Do the waiting work of these workers in this process. Return the number of results."""
    return drain.work_off(resource)


def state_of(image: Image) -> str:
    return states.with_state(Image.objects.filter(pk=image.pk)).get().index_state
