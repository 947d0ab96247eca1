"""Shared parts of both training stages: schedules, random numbers, checkpoints, and a log of
figures."""

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


# Parameter numbers of glibc's mallopt().
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4


def keep_memory() -> None:
    """Make the C library keep memory that torch frees: returning the large tensors of every
    step to the system, page by page, takes as long as computing them."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def rate_at(step: int, steps: int) -> float:
    """The share of the full learning rate: linear warm-up, then cosine decay."""
    warm_up = max(1, int(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, steps - warm_up)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def steady_rate_at(step: int, steps: int) -> float:
    """The same with a constant phase in between. While a run is in that phase, its number of
    steps can be increased without a change to the steps so far."""
    warm_up, falling = min(STEADY_WARM_UP, steps // 4 + 1), math.ceil(FALLING * steps)
    if step < warm_up:
        return (step + 1) / warm_up
    left = min(1.0, (steps - step) / falling)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 - math.cos(math.pi * left))


def dice_for(seed: int, step: int) -> random.Random:
    """The random generator of one step; also seeds torch. A restart does not change it."""
    torch.manual_seed(seed * 1_000_003 + step)
    return random.Random(f"{seed}-{step}")


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the last checkpoint atomically, so that one is intact even after a kill."""
    fresh = folder / f"{CHECKPOINT}.new"
    torch.save(dict(state), fresh)
    os.replace(fresh, folder / CHECKPOINT)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    return cast("dict[str, Any]", torch.load(path, map_location="cpu", weights_only=True))


def note(folder: Path, **figures: Any) -> None:
    """Add a line to the log, from which the curves of the model card are drawn."""
    with (folder / FIGURES).open("a") as log:
        log.write(json.dumps(figures) + "\n")
