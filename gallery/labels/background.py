"""The words from which “none of these” is made: everyday concepts, of which each set takes those
far from its categories (gallery.labels.learning.background)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from gallery.encoders.base import Vectors
from gallery.errors import Unavailable
from gallery.indexing import concepts
from gallery.labels.learning.background import choose_background
from gallery.models import EmbeddingSpace

COUNT = 32


def vectors(space: EmbeddingSpace, categories: Vectors) -> Vectors:
    """Return (COUNT, d) unit vectors of words far from all `categories` (k, d). Raises
    Unavailable until a worker has encoded the concepts."""
    words = concepts.vectors(space)
    if words is None:
        raise Unavailable(
            "not_measured_yet", _("The model is still being measured. Try again in a moment."), 5
        )
    return words[choose_background(words, categories, COUNT)]
