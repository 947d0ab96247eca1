"""Cleaning of EXIF values: rationals with a zero denominator, text with NUL characters
(PostgreSQL refuses them), numbers that are not finite."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Tags = Mapping[int, Any]

MOST_TEXT = 200


def text(value: object) -> str:
    """Return `value` in one line; empty if it is not text."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if not isinstance(value, str):
        return ""
    # Cameras pad with NULs and spaces; surrogates cannot be stored as UTF-8.
    printable = re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+", " ", value.split("\x00")[0])
    return " ".join(printable.split())[:MOST_TEXT]


def number(value: object) -> float | None:
    """A finite float, or None. Pillow's rationals allow a zero denominator."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    try:
        result = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return result if math.isfinite(result) else None
