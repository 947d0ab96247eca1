"""Which near-duplicates are mere copies, so that nobody need look at them: the same
picture in another size or compression.

Perceptual hash and vector are made to overlook what edits change, so more is asked
here: the shape, the time, colours and light as the tiny previews of both show them, and
that no place of the pictures differs by more than compression makes it differ.
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

TASK = "gallery.tasks.compare_copies"

# Bits of the perceptual hashes. Of copies at half the size or JPEG quality 30, nine in
# ten differ in no more (docs/decisions/0017).
MOST_BITS = 2
# Sides are rounded when a picture is made smaller.
MOST_RATIO = 0.01
# A burst is taken in seconds, or in fractions of one where both times have these.
MOST_SECONDS = 1.0
MOST_SECONDS_OF_BOTH = 0.001
# Mean difference of the previews' levels, of 255. Copies: at most 6.4, nine in ten 4;
# brightness, contrast or colours changed: mostly 10 and more.
MOST_LEVELS = 5.5
# The largest difference of any place, in levels of 255. Copies: mostly 25 and less; one
# other digit of a form, a receipt or a screenshot: 42 and more (docs/decisions/0030).
MOST_DIFFERENCE = 32.0


# --- What the worker measures -----------------------------------------------------


def waiting() -> QuerySet[NearDuplicate]:
    """Pairs of one owner that may be copies, at whose details nobody has looked."""
    return NearDuplicate.objects.filter(
        difference=None,
        dismissed_at=None,
        bits__lte=MOST_BITS,
        first__owner_id=F("second__owner_id"),
        first__deleted_at=None,
        second__deleted_at=None,
    )


def measure_waiting() -> None:
    """Look at the details of all such pairs, unless another process does. While the storage
    is down they wait on."""
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
        except (renditions.NoPreview, OSError, SyntaxError, ValueError):  # of damaged files
            logger.warning("The details of pair %s cannot be seen.", pair.pk)
            measured = math.inf
        NearDuplicate.objects.filter(pk=pair.pk).update(difference=measured)


# --- What follows from it ---------------------------------------------------------


def are_copies(images: Sequence[Image], pairs: Iterable[Pair]) -> bool:
    """Whether all others are copies of the first, which lacks nothing. `pairs` are those
    known of `images`."""
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
    """Whether nothing was made smaller or compressed: what differs at all is another picture,
    such as a screenshot with small letters."""
    is_lossless = {keep.content_type, other.content_type} == {"image/png"}
    return is_lossless and (keep.width, keep.height) == (other.width, other.height)


def _same_detail(pair: Pair, most: float = MOST_DIFFERENCE) -> bool:
    is_seen = pair.difference is not None and pair.difference <= most
    return is_seen and pair.bits <= MOST_BITS


def _same_shape(one: Image, other: Image) -> bool:
    ratio = (one.width * other.height) / (one.height * other.width)
    return abs(ratio - 1) <= MOST_RATIO


def _same_time(images: Sequence[Image]) -> bool:
    """Of all that say when they were taken: one that does not hides no burst."""
    dated = [image for image in images if image.captured_at is not None]
    return all(
        _seconds_apart(one, other) < _most_seconds(one, other)
        for one, other in itertools.combinations(dated, 2)
    )


def _most_seconds(one: Image, other: Image) -> float:
    """Fractions of a second copies keep or lack, but never change: bursts of phones are 5 to
    30 pictures a second."""
    return MOST_SECONDS_OF_BOTH if _has_fraction(one) and _has_fraction(other) else MOST_SECONDS


def _has_fraction(image: Image) -> bool:
    return bool(image.captured_at and image.captured_at.microsecond)


def _seconds_apart(one: Any, other: Any) -> float:
    """By moments where both are known, else by the clocks on the spot."""
    if one.is_offset_known and other.is_offset_known:
        apart = one.captured_at - other.captured_at
    else:
        apart = one.taken_at - other.taken_at
    return float(abs(apart.total_seconds()))


def _same_frames(one: Image, other: Image) -> bool:
    """Signs are those of first frames: of animations nothing but the bytes tells more. What
    has not been counted yet may be one."""
    return one.frames == other.frames == 1 or one.sha256 == other.sha256


def _same_light(one: Image, other: Image) -> bool:
    if not one.placeholder or not other.placeholder:
        return False
    shown = (previews.levels(image.placeholder) for image in (one, other))
    return previews.mean_difference(*shown) <= MOST_LEVELS
