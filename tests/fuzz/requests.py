"""Hostile requests to pages and API. No request may fail, take long or keep memory."""

from __future__ import annotations

import gc
import json
import re
import resource
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.contrib.admindocs.views import extract_views_from_urlpatterns, simplify_regex
from django.core.cache import cache
from django.db import transaction
from django.urls import get_resolver

from tests.belongings import Belongings
from tests.fuzz import values
from tests.fuzz.cases import Case, Drawer
from tests.fuzz.seeds import SEEDS
from tests.fuzz.world import World, world
from tests.measured import MEGABYTE, MOST_SECONDS, memory

# The limits of one request, and of the memory that remains after all of them.
_MOST_BYTES = 300 * MEGABYTE
_MOST_KEPT = 150 * MEGABYTE
_SETTLED = 500
# No line of a request is longer: gunicorn gives up at one megabyte.
_LONGEST_PATH = 900_000
# These answer 503 if a part is down. No encoder runs here.
_MAY_BE_DOWN = "/api/v1/ready/"


@dataclass
class Figures:
    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    routes: set[str] = field(default_factory=set)
    peak: int = 0
    seconds: float = 0.0
    kept: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        statuses = ", ".join(f"{n} × {status}" for status, n in sorted(self.statuses.items()))
        return (
            f"{self.requests} requests to {len(self.routes)} routes ({statuses}); at most "
            f"{self.peak / MEGABYTE:.0f} MB and {self.seconds:.1f} s each, "
            f"{self.kept / MEGABYTE:.0f} MB kept; {len(self.faults)} faults"
        )


def run(seed: int, count: int, found: Path) -> Figures:
    """Send `count` requests of `seed`. Keep those with a fault in the folder `found`."""
    figures = Figures()
    settled = 0
    with world() as there, _limited():
        drawer = Drawer(
            addresses(),
            partial(values_for, there.belongings),
            [draw() for draw in SEEDS.values()],
        )
        for number in range(count):
            case = drawer.draw(Random(f"{seed}/request/{number}"))
            faults = list(_sent(there, case, figures))
            if faults:
                found.mkdir(parents=True, exist_ok=True)
                path = found / f"request-{seed}-{number}.json"
                path.write_text(case.to_json())
                figures.faults.append(
                    f"{path}: {case.method} {case.path[:80]}: {'; '.join(faults)}"
                )
                print(figures.faults[-1], flush=True)
            if figures.requests == _SETTLED:
                settled = _resident()
            if figures.requests % 250 == 0:
                print(figures, flush=True)
        if settled:
            figures.kept = _resident() - settled
    if figures.kept > _MOST_KEPT:
        figures.faults.append(f"{figures.kept / MEGABYTE:.0f} MB kept after {count} requests")
    return figures


@contextmanager
def _limited() -> Iterator[None]:
    """Limit the memory: larger requests get a MemoryError before the machine has none."""
    former = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize") + 3_000 * MEGABYTE, former[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, former)


def again(path: Path) -> list[str]:
    """Send one kept request again and print what came of it."""
    case = Case.from_json(path.read_text())
    figures = Figures()
    with world() as there:
        faults = list(_sent(there, case, figures))
    print(f"{case.method} {case.path[:200]} as {case.actor}: {figures}")
    return faults


def addresses() -> list[str]:
    """Return all routes, with the names of their parameters in angle brackets."""
    views = extract_views_from_urlpatterns(get_resolver().url_patterns)
    return sorted({simplify_regex(regex) for _view, regex, _namespace, _name in views})


def values_for(things: Belongings, address: str) -> dict[str, object]:
    """Return values of existing things for the parameters of any address."""
    as_api = re.sub(r"^/(api/v1/|admin/gallery/)?", "/api/v1/", address)
    found = things.of(address if address.startswith("/s/") else as_api)
    for name in re.findall(r"<uuid:(\w+)>", address):
        if not isinstance(found[name], UUID):
            found[name] = things.change.pk if "undo" in address else things.image.pk
    return found


def _sent(there: World, case: Case, figures: Figures) -> Iterator[str]:
    """Send a case. Yield what is wrong with the answer, in words."""
    cache.delete_pattern("*")  # rate limits would refuse that many requests
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    began = time.monotonic()
    figures.requests += 1
    # The changes are undone: each request meets the same state.
    with transaction.atomic():
        try:
            response = _response(there, case)
            content = b"".join(response) if response.streaming else response.content
        except Exception as error:  # no handler of Django caught it
            yield f"unanswered, {type(error).__name__}: {str(error)[:200]}"
            return
        finally:
            transaction.set_rollback(True)
    seconds = time.monotonic() - began
    peak = max(0, memory("VmHWM") - before)
    figures.statuses[response.status_code] += 1
    match = response.wsgi_request.resolver_match
    figures.routes.update([match.route] if match else [])
    figures.peak, figures.seconds = max(figures.peak, peak), max(figures.seconds, seconds)
    if seconds > MOST_SECONDS:
        yield f"{seconds:.1f} s"
    if peak > _MOST_BYTES:
        yield f"{peak / MEGABYTE:.0f} MB"
    yield from _wrong(case, response, content)


def _response(there: World, case: Case) -> Any:
    client = there.client(case.actor)
    sessions = dict(client.cookies)
    headers = dict(case.headers)
    if case.actor == "token":
        headers.setdefault("Authorization", f"Token {there.token}")
    path, _mark, query = case.path[:_LONGEST_PATH].partition("?")
    try:
        return client.generic(
            case.method, path, case.body, case.content_type, headers=headers, QUERY_STRING=query
        )
    finally:
        client.cookies.clear()
        client.cookies.update(sessions)


def _wrong(case: Case, response: Any, content: bytes) -> Iterator[str]:
    status = response.status_code
    if status == 503 and case.path.startswith(_MAY_BE_DOWN):
        return
    if status >= 500:
        kind, error, _traceback = response.exc_info or (None, "", None)
        yield f"{status} {kind.__name__ if kind else ''}: {str(error)[:200]}"
    elif status >= 400 and case.path.startswith("/api/v1/") and case.method != "HEAD":
        yield from _misshapen(response, content)
    if values.SCRIPT.encode() in content and "html" in response.get("Content-Type", ""):
        yield "a script came back as one"
    target = urlsplit(response.get("Location", ""))
    if target.netloc not in ("", "testserver"):
        yield f"leads to {target.netloc}"


def _misshapen(response: Any, content: bytes) -> Iterator[str]:
    """Return what differs from the one shape of the API's errors."""
    try:
        body = json.loads(content)
        errors = body["errors"]
        whole = body["type"] in ("client_error", "validation_error", "server_error") and errors
        if not whole or any(set(error) != {"code", "detail", "attr"} for error in errors):
            yield f"{response.status_code} of another shape: {content[:200]!r}"
    except (ValueError, TypeError, KeyError):
        yield f"{response.status_code} of another shape: {content[:200]!r}"


def _resident() -> int:
    gc.collect()
    return memory("VmRSS")
