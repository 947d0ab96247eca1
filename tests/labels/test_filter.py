"""The filter `category`: in lists, in searches, in the line."""

from __future__ import annotations

from typing import Any

import pytest

from gallery.errors import Refusal
from gallery.labels import answers, reading, sets
from gallery.labels.answers import Given
from gallery.labels.definition import CategoryForm
from gallery.models import EmbeddingSpace, Image, User, Viewer
from gallery.search.filters import categories, image_filter
from gallery.search.filters.categories import Wanted
from gallery.search.query import completion, syntax
from gallery.search.query.query import Query
from tests.labels.tools import apply, make_set, picture

pytestmark = pytest.mark.django_db


def found(viewer: Viewer, *values: str) -> set[Any]:
    visible = Image.objects.visible_to(viewer)
    narrowed = image_filter.narrow(visible, {"category": list(values)}, viewer)
    return set(narrowed.values_list("pk", flat=True))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("dog", Wanted("dog")),
        ("-dog", Wanted("dog", negative=True)),
        ("－dog", Wanted("dog", negative=True)),
        ("dog>0.9", Wanted("dog", above=0.9)),
        ("dog > 90%", Wanted("dog", above=0.9)),
        ("-palm tree>.5", Wanted("palm tree", True, 0.5)),
        ("狗＞0.9", Wanted("狗", above=0.9)),
        ("a>b", Wanted("a>b")),
        ("dog>1", None),
        ("dog>2", None),
        (">0.9", None),
        ("-", None),
        ("", None),
    ],
)
def test_values_are_read(text: str, wanted: Wanted | None) -> None:
    assert categories.parse(text) == wanted
    if wanted is not None:
        assert categories.parse(categories.canonical(text)) == wanted


@pytest.mark.parametrize(
    ("line", "canonical", "value"),
    [
        ("category:dog", "category:dog", ["dog"]),
        ("-category:dog", "-category:dog", ["-dog"]),
        ("category:dog>0.90", "category:dog>0.9", ["dog>0.9"]),
        ('category:"palm tree">0.9', 'category:"palm tree>0.9"', ["palm tree>0.9"]),
        ('-category:"palm tree"', '-category:"palm tree"', ["-palm tree"]),
        ("分类:狗 -类别:猫", "category:狗 -category:猫", ["狗", "-猫"]),
        ("category:dog category:-cat", "category:dog -category:cat", ["dog", "-cat"]),
    ],
)
def test_the_line_has_them(line: str, canonical: str, value: list[str]) -> None:
    parsed = syntax.parse(line)
    assert parsed.notes == []
    assert parsed.query.filters == {"category": value}
    assert syntax.format(parsed.query) == canonical
    assert syntax.parse(canonical).query == parsed.query
    assert Query.from_json(parsed.query.as_json()) == parsed.query


def test_pictures_with_and_without(alice: User, space: EmbeddingSpace) -> None:
    dog, cat = picture(alice, space, dog=1), picture(alice, space, cat=1)
    unsure, unseen = picture(alice, space, dog=0.55, cat=0.5), picture(alice)
    apply(make_set(alice, "dog", "cat"), alice, space)
    assert found(alice, "dog") == {dog.pk, unsure.pk}
    assert found(alice, "DOG") == {dog.pk, unsure.pk}
    assert found(alice, "dog>0.9") == {dog.pk}
    assert found(alice, "-dog") == {cat.pk, unseen.pk}
    assert found(alice, "-dog>0.9") == {cat.pk, unsure.pk, unseen.pk}
    assert found(alice, "dog", "cat") == set()
    assert found(alice, "-dog", "-cat") == {unseen.pk}
    assert found(alice, "elephant") == set()
    assert found(alice, "-elephant") == {dog.pk, cat.pk, unsure.pk, unseen.pk}


def test_names_in_other_languages_ids_and_sets(alice: User, space: EmbeddingSpace) -> None:
    dog = picture(alice, space, dog=1)
    label_set = make_set(alice, CategoryForm("dog", {"zh-hans": "狗"}), "cat", name="Animals")
    make_set(alice, "dog", name="Other")
    apply(label_set, alice, space)
    category = sets.category(label_set, "dog")
    for value in ("狗", str(category.pk), "Animals/dog", "animals/狗"):
        assert found(alice, value) == {dog.pk}, value
    assert found(alice, "Other/dog") == set()


def test_a_category_finds_those_below_it(alice: User, space: EmbeddingSpace) -> None:
    dog, other = picture(alice, space, dog=1), picture(alice, space, other=1)
    forms = [CategoryForm("animal"), CategoryForm("dog", parent="animal"), CategoryForm("other")]
    label_set = make_set(alice, *forms)
    apply(label_set, alice, space)
    assert dog.pk in found(alice, "animal")
    assert other.pk not in found(alice, "animal")
    known = list(sets.categories_of(label_set))
    counts = reading.counted(Image.objects.visible_to(alice), known)
    by_name = {category.name: counts.get(category.pk, 0) for category in known}
    assert by_name["dog"] == 1
    assert by_name["animal"] >= 1


def test_answers_count_more_than_machines(alice: User, space: EmbeddingSpace) -> None:
    image = picture(alice, space, dog=1)
    label_set = make_set(alice, "dog", "cat")
    apply(label_set, alice, space)
    answers.give(label_set, alice, [Given(image.pk, "cat", True)])
    assert found(alice, "dog") == set()
    assert found(alice, "cat") == found(alice, "cat>0.99") == {image.pk}
    answers.give(label_set, alice, [Given(image.pk, "cat", False)])
    assert found(alice, "dog") == {image.pk}
    answers.give(label_set, alice, [Given(image.pk, "dog", False)])
    assert found(alice, "dog") == set()
    assert found(alice, "-dog") == {image.pk}


def test_labels_of_others_find_nothing(
    alice: User, bob: User, admin: User, space: EmbeddingSpace
) -> None:
    image = picture(alice, space, dog=1)
    Image.objects.filter(pk=image.pk).update(visibility="public")
    apply(make_set(alice, "dog"), alice, space)
    assert found(alice, "dog") == {image.pk}
    assert found(bob, "dog") == set()
    assert found(bob, "-dog") == {image.pk}
    apply(make_set(admin, "dog", site=True), admin, space)
    assert found(bob, "dog") == {image.pk}
    assert completion.complete("category:d", 10, bob)[0].label == "dog"


@pytest.mark.parametrize("value", ["dog>2", "-", "x\x00"])
def test_bad_values_are_refused(value: str, alice: User) -> None:
    with pytest.raises(Refusal) as refusal:
        found(alice, value)
    assert refusal.value.field == "category"
    with pytest.raises(Refusal):
        found(alice, *(f"c{n}" for n in range(11)))
