"""What a label set may be."""

from __future__ import annotations

from typing import Any

import pytest
from open_clip import OPENAI_IMAGENET_TEMPLATES

from gallery.errors import Refusal
from gallery.labels import ensembles
from gallery.labels.definition import CategoryForm, checked


def definition(*names: str, **fields: Any) -> Any:
    return checked(categories=[CategoryForm(name) for name in names], **fields)


def test_names_and_prompts_are_cleaned() -> None:
    form = CategoryForm(" a   dog ", {"ZH-hans": " 狗 ", "de": ""}, [" a puppy ", ""], "")
    (category,) = checked(categories=[form]).categories
    assert category.name == "a dog"
    assert category.names == {"zh-hans": "狗"}
    assert category.prompts == ("a puppy",)


def test_prompts_replace_the_templates() -> None:
    forms = [CategoryForm("dog"), CategoryForm("cat", prompts=["{} asleep", "a kitten"])]
    found = checked(categories=forms, templates=["my {}", "one {}"])
    assert found.texts() == [["my dog", "one dog"], ["cat asleep", "a kitten"]]


def test_the_wording_follows_the_script_of_the_name() -> None:
    assert definition("dog", "狗").texts() == [["a photo of a dog"], ["一张狗的照片"]]


def test_the_ensemble_has_many_sentences_in_the_language_of_the_name() -> None:
    forms = [CategoryForm("dog"), CategoryForm("猫"), CategoryForm("bird", prompts=("my {}",))]
    dog, cat, bird = checked(categories=forms, templates="ensemble").texts()
    assert (dog[0], len(set(dog))) == ("a bad photo of a dog.", 80)
    assert cat[0] == "一张猫的照片"
    assert len(set(cat)) >= 10
    assert all(text.count("猫") == 1 for text in cat)
    assert bird == ["my bird"]


def test_the_ensemble_is_that_of_open_clip() -> None:
    wanted = [template("{}") for template in OPENAI_IMAGENET_TEMPLATES]
    assert list(ensembles.sentences("latin")) == wanted


@pytest.mark.parametrize(
    ("names", "code", "field"),
    [
        ([], "no_categories", "categories"),
        ([f"category {n}" for n in range(1001)], "too_many_categories", "categories"),
        (["dog", "dog"], "same_category", "categories.1.name"),
        (["dog", "Dog"], "same_category", "categories.1.name"),
        (["dog", "ｄｏｇ"], "same_category", "categories.1.name"),
        (["dog", " "], "category_missing", "categories.1.name"),
        (["\u200b"], "category_missing", "categories.0.name"),
        (["-dog"], "bad_category", "categories.0.name"),
        (["x" * 201], "category_too_long", "categories.0.name"),
    ],
)
def test_bad_categories_are_refused(names: list[str], code: str, field: str) -> None:
    with pytest.raises(Refusal) as refusal:
        definition(*names)
    assert (refusal.value.code, refusal.value.field) == (code, field)
    assert str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"mode": "some"}, "bad_mode"),
        ({"templates": ["no place"]}, "bad_template"),
        ({"templates": [f"{n} {{}}" for n in range(101)]}, "too_many_templates"),
    ],
)
def test_bad_fields_are_refused(fields: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        definition("dog", **fields)
    assert refusal.value.code == code


def test_too_many_texts_are_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        definition(*(f"c{n}" for n in range(500)), templates=[f"{n} {{}}" for n in range(50)])
    assert refusal.value.code == "too_many_texts"


@pytest.mark.parametrize(
    "form",
    [
        CategoryForm("dog", prompts=["x" * 201]),
        CategoryForm("dog", prompts=[str(n) for n in range(101)]),
        CategoryForm("dog", names={"not a language": "x"}),
        CategoryForm("dog", names={"en": "x" * 201}),
        CategoryForm("dog", parent="animal"),
        CategoryForm("dog", parent="dog"),
    ],
)
def test_bad_parts_of_a_category_are_refused(form: CategoryForm) -> None:
    with pytest.raises(Refusal) as refusal:
        checked(categories=[form])
    assert refusal.value.field is not None
    assert refusal.value.field.startswith("categories.0.")


def test_parents_in_a_circle_are_refused() -> None:
    forms = [CategoryForm("a", parent="b"), CategoryForm("b", parent="A")]
    with pytest.raises(Refusal) as refusal:
        checked(categories=forms)
    assert refusal.value.code == "bad_parent"
