from __future__ import annotations

from gallery.models import EmbeddingSpace


def is_starter(space: EmbeddingSpace | None) -> bool:
    """Whether it is the small model that comes with Clipsite: pages then say what
    it is weak at."""
    return space is not None and space.architecture == "starter"
