"""The languages that a model knows. A worker measures them once for each space."""

from __future__ import annotations

import logging
import threading

from gallery.encoders.base import ModelUnavailable
from gallery.encoders.registry import get_verified_encoder
from gallery.indexing.encoding import target_spaces
from gallery.models import EmbeddingSpace
from gallery.search.relevance import languages

logger = logging.getLogger(__name__)

# The sweep dispatches again while a thread still measures.
_measuring = threading.Lock()


def is_due() -> bool:
    """Whether a space is not measured yet."""
    return bool(_due_spaces())


def measure() -> None:
    """Measure each space that is due. A space whose model cannot be loaded is skipped until the
    next sweep. Does nothing if another thread is measuring."""
    if not _measuring.acquire(blocking=False):
        return
    try:
        for space in _due_spaces():
            try:
                encoder = get_verified_encoder(space.architecture, space.pretrained, space.checksum)
            except ModelUnavailable as error:
                logger.warning("%s cannot be measured: %s", space, error)
            else:
                unchanged = EmbeddingSpace.objects.filter(pk=space.pk, checksum=space.checksum)
                unchanged.update(languages=languages.measured(encoder))
    finally:
        _measuring.release()


def _due_spaces() -> list[EmbeddingSpace]:
    loaded = target_spaces().filter(dimensions__isnull=False, error="")
    return [space for space in loaded if not space.languages]
