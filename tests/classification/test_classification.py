"""Zero-shot classification: arithmetic against its definition, inputs, wording."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PILImage

from gallery.classification import service
from gallery.encoders import client
from gallery.errors import Refusal
from gallery.indexing import concepts
from gallery.labels import defaults, sets, templates
from gallery.labels.definition import CategoryForm, checked
from gallery.labels.learning.temperature import Default
from gallery.models import Image, User
from tests.conftest import upload
from tests.factories import ColourEncoder, make_space, set_vector

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were encoded. Each text gets the vector of its colour word."""
    texts_asked: list[str] = []

    def encode(space: object, texts: list[str], **_: object) -> np.ndarray:
        texts_asked.extend(texts)
        words = [next((c for c in ("red", "green", "blue") if c in t), "green") for t in texts]
        return ColourEncoder().encode_texts(words)

    # The words of “none of these”: all of them are grey.
    grey = ColourEncoder().encode_images([PILImage.new("RGB", (1, 1))])
    monkeypatch.setattr(concepts, "vectors", lambda space: grey.repeat(64, axis=0))
    # The model is right as it is: no temperature, no intercept.
    monkeypatch.setattr(defaults, "of", lambda space, **_options: Default())
    monkeypatch.setattr(client, "encode_texts", encode)
    return texts_asked


def encoded(owner: User, **facts: object) -> Image:
    image = upload(owner)
    set_vector(image, make_space(**facts), (0.9, 0.3, 0.1))  # type: ignore[arg-type]
    return image


def test_probabilities_are_the_softmax_of_scaled_cosines(alice: User, asked: list[str]) -> None:
    image = encoded(alice, logit_scale=26.3)
    answer = service.classify_image(image, ["red", "green", "blue"])
    vector = np.array([0.9, 0.3, 0.1]) / np.linalg.norm([0.9, 0.3, 0.1])
    logits = 26.3 * ColourEncoder().encode_texts(["red", "green", "blue"]) @ vector
    expected = np.exp(logits) / np.exp(logits).sum()
    got = {result.classname: result.probability for result in answer.results}
    for name, probability in zip(["red", "green", "blue"], expected, strict=True):
        assert got[name] == pytest.approx(probability, abs=2e-3)
    assert sum(got.values()) == pytest.approx(1, abs=1e-5)
    assert [r.probability for r in answer.results] == sorted(got.values(), reverse=True)
    assert asked == ["a photo of a red", "a photo of a green", "a photo of a blue"]
    assert answer.templates == ["a photo of a {}"]


def test_a_space_with_a_bias_uses_the_sigmoid(alice: User, asked: list[str]) -> None:
    image = encoded(alice, logit_scale=10.0, logit_bias=-8.0)
    answer = service.classify_image(image, ["red"])
    vector = np.array([0.9, 0.3, 0.1]) / np.linalg.norm([0.9, 0.3, 0.1])
    cosine = float(ColourEncoder().encode_texts(["red"])[0] @ vector)
    assert answer.results[0].probability == pytest.approx(
        1 / (1 + np.exp(-(10 * cosine - 8))), abs=5e-3
    )


def test_none_of_these_is_a_class_of_its_own(alice: User, asked: list[str]) -> None:
    answer = service.classify_image(encoded(alice), ["red"], none_of_these=True)
    assert {(r.classname, r.is_none) for r in answer.results} == {("red", False), ("", True)}
    assert sum(r.probability for r in answer.results) == pytest.approx(1)
    assert asked == ["a photo of a red"]


def test_the_wording_follows_the_script_of_the_name(alice: User, asked: list[str]) -> None:
    answer = service.classify_image(encoded(alice), ["red", "狗"], none_of_these=True)
    assert asked == ["a photo of a red", "一张狗的照片"]
    assert answer.templates == ["a photo of a {}", "一张{}的照片"]


def test_own_templates_are_averaged(alice: User, asked: list[str]) -> None:
    service.classify_image(encoded(alice), ["red"], templates=["my {category}", "{}!"])
    assert asked == ["my red", "red!"]


def test_braces_in_a_name_are_just_characters() -> None:
    assert templates.fill("a {}", "{0} {} \\1") == "a {0} {} \\1"


@pytest.mark.parametrize("bad", [["no place"], ["{} and {}"], ["x" * 300 + "{}"]])
def test_bad_templates_are_refused(bad: list[str], alice: User, asked: list[str]) -> None:
    with pytest.raises(Refusal) as refusal:
        service.classify_image(encoded(alice), ["red"], templates=bad)
    assert refusal.value.code == "bad_template"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([], "no_classnames"),
        (["", "  ", "\x00"], "no_classnames"),
        ([f"category {i}" for i in range(10_000)], "too_many_classnames"),
        (["x" * 201], "classname_too_long"),
    ],
)
def test_bad_categories_are_refused(names: list[str], code: str, alice: User) -> None:
    with pytest.raises(Refusal) as refusal:
        service.classify_image(encoded(alice), names)
    assert refusal.value.code == code


def test_a_category_named_twice_counts_once(alice: User, asked: list[str]) -> None:
    answer = service.classify_image(encoded(alice), ["red", " red ", "blue"])
    assert len(answer.results) == 2


def test_names_from_a_form() -> None:
    assert service.parse_classnames("cat, dog，鸟、鱼\n horse ;牛；,,") == [
        "cat",
        "dog",
        "鸟",
        "鱼",
        "horse",
        "牛",
    ]


def test_the_mode_says_whether_classes_exclude_each_other(alice: User, asked: list[str]) -> None:
    image = encoded(alice, logit_scale=10.0)
    one = service.classify_image(image, ["red", "green"], mode="one")
    assert sum(r.probability for r in one.results) == pytest.approx(1)
    both = service.classify_image(image, ["red", "green"], mode="any", none_of_these=True)
    *classes, none = sorted(both.results, key=lambda r: r.is_none)
    cosines = ColourEncoder().encode_texts(["red", "green"]) @ (
        np.array([0.9, 0.3, 0.1]) / np.linalg.norm([0.9, 0.3, 0.1])
    )
    wanted = 1 / (1 + np.exp(-10 * cosines))
    got = {r.classname: r.probability for r in classes}
    assert got["red"] == pytest.approx(wanted[0], abs=2e-3)
    assert got["green"] == pytest.approx(wanted[1], abs=2e-3)
    assert none.probability == pytest.approx(np.prod(1 - wanted), abs=2e-3)


def test_one_of_these_holds_for_a_space_with_a_bias_too(alice: User, asked: list[str]) -> None:
    image = encoded(alice, logit_scale=10.0, logit_bias=-8.0)
    answer = service.classify_image(image, ["red", "green"], mode="one")
    assert sum(r.probability for r in answer.results) == pytest.approx(1)


def test_a_label_set_classifies_by_its_own_categories(alice: User, asked: list[str]) -> None:
    image = encoded(alice, logit_scale=26.3)
    forms = [CategoryForm("red"), CategoryForm("green"), CategoryForm("blue")]
    definition = checked(categories=forms, none_of_these=False)
    label_set = sets.create(alice, "Colours", definition)
    by_set = service.classify_image(image, label_set=label_set)
    by_names = service.classify_image(image, ["red", "green", "blue"])
    assert by_set == by_names
