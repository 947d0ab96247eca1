"""Scrolling and jumping in a real Chromium: elements, memory, long tasks, frames.

Fills an empty database (`make bench` starts one) with pictures of twenty years that share a few
generated files, serves them, scrolls the home page from top to bottom, and jumps through the
timeline with its scrubber.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import requests
from tqdm import tqdm

from benchmarks.analysed import all_done
from clipsite.embedded.ports import free_port

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

    from gallery.models import Image, User

KINDS = 24
YEARS = 20
JUMPS = 30
VIEWPORT = {"width": 1440, "height": 900}

# Records frames, long tasks and elements of the page in `window.measured`.
RECORDER = """
window.measured = {frames: [], tasks: [], elements: 0};
new PerformanceObserver((list) => {
  for (const {duration} of list.getEntries()) measured.tasks.push(duration);
}).observe({type: "longtask"});
let last = performance.now();
requestAnimationFrame(function frame(now) {
  measured.frames.push(now - last);
  last = now;
  if (measured.frames.length % 20 === 0) {
    measured.elements = Math.max(measured.elements, document.querySelectorAll("*").length);
  }
  requestAnimationFrame(frame);
});
"""

# Scrolls by `speed` pixels a second until `done` pictures have passed or the page ends.
SCROLL = """
([speed, done]) => new Promise((resolve) => {
  let last = performance.now();
  let moved = last;
  requestAnimationFrame(function frame(now) {
    const before = scrollY;
    scrollBy({top: speed * Math.min(now - last, 100) / 1000, behavior: "instant"});
    last = now;
    if (scrollY !== before) moved = now;
    const tiles = document.querySelectorAll("[data-grid] li.tile[aria-posinset]");
    const seen = Math.max(0, ...[...tiles].map((tile) => tile.getAttribute("aria-posinset")));
    // So long without moving is the end, not a part that is being waited for.
    if (now - moved > 5000 || seen >= done) resolve(seen);
    else requestAnimationFrame(frame);
  });
})
"""

# Whether the viewport shows pictures and none of them is still loading.
SETTLED = """
() => {
  const seen = [...document.querySelectorAll("[data-grid] li.tile")].filter((tile) => {
    const box = tile.getBoundingClientRect();
    return box.bottom > 70 && box.top < innerHeight;
  });
  return seen.length > 0 && seen.every((tile) => !tile.classList.contains("waiting"));
}
"""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="grid", description=__doc__)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--scroll", type=int, default=10_000, help="pictures to scroll past")
    parser.add_argument("--speed", type=int, default=8_000, help="pixels a second")
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    # Playwright runs an event loop in this thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDIA_ROOT": f"{folder}/media", "STATIC_ROOT": f"{folder}/static"}
        django.setup()
        owner = fill(options.pictures)
        with served() as site, opened(site, owner) as (page, chrome):
            scroll_home(page, chrome, site, options)
            scroll_timeline(page, chrome, site, options)
            jump(page, site)


# --- The library and the site -----------------------------------------------------


def fill(count: int) -> User:
    from django.core.management import call_command

    from gallery.models import Image, User

    call_command("migrate", verbosity=0)
    if Image.objects.exists():
        raise SystemExit("This database holds pictures: the benchmark wants an empty one.")
    owner = User.objects.create_user("benchmark")
    kinds = drawn(owner)
    rng = random.Random(0)
    newest = datetime.now(UTC)
    rows = []
    for number in tqdm(range(count), desc="rows"):
        kind = kinds[number % KINDS]
        # As in real galleries, more pictures are recent than old.
        age = timedelta(days=365 * YEARS * rng.random() ** 2)
        rows.append(copy_of(kind, owner, newest - age))
    Image.objects.bulk_create(rows, batch_size=2000)
    all_done()
    vacuum()
    return owner


def drawn(owner: User) -> list[Image]:
    """Add one picture of each kind, with its renditions."""
    from django.core.files.base import ContentFile

    from gallery.library.service import add_image
    from gallery.work import drain
    from gallery.work.analyser import Resource
    from tests.conftest import draw

    kinds = []
    for number in range(KINDS):
        width = 640
        height = int(width / random.Random(number).choice([0.67, 0.75, 1.0, 1.33, 1.5, 1.78]))
        data = draw(width, height, (number * 10 % 256, 90 + number * 5, 200 - number * 7))
        kinds.append(add_image(owner=owner, file=ContentFile(data), name=f"{number}.jpg").image)
    drain.work_off(Resource.PROCESSOR)
    for kind in kinds:
        kind.refresh_from_db()
    return kinds


def copy_of(kind: Image, owner: User, taken: datetime) -> Image:
    """Return a row that shares the files of `kind`. Its renditions are hard links."""
    from django.conf import settings

    from gallery.library.renditions import widths_of
    from gallery.library.storage import rendition_path
    from gallery.models import Image

    copy = Image(
        owner=owner,
        file=kind.file.name,
        sha256=uuid.uuid4().hex,
        byte_size=kind.byte_size,
        content_type=kind.content_type,
        width=kind.width,
        height=kind.height,
        facts=kind.facts,
        frames=kind.frames,
        captured_at=taken,
        placeholder=kind.placeholder,
    )
    media = Path(settings.MEDIA_ROOT)
    for width in widths_of(kind):
        link = media / rendition_path(copy, width)
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(media / rendition_path(kind, width), link)
    return copy


def vacuum() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE gallery_image, gallery_analysis")


@contextmanager
def served() -> Iterator[str]:
    """Serve the site as in production, on a free port."""
    from django.conf import settings
    from django.core.management import call_command

    call_command("collectstatic", "--noinput", verbosity=0)
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "clipsite.wsgi", "--bind", f"127.0.0.1:{port}"),
            *("--threads", "8", "--log-level", "warning"),
        ],
        cwd=settings.BASE_DIR,
    )
    try:
        await_answer(f"{site}/api/v1/health/", server)
        yield site
    finally:
        server.terminate()
        server.wait(10)


def await_answer(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        if server.poll() is not None:
            raise SystemExit("The web server did not start; its reason stands above.")
        try:
            requests.get(address, timeout=2).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.2)
    raise SystemExit(f"{address} does not answer.")


@contextmanager
def opened(site: str, owner: User) -> Iterator[tuple[Page, CDPSession]]:
    """Open a page in a real Chromium with a signed-in session."""
    from django.test import Client
    from playwright.sync_api import sync_playwright

    client = Client()
    client.force_login(owner)
    session = client.cookies["sessionid"].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport=VIEWPORT, reduced_motion="reduce")
        context.add_cookies([{"name": "sessionid", "value": session, "url": site}])
        context.add_init_script(RECORDER)
        page = context.new_page()
        yield page, context.new_cdp_session(page)
        browser.close()


# --- The measurements -------------------------------------------------------------


def scroll_home(page: Page, chrome: CDPSession, site: str, options: Any) -> None:
    page.goto(site)
    start = time.perf_counter()
    seen = page.evaluate(SCROLL, [options.speed, options.scroll])
    took = time.perf_counter() - start
    print(f"home page, {seen} pictures scrolled past in {took:.0f} s, part after part")
    report(page, chrome)


def scroll_timeline(page: Page, chrome: CDPSession, site: str, options: Any) -> None:
    from gallery.models import Image

    start = time.perf_counter()
    page.goto(f"{site}/timeline/")
    page.wait_for_function(SETTLED)
    took = time.perf_counter() - start
    print(f"timeline of {Image.objects.count()} pictures, first ones shown after {took:.2f} s")
    height = page.evaluate("document.documentElement.scrollHeight")
    speed = max(options.speed, height / 60)  # all of it within a minute
    page.evaluate(SCROLL, [speed, float("1e12")])
    print(f"scrolled from top to bottom at {speed:.0f} pixels a second ({height} in all)")
    report(page, chrome)


def jump(page: Page, site: str) -> None:
    """Click the scrubber at random places, and measure the time until the viewport is full of
    loaded pictures."""
    page.goto(f"{site}/timeline/")
    box = page.locator("#scrubber").bounding_box()
    assert box is not None
    rng = random.Random(1)
    took = []
    for _ in range(JUMPS):
        start = time.perf_counter()
        page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] * rng.random())
        page.wait_for_function(SETTLED)
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    print(
        f"{JUMPS} jumps by the bar: pictures in the whole viewport after "
        f"{took[len(took) // 2]:.0f} ms (median), {took[-1]:.0f} ms (slowest)"
    )
    elements, tasks = page.evaluate("[measured.elements, measured.tasks]")
    print(f"  at most {elements} elements, longest task {max(tasks, default=0):.0f} ms")


def report(page: Page, chrome: CDPSession) -> None:
    measured = page.evaluate("measured")
    frames = sorted(measured["frames"])
    slow = sum(frame > 50 for frame in frames) / len(frames)
    page.evaluate("window.gc?.()")
    chrome.send("HeapProfiler.enable")
    chrome.send("HeapProfiler.collectGarbage")
    chrome.send("Performance.enable")
    metrics = {m["name"]: m["value"] for m in chrome.send("Performance.getMetrics")["metrics"]}
    print(
        f"  at most {measured['elements']} elements; heap {metrics['JSHeapUsedSize'] / 2**20:.0f}"
        f" MiB after collecting, {metrics['Nodes']:.0f} nodes alive\n"
        f"  longest task {max(measured['tasks'], default=0):.0f} ms; frames: median "
        f"{frames[len(frames) // 2]:.0f} ms, 95 % under {frames[int(len(frames) * 0.95)]:.0f} ms, "
        f"{slow:.1%} over 50 ms"
    )
