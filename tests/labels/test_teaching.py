"""Learning from answers, in each space."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from gallery.labels import answers, fitting, maintenance, quality, sets
from gallery.labels.answers import Given
from gallery.models import EmbeddingSpace, Image, LabelFit, LabelSet, User
from tests.conftest import api
from tests.labels.tools import apply, encode, labels, make_set, picture, word_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def odd(alice: User, space: EmbeddingSpace) -> tuple[LabelSet, list[Image], list[Image]]:
    """A set whose “dog” is really what the model takes for “bird”; the pictures that are, and
    those that are not."""
    right = [picture(alice, space, bird=1, more=n / 10) for n in range(8)]
    wrong = [picture(alice, space, dog=1, more=n / 10) for n in range(8)]
    return make_set(alice, "dog", mode="any"), right, wrong


def teach(label_set: LabelSet, user: User, right: list[Image], wrong: list[Image]) -> None:
    given = [Given(image.pk, "dog", True) for image in right]
    given += [Given(image.pk, "dog", False) for image in wrong]
    answers.give(label_set, user, given)


def probability(label_set: LabelSet, space: EmbeddingSpace, image: Image) -> float:
    from gallery.labels import scoring

    fit = fitting.current(LabelSet.objects.get(pk=label_set.pk), space)
    assert fit is not None
    scope = scoring.pictures(Image.objects.filter(pk=image.pk))
    ((_pk, share),) = scoring.of_category(fitting.weights_of(fit), space, scope, 0).rows()
    return float(share)


def test_answers_move_a_category(odd, alice: User, space: EmbeddingSpace) -> None:
    label_set, right, wrong = odd
    maintenance.maintain()
    assert probability(label_set, space, right[7]) < probability(label_set, space, wrong[7])
    assert not maintenance.is_due()
    teach(label_set, alice, right[:7], wrong[:7])
    assert maintenance.is_due()
    maintenance.maintain()
    assert not maintenance.is_due()
    assert probability(label_set, space, right[7]) > probability(label_set, space, wrong[7])
    fit = LabelFit.objects.latest("id")
    assert fit.answers == 14
    assert fit.quality["after"]["brier"] < fit.quality["before"]["brier"]
    assert len(next(iter(fit.quality["held_out"].values()))) == 14


@pytest.mark.parametrize("mode", ["any", "one"])
def test_sets_that_learned_in_the_former_way_learn_again(
    mode: str, alice: User, space: EmbeddingSpace
) -> None:
    label_set = make_set(alice, "dog", "cat", mode=mode)
    teach(label_set, alice, [picture(alice, space, dog=1)], [picture(alice, space, cat=1)])
    make_set(alice, "bird", name="Without answers", mode=mode)
    maintenance.maintain()
    former = LabelFit.objects.get(version__label_set=label_set, answers=2)
    with connection.cursor() as cursor:
        cursor.execute(import_module("gallery.migrations.0023_learn_again").FORGET)
    assert maintenance.is_due() is (mode == "any")
    maintenance.maintain()
    assert not maintenance.is_due()
    fit = LabelFit.objects.filter(version__label_set=label_set).latest("id")
    assert (fit.answers, fit.answers_until) == (2, former.answers_until)
    assert (fit.pk != former.pk) is (mode == "any")


def test_the_same_answers_give_the_same_fit(odd, alice: User, space: EmbeddingSpace) -> None:
    label_set, right, wrong = odd
    teach(label_set, alice, right, wrong)
    maintenance.maintain()
    first = fitting.weights_of(LabelFit.objects.latest("id"))
    LabelFit.objects.all().delete()
    maintenance.maintain()
    again = fitting.weights_of(LabelFit.objects.latest("id"))
    assert np.array_equal(first.vectors, again.vectors)
    assert first.biases == again.biases


def test_answers_that_are_taken_back_are_unlearned(odd, alice: User, space: EmbeddingSpace) -> None:
    label_set, right, wrong = odd
    maintenance.maintain()
    before = probability(label_set, space, right[0])
    teach(label_set, alice, right, wrong)
    maintenance.maintain()
    given = [Given(image.pk, "dog", None) for image in [*right, *wrong]]
    answers.give(label_set, alice, given)
    assert maintenance.is_due()
    maintenance.maintain()
    assert probability(label_set, space, right[0]) == pytest.approx(before, abs=1e-6)
    assert LabelFit.objects.latest("id").quality == {}


def test_thresholds_stay_when_a_set_learns(odd, alice: User, space: EmbeddingSpace) -> None:
    label_set, right, wrong = odd
    sets.update(label_set, alice, thresholds={"dog": 0.7})
    teach(label_set, alice, right, wrong)
    maintenance.maintain()
    assert fitting.weights_of(LabelFit.objects.latest("id")).thresholds == [0.7]
    sets.update(label_set, alice, thresholds={"dog": 0.8})
    fit = LabelFit.objects.latest("id")
    assert fitting.weights_of(fit).thresholds == [0.8]
    assert fit.answers == 16
    assert not maintenance.is_due()


def test_one_of_these_learns_from_a_yes_to_another(alice: User, space: EmbeddingSpace) -> None:
    birds = [picture(alice, space, bird=1, more=n / 10) for n in range(6)]
    label_set = make_set(alice, "dog", "cat")
    answers.give(label_set, alice, [Given(image.pk, "cat", True) for image in birds[:5]])
    maintenance.maintain()
    apply(label_set, alice, space)
    assert labels(label_set)[birds[5].pk] == {"cat"}


def test_a_space_that_is_built_learns_as_its_pictures_are_encoded(
    odd, alice: User, space: EmbeddingSpace
) -> None:
    label_set, right, wrong = odd
    teach(label_set, alice, right, wrong)
    maintenance.maintain()
    coming = word_space("building", checksum="others")
    maintenance.maintain()
    assert LabelFit.objects.get(space=coming).answers == 0
    for image in [*right[:3], *wrong[:3]]:
        encode(image, coming, red=1)
    assert maintenance.is_due()
    maintenance.maintain()
    assert LabelFit.objects.filter(space=coming).latest("id").answers == 6


@pytest.mark.parametrize("verdict", [True, False])
def test_one_sided_answers_do_no_harm(odd, verdict: bool, alice: User, space) -> None:
    label_set, right, wrong = odd
    given = [Given(image.pk, "dog", verdict) for image in [*right, *wrong]]
    answers.give(label_set, alice, given)
    maintenance.maintain()
    shares = [probability(label_set, space, image) for image in [*right, *wrong]]
    assert all(0 < share < 1 for share in shares)


def test_quality_is_measured_without_the_answer_itself(
    odd, alice: User, space: EmbeddingSpace
) -> None:
    label_set, right, wrong = odd
    teach(label_set, alice, right, wrong)
    maintenance.maintain()
    found = quality.of_set(label_set, alice, space)
    kept = LabelFit.objects.latest("id").quality
    assert found.calibration_error == pytest.approx(kept["after"]["calibration_error"], abs=1e-3)
    assert found.before == kept["before"]


def test_replaced_fits_are_removed(odd, alice: User, space: EmbeddingSpace) -> None:
    label_set, right, _wrong = odd
    apply(label_set, alice, space)
    for image in right[:3]:
        answers.give(label_set, alice, [Given(image.pk, "dog", True)])
        maintenance.maintain()
    assert LabelFit.objects.count() == 4
    LabelFit.objects.update(created_at=timezone.now() - timedelta(days=1))
    maintenance.forget_old()
    # The fit of the job, and the newest one.
    assert LabelFit.objects.count() == 2


def test_a_slip_of_the_hand_is_doubted(odd, alice: User, bob: User, space: EmbeddingSpace) -> None:
    label_set, right, wrong = odd
    teach(label_set, alice, right[:7], wrong[:7])
    answers.give(label_set, alice, [Given(right[7].pk, "dog", False)])
    maintenance.maintain()
    (doubt,) = quality.doubts(label_set, alice, space)
    assert (doubt.image, doubt.verdict) == (right[7].pk, False)
    assert doubt.probability > 0.5
    at = f"/api/v1/label-sets/{label_set.pk}/doubts/"
    (shown,) = api(alice).get(at).json()["results"]
    assert (shown["image"], shown["name"]) == (str(right[7].pk), "dog")
    assert api(bob).get(at).status_code == 404
