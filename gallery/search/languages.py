"""Does the active model know the language of a query?"""

from __future__ import annotations

from gallery.errors import Sentence
from gallery.models import EmbeddingSpace


def warning(space: EmbeddingSpace, texts: list[str]) -> Sentence | None:
    """A sentence for whoever asks in a language that `space` does not know."""
    return None
