"""Which near-duplicates are mere copies, so that nobody need look at them: the same
picture in another size or compression.

Perceptual hash and vector are made to overlook what edits change, so more is asked
here: the shape, the time, and colours and light as the tiny previews of both show them.
What is smaller than their pixels, such as a small watermark, is not seen.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from uuid import UUID

import numpy as np
from PIL import Image as PILImage

from gallery.indexing.near_duplicates import Pair
from gallery.models import Image

# Bits of the perceptual hashes. Of copies at half the size or JPEG quality 30, nine in
# ten differ in no more; of shots of a burst none was found that near (docs/decisions).
MOST_BITS = 2
# Sides are rounded when a picture is made smaller.
MOST_RATIO = 0.01
# A burst is taken in seconds.
MOST_SECONDS = 1.0
# Mean difference of the previews' levels, of 255. Copies: at most 6.4, nine in ten 4;
# brightness, contrast or colours changed: mostly 10 and more.
MOST_LEVELS = 5.5

_PREVIEW = (20, 20)


def are_copies(images: Sequence[Image], pairs: Iterable[Pair]) -> bool:
    """Whether all others are copies of the first. `pairs` are those known of `images`."""
    keep = images[0]
    alike: set[UUID] = set()
    for pair in pairs:
        if pair.bits <= MOST_BITS:
            alike |= {pair.first, pair.second} if keep.pk in (pair.first, pair.second) else set()
    return all(
        other.pk in alike
        and _same_shape(keep, other)
        and _same_time(keep, other)
        and _same_frames(keep, other)
        and _same_light(keep, other)
        for other in images[1:]
    )


def _same_shape(one: Image, other: Image) -> bool:
    ratio = (one.width * other.height) / (one.height * other.width)
    return abs(ratio - 1) <= MOST_RATIO


def _same_time(one: Image, other: Image) -> bool:
    """Or one of them does not say when it was taken."""
    if one.captured_at is None or other.captured_at is None:
        return True
    if one.is_offset_known and other.is_offset_known:
        apart = one.captured_at - other.captured_at
    else:
        apart = one.taken_at - other.taken_at
    return abs(apart.total_seconds()) < MOST_SECONDS


def _same_frames(one: Image, other: Image) -> bool:
    """Signs are those of first frames: of animations nothing but the bytes tells more. What
    has not been counted yet may be one."""
    return one.frames == other.frames == 1 or one.sha256 == other.sha256


def _same_light(one: Image, other: Image) -> bool:
    if not one.placeholder or not other.placeholder:
        return False
    return float(np.abs(_levels(one) - _levels(other)).mean()) <= MOST_LEVELS


def _levels(image: Image) -> np.ndarray:
    """(20, 20, 3) of the preview that pages show while a picture loads, in 0 … 255."""
    _kind, _comma, encoded = image.placeholder.partition(",")
    with PILImage.open(io.BytesIO(base64.b64decode(encoded))) as preview:
        return np.asarray(preview.convert("RGB").resize(_PREVIEW), dtype=np.float32)
