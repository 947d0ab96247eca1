"""WCAG 2.2: text at 4.5 to 1 and edges of controls at 3 to 1, in both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

CSS = Path(settings.BASE_DIR) / "static" / "css" / "base.css"

TEXT = 4.5
EDGE = 3.0

PAIRS = [
    *[("--ink", surface, TEXT) for surface in ("--bg", "--surface", "--sunken")],
    *[("--ink-soft", surface, TEXT) for surface in ("--bg", "--surface", "--sunken")],
    *[("--accent", surface, TEXT) for surface in ("--bg", "--surface", "--accent-wash")],
    ("--accent-hover", "--bg", TEXT),
    ("--on-accent", "--accent", TEXT),
    ("--on-accent", "--accent-hover", TEXT),
    ("--danger", "--bg", TEXT),
    ("--danger", "--danger-wash", TEXT),
    ("--on-danger", "--danger", TEXT),
    ("--warn", "--warn-wash", TEXT),
    ("--bg", "--ink", TEXT),
    *[("--line-strong", surface, EDGE) for surface in ("--bg", "--surface")],
]


def tokens(theme: int) -> dict[str, str]:
    """Return name -> #rrggbb. Theme 0 is light, 1 dark."""
    pattern = r"(--[\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)"
    return {found[0]: found[1 + theme] for found in re.findall(pattern, CSS.read_text())}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_contrast(front: str, back: str, least: float, theme: int) -> None:
    colours = tokens(theme)
    lights = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
    assert (lights[0] + 0.05) / (lights[1] + 0.05) >= least
