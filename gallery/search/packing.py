"""Pictures and scores as bytes for the cache (gallery.search.window)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np

# A picture and its score.
Found = tuple[uuid.UUID, float | None]
# The same in a chunk; NaN means no score.
ROW = np.dtype([("id", "V16"), ("score", "<f4")])


def rows(found: Iterable[Found]) -> np.ndarray:
    return np.array(
        [(image_id.bytes, np.nan if score is None else score) for image_id, score in found],
        dtype=ROW,
    )


def found(rows: np.ndarray) -> list[Found]:
    return [(uuid.UUID(bytes=bytes(row["id"])), _score(row["score"])) for row in rows]


def _score(score: np.floating[Any]) -> float | None:
    return None if np.isnan(score) else float(score)


def chunk_of(packed: bytes, filled: int) -> np.ndarray:
    """Return the rows (n,) of a chunk. Another request may have appended rows since the window was
    read. Raises ValueError if there are fewer than the `filled` rows that the window counts."""
    chunk = np.frombuffer(packed, dtype=ROW)
    if len(chunk) < filled:
        raise ValueError("cut short")
    return chunk


def packed_ids(ids: Iterable[uuid.UUID]) -> bytes:
    return b"".join(image_id.bytes for image_id in ids)


def unpacked_ids(packed: bytes) -> list[uuid.UUID]:
    return [uuid.UUID(bytes=packed[n : n + 16]) for n in range(0, len(packed), 16)]


def plain(number: Any) -> Any:
    """Convert a NumPy number, which the cache does not accept, to a Python number."""
    return number.item() if isinstance(number, np.generic) else number
