"""Everyday concepts that serve as names of map regions, and their vectors.

concepts.tsv has one concept on each line, in English and in Chinese. The vectors are made from
English, which all models know; users see the names in their own language.
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
# The concepts are plurals, so the template has no "a"; the bare word is used as well.
TEMPLATES = ["a photo of {}", "{}"]
# Concepts in one request to the encoder: each request is answered and cached well within the
# time limit of a query.
AT_ONCE = 32
CACHE_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Concept:
    english: str
    chinese: str

    @property
    def name(self) -> str:
        """The name in the current language."""
        if (get_language() or "").startswith("zh"):
            return self.chinese
        return self.english[0].upper() + self.english[1:]


@remember
def concepts() -> tuple[Concept, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(Concept(*line.split("\t")) for line in lines)


def vectors(space: EmbeddingSpace) -> Vectors:
    """The (n, d) unit vectors of `concepts()` in `space`, cached.

    Raises Unavailable while the encoder is down; answers up to then stay cached.
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
    """A digest of the list and the templates, on which the vectors depend."""
    return hashlib.sha256(FILE.read_bytes() + "".join(TEMPLATES).encode()).hexdigest()[:16]
