"""What people complain of in galleries that sort by one cosine limit, and what happens here.

The models are made up: each has a scale of its own, as real ones do. `contrast` is how far the
meaning of a picture turns its vector, `common` what all texts share with all pictures.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from gallery.encoders import client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing import concepts, encoding
from gallery.labels import answers, applying, asking, maintenance, sets
from gallery.labels.answers import Given
from gallery.models import ConceptVectors, EmbeddingSpace, Image, User
from tests.conftest import api
from tests.factories import make_space
from tests.labels.tools import apply, labels, make_set, picture

pytestmark = pytest.mark.django_db

DIMENSIONS = 384


@dataclass(frozen=True)
class Model:
    """Words have random directions, and the first dimension is what everything has in common.
    `high` words have more of it: high cosines with all pictures."""

    contrast: float
    common: float = 0.0
    scale: float = 100.0
    high: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.contrast} {self.common} {self.scale}"

    def text(self, word: str) -> Vectors:
        extra = 0.25 if word in self.high else 0.0
        vector: Vectors = l2_normalise((_direction(word) + (self.common + extra) * _FIRST)[None])[0]
        return vector

    def picture(self, meaning: Vectors) -> Vectors:
        rest = np.sqrt(1 - self.contrast**2)
        vector: Vectors = self.contrast * meaning + rest * _FIRST
        return vector

    def space(self, state: str = "active") -> EmbeddingSpace:
        space = make_space(
            state, DIMENSIONS, self.name, checksum=self.name, logit_scale=self.scale,
            generation=int(state == "active"),
        )  # fmt: skip
        words = [concept.english for concept in concepts.concepts()]
        packed = np.stack([self.text(word) for word in words + words]).astype("<f2").tobytes()
        ConceptVectors.objects.create(
            space=space, checksum=space.checksum, digest=concepts.digest(), vectors=packed
        )
        return space


_FIRST = np.eye(DIMENSIONS, dtype=np.float32)[0]


def _direction(word: str) -> Vectors:
    """A unit vector without the first dimension."""
    chance = np.random.default_rng(zlib.crc32(word.encode()))
    vector = chance.normal(size=DIMENSIONS).astype(np.float32) * (1 - _FIRST)
    unit: Vectors = l2_normalise(vector[None])[0]
    return unit


# Most cosines of this model are lower than the limits that galleries are shipped with.
LOW = Model(contrast=0.22)
HIGH = Model(contrast=0.75, common=0.5, scale=30.0)
STEEP = Model(contrast=0.22, scale=90.0, high=("photo",))
FLAT_LIMIT = 0.25


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Model]:
    """The models by name; workers encode texts with them."""
    known = {model.name: model for model in (LOW, HIGH, STEEP)}

    def encode(space: Any, texts: Sequence[str], **_options: Any) -> Vectors:
        return np.stack([known[space.checksum].text(text) for text in texts])

    monkeypatch.setattr(client, "encode_texts", encode)
    return known


@dataclass(frozen=True)
class Shown:
    """Pictures with the meaning of each (n, d), and what they show; "" for other things."""

    images: list[Image]
    meanings: Vectors
    what: list[str]

    @classmethod
    def make(cls, owner: User, *words: str, each: int = 8, others: int = 24) -> Shown:
        what = [word for word in words for _ in range(each)] + [""] * others
        chance = np.random.default_rng(7)
        noise = chance.normal(size=(len(what), DIMENSIONS)).astype(np.float32) * (1 - _FIRST)
        own = np.stack([_direction(word) if word else 0 * _FIRST for word in what])
        meanings = l2_normalise(2 * own + l2_normalise(noise))
        return cls([picture(owner) for _ in what], meanings, what)

    def encode(self, model: Model, space: EmbeddingSpace) -> Vectors:
        """Give the pictures their vectors, and return these (n, d)."""
        vectors = np.stack([model.picture(meaning) for meaning in self.meanings])
        encoding.keep_vectors(space, [image.pk for image in self.images], vectors)
        return vectors

    def labelled(self, *without: str) -> dict[Any, set[str]]:
        """The labels that the pictures should have."""
        return {
            image.pk: {word}
            for image, word in zip(self.images, self.what, strict=True)
            if word and word not in without
        }


@pytest.mark.parametrize("mode", ["one", "any"])
def test_where_a_flat_cosine_limit_tags_nothing_the_right_pictures_are_labelled(
    mode: str, alice: User
) -> None:
    space, shown = LOW.space(), Shown.make(alice, "dog", "cat", "boat")
    vectors = shown.encode(LOW, space)
    words = ("dog", "cat", "boat")
    assert (vectors @ np.stack([LOW.text(word) for word in words]).T).max() < FLAT_LIMIT
    label_set = make_set(alice, *words, mode=mode, none_of_these=True, templates=["{}"])
    apply(label_set, alice, space)
    assert labels(label_set) == shown.labelled()


@pytest.mark.parametrize("mode", ["one", "any"])
def test_a_threshold_fits_every_model(mode: str, alice: User) -> None:
    words = ("dog", "cat", "boat")
    shown = Shown.make(alice, *words)
    label_set = make_set(alice, *words, mode=mode, none_of_these=True, templates=["{}"])
    client_of = api(alice)
    client_of.patch(
        f"/api/v1/label-sets/{label_set.pk}/", {"thresholds": dict.fromkeys(words, 0.7)}
    )
    limits = []
    for generation, model in enumerate((LOW, HIGH), start=1):
        EmbeddingSpace.objects.update(state="retired")
        space = model.space("building")
        vectors = shown.encode(model, space)
        EmbeddingSpace.objects.filter(pk=space.pk).update(state="active", generation=generation)
        cosines = vectors @ np.stack([model.text(word) for word in words]).T
        own = np.array([[word == what for word in words] for what in shown.what])
        limits.append((cosines[own].min(), cosines[~own].max()))
        apply(label_set, alice, EmbeddingSpace.objects.get(pk=space.pk))
        assert labels(label_set) == shown.labelled()
    (lowest, _), (_, highest_of_others) = limits
    # A cosine that finds the pictures of one model finds all others in the other one.
    assert lowest < highest_of_others


def test_a_stricter_threshold_takes_labels_back(alice: User) -> None:
    space, shown = LOW.space(), Shown.make(alice, "dog", "cat")
    doubtful = picture(alice)
    meaning = l2_normalise((_direction("dog") + 0.8 * _direction("cat"))[None])[0]
    encoding.keep_vectors(space, [doubtful.pk], LOW.picture(meaning)[None])
    shown.encode(LOW, space)
    label_set = make_set(alice, "dog", "cat", templates=["{}"])
    apply(label_set, alice, space)
    with_doubtful = labels(label_set)
    assert with_doubtful[doubtful.pk] == {"dog"}

    owner, at = api(alice), f"/api/v1/label-sets/{label_set.pk}/"
    changed = owner.patch(at, {"thresholds": {"dog": 0.999}}).json()
    preview = owner.post(f"{at}preview/").json()
    assert preview["removed"] > 0
    assert preview["added"] == 0
    applied = owner.post(f"{at}apply/").json()
    applying.run_waiting()
    assert doubtful.pk not in labels(label_set)
    assert labels(label_set).items() >= shown.labelled().items()

    # Undo, in the order of the acts: first the labels, then the threshold.
    assert owner.post(applied["undo"]).json()["restored"] > 0
    assert labels(label_set) == with_doubtful
    assert owner.post(changed["undo"]).json() == {"restored": 1}
    owner.post(f"{at}apply/")
    applying.run_waiting()
    assert labels(label_set) == with_doubtful


@pytest.mark.parametrize("mode", ["one", "any"])
def test_a_category_with_high_cosines_everywhere_gives_back_what_it_swallows(
    mode: str, alice: User
) -> None:
    """Any single limit on cosines that keeps pictures of the others gives all to this one. A
    minute of answers tells it apart."""
    words = ("dog", "photo", "boat")
    space, shown = STEEP.space(), Shown.make(alice, *words, each=20, others=60)
    cosines = shown.encode(STEEP, space) @ np.stack([STEEP.text(word) for word in words]).T
    own = np.array([[word == what for word in words] for what in shown.what])
    assert cosines[:, 1].min() > cosines[:, [0, 2]][own[:, [0, 2]]].min()

    label_set = make_set(alice, *words, mode=mode, none_of_these=False, templates=["{}"])
    what = dict(zip([image.pk for image in shown.images], shown.what, strict=True))
    answered = set()
    for word in words:
        asked = asking.ask(label_set, sets.category(label_set, word), alice, space)
        answers.give(
            label_set, alice, [Given(one.image, word, what[one.image] == word) for one in asked]
        )
        answered |= {one.image for one in asked}
        maintenance.maintain()
    apply(label_set, alice, space)
    found = labels(label_set)
    assert answered < set(what)
    for image in set(what) - answered:
        if what[image]:
            assert found.get(image) == {what[image]}
        elif mode == "any":  # of one of these, each picture gets a label
            assert image not in found
