"""Years, months and days in searches."""

from __future__ import annotations

import re
from datetime import date, timedelta

# 2024, 2024-05, 2024-05-03; also 2024/5, 2024.5.3 and 2024年5月3日.
_DATE = re.compile(
    r"(\d{4})年?(?:[-/.]?(?<=[-/.年])(\d{1,2})月?(?:[-/.]?(?<=[-/.月])(\d{1,2})日?)?)?"
)


def span(text: str) -> tuple[str, str] | None:
    """Return the first day of a year, month or day and the first day after it, in ISO format; None
    if `text` is no date, or if no day comes after it."""
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.groups())
    try:
        first = date(year or 0, month or 1, day or 1)
        if day is not None:
            after = first + timedelta(days=1)
        elif month is not None:
            after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        else:
            after = date(first.year + 1, 1, 1)
    except (ValueError, OverflowError):
        return None
    return first.isoformat(), after.isoformat()


def spanning(first: str, after: str) -> str | None:
    """Return the year, month or day from `first` to before `after`; None if there is none."""
    shapes = (first[:4], first[:7], first)
    return next((shape for shape in shapes if span(shape) == (first, after)), None)


def shortest(text: str) -> str:
    """Return the shortest form that begins at this day. Other texts stay unchanged."""
    shapes = (text[:4], text[:7])
    return next((shape for shape in shapes if (s := span(shape)) and s[0] == text), text)
