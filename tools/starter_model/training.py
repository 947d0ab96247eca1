"""What both training stages share: the schedule, dice, checkpoints and a log of figures."""

from __future__ import annotations

import ctypes
import json
import math
import os
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

WARM_UP = 0.04
LAST_RATE = 0.01
STEADY_WARM_UP = 20
FALLING = 0.45

CHECKPOINT = "checkpoint.pt"
FIGURES = "figures.jsonl"


# Numbers of glibc's mallopt().
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_memory() -> None:
    """Have the C library keep what torch frees: handing the large tensors of every step
    back to the system, page by page, costs as much as computing them."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def rate_at(step: int, steps: int) -> float:
    """Share of the full learning rate: up in a straight line, down along a cosine."""
    warm_up = max(1, int(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def steady_rate_at(step: int, steps: int) -> float:
    """The same with a level stretch in between, so that a run may be planned longer while
    it is on that stretch and still be the run that it would have been."""
    warm_up, falling = min(STEADY_WARM_UP, steps // 4 + 1), math.ceil(FALLING * steps)
    if step < warm_up:
        return (step + 1) / warm_up
    left = min(1.0, (steps - step) / falling)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 - math.cos(math.pi * left))


def dice_for(seed: int, step: int) -> random.Random:
    """The dice of one step, torch's included: the same after a restart as without one."""
    torch.manual_seed(seed * 1_000_003 + step)
    return random.Random(f"{seed}-{step}")


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the last one, so that a kill at any time leaves one of them whole."""
    fresh = folder / f"{CHECKPOINT}.new"
    torch.save(dict(state), fresh)
    os.replace(fresh, folder / CHECKPOINT)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    return cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))


def note(folder: Path, **figures: Any) -> None:
    """Add a line to the log that the model card's curves are read from."""
    with (folder / FIGURES).open("a") as log:
        log.write(json.dumps(figures) + "\n")
