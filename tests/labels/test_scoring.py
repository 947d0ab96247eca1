"""Scores of the database against NumPy."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing import encoding
from gallery.labels import fitting, scoring, sets
from gallery.labels.definition import newest
from gallery.labels.fitting import Weights
from gallery.models import EmbeddingSpace, Image, User
from tests.labels.tools import DIMENSIONS, logits_of, make_set, picture, word_space

PICTURES = 60


@pytest.fixture
def library(alice: User) -> tuple[EmbeddingSpace, list[Image], Vectors]:
    """Pictures with their vectors (n, 8) as stored, in half precision."""
    space = word_space()
    images = [picture(alice) for _ in range(PICTURES)]
    chance = np.random.default_rng(1)
    vectors = l2_normalise(chance.normal(size=(PICTURES, DIMENSIONS)))
    encoding.keep_vectors(space, [image.pk for image in images], vectors)
    return space, images, vectors.astype(np.float16).astype(np.float32)


def drawn(mode: str, categories: int, background: int, thresholds: list[float]) -> Weights:
    chance = np.random.default_rng(2)
    vectors = l2_normalise(chance.normal(size=(categories + background, DIMENSIONS))) * 30
    biases = chance.normal(size=len(vectors)).tolist()
    return Weights(mode, [uuid4() for _ in range(categories)], vectors, biases, thresholds)


def everything() -> scoring.Statement:
    return scoring.pictures(Image.objects.all())


def expected(weights: Weights, vectors: Vectors) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities (n, k) of the categories, and that of none (n,)."""
    logits = logits_of(weights, vectors)
    count = len(weights.categories)
    if weights.mode == "any":
        return 1 / (1 + np.exp(-logits)), np.zeros(len(logits))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares[:, :count], shares[:, count:].sum(axis=1)


@pytest.mark.parametrize("background", [0, 5])
@pytest.mark.parametrize("least", [0.0, 0.6])
def test_one_of_these_is_the_softmax(library, background: int, least: float) -> None:
    space, images, vectors = library
    weights = drawn("one", 4, background, [least] * 4)
    shares, none = expected(weights, vectors)
    best = shares.argmax(axis=1)
    top = shares.max(axis=1)
    wanted = {
        images[n].pk: (best[n] + 1, pytest.approx(top[n], abs=1e-5))
        for n in range(PICTURES)
        if top[n] >= max(least, none[n])
    }
    rows = scoring.decisions(weights, space, everything()).rows()
    assert {image: (number, share) for image, number, share in rows} == wanted
    assert 0 < len(wanted) < PICTURES or (not background and not least)
    total, given = scoring.counts(weights, space, everything())
    assert total == PICTURES
    assert given == [sum(number == n + 1 for number, _share in wanted.values()) for n in range(4)]
    shares_of_second = dict(scoring.of_category(weights, space, everything(), 1).rows())
    assert shares_of_second == {
        image.pk: pytest.approx(shares[n, 1], abs=1e-5) for n, image in enumerate(images)
    }


def test_any_of_these_is_the_sigmoid_of_each(library) -> None:
    space, images, vectors = library
    weights = drawn("any", 4, 0, [0.5, 0.9, 0.0, 1.0])
    shares, _none = expected(weights, vectors)
    wanted = {
        (image.pk, number + 1): pytest.approx(shares[n, number], abs=1e-5)
        for n, image in enumerate(images)
        for number in range(4)
        if number < 3 and shares[n, number] >= weights.thresholds[number]
    }
    rows = scoring.decisions(weights, space, everything()).rows()
    assert {(image, number): share for image, number, share in rows} == wanted
    total, given = scoring.counts(weights, space, everything())
    assert total == PICTURES
    assert given == [sum(number == n + 1 for _image, number in wanted) for n in range(4)]
    assert given[2:] == [PICTURES, 0]


@pytest.mark.parametrize("mode", ["one", "any"])
def test_extreme_logits_are_no_error(library, mode: str) -> None:
    space, _images, _vectors = library
    weights = drawn(mode, 3, 2 if mode == "one" else 0, [0.0] * 3)
    biases = [0.0] * len(weights.vectors)
    steep = Weights(mode, weights.categories, weights.vectors * 1000, biases, [0.0] * 3)
    rows = scoring.decisions(steep, space, everything()).rows()
    assert all(0 <= share <= 1 for _image, _number, share in rows)


def test_many_categories_fit_into_one_statement(library) -> None:
    space, images, vectors = library
    weights = drawn("one", 500, 64, [0.0] * 500)
    shares, none = expected(weights, vectors)
    rows = scoring.decisions(weights, space, everything()).rows()
    wanted = {
        images[n].pk: shares[n].argmax() + 1 for n in range(PICTURES) if shares[n].max() >= none[n]
    }
    assert {image: number for image, number, _share in rows} == wanted


def test_only_the_scope_and_what_has_a_vector_is_scored(library, alice: User) -> None:
    space, images, _vectors = library
    picture(alice)
    weights = drawn("one", 2, 0, [0.0] * 2)
    assert scoring.counts(weights, space, everything())[0] == PICTURES
    some = scoring.pictures(Image.objects.filter(pk__in=[images[0].pk]))
    assert scoring.counts(weights, space, some)[0] == 1
    nothing = scoring.pictures(Image.objects.none())
    assert scoring.counts(weights, space, nothing) == (0, [0, 0])


@pytest.mark.parametrize("least", [0.0, 0.6])
def test_many_fits_at_once_give_the_same_labels(library, alice: User, least: float) -> None:
    space, images, _vectors = library
    drawn_sets = [drawn("one", 4, 0, [least] * 4), drawn("one", 3, 5, [least] * 3)]
    drawn_sets.append(drawn("any", 4, 0, [0.5, 0.9, least, 1.0]))
    fits, wanted = [], {}
    for number, weights in enumerate(drawn_sets):
        names = [f"category {n}" for n in range(len(weights.categories))]
        label_set = make_set(alice, *names, name=f"Set {number}", mode=weights.mode)
        ids = [category.pk for category in sets.categories_of(label_set)]
        stored = replace(weights, categories=ids)
        version = newest(label_set)
        fits.append(fitting.store(version, space, stored, stored.vectors).pk)
        for image, place, share in scoring.decisions(stored, space, everything()).rows():
            wanted[image, ids[place - 1]] = pytest.approx(share, abs=1e-9)
    rows = scoring.decisions_of_fits(fits, space, everything()).rows()
    assert {(image, category): share for image, category, share in rows} == wanted
    assert len(wanted) > len(images)
