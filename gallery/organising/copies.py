"""Decides which near-duplicates are mere copies that nobody needs to review: the same picture in
another size or compression.

Perceptual hash and vector are made to overlook edits, so copies have to meet more conditions:
the same shape and time, the same colours and light in the tiny previews of both, and no
difference anywhere that is larger than compression makes.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from gallery.errors import Unavailable
from gallery.indexing import previews
from gallery.indexing.near_duplicates import Pair
from gallery.library import detail, renditions
from gallery.models import Image, NearDuplicate
from gallery.work.drain import stopping
from gallery.work.lanes import alone

logger = logging.getLogger(__name__)


# Bits of the perceptual hashes. Nine in ten copies at half the size or JPEG quality 30 differ
# in no more (docs/decisions/0017).
MOST_BITS = 2
# Sides are rounded when a picture is made smaller.
MOST_RATIO = 0.01
# Pictures of a burst are seconds apart, or fractions of one if both times have fractions.
MOST_SECONDS = 1.0
MOST_SECONDS_OF_BOTH = 0.001
# Mean difference of the previews' levels, of 255. Copies: at most 6.4, nine in ten 4;
# brightness, contrast or colours changed: mostly 10 and more.
MOST_LEVELS = 5.5
# The largest difference of any place, in levels of 255. Copies: mostly 25 and less; one
# other digit of a form, a receipt or a screenshot: 42 and more (docs/decisions/0030).
MOST_DIFFERENCE = 32.0


# --- Measuring, by the worker -----------------------------------------------------


def waiting() -> QuerySet[NearDuplicate]:
    """Return pairs of one owner that may be copies and whose details are not measured yet."""
    return NearDuplicate.objects.filter(
        difference=None,
        dismissed_at=None,
        bits__lte=MOST_BITS,
        first__owner_id=F("second__owner_id"),
        first__deleted_at=None,
        second__deleted_at=None,
    )


def measure_waiting() -> None:
    """Measure the details of all waiting pairs, unless another process does. While the storage
    is down, they keep waiting."""
    with alone("copies") as is_alone:
        if is_alone:
            _measure(waiting().select_related("first", "second").order_by("pk"))


def _measure(pairs: QuerySet[NearDuplicate]) -> None:
    for pair in pairs.iterator(100):
        if stopping.is_set():
            return
        try:
            measured = detail.difference(pair.first, pair.second)
        except Unavailable:
            logger.warning("The details of near-duplicates wait: the storage cannot be read.")
            return
        except (renditions.NoPreview, OSError, SyntaxError, ValueError):  # damaged files
            logger.warning("The details of pair %s cannot be seen.", pair.pk)
            measured = math.inf
        NearDuplicate.objects.filter(pk=pair.pk).update(difference=measured)


# --- Deciding ---------------------------------------------------------------------


def are_copies(images: Sequence[Image], pairs: Iterable[Pair]) -> bool:
    """Return whether all others are copies of the first, which is not incomplete. `pairs` are
    the known pairs of `images`."""
    keep = images[0]
    exact = {image.pk for image in images if _is_exact(keep, image)}
    alike: set[UUID] = set()
    for pair in pairs:
        most = 0.0 if {pair.first, pair.second} <= exact else MOST_DIFFERENCE
        if keep.pk in (pair.first, pair.second) and _same_detail(pair, most):
            alike |= {pair.first, pair.second}
    return (
        not keep.incomplete
        and _same_time(images)
        and all(
            other.pk in alike
            and _same_shape(keep, other)
            and _same_frames(keep, other)
            and _same_light(keep, other)
            for other in images[1:]
        )
    )


def _is_exact(keep: Image, other: Image) -> bool:
    """Return whether both are lossless and of the same size. Any difference then means another
    picture, such as a screenshot with small letters."""
    is_lossless = {keep.content_type, other.content_type} == {"image/png"}
    return is_lossless and (keep.width, keep.height) == (other.width, other.height)


def _same_detail(pair: Pair, most: float = MOST_DIFFERENCE) -> bool:
    is_seen = pair.difference is not None and pair.difference <= most
    return is_seen and pair.bits <= MOST_BITS


def _same_shape(one: Image, other: Image) -> bool:
    ratio = (one.width * other.height) / (one.height * other.width)
    return abs(ratio - 1) <= MOST_RATIO


def _same_time(images: Sequence[Image]) -> bool:
    """Return whether all known times are as close as those of copies. Pictures without a time do
    not count."""
    dated = [image for image in images if image.captured_at is not None]
    return all(
        _seconds_apart(one, other) < _most_seconds(one, other)
        for one, other in itertools.combinations(dated, 2)
    )


def _most_seconds(one: Image, other: Image) -> float:
    """Return the most seconds between copies. Copies keep or lack fractions of a second, but
    never change them; phones take bursts of 5 to 30 pictures a second."""
    return MOST_SECONDS_OF_BOTH if _has_fraction(one) and _has_fraction(other) else MOST_SECONDS


def _has_fraction(image: Image) -> bool:
    return bool(image.captured_at and image.captured_at.microsecond)


def _seconds_apart(one: Any, other: Any) -> float:
    """Compare moments if both offsets from UTC are known, else local times."""
    if one.is_offset_known and other.is_offset_known:
        apart = one.captured_at - other.captured_at
    else:
        apart = one.taken_at - other.taken_at
    return float(abs(apart.total_seconds()))


def _same_frames(one: Image, other: Image) -> bool:
    """Return whether both have one frame or the same bytes. Hash, vector and previews only see
    the first frame of an animation. Pictures whose frames are not counted may be animations."""
    return one.frames == other.frames == 1 or one.sha256 == other.sha256


def _same_light(one: Image, other: Image) -> bool:
    if not one.placeholder or not other.placeholder:
        return False
    shown = (previews.levels(image.placeholder) for image in (one, other))
    return previews.mean_difference(*shown) <= MOST_LEVELS
