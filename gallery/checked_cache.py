"""Reading what the cache holds: plain values (clipsite.cache), which a reader turns into
what they stand for. One of another shape, of an earlier release or from a stranger, is one
that is not there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from django.core.cache import BaseCache, cache

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

# What readers raise of a value that has another shape.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError, OverflowError)
# Unit vectors of float32 differ from length 1 by less.
_UNIT = 1e-2


def get(key: str, read: Callable[[Any], Value], store: BaseCache = cache) -> Value | None:
    """What `read` makes of the value; None where there is none, or `read` cannot."""
    kept = store.get(key)
    return None if kept is None else _read(key, kept, read)


def get_many(keys: Iterable[str], read: Callable[[Any], Value]) -> dict[str, Value]:
    """The same for several; those that are there."""
    kept = cache.get_many(list(keys)) or {}
    made = {key: _read(key, value, read) for key, value in kept.items() if value is not None}
    return {key: value for key, value in made.items() if value is not None}


def pack_vectors(vectors: np.ndarray) -> bytes:
    return np.ascontiguousarray(vectors, dtype="<f4").tobytes()


def unpack_unit_vectors(kept: Any, dimensions: int | None, count: int) -> np.ndarray:
    """(count, d) float32 from `packed`. Raises ValueError or TypeError for what are no
    unit vectors of so many dimensions."""
    vectors = np.frombuffer(kept, dtype="<f4").reshape(count, dimensions or -1)
    if not np.all(np.abs(np.linalg.norm(vectors, axis=1) - 1) < _UNIT):
        raise ValueError("not of length 1")
    return vectors


def _read(key: str, kept: Any, read: Callable[[Any], Value]) -> Value | None:
    try:
        return read(kept)
    except _MALFORMED:
        logger.warning("The cache holds something else under %s: not used.", key)
        return None
