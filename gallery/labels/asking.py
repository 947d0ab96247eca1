"""What to ask people next: pictures of the random sample, by which quality is measured, and
those near the line, from which a category learns most."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import transaction
from django.db.models import Count, Q

from gallery.indexing.selectors import visible_to
from gallery.labels import fitting, scoring, sets
from gallery.labels.definition import Mode
from gallery.labels.fitting import Weights
from gallery.labels.learning.asking import draw_sample, most_telling
from gallery.labels.writing import answered
from gallery.models import (
    Answer,
    Category,
    EmbeddingSpace,
    LabelSet,
    MapPoint,
    NearDuplicate,
    Question,
    User,
)

if TYPE_CHECKING:
    from gallery.models.image import ImageQuerySet

COUNT, MOST = 12, 60
# One of so many questions is of the random sample.
_SAMPLED = 3
# The pictures of a library among which the sample is drawn, and how many are drawn.
POOL, SAMPLE = 20_000, 300
# Candidates for the most telling pictures, for each that is asked for.
_CANDIDATES = 12


@dataclass(frozen=True)
class Asked:
    """A picture to ask about, with the probability of the category. `reason` says why: it is of
    the random sample, or near the line."""

    image: UUID
    probability: float
    reason: Literal["sample", "uncertain"]


def next_category(label_set: LabelSet) -> Category:
    """Return the category with the fewest answers."""
    counted = sets.categories_of(label_set).annotate(said=Count("answers"))
    return counted.order_by("said", "position")[0]


def ask(
    label_set: LabelSet, category: Category, user: User, space: EmbeddingSpace, count: int = COUNT
) -> list[Asked]:
    """Return at most `count` pictures that `user` may see and nobody has answered for this
    category. Raises TooMany, Unavailable."""
    weights = fitting.weights_of(fitting.require(label_set, space))
    number = weights.categories.index(category.pk)
    images = visible_to(user)
    if not Question.objects.filter(category=category).exists():
        _draw(category, weights, number, space, images)
    drawn = _sampled(category, images, max(1, count // _SAMPLED))
    telling = _telling(category, weights, number, space, images, count - len(drawn), drawn)
    chosen = [*drawn, *telling]
    scope = scoring.these(chosen)
    shares = dict(scoring.of_category(weights, space, scope, number).rows())
    return [
        Asked(pk, float(shares[pk]), "sample" if pk in drawn else "uncertain")
        for pk in chosen
        if pk in shares
    ]


def pool_of(images: ImageQuerySet, count: int = POOL, start: UUID | None = None) -> list[UUID]:
    """Return up to `count` of the pictures, drawn at random: those from the id `start` on, or from
    a random one. Ids are random, so any stretch of them is a fair sample."""
    start = start or UUID(int=random.getrandbits(128))
    ids = images.order_by("pk").values_list("pk", flat=True)
    found = list(ids.filter(pk__gte=start)[:count])
    return found + list(ids.filter(pk__lt=start)[: count - len(found)])


@transaction.atomic
def _draw(
    category: Category, weights: Weights, number: int, space: EmbeddingSpace, images: ImageQuerySet
) -> None:
    """Draw the random sample of a category and keep it. Of two at once, one draws."""
    category = Category.objects.select_for_update(no_key=True).get(pk=category.pk)
    if Question.objects.filter(category=category).exists():
        return
    scope = scoring.these(pool_of(images))
    rows = scoring.of_category(weights, space, scope, number).rows()
    sample = draw_sample([share for _pk, share in rows], SAMPLE, seed=category.pk.int % 2**32)
    Question.objects.bulk_create(
        Question(
            image_id=rows[place][0], category=category, stratum=int(stratum), position=position
        )
        for position, (place, stratum) in enumerate(
            zip(sample.pictures, sample.strata, strict=True)
        )
    )
    category.sample_sizes = [int(size) for size in sample.sizes]
    category.save(update_fields=["sample_sizes"])


def _sampled(category: Category, images: ImageQuerySet, count: int) -> list[UUID]:
    """Return the next pictures of the sample without an answer."""
    answered = Answer.objects.filter(category=category).values("image_id")
    open_ = Question.objects.filter(category=category, image__in=images.values("pk"))
    rows = open_.exclude(image__in=answered).order_by("position")
    return list(rows.values_list("image_id", flat=True)[:count])


def _telling(
    category: Category,
    weights: Weights,
    number: int,
    space: EmbeddingSpace,
    images: ImageQuerySet,
    count: int,
    without: Sequence[UUID],
) -> list[UUID]:
    """Return up to `count` pictures near the line, spread over near-duplicates and the map."""
    line = weights.thresholds[number] or 0.5
    scored = scoring.of_category(weights, space, scoring.pictures(images), number)
    line = min(line, 0.999)
    is_one = "true" if weights.mode == Mode.ONE else "false"
    own = f"'{category.pk}'", f"'{category.label_set_id}'", is_one
    settled = answered("bounded.image_id", *own)
    rows = scoring.Statement(
        "SELECT image_id, probability FROM ("  # noqa: S608 - our own words
        " SELECT image_id, least(greatest(probability, 1e-12), 1 - 1e-12) AS probability"
        f" FROM ({scored.sql}) AS scored"
        f") AS bounded WHERE NOT {settled}"
        " AND image_id <> ALL(%s::uuid[])"
        " ORDER BY abs(ln(probability / (1 - probability)) - %s::float8) LIMIT %s",
        (
            *scored.params,
            *(list(without), math.log(line / (1 - line)), count * _CANDIDATES),
        ),
    ).rows()
    if not rows:
        return []
    known = list(Answer.objects.filter(category=category).values_list("image_id", flat=True))
    ids = [pk for pk, _share in rows]
    members = [*ids, *(pk for pk in known if pk not in set(ids))]
    shares = [*(share for _pk, share in rows), *[0.0] * (len(members) - len(ids))]
    found = most_telling(
        shares,
        line,
        count,
        answered=np.arange(len(members)) >= len(ids),
        groups=_groups(members),
        places=_places(members, space),
    )
    return [members[place] for place in found]


def _groups(members: Sequence[UUID]) -> npt.NDArray[np.int64]:
    """Number the groups of near-duplicates among `members`; -1 for a picture without others."""
    place = {pk: number for number, pk in enumerate(members)}
    group = np.full(len(members), -1)
    pairs = NearDuplicate.objects.filter(
        Q(first__in=members) & Q(second__in=members), dismissed_at=None
    )
    for first, second in pairs.values_list("first_id", "second_id"):
        one, other = place[first], place[second]
        number = max(group[one], group[other])
        joined = number if number >= 0 else one
        for former in {group[one], group[other]} - {-1}:
            group[group == former] = joined
        group[[one, other]] = joined
    return group


def _places(members: Sequence[UUID], space: EmbeddingSpace) -> npt.NDArray[np.float64] | None:
    """Return the places (n, 2) on the map; None without a map. Pictures that are not on it yet
    lie in the middle."""
    points = MapPoint.objects.filter(map__space=space, image__in=members)
    found = {pk: (x, y) for pk, x, y in points.values_list("image_id", "x", "y")}
    if not found:
        return None
    return np.array([found.get(pk, (0.5, 0.5)) for pk in members])
