"""How a model runs fastest on this processor, measured when it is loaded.

With AVX-512, convolutions gain from channels that lie innermost and from several pictures at
once; with AVX2 alone they lose (measured: 1.3 times as slow as one by one). Nothing but
measuring tells.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch

# What is tried after the plain way stops after so long; each in up to so many rounds.
BUDGET_SECONDS = 5.0
ROUNDS = 3
# A way that is not faster by as much is no gain that can be told from chance.
LEAST_GAIN = 0.03


@dataclass(frozen=True)
class Pace:
    """`batch` pictures at a time by `threads`; `channels_last`: the memory format."""

    batch: int
    channels_last: bool
    threads: int

    def apply(self, tower: torch.nn.Module) -> None:
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        tower.to(memory_format=layout)
        self.use_threads()

    def use_threads(self) -> None:
        """Each thread of Python has a number of its own."""
        if torch.get_num_threads() != self.threads:
            torch.set_num_threads(self.threads)

    def told(self, seconds: float) -> dict[str, Any]:
        return {**asdict(self), "milliseconds": round(seconds * 1000, 1)}


def plain() -> Pace:
    """As a model runs that is used without further thought."""
    return Pace(1, False, torch.get_num_threads())


def ways(batch: int) -> list[Pace]:
    """What may be faster than the plain one, the most promising first."""
    usual, cores = torch.get_num_threads(), len(os.sched_getaffinity(0))
    return [
        Pace(count, channels_last, threads)
        for threads in dict.fromkeys((usual, cores))
        for count, channels_last in ((batch, True), (batch, False), (1, True), (1, False))
    ]


def fastest(
    run: Callable[[Pace], None], batch: int, clock: Callable[[], float] = time.perf_counter
) -> tuple[Pace, float]:
    """The way in which `run`, which encodes `Pace.batch` pictures, takes the least time for
    one, and how long in seconds; the plain one if none is clearly faster."""
    first = plain()
    times: dict[Pace, float] = {}
    until = clock() + BUDGET_SECONDS
    candidates = dict.fromkeys((first, *ways(batch)))
    for _round in range(ROUNDS):
        for pace in _in_time(candidates, times, until, clock):
            if pace not in times:
                run(pace)  # what is set up on first use
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
