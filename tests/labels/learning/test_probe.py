"""A category that learns: where it begins, where it goes, and that nothing breaks it."""

from __future__ import annotations

import numpy as np
import pytest

from gallery.encoders.base import l2_normalise
from gallery.labels.learning import asking, logistic
from gallery.labels.learning.logistic import sigmoid
from gallery.labels.learning.probe import Probe, fit_odds, fit_probe
from gallery.labels.learning.temperature import fit_intercepts

SCALE = 30.0


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(6)


class World:
    """Pictures of a category whose text points somewhat beside it, with a gap between both."""

    def __init__(self, rng: np.random.Generator, dimensions: int = 64) -> None:
        self.rng = rng
        basis = np.linalg.qr(rng.normal(size=(dimensions, 4)))[0].T
        self.gap, self.meant = basis[0], basis[1]
        self.text = 0.5 * basis[1] + np.sqrt(0.75) * basis[2]

    @property
    def line(self) -> tuple[float, float]:
        """Slope and constant of the log-odds of the text, as they are where one in ten shows it."""
        pictures, truths = self.pictures(4000, 0.1)
        features = np.column_stack([pictures @ self.text, np.ones(4000)])
        fit = logistic.fit(features, truths, centre=[10, 0], precision=[1e-4, 1e-4])
        return float(fit.coefficients[0]), float(fit.coefficients[1])

    def pictures(self, count: int, share: float) -> tuple[np.ndarray, np.ndarray]:
        truths = self.rng.random(count) < share
        noise = self.rng.normal(size=(count, len(self.gap))) / np.sqrt(len(self.gap))
        shown = np.where(truths, 0.5, 0.0)[:, None] * self.meant
        return l2_normalise(0.7 * self.gap + shown + noise), truths


def average_precision(scores: np.ndarray, truths: np.ndarray) -> float:
    right = truths[np.argsort(-scores)]
    return float((right.cumsum() / np.arange(1, len(right) + 1))[right].mean())


def scores(probe: object, pictures: np.ndarray) -> np.ndarray:
    return SCALE * (pictures @ probe.vector) + probe.bias  # type: ignore[attr-defined]


def test_without_answers_it_is_the_text() -> None:
    text = np.array([0.6, 0.8])
    probe = fit_probe(text, np.empty((0, 2)), np.empty((0, 2)), scale=SCALE)
    assert probe.vector.tolist() == [0.6, 0.8]
    assert (probe.bias, probe.held_out.shape) == (0, (0,))
    one = fit_probe(text, [[1.0, 0.0]], np.empty((0, 2)), scale=SCALE)
    assert one.vector.tolist() == [0.6, 0.8]
    assert one.held_out.tolist() == pytest.approx([18.0])


def test_answers_find_more_than_the_text_and_more_answers_still_more(
    rng: np.random.Generator,
) -> None:
    world = World(rng)
    unseen, truths = world.pictures(4000, 0.1)
    found = [average_precision(unseen @ world.text, truths)]
    for count in (12, 48, 192):
        pictures, verdicts = world.pictures(count, 0.4)
        probe = fit_probe(world.text, pictures[verdicts], pictures[~verdicts], scale=SCALE)
        found.append(average_precision(scores(probe, unseen), truths))
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.2


def test_a_text_that_says_nothing_is_left(rng: np.random.Generator) -> None:
    """The text points elsewhere: 24 answers tell all the same what is meant."""
    world = World(rng, 256)
    unseen, truths = world.pictures(4000, 0.1)
    elsewhere = l2_normalise(rng.normal(size=(1, 256)))[0]
    assert average_precision(unseen @ elsewhere, truths) < 0.2
    pictures, verdicts = world.pictures(24, 0.4)
    probe = fit_probe(elsewhere, pictures[verdicts], pictures[~verdicts], scale=SCALE)
    assert average_precision(scores(probe, unseen), truths) > 0.9


def test_logits_keep_mean_and_spread_of_the_zero_shot_ones(rng: np.random.Generator) -> None:
    world = World(rng)
    pictures, verdicts = world.pictures(60, 0.5)
    probe = fit_probe(world.text, pictures[verdicts], pictures[~verdicts], scale=SCALE)
    answered = np.concatenate([pictures[verdicts], pictures[~verdicts]])
    zero_shot, learned = SCALE * (answered @ world.text), scores(probe, answered)
    assert learned.mean() == pytest.approx(zero_shot.mean())
    assert learned.std() == pytest.approx(zero_shot.std())


def test_held_out_logits_are_as_sure_as_those_of_unseen_pictures(rng: np.random.Generator) -> None:
    world = World(rng)
    unseen, truths = world.pictures(4000, 0.5)
    gaps = []
    for _draw in range(20):
        pictures, verdicts = world.pictures(48, 0.5)
        probe = fit_probe(world.text, pictures[verdicts], pictures[~verdicts], scale=SCALE)
        signs = np.r_[np.ones(verdicts.sum()), -np.ones((~verdicts).sum())]
        own = scores(probe, np.concatenate([pictures[verdicts], pictures[~verdicts]]))
        new = scores(probe, unseen)
        truly = new[truths].mean() - new[~truths].mean()
        apart = [logits[signs > 0].mean() - logits[signs < 0].mean()
                 for logits in (own, probe.held_out)]  # fmt: skip
        gaps.append([part / truly for part in apart])
    seen, held_out = np.mean(gaps, axis=0)
    assert seen > 1.1
    assert held_out == pytest.approx(1.0, abs=0.1)


def test_the_order_of_answers_does_not_matter(rng: np.random.Generator) -> None:
    world = World(rng)
    pictures, verdicts = world.pictures(40, 0.5)
    yes, no = pictures[verdicts], pictures[~verdicts]
    probe = fit_probe(world.text, yes, no, scale=SCALE)
    again = fit_probe(world.text, yes, no, scale=SCALE)
    turned = fit_probe(world.text, yes[::-1], no[::-1], scale=SCALE)
    assert probe.vector.tolist() == again.vector.tolist()
    assert probe.vector == pytest.approx(turned.vector, abs=1e-9)


@pytest.mark.parametrize("verdict", [True, False])
def test_one_sided_answers_do_little_harm(rng: np.random.Generator, verdict: bool) -> None:
    world = World(rng)
    unseen, truths = world.pictures(4000, 0.1)
    before = average_precision(unseen @ world.text, truths)
    pictures, right = world.pictures(200, 0.5)
    chosen = pictures[right == verdict][:50]
    none = np.empty((0, chosen.shape[1]))
    probe = fit_probe(world.text, *((chosen, none) if verdict else (none, chosen)), scale=SCALE)
    assert average_precision(scores(probe, unseen), truths) > before - 0.02
    assert np.isfinite(probe.held_out).all()


def test_pictures_with_both_answers_say_nothing(rng: np.random.Generator) -> None:
    world = World(rng)
    disputed, _verdicts = world.pictures(40, 0.5)
    probe = fit_probe(world.text, disputed, disputed, scale=SCALE)
    assert probe.vector.tolist() == world.text.tolist()
    assert probe.held_out == pytest.approx(np.tile(SCALE * (disputed @ world.text), 2))

    pictures, verdicts = world.pictures(40, 0.5)
    yes, no = pictures[verdicts], pictures[~verdicts]
    plain = fit_probe(world.text, yes, no, scale=SCALE)
    mixed = fit_probe(world.text, [*yes, *disputed], [*no, *disputed], scale=SCALE)
    assert mixed.vector.tolist() == plain.vector.tolist()
    assert mixed.held_out[: len(yes)].tolist() == plain.held_out[: len(yes)].tolist()


def test_equal_pictures_are_no_direction() -> None:
    same = np.tile([0.0, 1.0], (5, 1))
    probe = fit_probe([1.0, 0.0], same, same, scale=SCALE)
    assert probe.vector.tolist() == [1.0, 0.0]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_probe([1.0, 0.0], [[np.nan, 1.0]], [[1.0, 0.0]], scale=SCALE)


# --- Log-odds ------------------------------------------------------------------------------


def odds(world: World, pictures: np.ndarray, verdicts: np.ndarray) -> Probe:
    slope, constant = world.line
    return fit_odds(
        world.text, pictures[verdicts], pictures[~verdicts], slope=slope, constant=constant
    )


def test_odds_without_answers_are_those_of_the_text() -> None:
    text, nothing = np.array([0.6, 0.8]), np.empty((0, 2))
    probe = fit_odds(text, nothing, nothing, slope=10.0, constant=-3.0)
    assert probe.vector.tolist() == pytest.approx([6.0, 8.0])
    assert (probe.bias, probe.held_out.shape) == (-3.0, (0,))


def test_one_answer_moves_odds_a_little() -> None:
    text = np.array([0.6, 0.8])
    before = 10 * 0.6 - 3
    probe = fit_odds(text, np.empty((0, 2)), [[1.0, 0.0]], slope=10.0, constant=-3.0)
    after = probe.vector[0] + probe.bias
    assert before - 2 < after < before
    assert probe.held_out.tolist() == pytest.approx([before], abs=1.5)


@pytest.mark.parametrize("count", [6, 12, 24])
def test_few_answers_near_the_line_spoil_no_library(rng: np.random.Generator, count: int) -> None:
    """What is asked near the line is hard to tell apart: this says nothing of the rest."""
    errors = []
    for _draw in range(10):
        world = World(rng)
        pictures, truths = world.pictures(2000, 0.1)
        slope, constant = world.line
        before = sigmoid(slope * (pictures @ world.text) + constant)
        sampled = asking.draw_sample(before, count // 3, seed=1).pictures
        near = asking.most_telling(
            before, 0.5, count - len(sampled), answered=np.isin(np.arange(2000), sampled)
        )
        asked = np.concatenate([sampled, near])
        probe = odds(world, pictures[asked], truths[asked])
        verdicts = np.sort(truths[asked].astype(float))[::-1]
        found = fit_intercepts(probe.held_out[:, None], verdicts[:, None])
        after = found.probabilities((pictures @ probe.vector + probe.bias)[:, None])[:, 0]
        errors.append([np.mean((shares - truths) ** 2) for shares in (before, after)])
        assert np.sum(after >= 0.5) < 1.5 * truths.sum()
        assert np.corrcoef(before, after)[0, 1] > 0.7
    without, learned = np.mean(errors, axis=0)
    assert learned < 1.05 * without


def test_odds_learn_from_answers_too(rng: np.random.Generator) -> None:
    world = World(rng)
    unseen, truths = world.pictures(4000, 0.1)
    found = [average_precision(unseen @ world.text, truths)]
    for count in (12, 48, 192):
        probe = odds(world, *world.pictures(count, 0.4))
        found.append(average_precision(unseen @ probe.vector, truths))
    assert found == sorted(found)
    assert found[-1] > found[0] + 0.2


def test_a_text_that_says_nothing_is_left_by_odds(rng: np.random.Generator) -> None:
    world = World(rng, 256)
    unseen, truths = world.pictures(4000, 0.1)
    world.text = l2_normalise(rng.normal(size=(1, 256)))[0]
    probe = odds(world, *world.pictures(24, 0.4))
    assert average_precision(unseen @ probe.vector, truths) > 0.9
