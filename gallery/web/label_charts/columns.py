"""A small chart of columns as SVG. Its colours come from the styles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

# The chart in its own units: the width of a column with its gap, and the height.
STEP, GAP, HEIGHT = 10.0, 2.0, 40.0
# A column of a single picture is still seen.
LEAST = 1.5


def columns(values: Sequence[int], titles: Sequence[str], name: str) -> SafeString:
    """Return the SVG of one column for each value, as wide as its place on the page. `titles` say
    what a column stands for; `name` says what the chart shows."""
    peak = max(values, default=0)
    bars = "".join(
        _bar(number, value / peak, title)
        for number, (value, title) in enumerate(zip(values, titles, strict=True))
        if value
    )
    return mark_safe(  # noqa: S308 - numbers, and escaped texts
        f'<svg class="columns" viewBox="0 0 {STEP * max(len(values), 1):g} {HEIGHT:g}"'
        f' preserveAspectRatio="none" role="img" aria-label="{escape(name)}">{bars}</svg>'
    )


def _bar(number: int, share: float, title: str) -> str:
    height = max(share * HEIGHT, LEAST)
    return (
        f'<rect x="{number * STEP + GAP / 2:g}" y="{HEIGHT - height:.2f}"'
        f' width="{STEP - GAP:g}" height="{height:.2f}"><title>{escape(title)}</title></rect>'
    )
