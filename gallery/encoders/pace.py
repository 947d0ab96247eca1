"""Measures the fastest way to run a model on this CPU, when the model is loaded.

With AVX-512, convolutions gain from the channels-last layout and from batches; with AVX2 alone
they lose (measured: 1.3 times as slow as one by one). Only a measurement can tell.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch

# The time limit for trying ways, and the most rounds for each way. The plain way always runs.
BUDGET_SECONDS = 5.0
ROUNDS = 3
# A smaller gain than this share cannot be told from chance.
LEAST_GAIN = 0.03


@dataclass(frozen=True)
class Pace:
    """`batch` pictures at a time on `threads` threads; `channels_last` is the memory format."""

    batch: int
    channels_last: bool
    threads: int

    def apply(self, tower: torch.nn.Module) -> None:
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        tower.to(memory_format=layout)
        self.use_threads()

    def use_threads(self) -> None:
        """Set torch's number of threads, which each Python thread has for itself."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)

    def told(self, seconds: float) -> dict[str, Any]:
        return {**asdict(self), "milliseconds": round(seconds * 1000, 1)}


def plain() -> Pace:
    """The way in which a model runs by default."""
    return Pace(1, False, torch.get_num_threads())


def ways(batch: int) -> list[Pace]:
    """Ways that may be faster than the plain one, the most promising first."""
    usual, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    return [
        Pace(count, channels_last, threads)
        for threads in dict.fromkeys((usual, cores))
        for count, channels_last in ((batch, True), (batch, False), (1, True), (1, False))
    ]


def fastest(
    run: Callable[[Pace], None], batch: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[Pace, float]:
    """Return the way with the least time for each picture, and that time in seconds; the plain
    way if none is clearly faster. `run` encodes `Pace.batch` pictures."""
    first = plain()
    times: dict[Pace, float] = {}
    until = clock() + BUDGET_SECONDS
    candidates = dict.fromkeys((first, *ways(batch)))
    for _round in range(ROUNDS):
        for pace in _in_time(candidates, times, until, clock):
            if pace not in times:
                run(pace)  # warm-up
            began = clock()
            run(pace)
            taken = (clock() - began) / pace.batch
            times[pace] = min(taken, times.get(pace, taken))
    best = min(times, key=lambda pace: times[pace])
    if times[best] > times[first] * (1 - LEAST_GAIN):
        best = first
    return best, times[best]


def _in_time(
    candidates: Iterable[Pace],
    times: dict[Pace, float],
    until: float,
    clock: Callable[[], float],
) -> Iterable[Pace]:
    for pace in candidates:
        if times and clock() > until:
            return
        yield pace
