"""Searches to begin with: everyday words that fit pictures which the viewer sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from gallery import checked_cache
from gallery.indexing import concepts
from gallery.indexing.spaces import active_space
from gallery.models import Embedding, EmbeddingSpace, Image, Viewer
from gallery.search.nearest.sample import SENT, decoded
from gallery.search.relevance import relevance

COUNT = 4
# The newest pictures that examples are chosen for.
_NEWEST = 200
_SECONDS = 600


def examples(viewer: Viewer) -> list[str]:
    """Return searches that find something among the newest pictures of the viewer. The last one is
    in another language, to show that this works. Without enough of them they are general ones."""
    space = active_space()
    rows = _rows(space, viewer) if space is not None else []
    if len(rows) < COUNT:
        return [_("a cup of coffee"), _("a cat"), _("flowers"), "猫"]
    known = concepts.concepts()
    is_chinese = (get_language() or "").startswith("zh")
    words = [(known[row].english, known[row].chinese) for row in rows]
    return [chinese if is_chinese else english for english, chinese in words[:-1]] + [
        words[-1][0] if is_chinese else words[-1][1]
    ]


def _rows(space: EmbeddingSpace, viewer: Viewer) -> list[int]:
    """Return the rows of the concepts, kept for a while for each viewer."""
    key = f"examples:{space.pk}:{space.checksum[:16]}:{concepts.digest()}:{viewer.pk}"
    kept = checked_cache.get(key, _checked)
    if kept is None:
        kept = _fitting(space, viewer)
        cache.set(key, kept, _SECONDS)
    return kept


def _checked(plain: Any) -> list[int]:
    rows = [int(row) for row in plain]
    if not all(0 <= row < len(concepts.concepts()) for row in rows):
        raise ValueError("no such concept")
    return rows


def _fitting(space: EmbeddingSpace, viewer: Viewer) -> list[int]:
    """Return the concepts that fit best, each another picture."""
    english, chinese = concepts.vectors(space), concepts.vectors(space, "zh")
    newest = Image.objects.visible_to(viewer).order_by("-created_at").values("pk")[:_NEWEST]
    entries = Embedding.objects.filter(space=space, part=0, image_id__in=newest)
    pictures = decoded(entries.values_list(SENT, flat=True))
    if english is None or chinese is None or not len(pictures):
        return []
    both = relevance.probabilities(space, np.concatenate([english, chinese]), pictures)
    if both is None:
        return []
    # The word has to fit in both languages.
    fits = both.reshape(2, len(english), -1).min(axis=0)
    found: dict[int, int] = {}  # by picture
    for row in np.argsort(-fits.max(axis=1)):
        if fits[row].max() < relevance.GOOD or len(found) == COUNT:
            break
        found.setdefault(int(fits[row].argmax()), int(row))
    return list(found.values())
