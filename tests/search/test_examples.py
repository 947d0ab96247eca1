"""The examples that pages and READMEs show find what they name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import translation

from gallery.indexing import concepts
from gallery.indexing.spaces import active_space
from gallery.library.samples import SAMPLES, load_samples
from gallery.models import User
from gallery.search import service
from gallery.search.examples import COUNT, examples
from gallery.search.nearest import sample
from gallery.search.relevance import relevance
from tests.conftest import draw, upload, wait_for
from tests.factories import make_space, set_vector

ROOT = Path(__file__).parents[2]
# The READMEs invite to search the sample pictures for these: file -> texts.
INVITED = {
    "README.md": {"a cat": "chelsea.png", "a cup of coffee": "coffee.png", "花": "flower.jpg"},
    "README.zh-CN.md": {"花": "flower.jpg", "一杯咖啡": "coffee.png", "a cat": "chelsea.png"},
}
# Shown while there is too little to choose examples from.
GENERAL = {
    "en": {"a cup of coffee": "coffee.png", "a cat": "chelsea.png", "flowers": "flower.jpg"},
    "zh-hans": {"一杯咖啡": "coffee.png", "一只猫": "chelsea.png", "花": "flower.jpg"},
}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    concepts.forget()
    sample.forget()


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
def test_every_example_finds_the_picture_that_it_names(
    encoder_worker: object, alice: User, tmp_path: Path
) -> None:
    load_samples(alice, tmp_path / "journal")
    space = active_space()
    assert space is not None
    wait_for(lambda: space.embeddings.count() == len(SAMPLES), what="vectors")

    def finds(text: str) -> tuple[str, bool]:
        best = service.search_text(text, alice).hits[0]
        return best.image.original_name, best.fit in ("good", "excellent")

    for readme, texts in INVITED.items():
        written = (ROOT / readme).read_text(encoding="utf-8")
        for text, file in texts.items():
            assert f"`{text}`" in written
            assert finds(text) == (file, True), text
    for texts in GENERAL.values():
        for text, file in texts.items():
            assert finds(text) == (file, True), text
    assert finds("猫") == ("chelsea.png", True)
    for language in GENERAL:
        with translation.override(language):
            for text in examples(alice):
                assert finds(text)[1], text


def test_without_enough_pictures_the_examples_are_general(db: None) -> None:
    for language, texts in GENERAL.items():
        with translation.override(language):
            assert examples(AnonymousUser()) == [*texts, "猫"]


def test_examples_tell_nothing_of_pictures_that_one_may_not_see(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture of alice fits a concept of its own."""
    space = make_space(dimensions=8)
    known = concepts.concepts()

    rows = {}
    for row in range(COUNT):
        vector = [0.0] * 8
        vector[row] = 1.0
        rows[row] = known[row].english
        set_vector(upload(alice, draw(colour=(40 * row, 9, 9))), space, vector)

    words = np.eye(8, len(known), dtype="f4")
    monkeypatch.setattr(concepts, "vectors", lambda space, language="en": words.T)
    monkeypatch.setattr(
        relevance, "probabilities", lambda space, words, pictures: words @ pictures.T
    )
    found = examples(alice)
    assert {*found[:-1]} < {*rows.values()}
    assert found[-1] in {known[row].chinese for row in rows}
    assert examples(bob) == [*GENERAL["en"], "猫"]
    assert examples(AnonymousUser()) == [*GENERAL["en"], "猫"]
