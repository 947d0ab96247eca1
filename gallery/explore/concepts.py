"""Everyday concepts that regions of the map can be called by, and their vectors.

concepts.tsv holds one on each line, in English and in Chinese. Models are asked in
English, which all of them know; people read it in their own language.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path

import numpy as np
from django.core.cache import cache
from django.utils.translation import get_language

from gallery import checked_cache
from gallery.classification.service import class_weights
from gallery.classification.templates import fill
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.models import EmbeddingSpace

FILE = Path(__file__).with_name("concepts.tsv")
# In the plural, so without the "a" of the usual template; alone as well.
TEMPLATES = ["a photo of {}", "{}"]
# Concepts in one question to the encoder: each is answered, and kept, well within
# the time that a query may take.
AT_ONCE = 32
CACHE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Concept:
    english: str
    chinese: str

    @property
    def name(self) -> str:
        """In the language of the page."""
        if (get_language() or "").startswith("zh"):
            return self.chinese
        return self.english[0].upper() + self.english[1:]


@remember
def concepts() -> tuple[Concept, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(Concept(*line.split("\t")) for line in lines)


def vectors(space: EmbeddingSpace) -> Vectors:
    """(n, d) unit vectors of `concepts()` in `space`, kept in the cache.

    Raises Unavailable while the encoder is down; what it has answered stays known.
    """
    known = concepts()
    key = f"concepts:{space.pk}:{space.checksum[:16]}:{digest()}"
    kept = checked_cache.get(
        key, lambda data: checked_cache.unpack_unit_vectors(data, space.dimensions, len(known))
    )
    if kept is not None:
        return kept
    texts = [[fill(template, concept.english) for template in TEMPLATES] for concept in known]
    parts = [
        class_weights(space, texts[start : start + AT_ONCE], client.encode_own_texts)
        for start in range(0, len(texts), AT_ONCE)
    ]
    joined = np.concatenate(parts)
    cache.set(key, checked_cache.pack_vectors(joined), CACHE_SECONDS)
    return joined


@remember
def digest() -> str:
    """Another list, or other sentences, have other vectors."""
    return hashlib.sha256(FILE.read_bytes() + "".join(TEMPLATES).encode()).hexdigest()[:16]
