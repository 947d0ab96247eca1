"""make bench ARGS="NAME --help": the benchmarks of this project.

They print figures and ratios; none of them passes or fails.
"""

from __future__ import annotations

import sys
from importlib import import_module

BENCHMARKS = {
    "recall": "recall@10 and times of a running site, next to the model alone",
    "encode": "our encoder next to plain open_clip, in one run",
    "pages": "requests, bytes and times of the pages of a running site, in a real Chromium",
    "grid": "scrolling and jumping through 100,000 pictures in a real Chromium",
    "search": "searches at 10,000 to 1,000,000 pictures next to faiss and Qdrant",
    "explore": "the map: its layout, its answers, its frames in a real Chromium",
    "relevance": "what the relevance line parts, on photographs with captions",
    "labels_learning": "what labels gain from answers, on photographs with captions",
    "labels_end_to_end": "a minute of answers through the API, on photographs with captions",
    "shares": "one searcher beside six who classify by 1,000 names",
    "serving": "requests a second of one web process, by kind, beside health/",
    "load": "200 people at once next to one alone: times, errors, memory",
    "labels": "sorting a library into categories, next to NumPy",
    "migration": "the move to one ledger: times, memory, sizes, waits, a kill",
    "planner": "exact against approximate search by size of scope",
}
MODULES = {"search": "bench_search"}


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in BENCHMARKS:
        for name, what in BENCHMARKS.items():
            print(f"{name:<18} {what}")
        return 0 if len(sys.argv) < 2 else 2
    module = MODULES.get(sys.argv[1], sys.argv[1])
    import_module(f"benchmarks.{module}").main(sys.argv[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
