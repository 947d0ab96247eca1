"""Prompt ensembles: many sentences for each name, whose mean is less a matter of wording.

One file for each script, a sentence on each line. latin.txt is open_clip's list for ImageNet, in
its order; it is a file since the web process has no open_clip. A test compares the two.

Source: A. Radford et al., "Learning transferable visual models from natural language supervision",
2021, section 3.1.4.
"""

from __future__ import annotations

from functools import cache as remember
from pathlib import Path

_FOLDER = Path(__file__).parent


@remember
def sentences(script: str) -> tuple[str, ...]:
    """Return the templates of a script, "latin" or "han"."""
    return tuple((_FOLDER / f"{script}.txt").read_text(encoding="utf-8").splitlines())
