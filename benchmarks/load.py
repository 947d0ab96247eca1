"""Many people on one site at once: the time of each kind of request compared with one person
alone, the failures, and the growth of memory.

Fills an empty database (`make bench` starts one), serves it as the demo does (web processes,
encoder, other workers, scheduler), and measures one person for a minute, then all of them
(benchmarks/load_people.py describes what they do). The people share the cores with the site.
All visitors have the same address here, so the limits for addresses are off
(THROTTLE_ANONYMOUS, THROTTLE_VISITOR_SEARCH); those for accounts apply.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import tempfile
import time
from collections.abc import Mapping

import django
import numpy as np

from benchmarks.load_library import Account, await_map, fill, opened_samples
from benchmarks.load_people import Answers, Person, is_visitor, kinds_of
from benchmarks.memory import Memory
from benchmarks.served import Site, served

LIMITS = {"THROTTLE_ANONYMOUS": "", "THROTTLE_VISITOR_SEARCH": ""}
IDLE_SECONDS = 60.0
# One person alone looks for a shorter time, so that a minute has enough requests of each kind.
HURRY = 12.0
# The longest time of a page under load, as a multiple of its time for one person alone.
MOST_TIMES = 5.0
SHOWN_ERRORS = 3


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="load", description=__doc__)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--pictures", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "MEDIA_ROOT": f"{folder}/media",
            "UPLOAD_DIR": f"{folder}/uploads",
            "STATIC_ROOT": f"{folder}/static",
        }
        django.setup()
        prepare()
        with served(LIMITS, whole=True) as site:
            print(f"Filling {options.pictures} pictures of {options.people} people …", flush=True)
            accounts = fill(options.people, options.pictures, options.seed)
            await_map(options.pictures)
            print(
                f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}", flush=True
            )
            asyncio.run(measure(site, accounts, options))


def prepare() -> None:
    """Create tables, static files and the first embedding space."""
    from django.core.management import call_command

    from gallery.indexing.spaces import ensure_first_space

    call_command("migrate", verbosity=0)
    call_command("collectstatic", "--noinput", verbosity=0)
    ensure_first_space()


async def measure(site: Site, accounts: list[Account], options: argparse.Namespace) -> None:
    # A warm-up run.
    await alone(site, accounts[0], options.seed, IDLE_SECONDS / 3)
    idle = await alone(site, accounts[0], options.seed + 1, IDLE_SECONDS)
    memory = Memory({name: process.pid for name, process in site.processes.items()})
    watching = asyncio.create_task(memory.watch())
    loaded = await everybody(site, accounts, options)
    watching.cancel()
    report(idle, loaded)
    memory.report()
    ended = [name for name, process in site.processes.items() if process.poll() is not None]
    print(f"Ended by themselves: {', '.join(ended) or 'none'}")


async def alone(site: Site, account: Account, seed: int, seconds: float) -> Answers:
    """Run one person who does everything, one thing after another."""
    answers = Answers()
    person = Person("mixed", account, site.url, answers, opened_samples(), random.Random(seed))
    await person.live(time.monotonic() + seconds, HURRY)
    return answers


async def everybody(site: Site, accounts: list[Account], options: argparse.Namespace) -> Answers:
    answers, photos = Answers(), opened_samples()
    until = time.monotonic() + options.minutes * 60
    people = [
        Person(
            kind,
            None if is_visitor(number, kind) else account,
            site.url,
            answers,
            photos,
            random.Random(f"{options.seed}-{number}"),
        )
        for number, (kind, account) in enumerate(
            zip(kinds_of(len(accounts)), accounts, strict=True)
        )
    ]
    visitors = sum(person.account is None for person in people)
    print(f"{len(people)} people, {visitors} without an account", flush=True)
    await asyncio.gather(*(person.live(until) for person in people))
    return answers


def report(idle: Answers, loaded: Answers) -> None:
    """Print milliseconds by kind, the most frequent first."""
    print(
        f"\n{'request':<14} {'count':>7} {'errors':>6}  {'idle':>6} {'p95':>6}"
        f"  {'loaded':>6} {'p95':>6}  {'p95 ×':>5}"
    )
    before, now = _figures(idle.seconds), _figures(loaded.seconds)
    for kind in sorted(loaded.seconds, key=lambda kind: -len(loaded.seconds[kind])):
        _line(kind, len(loaded.seconds[kind]), len(loaded.errors[kind]), before, now)
    every = sum(map(len, loaded.seconds.values()))
    print(f"{every} requests, {loaded.failed} errors (idle: {idle.failed})")
    for kind, errors in [*idle.errors.items(), *loaded.errors.items()]:
        for error in errors[:SHOWN_ERRORS]:
            print(f"  {kind}: {error}")
    print()


Figures = Mapping[str, tuple[float, float]]


def _figures(seconds: Mapping[str, list[float]]) -> Figures:
    """Median and 95th percentile in milliseconds."""
    return {
        kind: tuple(np.percentile(values, [50, 95]) * 1000)
        for kind, values in seconds.items()
        if values
    }


def _line(kind: str, count: int, errors: int, idle: Figures, loaded: Figures) -> None:
    median, p95 = loaded[kind]
    if kind not in idle:
        print(f"{kind:<14} {count:>7} {errors:>6}  {'':>13}  {median:6.0f} {p95:6.0f}")
        return
    before, before_p95 = idle[kind]
    times = p95 / before_p95
    mark = "" if times <= MOST_TIMES else "  !"
    print(
        f"{kind:<14} {count:>7} {errors:>6}  {before:6.0f} {before_p95:6.0f}"
        f"  {median:6.0f} {p95:6.0f}  {times:5.1f}{mark}"
    )
