"""The map: the times of a layout and of the answers to one viewer, and the frames of a real
Chromium.

Fills an empty database (`make bench` starts one) with clustered random vectors. Half of the
pictures are private to another account. Draws the map, requests points and regions as a viewer
who sees half of it, and drags and zooms the page.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from gallery.models import EmbeddingSpace, ExploreMap, User

REPEATS = 5


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="explore", description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--no-browser", action="store_true", help="leave out the frames")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    # Playwright runs an event loop in this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDIA_ROOT": f"{folder}/media", "STATIC_ROOT": f"{folder}/static"}
        django.setup()
        measure(options)


def measure(options: argparse.Namespace) -> None:
    from django.core.management import call_command

    from benchmarks.planner import DIMENSIONS, clustered, fill, vacuum
    from gallery.models import EmbeddingSpace, Image, User

    call_command("migrate", verbosity=0)
    if Image.objects.exists():
        raise SystemExit("This database holds pictures: the benchmark wants an empty one.")
    space = EmbeddingSpace.objects.create(
        architecture="synthetic",
        dimensions=DIMENSIONS,
        logit_scale=100.0,
        checksum="synthetic",
        state="active",
    )
    ids = fill(space, clustered(np.random.default_rng(0), options.pictures))
    viewer = User.objects.create_user("viewer", password="viewer")
    Image.objects.filter(pk__in=ids[::2]).update(owner=viewer)
    vacuum()
    drawn = draw(space)
    vacuum()
    answers(drawn, viewer)
    fit_in(drawn)
    if not options.no_browser:
        browse(viewer, options.pictures // 2)


def draw(space: EmbeddingSpace) -> ExploreMap:
    from gallery.explore import build
    from gallery.models import ExploreMap

    start = time.perf_counter()
    with _peaks() as peaks:
        done = build.draw(space)
    if not done:
        raise SystemExit(f"The map was not drawn: {ExploreMap.objects.get(space=space).error}")
    took = time.perf_counter() - start
    drawn = ExploreMap.objects.get(space=space)
    computed = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(
        f"drawn: {drawn.points.count()} points, {drawn.clusters.count()} regions in "
        f"{took:.0f} s, of which the layout computed {computed:.0f} s; at most "
        f"{peaks['worker']} MiB more in the worker, {peaks['layout']} MiB in the layout"
    )
    return drawn


@contextmanager
def _peaks() -> Iterator[dict[str, int]]:
    """Measure, in MiB, the additional peak memory of this process and the peak memory of its
    children inside the block.

    The figures come from /proc: the peak that getrusage() reports for a child includes that of
    its parent before the fork.
    """
    peaks = {"worker": 0, "layout": 0}
    over = threading.Event()
    own = os.getpid()
    ctypes.CDLL(None).malloc_trim(0)  # otherwise free memory from the filling hides new use
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak (man 5 proc)
    before = _peak(str(own))

    def watch() -> None:
        while not over.wait(0.1):
            children = Path(f"/proc/{own}/task/{main}/children").read_text().split()
            peaks["layout"] = max([peaks["layout"], *map(_peak, children)])

    main = threading.get_native_id()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peaks
    finally:
        over.set()
        watcher.join()
        peaks["worker"] = _peak(str(own)) - before


def _peak(pid: str) -> int:
    """The peak memory of a process in MiB; 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return 0
    return next((int(row.split()[1]) >> 10 for row in status.splitlines() if "VmHWM" in row), 0)


def answers(drawn: ExploreMap, viewer: User) -> None:
    from django.core.cache import cache

    from gallery.explore import concepts, points, regions
    from gallery.models import Image

    pictures = Image.objects.visible_to(viewer)
    rng = np.random.default_rng(1)
    words = rng.normal(size=(len(concepts.concepts()), 512)).astype("f4")
    # This does not measure the encoder: its answers are cached for a month.
    concepts.vectors = lambda space: words
    part = points.Box(0.4, 0.4, 0.6, 0.6)
    packed = points.packed(points.within(drawn, pictures))
    print(f"points of one who sees half: {len(packed) // points.PACKED_BYTES}, {len(packed)} bytes")
    for name, ask in {
        "points, packed": lambda: points.packed(points.within(drawn, pictures)),
        "points of a part, packed": lambda: points.packed(points.within(drawn, pictures, part)),
        "1,000 points for the API": lambda: points.listed(points.within(drawn, pictures), 1000),
        "regions, named before": lambda: regions.seen(drawn, pictures, viewer.pk),
        "regions, named anew": lambda: (
            cache.delete_pattern("map-names:*"),
            regions.seen(drawn, pictures, viewer.pk),
        ),
        "not placed": lambda: points.unplaced(drawn, pictures),
    }.items():
        print(f"{name:<26} {median(ask):7.1f} ms")


def fit_in(drawn: ExploreMap) -> None:
    """Measure the time to place pictures that come later."""
    from gallery.explore import placement

    taken = list(drawn.points.values_list("pk", flat=True)[:1000])
    drawn.points.filter(pk__in=taken).delete()
    start = time.perf_counter()
    count = placement.place_new(drawn)
    took = time.perf_counter() - start
    print(f"{count} later pictures fitted in: {took / count * 1000:.1f} ms each")


def median(ask: Callable[[], Any]) -> float:
    ask()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        ask()
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times))


def browse(viewer: User, points: int) -> None:
    """Zoom in and out, drag across the map, and report the frames of a real Chromium."""
    from benchmarks.grid import opened, served

    with served() as site, opened(site, viewer) as (page, _chrome):
        start = time.perf_counter()
        page.goto(f"{site}/explore/")
        page.wait_for_selector(f"#map[data-points='{min(points, 100_000)}']")
        print(f"page of {points} points: all there after {time.perf_counter() - start:.2f} s")
        box = page.locator("#map").bounding_box()
        assert box is not None
        middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.move(*middle)
        report(page, "zooming", lambda step: page.mouse.wheel(0, -40 if step < 60 else 40))
        page.keyboard.press("0")
        page.mouse.down()
        report(
            page,
            "dragging the whole map",
            lambda step: page.mouse.move(middle[0] + 2 * step, middle[1] + step),
        )
        page.mouse.up()


def report(page: Page, what: str, act: Callable[[int], None]) -> None:
    page.evaluate("() => { measured.frames = []; measured.tasks = []; }")
    for step in range(120):
        act(step)
    measured = page.evaluate("() => measured")
    frames = sorted(measured["frames"])
    print(
        f"{what}: {len(frames)} frames, median {frames[len(frames) // 2]:.0f} ms, 95 % under "
        f"{frames[int(len(frames) * 0.95)]:.0f} ms, longest task "
        f"{max(measured['tasks'], default=0):.0f} ms"
    )
