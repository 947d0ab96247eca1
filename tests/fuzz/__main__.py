"""make fuzz ARGS="--seed 1 --files 10000 --requests 5000": hostile files and requests.

Failures are kept in a folder, and --again repeats one of them alone.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
from pathlib import Path

import django


def main() -> int:
    options = _parser().parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    django.setup()
    logging.disable(logging.CRITICAL)
    faults = _again(options.again) if options.again else _drawn(options)
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same number draws the same cases")
    parser.add_argument("--files", type=int, default=10_000, help="how many mutated files")
    parser.add_argument(
        "--requests",
        type=int,
        default=5_000,
        help="how many hostile requests; each tenth goes to a real server, byte by byte",
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--found", type=Path, default=Path("test-artifacts/fuzz"))
    parser.add_argument("--again", type=Path, nargs="+", metavar="CASE", default=[])
    return parser


def _drawn(options: argparse.Namespace) -> list[str]:
    from tests.fuzz import files, requests, sockets

    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    faults = []
    if options.requests:
        raw = options.requests // 10
        sent = requests.run(seed, options.requests - raw, options.found)
        print(f"requests: {sent}", flush=True)
        connected = sockets.run(seed, raw, options.found)
        print(f"connections: {connected}", flush=True)
        faults += sent.faults + connected.faults
    if options.files:
        read = files.run(seed, options.files, options.processes, options.found)
        print(f"files: {read}", flush=True)
        faults += read.faults
    return faults


def _again(cases: list[Path]) -> list[str]:
    from tests.fuzz import files, requests, sockets

    faults = []
    for case in cases:
        print(case)
        kind = {"request": requests, "socket": sockets}.get(case.name.partition("-")[0], files)
        faults += kind.again(case)
    return faults


if __name__ == "__main__":
    sys.exit(main())
