"""The memory of a site's processes over time, and how busy they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import psutil

EVERY_SECONDS = 5.0
MIB = 2**20


@dataclass
class Memory:
    """(seconds, MiB) of each process with its children, by name."""

    pids: Mapping[str, int]
    samples: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    # The CPU seconds of each before the measurement.
    used: dict[str, float] = field(default_factory=dict)

    async def watch(self) -> None:
        """Take samples until cancelled."""
        start = time.monotonic()
        self.used = {name: _used(psutil.Process(pid)) for name, pid in self.pids.items()}
        while True:
            for name, pid in self.pids.items():
                seen = (time.monotonic() - start, _resident(psutil.Process(pid)) / MIB)
                self.samples.setdefault(name, []).append(seen)
            await asyncio.sleep(EVERY_SECONDS)

    def report(self) -> None:
        """Print the memory of each process at the beginning, in the middle and at the end, its
        growth in the second half, after everything is loaded, and the cores it kept busy."""
        head = f"{'process':<10} {'start':>7} {'middle':>7} {'end':>7} {'most':>7}  MiB"
        print(f"{head}  {'growth':<18} cores")
        for name, seen in self.samples.items():
            sizes = [size for _seconds, size in seen]
            shown = [sizes[0], sizes[len(sizes) // 2], sizes[-1], max(sizes)]
            columns = " ".join(f"{size:7.0f}" for size in shown)
            growth = f"{_growth(seen[len(seen) // 2 :]):+.1f} MiB a minute"
            busy = _used(psutil.Process(self.pids[name])) - self.used[name]
            print(f"{name:<10} {columns}       {growth:<18} {busy / max(seen[-1][0], 1):.2f}")


def _growth(seen: list[tuple[float, float]]) -> float:
    """The growth in MiB a minute, by least squares."""
    if len(seen) < 2:
        return 0.0
    seconds, sizes = np.array(seen).T
    return float(np.polyfit(seconds, sizes, 1)[0] * 60)


def _used(process: psutil.Process) -> float:
    """The CPU seconds of a process and its children, also of children that have ended."""
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:  # it has just ended
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _resident(process: psutil.Process) -> int:
    found = [process, *process.children(recursive=True)]
    total = 0
    for one in found:
        try:
            total += one.memory_info().rss
        except psutil.NoSuchProcess:  # it has just ended
            continue
    return total
