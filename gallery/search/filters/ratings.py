"""Ranges of stars as people write them: 4, >=4, >3, <=2, 0 for none."""

from __future__ import annotations

import re

MOST = 5
_RANGE = re.compile(r"(>=|<=|[≥≤<>=])?\s*([0-5])(\+)?")
_WIDE = str.maketrans("＞＜＝", "><=")


def parse(text: str) -> tuple[int, int] | None:
    """Return the least and the most stars; None for another text or for no stars at all."""
    match = _RANGE.fullmatch(text.strip().translate(_WIDE))
    if match is None or (match[1] and match[3]):
        return None
    sign, stars = match[1] or "=", int(match[2])
    if match[3]:
        sign = ">="
    least = {">=": stars, "≥": stars, ">": stars + 1, "=": stars}.get(sign, 0)
    most = {"<=": stars, "≤": stars, "<": stars - 1, "=": stars}.get(sign, MOST)
    return (least, most) if least <= most and least <= MOST and most >= 0 else None


def canonical(text: str) -> str | None:
    """Return one spelling for each range: "4", ">=4" or "<=4"."""
    found = parse(text)
    if found is None:
        return None
    least, most = found
    if least == most:
        return str(least)
    return f">={least}" if most == MOST else f"<={most}"
