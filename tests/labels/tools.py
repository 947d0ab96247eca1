"""Label sets in a made-up space of eight dimensions: each word has a direction of its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from gallery.encoders import client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing import concepts, encoding
from gallery.labels import applying, defaults, fitting, sets
from gallery.labels.definition import CategoryForm, checked
from gallery.labels.fitting import Weights
from gallery.labels.learning.temperature import Default
from gallery.models import (
    ConceptVectors,
    EmbeddingSpace,
    Image,
    Label,
    LabelFit,
    LabelJob,
    LabelSet,
    User,
)
from gallery.work import ledger
from tests.factories import make_space, set_state

DIMENSIONS = 8
SCALE = 20.0
WORDS = ("red", "green", "blue", "dog", "cat", "bird", "other", "more")


def vector_of_text(text: str, seed: int = 0) -> Vectors:
    """(8,) The direction of the first word that occurs, or else a random one; in a space with
    another `seed` all directions are others."""
    base = np.zeros(DIMENSIONS, dtype=np.float32)
    known = [number for number, word in enumerate(WORDS) if word in text]
    if known:
        base[(known[0] + seed) % DIMENSIONS] = 1.0
        return base
    chance = np.random.default_rng(abs(hash_of(text)) + seed)
    return l2_normalise(chance.normal(size=(1, DIMENSIONS)))[0]


def hash_of(text: str) -> int:
    return int.from_bytes(text.encode()[-6:], "big")


def fake_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    def encode(space: Any, texts: Sequence[str], **_options: Any) -> Vectors:
        seed = 0 if space.checksum == "words" else 3
        return np.stack([vector_of_text(text, seed) for text in texts])

    monkeypatch.setattr(client, "encode_texts", encode)
    # The model is right as it is: no temperature, no intercept.
    monkeypatch.setattr(defaults, "of", lambda space, **_options: Default())


def word_space(state: str = "active", checksum: str = "words", **facts: Any) -> EmbeddingSpace:
    generation = 1 if state == "active" else 0
    facts = {"generation": generation, "logit_scale": SCALE, **facts}
    space = make_space(state, DIMENSIONS, f"model-{checksum}", checksum=checksum, **facts)
    know_concepts(space)
    return space


def know_concepts(space: EmbeddingSpace) -> None:
    """Concepts in random directions, among them the one of “bird”."""
    count = len(concepts.concepts())
    words = l2_normalise(np.random.default_rng(5).normal(size=(count, DIMENSIONS)))
    words[0] = vector_of_text("bird", 0 if space.checksum == "words" else 3)
    packed = np.concatenate([words, words]).astype("<f2").tobytes()
    ConceptVectors.objects.create(
        space=space, checksum=space.checksum, digest=concepts.digest(), vectors=packed
    )


def picture(owner: User, space: EmbeddingSpace | None = None, **shares: float) -> Image:
    """A picture without a file, whose vector has these shares of the words."""
    image = Image.objects.create(
        owner=owner,
        file="none",
        sha256=uuid.uuid4().hex * 2,
        byte_size=1,
        content_type="image/jpeg",
        width=64,
        height=48,
    )
    if space is not None:
        encode(image, space, **shares)
    return image


def encode(image: Image, space: EmbeddingSpace, **shares: float) -> None:
    """Give a picture its vector as a worker does, and queue what follows."""
    vector = np.full(DIMENSIONS, 0.01, dtype=np.float32)
    for word, share in shares.items():
        vector[WORDS.index(word)] += share
    encoding.keep_vectors(space, [image.pk], l2_normalise(vector[None]))
    set_state(image, encoding.name_of(space), "done")
    from gallery.labels import labelling

    ledger.requeue([image.pk], labelling.analysers())


def make_set(
    user: User,
    *names: str | CategoryForm,
    name: str = "Things",
    site: bool = False,
    **definition: Any,
) -> LabelSet:
    forms = [form if isinstance(form, CategoryForm) else CategoryForm(form) for form in names]
    definition.setdefault("none_of_these", False)
    return sets.create(user, name, checked(categories=forms, **definition), site=site)


def fit_of(label_set: LabelSet, space: EmbeddingSpace) -> LabelFit:
    return fitting.require(LabelSet.objects.get(pk=label_set.pk), space)


def apply(label_set: LabelSet, user: User | None, space: EmbeddingSpace) -> LabelJob:
    """Apply a set at once, as a worker does."""
    job, _change = applying.request(label_set, user, fit_of(label_set, space))
    applying.run_waiting()
    job.refresh_from_db()
    return job


def labels(label_set: LabelSet) -> dict[Any, set[str]]:
    """The names of the machine labels of each picture, as stored."""
    rows = Label.objects.filter(category__label_set=label_set, removed_by=None)
    found: dict[Any, set[str]] = {}
    for image, name in rows.values_list("image_id", "category__name"):
        found.setdefault(image, set()).add(name)
    return found


def logits_of(weights: Weights, vectors: Vectors) -> np.ndarray:
    """(n, all) from the weights and unit vectors (n, d), in NumPy."""
    return vectors @ weights.vectors.T + np.array(weights.biases)
