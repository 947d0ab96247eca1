"""Everyday concepts and their vectors in a space.

concepts.tsv has one concept on each line, in English and in Chinese. A worker makes the vectors
once for each space. Those of the English words, which all models know, name regions of the map.
Some of them make “none of these” (gallery.labels.background). The scores of all on a sample of
pictures tell what the score of a text means (gallery.indexing.text_fit).
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass
from functools import cache as remember
from pathlib import Path

import numpy as np
from django.db.models import QuerySet
from django.utils.translation import get_language

from gallery.encoders.base import Encoder, Vectors, l2_normalise
from gallery.models import ConceptVectors, EmbeddingSpace

FILE = Path(__file__).with_name("concepts.tsv")
# The concepts are plurals, so the template has no "a"; the bare word is used as well.
TEMPLATES = {"en": ("a photo of {}", "{}"), "zh": ("一张{}的照片", "{}")}
# How long a process uses the vectors of a space, or their absence, before it asks again.
_SECONDS, _SECONDS_WHILE_MISSING = 600.0, 5.0


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


@dataclass(frozen=True)
class _Kept:
    vectors: dict[str, Vectors] | None
    until: float


_lock = threading.Lock()
_kept: dict[tuple[int, str], _Kept] = {}


@remember
def concepts() -> tuple[Concept, ...]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return tuple(Concept(*line.split("\t")) for line in lines)


@remember
def digest() -> str:
    """A digest of the list and the templates, on which the vectors depend."""
    return hashlib.sha256(FILE.read_bytes() + repr(TEMPLATES).encode()).hexdigest()[:16]


def vectors(space: EmbeddingSpace, language: str = "en") -> Vectors | None:
    """Return the unit vectors (n, d) of `concepts()` in `space`, of the words in English ("en") or
    Chinese ("zh"); None until a worker has made them."""
    key = (space.pk, space.checksum)
    kept = _kept.get(key)
    if kept is None or time.monotonic() >= kept.until:
        with _lock:
            found = _read(space)
            seconds = _SECONDS if found is not None else _SECONDS_WHILE_MISSING
            kept = _kept[key] = _Kept(found, time.monotonic() + seconds)
    return None if kept.vectors is None else kept.vectors[language]


def forget() -> None:
    """Discard what this process has read. The next use reads anew."""
    _kept.clear()


def are_made(space: EmbeddingSpace) -> bool:
    return _rows(space).exists()


def make(space: EmbeddingSpace, encoder: Encoder) -> None:
    """Make the vectors of `space` and keep them."""
    ConceptVectors.objects.update_or_create(
        space=space,
        defaults={
            "checksum": space.checksum,
            "digest": digest(),
            "vectors": np.stack([encoded(encoder, each) for each in TEMPLATES])
            .astype("<f2")
            .tobytes(),
        },
    )


def encoded(encoder: Encoder, language: str = "en") -> Vectors:
    """Encode the concepts (n, d): each is the normalised mean of the vectors of its sentences."""
    words = [each.english if language == "en" else each.chinese for each in concepts()]
    templates = TEMPLATES[language]
    texts = [template.format(word) for word in words for template in templates]
    sentences = encoder.encode_texts(texts).reshape(len(words), len(templates), -1)
    return l2_normalise(sentences.mean(axis=1))


def _rows(space: EmbeddingSpace) -> QuerySet[ConceptVectors]:
    return ConceptVectors.objects.filter(space=space, checksum=space.checksum, digest=digest())


def _read(space: EmbeddingSpace) -> dict[str, Vectors] | None:
    packed = _rows(space).values_list("vectors", flat=True).first()
    if packed is None:
        return None
    halves = np.frombuffer(packed, dtype="<f2").reshape(len(TEMPLATES), len(concepts()), -1)
    return dict(zip(TEMPLATES, halves.astype(np.float32), strict=True))
