"""make bench ARGS="NAME --help": the measurements of this project.

They print figures and ratios; none of them passes or fails.
"""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "recall": "recall@10 and times of a running site, next to the model alone",
    "encode": "our encoder next to plain open_clip, in one run",
    "grid": "scrolling and jumping through 100,000 pictures in a real Chromium",
    "planner": "exact against approximate search by size of scope",
}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        for name, what in BENCHMARKS.items():
            print(f"{name:<8} {what}")
        return 0 if len(sys.argv) < 2 else 2
    import_module(f"benchmarks.{sys.argv[1]}").main(sys.argv[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
