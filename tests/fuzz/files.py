"""Mutated files, read by every function that reads files."""

from __future__ import annotations

import queue
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import SEEDS
from tests.measured import MEGABYTE, Cost, Meter


@dataclass
class Figures:
    """The costs of many files. `faults` are names of files, with what is wrong."""

    files: int = 0
    accepted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    peak: int = 0
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        first = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common(8))
        return (
            f"{self.files} files, {self.accepted} of them pictures ({first}); at most "
            f"{self.peak / MEGABYTE:.0f} MB and {self.seconds:.1f} s; {len(self.faults)} faults"
        )


def run(seed: int, count: int, processes: int, found: Path) -> Figures:
    """Read `count` files of `seed`. Keep those with a fault in the folder `found`."""
    seeds = [draw() for draw in SEEDS.values()]
    figures = Figures()
    meters: queue.SimpleQueue[Meter] = queue.SimpleQueue()
    for _ in range(processes):
        meters.put(Meter())

    def costs_of(number: int) -> tuple[int, bytes, list[Cost]]:
        data = mutated(Random(f"{seed}/file/{number}"), seeds)
        meter = meters.get()
        try:
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                return number, data, meter.costs(Path(file.name))
        finally:
            meters.put(meter)

    with ThreadPoolExecutor(processes) as pool:
        for number, data, costs in pool.map(costs_of, range(count)):
            faults = list(_added(figures, costs))
            if faults:
                path = found / f"file-{seed}-{number}"
                found.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                figures.faults.append(f"{path}: {'; '.join(faults)}")
                print(figures.faults[-1], flush=True)
            if figures.files % 500 == 0:
                print(figures, flush=True)
    while not meters.empty():
        meters.get().close()
    return figures


def _added(figures: Figures, costs: list[Cost]) -> Iterator[str]:
    figures.files += 1
    figures.accepted += costs[0].outcome == "ok"
    figures.outcomes[costs[0].outcome] += 1
    for cost in costs:
        figures.peak = max(figures.peak, cost.peak)
        figures.seconds = max(figures.seconds, cost.seconds)
        yield from cost.faults


def again(path: Path) -> list[str]:
    """Measure one file and print its costs. Return what is wrong with it."""
    with Meter() as meter:
        costs = meter.costs(path)
    for cost in costs:
        print(
            f"{cost.function:<20} {cost.outcome:<20} {cost.peak / MEGABYTE:6.0f} MB "
            f"{cost.seconds:6.2f} s {cost.fault}"
        )
    return [fault for cost in costs for fault in cost.faults]
