"""What pages of a running site weigh, in a real Chromium: requests, bytes, times.

Signs in, and opens each page with an empty cache (cold), once more (warm), and with an empty cache
on a slow line. Addresses of data (`data:`) are no requests. Largest contentful paint and layout
shift are of the cold page on the line of this machine: measure them while it is quiet.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGES = ("/", "/search/?q=flower", "/albums/", "/upload/", "/categories/", "/account/")

# Records paints and shifts of the page in `window.measured`.
RECORDER = """
window.measured = {paint: 0, shift: 0};
new PerformanceObserver((list) => {
  for (const {startTime} of list.getEntries()) measured.paint = startTime;
}).observe({type: "largest-contentful-paint", buffered: true});
new PerformanceObserver((list) => {
  for (const {value, hadRecentInput} of list.getEntries()) {
    if (!hadRecentInput) measured.shift += value;
  }
}).observe({type: "layout-shift", buffered: true});
"""

# When the pictures in the viewport have arrived, in seconds since the navigation: the first of them
# and the last request of the page.
ARRIVALS = """
() => {
  const seen = [...document.images].filter((image) => {
    const {bottom, top, width} = image.getBoundingClientRect();
    return width > 0 && bottom > 0 && top < innerHeight;
  });
  const shown = new Set(seen.map((image) => image.currentSrc));
  const requests = performance.getEntriesByType("resource");
  const pictures = requests.filter(({name}) => shown.has(name));
  const [document_] = performance.getEntriesByType("navigation");
  return {
    first: Math.min(...pictures.map(({responseEnd}) => responseEnd)) / 1000,
    last: Math.max(document_.responseEnd, ...requests.map(({responseEnd}) => responseEnd)) / 1000,
  };
}
"""


@dataclass
class Line:
    """The line of the visitor: bits a second and seconds for a round trip; zero for no limit."""

    speed: float = 0
    latency: float = 0


@dataclass
class Weight:
    requests: int = 0
    bytes: int = 0


@dataclass
class Visit:
    weight: Weight
    kinds: dict[str, Weight]
    first_picture: float
    done: float
    paint: float
    shift: float


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="pages", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--username", default="demo")
    parser.add_argument("--password", default="demo-demo")
    parser.add_argument("--width", type=int, default=1440)
    parser.add_argument("--height", type=int, default=900)
    parser.add_argument("--speed", type=int, default=400, help="kbit/s of the slow line")
    parser.add_argument("--latency", type=int, default=400, help="ms of the slow line")
    parser.add_argument("--kinds", action="store_true", help="also by kind of file")
    parser.add_argument("pages", nargs="*", default=PAGES)
    options = parser.parse_args(arguments)

    slow = Line(options.speed * 1000, options.latency / 1000)
    with browser(options) as (chromium, session):
        for path in options.pages:
            with opened(chromium, options, session) as page:
                cold = visit(page, options.url + path)
                warm = visit(page, options.url + path)
            with opened(chromium, options, session) as page:
                far = visit(page, options.url + path, slow)
            report(path, cold, warm, far, options)


@contextmanager
def browser(options: Any) -> Iterator[tuple[Browser, Any]]:
    """Start Chromium and sign in. Yields the browser and what keeps the visitor signed in."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page()
        page.goto(f"{options.url}/accounts/login/")
        page.locator("[name=login]").fill(options.username)
        page.locator("[name=password]").fill(options.password)
        page.locator("[name=password]").press("Enter")
        page.wait_for_url(f"{options.url}/")
        yield chromium, page.context.storage_state()
        chromium.close()


@contextmanager
def opened(chromium: Browser, options: Any, session: Any) -> Iterator[Page]:
    """Open an empty tab with an empty cache, signed in."""
    context = chromium.new_context(
        viewport={"width": options.width, "height": options.height}, storage_state=session
    )
    context.add_init_script(RECORDER)
    yield context.new_page()
    context.close()


def visit(page: Page, address: str, line: Line | None = None) -> Visit:
    """Open a page and wait until its requests are done. Without a picture in the viewport,
    `first_picture` is infinite."""
    chrome = page.context.new_cdp_session(page)
    chrome.send("Network.enable")
    if line:
        throughput = line.speed / 8
        chrome.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": line.latency * 1000,
                "downloadThroughput": throughput,
                "uploadThroughput": throughput,
            },
        )
    kinds: dict[str, Weight] = {}
    asked: dict[str, str] = {}

    def sent(event: Any) -> None:
        if not event["request"]["url"].startswith(("data:", "blob:")):
            asked[event["requestId"]] = event.get("type", "Other")

    def from_cache(event: Any) -> None:
        asked.pop(event["requestId"], None)

    def finished(event: Any) -> None:
        if kind := asked.pop(event["requestId"], None):
            weight = kinds.setdefault(kind, Weight())
            weight.requests += 1
            weight.bytes += event["encodedDataLength"]

    def received(event: Any) -> None:
        if event["response"].get("fromDiskCache"):
            asked.pop(event["requestId"], None)

    chrome.on("Network.requestWillBeSent", sent)
    chrome.on("Network.requestServedFromCache", from_cache)
    chrome.on("Network.responseReceived", received)
    chrome.on("Network.loadingFinished", finished)
    answer = page.goto(address, timeout=120_000)
    if not (answer and answer.ok):
        raise SystemExit(f"{address} is no page of this site.")
    page.wait_for_load_state("networkidle", timeout=120_000)
    arrivals = page.evaluate(ARRIVALS)
    measured = page.evaluate("measured")
    chrome.detach()
    return Visit(
        weight=Weight(
            sum(kind.requests for kind in kinds.values()),
            sum(kind.bytes for kind in kinds.values()),
        ),
        kinds=kinds,
        first_picture=arrivals["first"],
        done=arrivals["last"],
        paint=measured["paint"] / 1000,
        shift=measured["shift"],
    )


def report(path: str, cold: Visit, warm: Visit, far: Visit, options: Any) -> None:
    first = f"first picture {far.first_picture:.1f} s, " if isfinite(far.first_picture) else ""
    print(
        f"{path}\n  cold {_weight(cold.weight)}; warm {_weight(warm.weight)}\n"
        f"  at {options.speed} kbit/s with {options.latency} ms: {first}done {far.done:.1f} s\n"
        f"  largest paint {cold.paint:.2f} s, layout shift {cold.shift:.3f}",
        flush=True,
    )
    if options.kinds:
        for name, visited in (("cold", cold), ("warm", warm)):
            kinds = sorted(visited.kinds.items(), key=lambda kind: -kind[1].bytes)
            print(f"  {name}: " + ", ".join(f"{kind} {_weight(each)}" for kind, each in kinds))


def _weight(weight: Weight) -> str:
    return f"{weight.requests} requests, {weight.bytes / 1000:.0f} kB"
