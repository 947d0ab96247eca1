"""What a threshold would do, against what applying a set does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gallery.indexing.selectors import visible_to
from gallery.labels import answers, cuts, fitting, previewing, scoring, sets, wishes
from gallery.labels.answers import Given
from gallery.labels.wishes import Wish
from gallery.models import EmbeddingSpace, LabelSet, User
from tests.labels.tools import fit_of, make_set, picture

pytestmark = pytest.mark.django_db

MODES = [
    {"mode": "one", "none_of_these": False},
    {"mode": "one", "none_of_these": True},
    {"mode": "any"},
]


def library(user: User, space: EmbeddingSpace) -> None:
    chance = np.random.default_rng(3)
    for _number in range(60):
        shares = dict(zip(("dog", "cat", "bird", "more"), chance.random(4), strict=True))
        picture(user, space, **shares)


@pytest.mark.parametrize("how", MODES)
def test_a_cut_counts_what_would_be_labelled(how, alice: User, space: EmbeddingSpace) -> None:
    library(alice, space)
    label_set = make_set(alice, "dog", "cat", **how)
    category = sets.category(label_set, "cat")
    weights = fitting.weights_of(fit_of(label_set, space))
    everything = scoring.pictures(visible_to(alice))
    found = cuts.spread(label_set, category, alice, space)
    expected = dict(scoring.of_category(weights, space, everything, 1).rows())
    assert found.expected == pytest.approx(sum(expected.values()))
    assert dict(zip(found.images, found.shares, strict=True)) == pytest.approx(
        {pk: expected[pk] for pk in found.images}
    )
    for least in (0.0, 0.2, 0.5, 0.8, 0.99):
        tried = replace(weights, thresholds=[0.5, least])
        rows = scoring.decisions(tried, space, everything).rows()
        assert found.at(least).labelled == sum(number == 2 for _pk, number, _share in rows)


@pytest.mark.parametrize("how", MODES)
def test_it_agrees_with_the_preview(how, alice: User, space: EmbeddingSpace) -> None:
    library(alice, space)
    label_set = make_set(alice, "dog", "cat", **how)
    category = sets.category(label_set, "dog")
    images = list(visible_to(alice).order_by("pk").values_list("pk", flat=True)[:20])
    answers.give(label_set, alice, [Given(pk, "dog", False) for pk in images[:10]])
    answers.give(label_set, alice, [Given(pk, "cat", True) for pk in images[10:]])
    wishes.fulfil(label_set, [category], Wish("right", 0.9), alice, space)
    fit = fit_of(label_set, space)
    weights = fitting.weights_of(fit)
    shown = previewing.preview(fit, weights, space, visible_to(alice)).categories[0]
    cut = cuts.spread(label_set, category, alice, space).at(weights.thresholds[0])
    assert cut.labelled == shown.count


def test_a_library_that_is_too_large_is_judged_by_a_part(
    alice: User, space: EmbeddingSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    library(alice, space)
    label_set = make_set(alice, "dog", mode="any")
    category = sets.category(label_set, "dog")
    whole = cuts.spread(label_set, category, alice, space)
    monkeypatch.setattr(cuts, "POOL", 30)
    part = cuts.spread(label_set, category, alice, space)
    assert whole.is_exact
    assert not part.is_exact
    assert part.at(0.0).labelled == whole.at(0.0).labelled == 60
    assert sum(part.histogram()) == 60
    again = cuts.spread(label_set, category, alice, space)
    assert again.images == part.images


def test_wishes_hold_by_the_probabilities(alice: User, space: EmbeddingSpace) -> None:
    library(alice, space)
    label_set = make_set(alice, "dog", "cat", mode="any")
    spread = cuts.spread(label_set, sets.category(label_set, "dog"), alice, space)
    for wish in (0.6, 0.8, 0.9):
        precision = spread.at(spread.for_right(wish)).precision
        assert precision is None or precision >= wish - 1e-9
    assert spread.at(spread.for_all(0.95)).recall >= 0.95 - 1e-9
    sums = spread.buckets(0.2, 0.8)
    assert sum(sums) == 60


def test_an_empty_library_has_a_cut(alice: User, space: EmbeddingSpace) -> None:
    label_set = make_set(alice, "dog")
    spread = cuts.spread(label_set, sets.category(label_set, "dog"), alice, space)
    assert spread.at(0.5).labelled == 0
    assert spread.at(0.5).precision is None
    assert spread.for_all(0.95) == 0.0
    assert spread.for_right(0.95) == cuts.NONE
    assert spread.around(0.5, 6) == ([], [])


def test_a_picture_counts_as_if_the_set_had_not_learned_from_it(
    alice: User, space: EmbeddingSpace
) -> None:
    """Otherwise a wish trusts answered pictures, of which the set is surer than of others."""
    label_set = make_set(alice, "dog", "cat", mode="any")
    learned, other = picture(alice, space, dog=1), picture(alice, space, dog=1)
    dog = sets.category(label_set, "dog")
    fit = fit_of(label_set, space)
    fit.quality = {"held_out": {str(dog.pk): {str(learned.pk): 0.25}}}
    fit.save()
    found = cuts.spread(label_set, dog, alice, space)
    shares = dict(zip(found.images, found.shares, strict=True))
    assert shares[learned.pk] == 0.25
    assert shares[other.pk] > 0.5


def test_the_thresholds_of_another_set_are_left_alone(
    alice: User, bob: User, space: EmbeddingSpace
) -> None:
    label_set = make_set(alice, "dog")
    met = wishes.fulfil(
        label_set, list(sets.categories_of(label_set)), Wish("eye", 0.7), alice, space
    )
    assert met.change is not None
    assert sets.undo_thresholds(met.change.before, bob) == 0
    LabelSet.objects.get(pk=label_set.pk)
    assert sets.category(label_set, "dog").threshold == 0.7
    assert sets.undo_thresholds(met.change.before, alice) == 1
    assert wishes.fulfil(label_set, [], Wish("usual"), alice, space).change is None
