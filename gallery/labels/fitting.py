"""Fits: what one version of a set needs to score pictures in one space.

The first fit knows the texts alone. Answers move it (`learn`), thresholds change it
(`renew_thresholds`): each time a new fit is written, and the newest one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import numpy as np
from django.db import transaction

from gallery import rate_limits
from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.indexing.encoding import target_spaces
from gallery.labels import background, defaults
from gallery.labels.definition import Definition, Mode, newest
from gallery.labels.learning.temperature import Default
from gallery.labels.prompts import Encode, class_weights
from gallery.models import (
    Category,
    CategoryVector,
    EmbeddingSpace,
    LabelFit,
    LabelSet,
    LabelSetVersion,
)

# The least probability of a label. One of these: the likeliest category, however likely.
USUAL_THRESHOLDS: dict[str, float] = {Mode.ONE: 0.0, Mode.ANY: 0.5}


@dataclass(frozen=True)
class Weights:
    """What scores pictures: the logits of a picture are `vectors` (n, d) times its unit vector
    plus `biases` (n,). The first k belong to the `categories` (k), the others to words of “none
    of these”. `thresholds` (k,) are the least probabilities of labels."""

    mode: str
    categories: list[UUID]
    vectors: Vectors
    biases: list[float]
    thresholds: list[float]

    @property
    def background(self) -> int:
        return len(self.vectors) - len(self.categories)


def weights_of(fit: LabelFit) -> Weights:
    """Read the weights of a fit."""
    rows = list(fit.vectors.order_by("position"))
    own = [(row.category_id, row.threshold) for row in rows if row.category_id is not None]
    return Weights(
        mode=fit.version.mode,
        categories=[category for category, _threshold in own],
        vectors=np.array([row.vector for row in rows], dtype=np.float32),
        biases=[row.bias for row in rows],
        thresholds=[threshold for _category, threshold in own],
    )


def held_out(fit: LabelFit, category: UUID) -> dict[UUID, float]:
    """Return the probabilities, by picture, that answered pictures would have if the category had
    not learned from their own answers."""
    shares = fit.quality.get("held_out", {}).get(str(category), {})
    return {UUID(image): share for image, share in shares.items()}


def zero_shot(
    space: EmbeddingSpace, definition: Definition, encode: Encode, usual: Default
) -> tuple[Weights, Vectors]:
    """Return the weights of a definition without answers, and the unit vectors (n, d) of its
    texts and background words. `usual` says how scores become probabilities. Raises
    Unavailable."""
    texts = class_weights(space, definition.texts(), encode)
    count = len(texts)
    if definition.mode == Mode.ONE and definition.none_of_these:
        texts = np.concatenate([texts, background.vectors(space, texts)])
    if definition.mode == Mode.ONE:
        vectors = texts * (float(space.logit_scale or 1.0) / usual.one)
        biases = [0.0] * len(texts)
    else:
        odds = defaults.odds(usual, space, texts)
        vectors, biases = texts * odds.slopes[:, np.newaxis], odds.constants.tolist()
    least = USUAL_THRESHOLDS[definition.mode]
    found = Weights(
        mode=definition.mode,
        categories=[form.id or UUID(int=n) for n, form in enumerate(definition.categories)],
        vectors=np.asarray(vectors, dtype=np.float32),
        biases=biases,
        thresholds=[least] * count,
    )
    return found, texts


def current(label_set: LabelSet, space: EmbeddingSpace) -> LabelFit | None:
    """Return the fit of the newest version in `space` that counts, or None."""
    found = LabelFit.objects.filter(
        version_id=label_set.version_id, space=space, checksum=space.checksum
    )
    return found.select_related("version").first()


def require(label_set: LabelSet, space: EmbeddingSpace) -> LabelFit:
    """Return the fit that counts, and make the first one where there is none. Raises TooMany,
    Unavailable."""
    found = current(label_set, space)
    if found is not None:
        return found

    def encode(wanted: Any, texts: list[str]) -> Vectors:
        return client.encode_texts(wanted, texts, charge=rate_limits.charge_classification)

    return make(newest(label_set), space, encode)


def make(version: LabelSetVersion, space: EmbeddingSpace, encode: Encode) -> LabelFit:
    """Make the first fit of a version in a space. Raises Unavailable."""
    is_one = version.mode == Mode.ONE
    usual = defaults.of(space, judged=not is_one)
    weights, texts = zero_shot(space, Definition.of(version), encode, usual)
    temperature = usual.one if is_one else 1.0
    return store(version, space, with_thresholds(weights), texts, temperature=temperature)


@transaction.atomic
def store(
    version: LabelSetVersion,
    space: EmbeddingSpace,
    weights: Weights,
    texts: Vectors,
    **facts: Any,
) -> LabelFit:
    """Write a new fit; `facts` are fields of LabelFit. `texts` (n, d) are the unit vectors of
    the texts of all rows."""
    fit = LabelFit.objects.create(version=version, space=space, checksum=space.checksum, **facts)
    padded: Sequence[UUID | None] = [*weights.categories, *[None] * weights.background]
    thresholds = [*weights.thresholds, *[0.0] * weights.background]
    CategoryVector.objects.bulk_create(
        CategoryVector(
            fit=fit,
            category_id=category,
            position=position,
            text=texts[position],
            vector=weights.vectors[position],
            bias=weights.biases[position],
            threshold=thresholds[position],
        )
        for position, category in enumerate(padded)
    )
    return fit


def renew_thresholds(label_set: LabelSet) -> None:
    """Write new fits with the thresholds of the categories as they are now. Spaces without a
    fit get theirs later."""
    for space in target_spaces():
        fit = current(label_set, space)
        if fit is not None:
            store_again(fit, space, with_thresholds(weights_of(fit)))


def store_again(fit: LabelFit, space: EmbeddingSpace, weights: Weights, **facts: Any) -> LabelFit:
    """Write a new fit that has other thresholds than `fit`."""
    return store(
        fit.version,
        space,
        weights,
        texts_of(fit),
        temperature=fit.temperature,
        answers=fit.answers,
        answers_until=fit.answers_until,
        quality=fit.quality,
        **facts,
    )


def texts_of(fit: LabelFit) -> Vectors:
    """Return the unit vectors (n, d) of the texts of all rows of a fit."""
    rows = fit.vectors.order_by("position").values_list("text", flat=True)
    return np.array(list(rows), dtype=np.float32)


def with_thresholds(weights: Weights) -> Weights:
    """Return the weights with the thresholds that people chose, or else the usual ones."""
    chosen = dict(Category.objects.filter(pk__in=weights.categories).values_list("pk", "threshold"))
    usual = USUAL_THRESHOLDS[weights.mode]
    least = [chosen.get(pk) for pk in weights.categories]
    return replace(weights, thresholds=[usual if one is None else one for one in least])
