"""The calibration of a space by a worker: the scores of unrelated texts, and the languages that
the model knows.

The results are in `EmbeddingSpace.calibration` and `.languages`. The languages depend only on the
model. The scores need pictures and are measured again when the library has doubled.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from gallery.encoders.base import Encoder, ModelUnavailable, Vectors
from gallery.encoders.registry import get_verified_encoder
from gallery.indexing.encoding import target_spaces
from gallery.models import EmbeddingSpace
from gallery.search.nearest import sample
from gallery.search.nearest.sample import Sample
from gallery.search.nearest.scans import Kind
from gallery.search.relevance import languages
from gallery.search.relevance.language_probes import CAPTIONS, ENGLISH

logger = logging.getLogger(__name__)


# The number of sampled pictures that serve as queries on the others.
_QUERY_PICTURES = 64

# The sweep dispatches again while a thread still measures.
_measuring = threading.Lock()


@dataclass(frozen=True)
class Chance:
    """Statistics of the cosines between unrelated queries and pictures.

    `centre` is the mean of the queries' medians, `scatter` their standard deviation;
    `spread` is the standard deviation of one query's scores.
    """

    centre: float
    scatter: float
    spread: float


def chance_of(space: EmbeddingSpace, kind: Kind, drawn: Sample) -> Chance | None:
    """Return the usual scores of single queries of this kind. The scores of texts come from the
    calibration, None before it; the scores of pictures come from the sample itself."""
    if kind == "image":
        return _of_pictures(drawn)
    kept = space.calibration.get("text")
    fits = space.calibration.get("checksum") == space.checksum
    return Chance(kept["centre"], kept["scatter"], kept["spread"]) if kept and fits else None


def measured(queries: Vectors, pictures: Vectors) -> Chance:
    """Summarise the scores of queries (m, d) on pictures (n, d), all unit vectors. Few pictures
    match each query."""
    return _summary(list(queries @ pictures.T))


def _summary(scores: list[Vectors]) -> Chance:
    """Summarise the scores (n,) of several queries."""
    medians = [float(np.median(row)) for row in scores]
    return Chance(
        centre=float(np.mean(medians)),
        # In a small library this includes the sampling error of its few pictures. If the error
        # were subtracted, meaningless queries would find something there.
        scatter=float(np.std(medians)),
        spread=float(np.mean([row.std() for row in scores])),
    )


@lru_cache(maxsize=2)
def _of_pictures(drawn: Sample) -> Chance:
    """Summarise the scores of sampled pictures as queries on the other pictures of the sample."""
    queries = drawn.vectors[:_QUERY_PICTURES]
    return _summary([np.delete(drawn.vectors @ query, i) for i, query in enumerate(queries)])


# --- In the encoder worker --------------------------------------------------------


def is_due() -> bool:
    """Whether a space is not measured yet or has doubled since."""
    return any(_due(space) for space in _loaded_spaces())


def measure() -> None:
    """Measure each space that is due. A space whose model cannot be loaded is skipped until the
    next sweep. Does nothing if another thread is measuring."""
    if not _measuring.acquire(blocking=False):
        return
    try:
        for space in filter(_due, _loaded_spaces()):
            try:
                encoder = get_verified_encoder(space.architecture, space.pretrained, space.checksum)
            except ModelUnavailable as error:
                logger.warning("%s cannot be measured: %s", space, error)
            else:
                _measure(space, encoder)
    finally:
        _measuring.release()


def _loaded_spaces() -> list[EmbeddingSpace]:
    return list(target_spaces().filter(dimensions__isnull=False, error=""))


def _due(space: EmbeddingSpace) -> bool:
    kept = space.calibration
    if not space.languages or kept.get("checksum") != space.checksum:
        return True
    return _size(space) >= max(sample.MINIMUM, 2 * kept.get("size", 0))


def _measure(space: EmbeddingSpace, encoder: Encoder) -> None:
    shares = space.languages
    if not shares or space.calibration.get("checksum") != space.checksum:
        shares = languages.measured(encoder)
    kept: dict[str, Any] = {"checksum": space.checksum, "size": _size(space)}
    drawn = sample.take(space)
    if drawn is not None:
        texts = encoder.encode_texts([*ENGLISH, *CAPTIONS["en"]])
        kept["text"] = asdict(measured(texts, drawn.vectors))
    EmbeddingSpace.objects.filter(pk=space.pk, checksum=space.checksum).update(
        languages=shares, calibration=kept
    )


def _size(space: EmbeddingSpace) -> int:
    first, last = sample.span(space)
    return last - first + 1
