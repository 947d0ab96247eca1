"""The list of slow tests, which `make check` leaves out.

`make slow` measures all tests and writes `slow.txt`: the functions whose cases together take
`LIMIT` or longer. A new test counts as quick until then.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

LIST = Path(__file__).with_name("slow.txt")
LIMIT = 0.2  # seconds


def name_of(nodeid: str) -> str:
    """Return the test function's name, without the parameters of its case."""
    return nodeid.partition("[")[0]


@cache
def listed() -> dict[str, float]:
    """Return the listed tests: seconds by function."""
    lines = (line.split() for line in LIST.read_text().splitlines() if not line.startswith("#"))
    return {name: float(seconds) for seconds, name in lines}


@cache
def _by_file() -> dict[str, float]:
    files: defaultdict[str, float] = defaultdict(float)
    for name, seconds in listed().items():
        files[name.partition("::")[0]] += seconds
    return files


def seconds_of_file(nodeid: str) -> float:
    return _by_file().get(nodeid.partition("::")[0], 0.0)


class Measure:
    """A pytest plugin that measures all tests and writes the list anew."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[name_of(report.nodeid)] += report.duration

    def pytest_sessionfinish(self) -> None:
        slow = {name: took for name, took in self.seconds.items() if took >= LIMIT}
        lines = [f"{took:.1f} {name}" for name, took in sorted(slow.items())]
        head = f"# Seconds by function, from {LIMIT} on. Written by `make slow`."
        LIST.write_text("\n".join([head, *lines]) + "\n")
