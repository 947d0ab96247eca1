"""make bench ARGS=shares: the wait of one searcher while others classify with many names.

Needs an empty database. Runs the site and its encoder worker like the demo, with seven accounts
and without limits. No text is cached. The searcher searches alone first, then beside the others:
the ratio counts.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.analysed import all_done

if TYPE_CHECKING:
    from benchmarks.served import Api

PASSWORD = "benchmark-of-shares"


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="shares", description=__doc__)
    parser.add_argument("--classifiers", type=int, default=6)
    parser.add_argument("--names", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    import django

    django.setup()
    from benchmarks.served import served

    picture = prepared(options.classifiers)
    with served() as site:
        searcher = site.signed_in("searcher", PASSWORD)
        others = [site.signed_in(f"other{n}", PASSWORD) for n in range(options.classifiers)]
        searches(searcher, "warm", 5)
        alone = searches(searcher, "alone", options.seconds)
        stop = threading.Event()
        classified: list[tuple[int, float]] = []
        threads = [
            threading.Thread(
                target=classify, args=(api, picture, number, options.names, stop, classified)
            )
            for number, api in enumerate(others)
        ]
        for thread in threads:
            thread.start()
        time.sleep(1)
        beside = searches(searcher, "beside", options.seconds)
        stop.set()
        for thread in threads:
            thread.join()
    report("alone", alone, alone)
    report("beside them", beside, alone)
    done = [took for status, took in classified if status == 200]
    print(
        f"{len(done)} of {len(classified)} classifications were done, "
        f"in {np.median(done) if done else float('nan'):.1f} s each (median); "
        f"others: {sorted({status for status, _ in classified} - {200})}"
    )


def prepared(classifiers: int) -> str:
    """Create public pictures with vectors, and the accounts. Return the id of one picture."""
    from django.core.management import call_command

    from benchmarks.bench_search import starter_space
    from gallery.indexing.encoding import keep_vectors
    from gallery.models import Image, User

    call_command("migrate", verbosity=0)
    space = starter_space()
    names = ["searcher", *(f"other{n}" for n in range(classifiers))]
    users = [User.objects.create_user(name, f"{name}@example.org", PASSWORD) for name in names]
    vector = np.zeros(space.dimensions or 0)
    vector[0] = 1
    for number in range(100):
        image = Image.objects.create(
            owner=users[0], visibility="public", sha256=f"{number:064}", file="none",
            byte_size=1, content_type="image/jpeg", width=1, height=1,
        )  # fmt: skip
        keep_vectors(space, [image.pk], vector[None])
    all_done()
    return str(image.pk)


def searches(api: Api, word: str, seconds: float) -> list[float]:
    """Search for new texts one after the other. Return the seconds of each, also of failed
    ones."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        fields = {"q": f"a {word} of number {len(took)}", "limit": "10"}
        answer = api.http.request("GET", f"{api.address}/search/", fields=fields)
        if answer.status != 200:
            print(f"a search was answered {answer.status}")
        took.append(time.perf_counter() - start)
        time.sleep(0.05)
    return took


def classify(
    api: Api,
    picture: str,
    number: int,
    names: int,
    stop: threading.Event,
    done: list[tuple[int, float]],
) -> None:
    """Classify with new names again and again until `stop`."""
    turn = 0
    while not stop.is_set():
        body: dict[str, Any] = {"classnames": [f"thing {number} {turn} {n}" for n in range(names)]}
        start = time.perf_counter()
        answer = api.http.request("POST", f"{api.address}/images/{picture}/classify/", json=body)
        done.append((answer.status, time.perf_counter() - start))
        if answer.status != 200:
            time.sleep(float(answer.headers.get("Retry-After", 1)))
        turn += 1


def report(name: str, took: list[float], alone: list[float]) -> None:
    median, high = np.median(took), np.quantile(took, 0.95)
    print(
        f"{name:<12} {len(took):>5} searches  median {median * 1000:7.0f} ms"
        f"  95 % {high * 1000:7.0f} ms  longest {max(took) * 1000:7.0f} ms"
        f"  ratio {median / np.median(alone):5.2f}, of 95 % {high / np.quantile(alone, 0.95):5.2f}"
    )
