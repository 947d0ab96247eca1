"""The vectors of stored pictures."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext as _

from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.models import Embedding, EmbeddingSpace, Image


def stored_vector(image: Image, space: EmbeddingSpace, field: str | None = None) -> Vectors:
    """(d,) float32 of a stored picture in `space`. Raises Refusal, naming `field`, if
    there is none yet."""
    entry = Embedding.objects.filter(image=image, space=space, part=0).first()
    if entry is None:
        raise Refusal(
            "not_encoded_yet",
            _("This picture is still being prepared. Try again in a moment."),
            field,
        )
    return np.asarray(entry.vector, dtype=np.float32)
