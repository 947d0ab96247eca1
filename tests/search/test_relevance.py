"""The relevance line: what is chance, and what is a match.

Most libraries here are made-up vectors with known matches. The last tests ask the bundled model
about real photographs.
"""

from __future__ import annotations

import io
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage
import sklearn.datasets
from PIL import Image as PILImage

from gallery import task_names
from gallery.encoders import client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.indexing import concepts, encoding, spaces, text_fit
from gallery.indexing.spaces import active_space
from gallery.models import Embedding, EmbeddingSpace, Image, User
from gallery.search import pages
from gallery.search.filters.narrowed import Narrowed
from gallery.search.nearest import sample
from gallery.search.plan import Plan
from gallery.search.relevance import calibration, chance, relevance
from gallery.search.relevance.chance import Chance
from gallery.search.results import Clock
from tests.conftest import upload, wait_for
from tests.factories import make_space

DIMENSIONS = 64
SPREAD = 1 / np.sqrt(DIMENSIONS)  # of the cosines of random directions


@pytest.fixture(autouse=True)
def _no_old_samples() -> None:
    sample.forget()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def directions(rng: np.random.Generator, count: int) -> Vectors:
    return l2_normalise(rng.normal(size=(count, DIMENSIONS)))


def near(rng: np.random.Generator, vector: Vectors, cosine: float, count: int) -> Vectors:
    """Return unit vectors with about that cosine to `vector`."""
    noise = directions(rng, count)
    noise -= np.outer(noise @ vector, vector)
    return l2_normalise(cosine * vector + np.sqrt(1 - cosine**2) * l2_normalise(noise))


def usual(rng: np.random.Generator, pictures: Vectors) -> Chance:
    return measured(directions(rng, 64), pictures)


def measured(queries: Vectors, pictures: Vectors) -> Chance:
    return chance.summary(list(queries @ pictures.T))


def judged(scores: Vectors, usual: Chance | None, **asked: Any) -> relevance.Judgement:
    found = relevance.of_scores(scores, usual, len(scores), **asked)
    return found.settled(float(scores.max()))


# --- The rule, on vectors of which it is known what they are ------------------------


@pytest.mark.parametrize("matching", [2, 20, 330, 800, 1000])
def test_the_line_parts_matches_from_the_rest_however_many_they_are(
    rng: np.random.Generator, matching: int
) -> None:
    """The matches are rare, a third, most, or all of the library, which is then no sample of
    chance."""
    query = directions(rng, 1)[0]
    library = np.concatenate([near(rng, query, 0.65, matching), directions(rng, 1000 - matching)])
    by_chance = usual(rng, np.concatenate([library, directions(rng, 10)]))
    scores = library @ query
    judgement = judged(scores, by_chance)
    assert judgement.line is not None
    assert np.mean(scores[:matching] >= judgement.line) > 0.95
    assert np.mean(scores[matching:] >= judgement.line) < 0.12 if matching < 1000 else True
    assert judgement.fit(0.65) in {"good", "excellent"}
    assert judgement.fit(0.0) == "weak"


@pytest.mark.parametrize(("size", "sure"), [(30, 0.8), (100, 0.85), (1000, 0.9)])
def test_where_nothing_matches_no_score_is_above_the_line(
    rng: np.random.Generator, size: int, sure: float
) -> None:
    """This holds for most queries, as Donoho and Johnstone promise: the best of many scores is
    sometimes high by chance."""
    silent = [_is_silent(rng, size) for _library in range(5)]
    assert np.mean(silent) >= sure


def _is_silent(rng: np.random.Generator, size: int) -> float:
    """Return the share of 100 queries that find nothing in a library of that many other things."""
    library = directions(rng, size)
    by_chance = usual(rng, library)
    scores = directions(rng, 100) @ library.T
    return float(np.mean([row.max() < (judged(row, by_chance).line or -1) for row in scores]))


def test_in_a_small_library_all_scores_a_little_higher_are_no_match(
    rng: np.random.Generator,
) -> None:
    """Texts without meaning are a little nearer to all pictures than captions. The medians of so
    few pictures vary by chance, and the line allows for that."""
    cone = directions(rng, 1)[0]
    library = near(rng, cone, 0.7, 60)
    by_chance = measured(near(rng, cone, 0, 64), library)
    scores = near(rng, cone, 0.05, 200) @ library.T
    silent = [row.max() < (judged(row, by_chance).line or -1) for row in scores]
    assert np.mean(silent) >= 0.7


def test_the_best_score_has_to_be_better_the_more_pictures_it_is_the_best_of() -> None:
    judgement = relevance.Judgement(line=0.25, least=0.0, spread=0.1, pictures=1_000_000)
    assert judgement.settled(0.36, among=200).line == 0.25
    assert judgement.settled(0.36, among=10_000).fit(0.36) == "weak"
    assert judgement.settled(0.36).fit(0.36) == "weak"
    assert judgement.settled(0.6).line == 0.25


def test_a_gap_between_texts_and_pictures_changes_nothing(rng: np.random.Generator) -> None:
    """CLIP's texts and pictures form two cones: all cosines are shifted and compressed."""
    cones = directions(rng, 2)
    pictures, texts = directions(rng, 1000), directions(rng, 64)
    query = directions(rng, 1)[0]
    pictures[:30] = near(rng, query, 0.65, 30)
    lifted = l2_normalise(pictures + 1.5 * cones[0])
    probes = l2_normalise(texts + 1.5 * (cones[0] + cones[1]))
    usual = measured(probes, lifted)
    scores = lifted @ l2_normalise((query + 1.5 * (cones[0] + cones[1]))[None])[0]
    assert usual.centre > 0.3
    judgement = judged(scores, usual)
    assert judgement.line is not None
    assert judgement.line > usual.centre
    assert np.mean(scores[:30] >= judgement.line) > 0.9
    assert np.mean(scores[30:] >= judgement.line) < 0.05


def summed(
    library: Vectors, terms: list[Vectors], weights: list[float], usual: Chance
) -> tuple[Vectors, relevance.Judgement]:
    """Return the scores of a sum of terms, and their judgement."""
    total = np.array(weights) @ np.stack(terms)
    length = np.linalg.norm(total)
    scores = library @ total / length
    of_parts = library @ np.stack(terms).T
    judgements = [relevance.of_scores(part, usual, len(library)) for part in of_parts.T]
    found = relevance.of_sum(scores, of_parts, [w / length for w in weights], judgements)
    return scores, found.settled(float(scores.max()))


@pytest.mark.parametrize("minus", [-0.5, -1.0])
def test_what_a_minus_keeps_away_makes_no_match_weak(
    rng: np.random.Generator, minus: float
) -> None:
    """The library has dogs in the snow and elsewhere, much snow without dogs, and other
    pictures."""
    by_chance = usual(rng, directions(rng, 1000))
    dog, snow = directions(rng, 2)
    both = l2_normalise((dog + snow)[None])[0]
    library = np.concatenate(
        [near(rng, dog, 0.65, 40), near(rng, both, 0.75, 40), near(rng, snow, 0.65, 400)]
    )
    library = np.concatenate([library, directions(rng, 520)])
    scores, judgement = summed(library, [dog, snow], [1, minus], by_chance)
    assert judgement.line is not None
    assert np.mean(scores[:40] >= judgement.line) > 0.9
    assert np.mean(scores[80:480] >= judgement.line) < 0.01
    assert np.mean(scores[480:] >= judgement.line) < 0.05


def test_both_of_two_things_stand_out(rng: np.random.Generator) -> None:
    by_chance = usual(rng, directions(rng, 1000))
    dog, beach = directions(rng, 2)
    both = l2_normalise((dog + beach)[None])[0]
    library = np.concatenate([near(rng, both, 0.7, 20), directions(rng, 980)])
    scores, judgement = summed(library, [dog, beach], [1, 1], by_chance)
    assert judgement.line is not None
    assert np.mean(scores[:20] >= judgement.line) > 0.95
    assert np.mean(scores[20:] >= judgement.line) < 0.05


def test_what_is_hardly_probable_is_no_match_of_a_sum(rng: np.random.Generator) -> None:
    """Some pictures fit one of two things, none fits both."""
    by_chance = usual(rng, directions(rng, 1000))
    dog, beach = directions(rng, 2)
    library = np.concatenate([near(rng, dog, 0.7, 20), directions(rng, 980)])
    scores, judgement = summed(library, [dog, beach], [1, 1], by_chance)
    assert judgement.line is not None
    above = scores[scores >= judgement.line]
    assert all(judgement.probability(float(score)) > 0.09 for score in above)


def test_a_sum_that_nothing_fits_says_so(rng: np.random.Generator) -> None:
    library = directions(rng, 1000)
    by_chance = usual(rng, library)
    silent = 0
    for _ in range(40):
        first, second = directions(rng, 2)
        scores, judgement = summed(library, [first, second], [1, -1], by_chance)
        silent += judgement.fit(float(scores.max())) == "weak"
    assert silent >= 36


def test_where_all_match_something_chance_is_summed_up_from_the_terms(
    rng: np.random.Generator,
) -> None:
    """The library has only dogs, some of them in the snow."""
    by_chance = usual(rng, directions(rng, 1000))
    dog, snow = directions(rng, 2)
    both = l2_normalise((dog + snow)[None])[0]
    library = np.concatenate([near(rng, dog, 0.65, 700), near(rng, both, 0.75, 300)])
    scores, judgement = summed(library, [dog, snow], [1, -1], by_chance)
    assert judgement.line is not None
    assert np.mean(scores[:700] >= judgement.line) > 0.95
    assert np.mean(scores[700:] >= judgement.line) < 0.1


def test_minuses_alone_are_matched_by_all_that_they_do_not_keep_away(
    rng: np.random.Generator,
) -> None:
    by_chance = usual(rng, directions(rng, 1000))
    people = directions(rng, 1)[0]
    library = np.concatenate([near(rng, people, 0.65, 300), directions(rng, 700)])
    scores, judgement = summed(library, [people], [-1], by_chance)
    assert judgement.line is not None
    assert np.mean(scores[:300] >= judgement.line) < 0.02
    assert np.mean(scores[300:] >= judgement.line) > 0.9


def test_the_probability_grows_with_the_score() -> None:
    judgement = relevance.Judgement(line=0.25, slope=40 / 3, at_line=-4 / 3, presence=30.0)
    shares = [judgement.probability(score) for score in np.linspace(-1, 1, 41)]
    assert shares == sorted(shares)
    assert shares[0] >= 0
    assert shares[-1] <= 1
    assert judgement.probability(0.0) < 0.05
    words = [judgement.fit(score) for score in (0.24, 0.26, 0.36, 0.46)]
    assert words == ["weak", "fair", "good", "excellent"]


def test_without_a_line_there_is_no_word_and_a_plain_bar() -> None:
    judgement = relevance.Judgement()
    assert judgement.fit(0.9) is None
    assert [judgement.probability(score) for score in (-0.5, 0.3, 1.2)] == [0.0, 0.3, 1.0]
    assert judgement.settled(0.9) == judgement


def test_pictures_that_are_all_the_same_tell_nothing() -> None:
    assert relevance.of_scores(np.full(100, 0.5, dtype=np.float32), None, 100).line is None


# --- The sample ---------------------------------------------------------------------


def fill(owner: User, space: EmbeddingSpace, vectors: Vectors) -> None:
    images = [
        Image(owner=owner, file="none", sha256=f"{space.pk}-{n}", byte_size=1,
              content_type="image/jpeg", width=1, height=1)
        for n in range(len(vectors))
    ]  # fmt: skip
    Image.objects.bulk_create(images)
    encoding.keep_vectors(space, [image.pk for image in images], vectors)


def test_too_few_pictures_have_no_line(alice: User, rng: np.random.Generator) -> None:
    space = make_space(dimensions=DIMENSIONS)
    vectors = directions(rng, sample.MINIMUM)
    fill(alice, space, vectors[1:])
    assert sample.sample_of(space) is None
    assert relevance.judge(space, vectors[0], "text").line is None
    sample.forget()
    fill_one = Image.objects.create(
        owner=alice, file="none", sha256="last", byte_size=1, content_type="image/jpeg",
        width=1, height=1,
    )  # fmt: skip
    encoding.keep_vectors(space, [fill_one.pk], vectors[:1])
    assert relevance.judge(space, vectors[0], "text").line is not None


def test_the_sample_has_all_of_a_small_library_and_none_of_another_space(
    alice: User, rng: np.random.Generator
) -> None:
    space = make_space(dimensions=DIMENSIONS)
    other = make_space("retired", DIMENSIONS, architecture="other")
    vectors = directions(rng, 120)
    fill(alice, space, vectors)
    fill(alice, other, directions(rng, 50))
    drawn = sample.sample_of(space)
    assert drawn is not None
    assert drawn.pictures == 120
    close = np.sort((drawn.vectors @ vectors.T).max(axis=1))
    assert drawn.vectors.shape == (120, DIMENSIONS)
    assert close[0] > 0.999, "the very vectors, as halves"


def test_a_large_library_is_sampled_at_random_by_few_reads(
    alice: User, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers have gaps: half of the rows between belong to another space."""
    monkeypatch.setattr(sample, "SIZE", 100)
    monkeypatch.setattr(sample, "_FEW", 200)
    space = make_space(dimensions=DIMENSIONS)
    other = make_space("retired", DIMENSIONS, architecture="other")
    marked = directions(rng, 1000)
    marked[:, 0] = np.linspace(0, 1, 1000) * 3  # the position of a vector in the library
    fill(alice, space, l2_normalise(marked[:500]))
    fill(alice, other, directions(rng, 700))
    fill(alice, make_space("retired", DIMENSIONS, architecture="third"), directions(rng, 10))
    Image.objects.filter(sha256__startswith=f"{space.pk}-").update(owner=alice)
    images = Image.objects.bulk_create(
        Image(owner=alice, file="none", sha256=f"late-{n}", byte_size=1,
              content_type="image/jpeg", width=1, height=1) for n in range(500)
    )  # fmt: skip
    encoding.keep_vectors(space, [image.pk for image in images], l2_normalise(marked[500:]))
    drawn = sample.take(space)
    assert drawn is not None
    assert drawn.vectors.shape == (100, DIMENSIONS)
    assert 700 < drawn.pictures < 1300, "an estimate, of 1,000"
    late = np.mean(drawn.vectors[:, 0] > np.median(l2_normalise(marked)[:, 0]))
    assert 0.3 < late < 0.7


def test_a_sample_is_of_all_parts_of_a_library(
    alice: User, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one drawing finds more than needed, the newest pictures have the same chance as the
    oldest."""
    monkeypatch.setattr(sample, "SIZE", 50)
    monkeypatch.setattr(sample, "_FEW", 400)
    space = make_space(dimensions=DIMENSIONS)
    fill(alice, space, directions(rng, 800))
    in_order = list(Embedding.objects.order_by("id").values_list("image_id", flat=True))
    drawn = sample.take(space)
    assert drawn is not None
    places = [in_order.index(image_id) for image_id in drawn.ids]
    assert len(set(places)) == 50
    assert 150 < np.median(places) < 650, "half of those who come first would be 100"
    assert np.allclose(
        drawn.vectors,
        [Embedding.objects.get(image_id=pk).vector for pk in drawn.ids],
        atol=1e-3,
    )


@pytest.mark.parametrize("weights", [[-1.0], [-1.0, -0.5], [1.0, -0.5]])
def test_where_all_pictures_are_the_same_a_sum_has_no_line(
    rng: np.random.Generator, weights: list[float]
) -> None:
    """Ten copies of one picture differ in nothing, and nothing is divided by zero."""
    library = np.repeat(np.eye(DIMENSIONS, dtype=np.float32)[:1], 10, axis=0)
    terms = list(np.eye(DIMENSIONS, dtype=np.float32)[: len(weights)])
    same = Chance(1.0, 0.0, 0.0)
    scores, judgement = summed(library, terms, weights, same)
    assert judgement.line is None
    assert judgement.fit(float(scores[0])) is None


def test_a_filter_makes_no_match_weak_that_is_one_beside_others(
    alice: User, bob: User, rng: np.random.Generator
) -> None:
    """A filter leaves one fair match of two sure ones and a fair one, among many other pictures.
    Viewers who may not see the sure ones learn nothing about them."""
    query = directions(rng, 1)[0]
    vectors = np.concatenate(
        [near(rng, query, 0.65, 2), near(rng, query, 0.3, 1), directions(rng, 600)]
    )
    vectors[3:] -= 0.3 * np.outer(vectors[3:] @ query, query)  # none is fair by chance
    space = make_space(dimensions=DIMENSIONS)
    fill(alice, space, l2_normalise(vectors))
    ids = list(Embedding.objects.order_by("id").values_list("image_id", flat=True))
    Image.objects.filter(pk__in=ids[2:]).update(camera="X100", visibility="public")

    def first(viewer: User, **filters: str) -> tuple[float | None, str | None]:
        judgement = relevance.judge(space, query, "text")
        plan = Plan(Narrowed(viewer, filters), space, vector=query, judgement=judgement)
        (hit,) = pages.first(plan, 1, Clock()).hits
        return hit.score, hit.fit

    assert first(alice)[1] in {"good", "excellent"}
    score, fit = first(alice, camera="X100")
    assert score == pytest.approx(0.3, abs=0.01)
    assert fit == "fair"
    assert first(bob, camera="X100") == (score, "weak")


def test_the_sample_is_kept_and_taken_anew_when_the_weights_change(
    alice: User, rng: np.random.Generator, django_assert_num_queries: Any
) -> None:
    space = make_space(dimensions=DIMENSIONS)
    fill(alice, space, directions(rng, 50))
    vector = directions(rng, 1)[0]
    relevance.judge(space, vector, "text")
    with django_assert_num_queries(0):
        relevance.judge(space, vector, "text")
        relevance.judge(space, vector, "image")
    space.checksum = "others"
    with django_assert_num_queries(3):  # the concepts as well
        relevance.judge(space, vector, "text")


def test_a_query_is_judged_once_and_anew_when_the_concepts_are_there(
    alice: User, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space(dimensions=DIMENSIONS)
    fill(alice, space, directions(rng, 50))
    vector, other = directions(rng, 2)
    found = relevance.judge(space, vector, "text")
    assert relevance.judge(space, vector, "text") is found
    assert relevance.judge(space, vector, "image") is not found
    assert relevance.judge(space, other, "text") is not found
    words = directions(rng, len(concepts.concepts()))
    monkeypatch.setattr(concepts, "vectors", lambda space, language="en": words)
    assert relevance.judge(space, vector, "text") != found


def test_a_judgement_costs_less_than_a_millisecond(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full sample of a model of usual size is in memory."""
    pictures, queries = rng.normal(size=(sample.SIZE, 512)), rng.normal(size=(50, 512))
    ids = [uuid.uuid4() for _ in pictures]
    drawn = sample.Sample(ids, l2_normalise(pictures), sample.SIZE)
    monkeypatch.setattr(sample, "take", lambda space: drawn)
    words = l2_normalise(rng.normal(size=(len(concepts.concepts()), 512)))
    monkeypatch.setattr(concepts, "vectors", lambda space, language="en": words)
    space = EmbeddingSpace(architecture="any", checksum="any")
    took = []
    for query in l2_normalise(queries):
        start = time.thread_time()  # other work on this machine does not count
        assert relevance.judge(space, query, "text").line is not None
        took.append(time.thread_time() - start)
    assert min(took) < 0.001


class Encoder:
    """Encodes each text as a direction of its own."""

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return l2_normalise(
            [np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS) for text in texts]
        )


def test_a_space_is_measured_once_for_its_weights_and_the_list(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = make_space(dimensions=DIMENSIONS, languages={"en": 1.0})
    assert not calibration.is_due()
    assert spaces.needs_preparing()
    assert concepts.vectors(space) is None
    concepts.make(space, Encoder())
    concepts.forget()
    assert not spaces.needs_preparing()
    found = concepts.vectors(space)
    assert found is not None
    assert found.shape == (len(concepts.concepts()), DIMENSIONS)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-2)
    monkeypatch.setattr(concepts, "digest", lambda: "another list")
    assert spaces.needs_preparing()
    monkeypatch.undo()
    space.checksum = "of other weights"
    space.save()
    assert spaces.needs_preparing()


# --- Texts --------------------------------------------------------------------------


@pytest.fixture
def reference(rng: np.random.Generator) -> text_fit.Reference:
    return text_fit.Reference(directions(rng, 300), directions(rng, 500))


def test_the_line_of_a_text_parts_what_it_fits_from_the_rest(
    rng: np.random.Generator, reference: text_fit.Reference
) -> None:
    """And something is less likely to fit a text that has nothing to do with any picture."""
    common, rare, absent = directions(rng, 3)
    pictures = np.concatenate(
        [near(rng, common, 0.5, 300), near(rng, rare, 0.6, 5), directions(rng, 195)]
    )
    judged_on = text_fit.Reference(reference.concepts, pictures)
    common_fit, rare_fit, absent_fit = judged_on.fits(np.stack([common, rare, absent]))
    for fit, text, its in ((common_fit, common, slice(0, 300)), (rare_fit, rare, slice(300, 305))):
        above = judged_on.pictures @ text >= fit.line
        assert above[its].mean() > 0.8
        assert np.delete(above, its).mean() < 0.05
    assert common_fit.presence > absent_fit.presence
    assert rare_fit.presence > absent_fit.presence


def test_the_scale_of_a_space_changes_nothing(
    rng: np.random.Generator, reference: text_fit.Reference
) -> None:
    """A cone shifts and compresses all cosines: the same pictures lie above the line."""
    text = near(rng, reference.pictures[0], 0.6, 1)
    zeros = np.zeros((len(reference.pictures), 1), dtype="f4")
    narrow = text_fit.Reference(
        np.hstack([reference.concepts, zeros[: len(reference.concepts)]]),
        l2_normalise(np.hstack([reference.pictures, zeros + 2])),
    )
    ((before,), (after,)) = (
        reference.fits(text),
        narrow.fits(np.hstack([text, np.zeros((1, 1), dtype="f4")])),
    )
    above = reference.pictures @ text[0] >= before.line
    assert (narrow.pictures[:, :-1] @ text[0] >= after.line).tolist() == above.tolist()
    assert after.presence == pytest.approx(before.presence, abs=0.01)


def test_a_text_looks_like_the_language_that_its_space_puts_it_with(
    rng: np.random.Generator, reference: text_fit.Reference
) -> None:
    """Where a space keeps the languages apart, texts of one lie together. Where it does not, and
    without Chinese concepts, no text looks like either."""
    other = directions(rng, 1)
    chinese = l2_normalise(reference.concepts + 0.8 * other)
    texts = directions(rng, 50)
    judged = text_fit.Reference(reference.concepts, reference.pictures, chinese)
    assert judged.language(chinese).mean() > 0.8
    assert judged.language(reference.concepts).mean() < -0.8
    aligned = l2_normalise(reference.concepts + 0.3 * directions(rng, 300))
    judged = text_fit.Reference(reference.concepts, reference.pictures, aligned)
    assert abs(judged.language(texts)).mean() < 0.2
    for same in (reference.concepts, None):
        neutral = text_fit.Reference(reference.concepts, reference.pictures, same)
        assert neutral.language(texts) == pytest.approx(0)


def test_a_reference_of_few_or_equal_pictures_divides_by_nothing(
    reference: text_fit.Reference,
) -> None:
    for pictures in (reference.pictures[:10], np.repeat(reference.pictures[:1], 10, axis=0)):
        (found,) = text_fit.Reference(reference.concepts, pictures).fits(reference.concepts[:1])
        assert np.isfinite([found.line, found.slope, found.at_line, found.presence]).all()


# --- The bundled model and real photographs -------------------------------------------


def photographs() -> list[bytes]:
    """Return the photographs of scikit-image and scikit-learn, and a part of each."""
    folders = [Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent]
    files = [path for folder in folders for path in sorted(folder.rglob("*.jpg"))]
    files += [
        folders[0] / f"{name}.png"
        for name in ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "grass",
                     "gravel", "horse", "hubble_deep_field", "logo", "moon", "page", "text")
        if (folders[0] / f"{name}.png").exists()
    ]  # fmt: skip
    return [_part(path, share) for path in files for share in (0, 8)]


def _part(path: Path, share: int) -> bytes:
    """Return the picture as a JPEG, without a strip at its left and upper edge."""
    picture = PILImage.open(path).convert("RGB")
    width, height = picture.size
    left, top = (width // share, height // share) if share else (0, 0)
    buffer = io.BytesIO()
    picture.crop((left, top, width, height)).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.mark.worker
def test_a_worker_measures_and_real_queries_are_judged(encoder_worker: object, alice: User) -> None:
    """Scores of existing subjects are above the line. Those of missing subjects and of words
    without meaning are below."""
    from celery import current_app

    contents = photographs()
    for content in contents:
        upload(alice, content)
    space = active_space()
    assert space is not None
    wait_for(lambda: space.embeddings.count() == len(contents), 180)
    assert len(contents) >= sample.MINIMUM
    current_app.send_task(task_names.PREPARE_CALIBRATION)
    wait_for(lambda: EmbeddingSpace.objects.get(pk=space.pk).languages, 120)
    space.refresh_from_db()
    assert not calibration.is_due()
    drawn = sample.sample_of(space)
    assert drawn is not None

    def matches(text: str) -> bool:
        vector = client.encode_texts(space, [text])[0]
        best = float((drawn.vectors @ vector).max())
        judgement = relevance.judge(space, vector, "text").settled(best)
        return judgement.fit(best) != "weak"

    there = ["a cat", "一只猫", "a cup of coffee", "flowers", "grass"]
    absent = ["asdfgh qwerty", "zxcvbnm", "skiing in the snow", "a football match", "snow"]
    assert sum(map(matches, there)) >= 4, {text: matches(text) for text in there}
    assert sum(map(matches, absent)) <= 1, {text: matches(text) for text in absent}
