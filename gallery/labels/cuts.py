"""What a threshold of one category would do: how many pictures it labels, how many of them are
right as far as the probabilities say, and the pictures on both sides of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt

from gallery.indexing.selectors import visible_to
from gallery.labels import fitting, scoring, sets
from gallery.labels.asking import pool_of
from gallery.labels.definition import Mode
from gallery.labels.learning import thresholds
from gallery.models import Answer, Category, EmbeddingSpace, LabelFit, LabelSet, User

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

# Larger libraries are judged by so many pictures, always the same ones.
POOL = 20_000
BINS = 50
# A threshold that no picture reaches.
NONE = 1.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cut:
    """What one threshold would do. `labelled` of the library's pictures would have the label, a
    share `precision` of them is expected to be right (None without any), and a share `recall` of
    all right ones is expected among them."""

    probability: float
    labelled: int
    precision: float | None
    recall: float


@dataclass(frozen=True)
class Spread:
    """Pictures by the probability of a category, the surest first: those that could get its label.
    Where categories exclude each other, it is the likeliest of them.

    `images` (n) and `shares` (n,); `is_settled` (n,) marks pictures of which people have said
    something: no threshold changes these. `yes` counts people's yes. `expected` is the number of
    right pictures that all probabilities add up to. `scale` is how many pictures of the library
    each stands for.
    """

    images: list[UUID]
    shares: Floats
    is_settled: npt.NDArray[np.bool_]
    yes: int
    expected: float
    scale: float

    @property
    def is_exact(self) -> bool:
        """Whether all pictures were looked at, and not a part of the library."""
        return self.scale <= 1

    def at(self, probability: float) -> Cut:
        taken = self.shares >= probability
        right = float(self.shares[taken].sum())
        count = int(taken.sum())
        labelled = int((taken & ~self.is_settled).sum()) + self.yes
        return Cut(
            probability,
            round(labelled * self.scale),
            right / count if count else None,
            min(right / self.expected, 1.0) if self.expected else 0.0,
        )

    def for_right(self, wish: float) -> float:
        """Return the lowest threshold above which a share of at least `wish` is expected to be
        right; NONE if no picture is that sure."""
        return min(thresholds.at_least_right(self.shares, wish).probability, NONE)

    def for_all(self, wish: float) -> float:
        """Return the highest threshold that keeps a share of at least `wish` of the right pictures
        that could get the label."""
        if not len(self.shares):
            return 0.0
        return thresholds.nearly_all(self.shares, wish).probability

    def around(self, probability: float, count: int) -> tuple[list[UUID], list[UUID]]:
        """Return up to `count` pictures on each side of a threshold, the nearest first: those with
        the label, and those without. Pictures that people have settled are left out."""
        above = np.flatnonzero((self.shares >= probability) & ~self.is_settled)[::-1]
        below = np.flatnonzero((self.shares < probability) & ~self.is_settled)
        return (
            [self.images[place] for place in above[:count]],
            [self.images[place] for place in below[:count]],
        )

    def histogram(self) -> list[int]:
        """Return the numbers of pictures of the library in BINS equal parts of [0, 1]."""
        counts = np.histogram(self.shares, bins=BINS, range=(0, 1))[0]
        return [round(count * self.scale) for count in counts.tolist()]

    def buckets(self, no: float | None, sure: float | None) -> tuple[int, int, int]:
        """Return how many pictures of the library are surely not of the category, unsure, and
        sure."""
        above = 0 if sure is None else int((self.shares >= sure).sum())
        below = 0 if no is None else int((self.shares < no).sum())
        between = len(self.shares) - above - below
        scaled = [round(count * self.scale) for count in (below, between, above)]
        return scaled[0], scaled[1], scaled[2]


def spread(label_set: LabelSet, category: Category, user: User, space: EmbeddingSpace) -> Spread:
    """Look at the pictures that `user` may see. Raises TooMany, Unavailable."""
    return spreads(label_set, [category], user, space)[category.pk]


def spreads(
    label_set: LabelSet, categories: Sequence[Category], user: User, space: EmbeddingSpace
) -> dict[UUID, Spread]:
    """Do the same for several categories, by their ids."""
    fit = fitting.require(label_set, space)
    return spreads_among(visible_to(user), label_set, fit, categories, space)


def spreads_among(
    images: ImageQuerySet,
    label_set: LabelSet,
    fit: LabelFit,
    categories: Sequence[Category],
    space: EmbeddingSpace,
) -> dict[UUID, Spread]:
    """Look at `images` by a fit of the set."""
    weights = fitting.weights_of(fit)
    # Always the same part: pictures must not jump while somebody moves the threshold.
    pool = pool_of(images, POOL, start=label_set.pk)
    scale = images.count() / len(pool) if len(pool) == POOL else 1.0
    numbers = [weights.categories.index(category.pk) for category in categories]
    rows = scoring.standings(weights, space, scoring.these(pool), numbers).rows()
    verdicts = _verdicts(label_set, pool)
    is_free = weights.mode == Mode.ANY
    found = {}
    for place, (category, number) in enumerate(zip(categories, numbers, strict=True)):
        # What the set has learned from a picture says nothing of how right it is on others.
        held = fitting.held_out(fit, category.pk)
        scored = [
            (held.get(row[0], row[2 + place]), row[0], is_free or row[1] == number) for row in rows
        ]
        found[category.pk] = _spread(category, scored, verdicts, weights.mode, max(scale, 1.0))
    return found


def _spread(
    category: Category,
    scored: Sequence[tuple[float, UUID, bool]],
    verdicts: Mapping[UUID, Mapping[UUID, bool]],
    mode: str,
    scale: float,
) -> Spread:
    """`scored` are the probabilities, pictures, and whether these could get the label."""
    own = sorted((row for row in scored if row[2]), key=lambda row: (-row[0], row[1]))
    said = [_settled(verdicts.get(image), category, mode) for _share, image, _can in own]
    return Spread(
        images=[image for _share, image, _can in own],
        shares=np.array([share for share, _image, _can in own], dtype=float),
        is_settled=np.array([one is not None for one in said], dtype=bool),
        yes=sum(given.get(category.pk, False) for given in verdicts.values()),
        expected=float(sum(share for share, _image, _can in scored)),
        scale=scale,
    )


def _verdicts(label_set: LabelSet, pool: Sequence[UUID]) -> dict[UUID, dict[UUID, bool]]:
    """Return what people said: verdicts by picture and category."""
    rows = Answer.objects.filter(category__in=sets.categories_of(label_set), image__in=pool)
    found: dict[UUID, dict[UUID, bool]] = {}
    for image, category, verdict in rows.values_list("image_id", "category_id", "verdict"):
        found.setdefault(image, {})[category] = verdict
    return found


def _settled(said: Mapping[UUID, bool] | None, category: Category, mode: str) -> bool | None:
    """Return whether people gave or denied a picture the category; None: neither."""
    if not said:
        return None
    if category.pk in said:
        return said[category.pk]
    return False if mode == Mode.ONE and any(said.values()) else None
