"""make fuzz ARGS="--seed 1 --files 10000 --requests 5000": hostile files and requests.

What fails is kept in a folder, and is tried again alone with --again.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

from tests.fuzz import files


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same number draws the same cases")
    parser.add_argument("--files", type=int, default=10_000, help="how many mutated files")
    parser.add_argument("--requests", type=int, default=5_000, help="how many hostile requests")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--found", type=Path, default=Path("test-artifacts/fuzz"))
    parser.add_argument("--again", type=Path, nargs="+", metavar="FILE", default=[])
    options = parser.parse_args()
    if options.again:
        faults = [fault for path in options.again for fault in _again(path)]
        return _told(faults)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    faults = []
    if options.files:
        figures = files.run(seed, options.files, options.processes, options.found)
        print(figures)
        faults += figures.faults
    return _told(faults)


def _again(path: Path) -> list[str]:
    print(path)
    return files.again(path)


def _told(faults: list[str]) -> int:
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
