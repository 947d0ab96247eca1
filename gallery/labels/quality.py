"""How good a set's labels are: by answers to the random sample, and by labelled pictures that
somebody brings along."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext as _

from gallery.encoders.base import Vectors
from gallery.errors import Refusal
from gallery.indexing.selectors import visible_to
from gallery.labels import fitting, probabilities, scoring, sets
from gallery.labels.asking import pool_of
from gallery.labels.definition import Mode
from gallery.labels.fitting import Weights
from gallery.labels.learning import assisted, quality, thresholds
from gallery.labels.learning.asking import weights as sampling_weights
from gallery.labels.learning.doubts import doubtful_verdicts
from gallery.labels.learning.intervals import Estimate, wilson
from gallery.labels.learning.quality import Bin, ClassQuality
from gallery.labels.learning.thresholds import Buckets, Threshold
from gallery.models import Answer, Category, EmbeddingSpace, LabelFit, LabelSet, Question, User

# Pictures by which thresholds are suggested.
_POOL = 5_000
RIGHT = 0.95

Floats = npt.NDArray[np.float64]


# Picture, category, verdict and, for a picture of the random sample, its stratum.
Said = tuple[UUID, UUID, bool, int | None]


@dataclass(frozen=True)
class CategoryQuality:
    """What answers and scores say of one category. `precision` and `recall` are estimated from the
    `sampled` answers and all probabilities; None while the answers say nothing. `right` and `all`
    are the thresholds for “at least 95 % right” and “find nearly all”. Of the pictures of a random
    part of the library, `labelled` would get the label, `expected` are right as far as the
    probabilities say, and `histogram` counts them in twenty bins of probability."""

    category: Category
    answers: int
    yes: int
    sampled: int
    threshold: float
    labelled: int
    expected: float
    precision: Estimate | None
    recall: Estimate | None
    right: Threshold | None
    all: Threshold | None
    buckets: Buckets
    histogram: list[int]


@dataclass(frozen=True)
class Quality:
    """`calibration_error` and `brier` are those of all answers, with the points of the
    reliability plot; None without answers. `before` are the same without what was learned."""

    answers: int
    calibration_error: float | None
    brier: float | None
    reliability: list[Bin]
    before: Mapping[str, float]
    # By category: its answers, and those that were guessed without and with learning.
    learned: Mapping[str, Sequence[int]]
    categories: list[CategoryQuality]
    # The pictures of the random part of the library.
    pool: int


def of_set(
    label_set: LabelSet, user: User, space: EmbeddingSpace, only: Category | None = None
) -> Quality:
    """Measure the current fit by people's answers; of the categories perhaps `only` one. Raises
    TooMany, Unavailable."""
    fit = fitting.require(label_set, space)
    weights = fitting.weights_of(fit)
    said = list(
        Answer.objects.filter(category__in=weights.categories).values_list(
            "image_id", "category_id", "verdict", "stratum"
        )
    )
    shares = _held_out(fit, weights, space, [image for image, *_rest in said])
    pool = _pool(fit, weights, space, user)
    sampled = _sampled(weights.categories, said)
    place = {pk: number for number, pk in enumerate(weights.categories)}
    answered = [
        (float(shares[image][place[category]]), verdict)
        for image, category, verdict, _stratum in said
        if image in shares
    ]
    predicted = np.array([share for share, _verdict in answered])
    truths = np.array([verdict for _share, verdict in answered], dtype=float)
    return Quality(
        answers=len(answered),
        calibration_error=quality.calibration_error(predicted, truths) if answered else None,
        brier=quality.brier_score(predicted, truths) if answered else None,
        reliability=quality.reliability(predicted, truths) if answered else [],
        before=fit.quality.get("before", {}),
        learned=fit.quality.get("learned", {}),
        categories=[
            _of_category(category, weights, said, sampled, shares, pool)
            for category in ([only] if only else sets.categories_of(label_set))
        ],
        pool=len(pool),
    )


def _of_category(
    category: Category,
    weights: Weights,
    said: Sequence[Said],
    sampled: Container[tuple[UUID, UUID]],
    shares: Mapping[UUID, Floats],
    pool: Floats,
) -> CategoryQuality:
    number = weights.categories.index(category.pk)
    least = weights.thresholds[number]
    own = [row for row in said if row[1] == category.pk and row[0] in shares]
    sample = [
        row
        for row in own
        if row[3] is not None and row[3] < len(category.sample_sizes) and row[:2] in sampled
    ]
    share = np.array([shares[image][number] for image, *_rest in sample])
    truth = np.array([verdict for _image, _pk, verdict, _stratum in sample], dtype=bool)
    strata, weight = sampling_weights(
        [stratum or 0 for *_rest, stratum in sample], category.sample_sizes
    )
    seen = np.array([shares[image] for image, *_rest in sample]).reshape(-1, pool.shape[1])
    library = pool[:, number]
    given = _given(weights, pool, number, least)
    precision, recall = assisted.precision_and_recall(
        assisted.Sample(_given(weights, seen, number, least), truth, strata, weight, share),
        assisted.Library(library, given),
    )
    return CategoryQuality(
        category=category,
        answers=len(own),
        yes=sum(verdict for _image, _pk, verdict, _stratum in own),
        sampled=len(sample),
        threshold=least,
        labelled=int(given.sum()),
        expected=float(library.sum()),
        precision=precision,
        recall=recall,
        right=thresholds.at_least_right(library, RIGHT) if len(library) else None,
        all=thresholds.nearly_all(library, RIGHT) if len(library) else None,
        buckets=thresholds.buckets(share, truth, strata, weight)
        if sample
        else Buckets(None, None, None),
        histogram=np.histogram(library, bins=20, range=(0, 1))[0].tolist(),
    )


def _sampled(categories: Sequence[UUID], said: Sequence[Said]) -> set[tuple[UUID, UUID]]:
    """Return the pairs of picture and category whose answers are a random sample.

    Questions have a random order, and the first ones are asked first. Pictures that are asked
    because they are uncertain may be among the later ones, so only the beginning of the order
    counts, as far as nearly all of it is answered: people may skip one of ten, and one more."""
    answered = {(image, category) for image, category, _verdict, _stratum in said}
    orders: dict[UUID, list[UUID]] = {}
    with_answers = {category for _image, category, _verdict, stratum in said if stratum is not None}
    rows = Question.objects.filter(category__in=with_answers & set(categories))
    for image, category in rows.order_by("position").values_list("image_id", "category_id"):
        orders.setdefault(category, []).append(image)
    found: set[tuple[UUID, UUID]] = set()
    for category, images in orders.items():
        is_answered = np.array([(image, category) in answered for image in images])
        counts = is_answered.cumsum()
        enough = np.flatnonzero(np.arange(1, len(images) + 1) - counts <= 1 + counts // 10)
        if len(enough):
            found |= {(image, category) for image in images[: enough[-1] + 1]}
    return found & answered


def _given(weights: Weights, shares: Floats, number: int, least: float) -> npt.NDArray[np.bool_]:
    """Whether pictures with these probabilities (n, k + 1, none last) get the label."""
    if weights.mode == Mode.ANY:
        return np.asarray(shares[:, number] >= least)
    rivals = shares if weights.background else shares[:, :-1]
    return np.asarray(shares[:, number] >= np.maximum(rivals.max(axis=1), least))


def _held_out(
    fit: LabelFit, weights: Weights, space: EmbeddingSpace, images: Sequence[UUID]
) -> dict[UUID, Floats]:
    """Return the probabilities of `_shares`. Where a category has learned from the picture, it is
    the one that it had without that answer."""
    shares = _shares(weights, space, images)
    for number, category in enumerate(weights.categories):
        for image, share in fitting.held_out(fit, category).items():
            if image in shares:
                shares[image][number] = share
    return shares


def _shares(weights: Weights, space: EmbeddingSpace, images: Sequence[UUID]) -> dict[UUID, Floats]:
    """Return the probabilities (k + 1, none last) of pictures that have a vector."""
    scope = scoring.these(set(images))
    ids, logits = scoring.logits(weights, space, scope)
    found, none = probabilities.of_logits(weights, logits)
    return dict(zip(ids, np.column_stack([found, none]), strict=True))


def _pool(fit: LabelFit, weights: Weights, space: EmbeddingSpace, user: User) -> Floats:
    """Return the probabilities (n, k + 1, none last) of some pictures that `user` may see, drawn at
    random. Those that the set has learned from have the ones that they would have without: others
    are less sure, and a wish is for all."""
    ids = pool_of(visible_to(user), _POOL)
    shares = _held_out(fit, weights, space, ids)
    rows = list(shares.values())
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(weights.categories) + 1)


@dataclass(frozen=True)
class Doubt:
    """An answer that the set doubts. `probability` is that of the category without it."""

    image: UUID
    category: Category
    verdict: bool
    probability: float


def doubts(label_set: LabelSet, user: User, space: EmbeddingSpace) -> list[Doubt]:
    """Return the doubted answers to pictures that `user` may see, the surest doubt first. Raises
    TooMany, Unavailable."""
    fit = fitting.require(label_set, space)
    weights = fitting.weights_of(fit)
    seen = Answer.objects.filter(image__in=visible_to(user).values("pk"))
    said = list(
        seen.filter(category__in=weights.categories).values_list(
            "image_id", "category_id", "verdict"
        )
    )
    shares = _held_out(fit, weights, space, [image for image, *_rest in said])
    found = []
    for category in sets.categories_of(label_set):
        number = weights.categories.index(category.pk)
        own = [row for row in said if row[1] == category.pk and row[0] in shares]
        share = np.array([shares[image][number] for image, *_rest in own])
        verdicts = np.array([verdict for *_rest, verdict in own], dtype=int)
        found += [
            Doubt(own[place][0], category, own[place][2], float(share[place]))
            for place in (doubtful_verdicts(share, verdicts) if own else [])
        ]
    return sorted(found, key=lambda doubt: -abs(doubt.probability - doubt.verdict))


# --- Evaluation by labelled pictures ------------------------------------------------


@dataclass(frozen=True)
class Evaluation:
    """How well a fit sorts `pictures` with known categories. `confusion` (k + 1, k + 1) counts
    pictures by true category (rows) and label (columns); the last one is none of them. In the
    mode *any* a picture counts by its likeliest category. `likeliest` is the accuracy if none is
    never an answer. `cells` (n, 2) are row and column of each picture."""

    pictures: int
    accuracy: Estimate
    likeliest: Estimate
    calibration_error: float
    brier: float
    reliability: list[Bin]
    confusion: npt.NDArray[np.int64]
    classes: list[tuple[str, ClassQuality]]
    left_out: int
    cells: npt.NDArray[np.int64]


def evaluate(
    fit: LabelFit, vectors: Vectors, truths: Sequence[UUID | None], left_out: int = 0
) -> Evaluation:
    """Evaluate by unit vectors (n, d) of pictures whose categories are `truths` (n); None: none
    of the set. Raises Refusal (no_labels)."""
    if not len(truths):
        raise Refusal(
            "no_labels",
            _("Give at least one picture that is encoded, with its category."),
            "labels",
        )
    weights = fitting.weights_of(fit)
    logits = np.asarray(vectors, dtype=float) @ weights.vectors.T + np.array(weights.biases)
    shares, none = probabilities.of_logits(weights, logits)
    count = len(weights.categories)
    place: dict[UUID | None, int] = {pk: n for n, pk in enumerate(weights.categories)}
    place[None] = count
    classes = np.array([place[truth] for truth in truths])
    everything = np.column_stack([shares, none if weights.background else np.zeros(len(shares))])
    predicted = everything.argmax(axis=1)
    confusion = quality.confusion_matrix(classes, predicted, count + 1)
    right = int((predicted == classes).sum())
    share, is_right = quality.of_likeliest(everything, classes)
    names = [entry["name"] for entry in fit.version.categories]
    return Evaluation(
        pictures=len(classes),
        accuracy=wilson(right, len(classes)),
        likeliest=wilson(int((shares.argmax(axis=1) == classes).sum()), len(classes)),
        calibration_error=quality.calibration_error(share, is_right),
        brier=quality.brier_score(everything, classes),
        reliability=quality.reliability(share, is_right),
        confusion=confusion,
        classes=list(zip([*names, ""], quality.by_class(confusion), strict=True)),
        left_out=left_out,
        cells=np.column_stack([classes, predicted]),
    )
