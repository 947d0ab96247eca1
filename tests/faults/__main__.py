"""make faults ARGS="--seed 1 --faults 1000 --uploads 4000": kills and outages under load.

At the end all accepted pictures must be there, with all work done, without manual help.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import django

from tests.faults.parts import Site, running

ACCOUNTS = ("ada", "ben", "cleo")
_PATIENCE = 900.0


def main() -> int:
    options = _parser().parse_args()
    folder = Path(tempfile.mkdtemp(prefix="clipsite-faults-"))
    folder.chmod(0o711)  # so that PostgreSQL's account reaches its own folder
    losses = True
    try:
        with running(folder, options.sweep) as site:
            losses = _run(site, options)
    finally:
        if losses or options.keep:
            print(f"The logs are in {folder / 'logs'}.")
        else:
            shutil.rmtree(folder)
    return 1 if losses else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same number draws the same faults")
    parser.add_argument("--faults", type=int, default=1000)
    parser.add_argument("--uploads", type=int, default=4000, help="spread over the faults")
    parser.add_argument("--minutes", type=float, default=600.0, help="no fault after that")
    parser.add_argument("--only", help='faults of this kind, such as "storage" or "gone: valkey"')
    parser.add_argument("--shortest", type=float, default=1.0, help="seconds of an outage")
    parser.add_argument("--longest", type=float, default=20.0, help="seconds of an outage")
    parser.add_argument("--rest", type=float, default=4.0, help="most seconds between faults")
    parser.add_argument("--keep", action="store_true", help="the folder with its logs")
    parser.add_argument("--sweep", type=float, default=3.0, help="CLIPSITE_SWEEP_SECONDS")
    return parser


def _run(site: Site, options: argparse.Namespace) -> bool:
    """Run all faults and print the verdict. Return whether anything was lost."""
    os.environ.update(site.environment)
    django.setup()
    logging.disable(logging.CRITICAL)
    from tests.faults import trouble, verdict
    from tests.faults.uploads import People

    try:
        only = trouble.named(options.only) if options.only else None
    except ValueError as error:
        raise SystemExit(error) from None
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    print(f"seed {seed}", flush=True)
    rng = random.Random(seed)
    people = People(site.url, _accounts(), seed)
    ends = time.monotonic() + options.minutes * 60
    done = 0
    while done < options.faults and time.monotonic() < ends:
        first, last = (options.uploads * each // options.faults for each in (done, done + 1))
        people.want(range(first, last))
        fault = trouble.draw(rng, options.shortest, options.longest, only)
        print(f"{done + 1:4d} {fault}", flush=True)
        trouble.befall(site, people, fault)
        site.parts.run_for(options.rest * rng.random())
        done += 1
    print("Everything is given back.", flush=True)
    people.cut(0)
    all_taken = people.finish(site.parts.run_for, _PATIENCE)
    seconds = verdict.settle(site.parts.run_for, _PATIENCE)
    found = verdict.judge(people.record, site.faults)
    if not all_taken:
        found.losses.append("Some uploads were still not taken at the end.")
    if not site.parts.wait_for(site.is_ready, 60):
        found.losses.append("The site is not ready at the end.")
    found.facts += [
        f"{done} faults; killed: {dict(site.parts.killed)}",
        f"ended by themselves: {dict(site.parts.ended)}",
        "still waiting" if seconds is None else f"everything done after {seconds:.0f} s",
    ]
    print(*found.facts, sep="\n")
    print(*(f"LOSS {loss}" for loss in found.losses), sep="\n")
    return bool(found.losses)


def _accounts() -> dict[str, str]:
    from django.db import connection

    from gallery.accounts import tokens
    from gallery.models import User

    try:
        return {name: tokens.sign_in(User.objects.create_user(name))[1] for name in ACCOUNTS}
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
