"""What is asked next, and how good the labels are by the answers."""

from __future__ import annotations

import pytest

from gallery.labels import answers, asking, quality, sets
from gallery.labels.answers import Given
from gallery.models import (
    EmbeddingSpace,
    ExploreMap,
    Image,
    LabelSet,
    MapPoint,
    NearDuplicate,
    Question,
    User,
)
from tests.conftest import api
from tests.labels.tools import make_set, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def library(alice: User, space: EmbeddingSpace) -> tuple[LabelSet, dict[int, Image]]:
    """Forty pictures, from all dog to all cat, and a set of both."""
    images = {n: picture(alice, space, dog=1 - n / 40, cat=n / 40) for n in range(40)}
    return make_set(alice, "dog", "cat"), images


def test_the_sample_comes_first_and_the_rest_is_near_the_line(
    library, alice: User, space: EmbeddingSpace
) -> None:
    label_set, images = library
    category = sets.category(label_set, "dog")
    asked = asking.ask(label_set, category, alice, space)
    assert len(asked) == asking.COUNT
    assert len({one.image for one in asked}) == asking.COUNT
    drawn = [one for one in asked if one.reason == "sample"]
    assert len(drawn) == asking.COUNT // 3
    telling = {one.image for one in asked if one.reason == "uncertain"}
    near = {images[n].pk for n in range(12, 29)}
    assert telling <= near
    assert sum(category.sample_sizes or []) == 0  # read before the draw
    category.refresh_from_db()
    assert sum(category.sample_sizes) == 40
    assert Question.objects.count() == 40


def test_what_is_answered_is_not_asked_again(library, alice: User, space: EmbeddingSpace) -> None:
    label_set, images = library
    category = sets.category(label_set, "dog")
    seen = set()
    while asked := asking.ask(label_set, category, alice, space):
        ids = {one.image for one in asked}
        assert not ids & seen
        seen |= ids
        answers.give(label_set, alice, [Given(pk, "dog", True) for pk in ids])
    assert seen == {image.pk for image in images.values()}


def test_of_near_duplicates_one_is_asked(library, alice: User, space: EmbeddingSpace) -> None:
    label_set, images = library
    first, second = sorted([images[20].pk, images[21].pk])
    NearDuplicate.objects.create(first_id=first, second_id=second, similarity=1, bits=0)
    category = sets.category(label_set, "dog")
    asked = asking.ask(label_set, category, alice, space)
    uncertain = {one.image for one in asked if one.reason == "uncertain"}
    assert not {first, second} <= uncertain


def test_the_map_spreads_the_questions(library, alice: User, space: EmbeddingSpace) -> None:
    label_set, images = library
    drawn = ExploreMap.objects.create(space=space, state="ready")
    for n, image in images.items():
        MapPoint.objects.create(map=drawn, image=image, x=float(n == 27), y=0.5)
    category = sets.category(label_set, "dog")
    asked = asking.ask(label_set, category, alice, space)
    assert images[27].pk in {one.image for one in asked}


def test_pictures_that_one_may_not_see_are_not_asked(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    picture(bob, space, dog=1)
    label_set = make_set(alice, "dog")
    assert asking.ask(label_set, sets.category(label_set, "dog"), alice, space) == []


def test_quality_is_estimated_from_the_sample_alone(
    library, alice: User, space: EmbeddingSpace
) -> None:
    label_set, images = library
    number = {image.pk: n for n, image in images.items()}
    category = sets.category(label_set, "dog")
    asking.ask(label_set, category, alice, space)
    # Beside the sample, a hundred wrong answers: they say nothing of the rest.
    drawn = list(Question.objects.order_by("position").values_list("image_id", flat=True)[:20])
    others = [pk for pk in number if pk not in drawn]
    Question.objects.exclude(image__in=drawn).delete()
    given = [Given(pk, "dog", number[pk] < 20) for pk in drawn]
    answers.give(label_set, alice, given + [Given(pk, "dog", number[pk] >= 20) for pk in others])
    found = quality.of_set(label_set, alice, space)
    dog, cat = found.categories
    assert (dog.answers, dog.sampled) == (40, 20)
    assert dog.precision is not None
    assert dog.precision.value > 0.9
    assert dog.precision.low <= dog.precision.value <= dog.precision.high
    assert dog.recall is not None
    assert dog.recall.value > 0.9
    assert (cat.answers, cat.precision) == (0, None)
    assert sum(dog.histogram) == 40
    assert dog.right is not None
    assert dog.right.precision is not None
    assert dog.right.precision >= 0.95
    assert found.calibration_error is not None
    assert 0 <= found.calibration_error <= 1
    assert sum(point.count for point in found.reliability) == 40


def test_what_was_asked_out_of_turn_is_no_sample(
    library, alice: User, space: EmbeddingSpace
) -> None:
    """In a small library nearly every uncertain picture is somewhere in the random order, too."""
    label_set, _images = library
    asking.ask(label_set, sets.category(label_set, "dog"), alice, space)
    order = list(Question.objects.order_by("position").values_list("image_id", flat=True))
    answers.give(label_set, alice, [Given(pk, "dog", True) for pk in [*order[:10], *order[-10:]]])
    (dog, _cat) = quality.of_set(label_set, alice, space).categories
    assert (dog.answers, dog.sampled) == (20, 10)
    # People may skip a few.
    answers.give(label_set, alice, [Given(pk, "dog", None) for pk in order[3:5]])
    assert quality.of_set(label_set, alice, space).categories[0].sampled == 3
    answers.give(label_set, alice, [Given(order[4], "dog", True)])
    assert quality.of_set(label_set, alice, space).categories[0].sampled == 9


@pytest.mark.parametrize("verdict", [True, False])
def test_one_sided_answers_are_no_error(
    library, verdict: bool, alice: User, space: EmbeddingSpace
) -> None:
    label_set, _images = library
    asked = asking.ask(label_set, sets.category(label_set, "dog"), alice, space)
    answers.give(label_set, alice, [Given(one.image, "dog", verdict) for one in asked])
    found = quality.of_set(label_set, alice, space)
    assert found.answers == len(asked)


def test_through_the_api(library, alice: User, bob: User) -> None:
    label_set, _images = library
    at = f"/api/v1/label-sets/{label_set.pk}/"
    client = api(alice)
    assert client.get(f"{at}quality/").json()["answers"] == 0
    asked = client.get(f"{at}next/", {"category": "dog", "count": 6}).json()
    assert (asked["name"], asked["answers"], len(asked["results"])) == ("dog", 0, 6)
    one = asked["results"][0]
    assert one["image"] == one["picture"]["id"]
    body = {"answers": [{"image": one["image"], "category": "dog", "verdict": True}]}
    said = client.post(f"{at}answers/", body)
    assert said.status_code == 200
    assert client.get(f"{at}quality/").json()["answers"] == 1
    (label,) = client.get(f"/api/v1/images/{one['image']}/labels/").json()["results"]
    assert (label["source"], label["probability"]) == ("human", 1.0)
    # Without a category, the one with the fewest answers is asked.
    assert client.get(f"{at}next/").json()["name"] == "cat"
    assert client.post(said.json()["undo"]).status_code == 200
    assert client.get(f"{at}quality/").json()["answers"] == 0
    for rest in ("next/", "quality/"):
        assert api(bob).get(f"{at}{rest}").status_code == 404
        assert api().get(f"{at}{rest}").status_code == 404
    assert api(bob).post(f"{at}answers/", body).status_code == 404
    for query in ({"category": "bird"}, {"count": "0"}, {"count": "x"}):
        assert client.get(f"{at}next/", query).status_code == 400
