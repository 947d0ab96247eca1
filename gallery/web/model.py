from __future__ import annotations

from gallery.models import EmbeddingSpace


def is_starter(space: EmbeddingSpace | None) -> bool:
    """Whether this is the small model that comes with Clipsite. Pages then name its
    weaknesses."""
    return space is not None and space.architecture == "starter"
