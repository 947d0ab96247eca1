"""Checked reads from the cache. The cache holds plain values (clipsite.cache), which a `read`
function converts. A value of another shape, from an earlier release or from an intruder,
counts as missing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
from django.core.cache import BaseCache, cache

Value = TypeVar("Value")

logger = logging.getLogger(__name__)

# What `read` functions raise for a value of another shape.
_MALFORMED = (TypeError, ValueError, LookupError, AttributeError, OverflowError)
# The lengths of float32 unit vectors differ from 1 by less.
_UNIT = 1e-2


def get(key: str, read: Callable[[Any], Value], store: BaseCache = cache) -> Value | None:
    """Return `read` of the value; None if the value is missing or malformed."""
    kept = store.get(key)
    return None if kept is None else _read(key, kept, read)


def get_many(keys: Iterable[str], read: Callable[[Any], Value]) -> dict[str, Value]:
    """Return `read` of each value, without missing and malformed ones."""
    kept = cache.get_many(list(keys)) or {}
    made = {key: _read(key, value, read) for key, value in kept.items() if value is not None}
    return {key: value for key, value in made.items() if value is not None}


def pack_vectors(vectors: np.ndarray) -> bytes:
    return np.ascontiguousarray(vectors, dtype="<f4").tobytes()


def unpack_unit_vectors(kept: Any, dimensions: int | None, count: int) -> np.ndarray:
    """Read (count, dimensions) float32 from `pack_vectors`. Raises ValueError or TypeError if
    they are not unit vectors of that shape."""
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
