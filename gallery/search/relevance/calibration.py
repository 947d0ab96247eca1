"""What a worker measures once for each space: the languages that its model knows, and the vectors
of everyday concepts."""

from __future__ import annotations

import logging
import threading

from gallery.encoders.base import Encoder, ModelUnavailable
from gallery.encoders.registry import get_verified_encoder
from gallery.indexing.encoding import target_spaces
from gallery.models import EmbeddingSpace
from gallery.search.relevance import concepts, languages

logger = logging.getLogger(__name__)

# The sweep dispatches again while a thread still measures.
_measuring = threading.Lock()


def is_due() -> bool:
    """Whether a space is not measured yet."""
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
    return not space.languages or not concepts.are_made(space)


def _measure(space: EmbeddingSpace, encoder: Encoder) -> None:
    if not concepts.are_made(space):
        concepts.make(space, encoder)
    if not space.languages:
        unchanged = EmbeddingSpace.objects.filter(pk=space.pk, checksum=space.checksum)
        unchanged.update(languages=languages.measured(encoder))
