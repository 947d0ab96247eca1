"""Requests a second of one web process without a proxy, by kind, compared with `health/`.

Fills an empty database (`make bench` starts one) with pictures of one account, half of them
public, and sends requests of each kind in turns over a few persistent connections. The client
shares the cores with the site. All kinds are measured in the same rounds, so the ratios are more
stable than the figures.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import statistics
import tempfile
import threading
import time
from urllib.parse import urlsplit

import django

from benchmarks.load import prepare
from benchmarks.load_library import Account, fill
from benchmarks.served import NO_LIMITS, Site, served

QUERY = "a cat on a table"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_THUMBNAIL = re.compile(r'<img src="([^"]+)"')


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="serving", description=__doc__)
    parser.add_argument("--pictures", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each kind in each round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clipsite.settings")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"MEDIA_ROOT": f"{folder}/media", "STATIC_ROOT": f"{folder}/static"}
        django.setup()
        prepare()
        with served(NO_LIMITS, whole=True):
            account = fill(1, options.pictures, seed=1)[0]
        with served() as site:
            report(measure(site, requests_of(site, account), options))


def requests_of(site: Site, account: Account) -> dict[str, bytes]:
    """The bytes of the requests, by kind."""
    from gallery.models import Image

    host = urlsplit(site.url).netloc
    token = f"Authorization: Token {account.token}"
    cookie = f"Cookie: sessionid={account.session}"
    picture = Image.objects.filter(owner__username=account.username).first()
    assert picture is not None
    home = _ask(site, _request(host, "/", cookie)).decode()
    shown = _THUMBNAIL.search(home)
    assert shown is not None
    asked = f"/api/v1/images/{picture.pk}/thumbnail/?w=320"
    search = f"/api/v1/search/?q={QUERY.replace(' ', '+')}"
    return {
        "health": _request(host, "/api/v1/health/"),
        "thumbnail as a page shows it": _request(host, shown[1].replace("&amp;", "&"), cookie),
        "thumbnail by a session": _request(host, asked, cookie),
        "thumbnail by a token": _request(host, asked, token),
        "cached search of 10": _request(host, f"{search}&limit=10", token),
        "cached search of 40": _request(host, f"{search}&limit=40", token),
        "list of 50": _request(host, "/api/v1/images/?limit=50", token),
        "home page": _request(host, "/", cookie),
    }


def _request(host: str, path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def measure(
    site: Site, requests: dict[str, bytes], options: argparse.Namespace
) -> dict[str, list[float]]:
    """Measure the requests a second in each round, by kind."""
    found: dict[str, list[float]] = {kind: [] for kind in requests}
    for request in requests.values():  # warm-up
        _ask(site, request)
    for _round in range(options.rounds):
        for kind, request in requests.items():
            found[kind].append(_rate(site, request, options))
    return found


def _rate(site: Site, request: bytes, options: argparse.Namespace) -> float:
    counts = [0] * options.connections
    until = time.monotonic() + options.seconds

    def ask(number: int) -> None:
        with _connected(site) as connection:
            while time.monotonic() < until:
                _exchange(connection, request)
                counts[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - began)


def _ask(site: Site, request: bytes) -> bytes:
    with _connected(site) as connection:
        return _exchange(connection, request)


def _connected(site: Site) -> socket.socket:
    address = urlsplit(site.url)
    return socket.create_connection((address.hostname, address.port or 80), timeout=30)


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and return the body of the answer. This is a minimal client, because its
    time counts as that of the site."""
    connection.sendall(request)
    came = b""
    while (end := came.find(b"\r\n\r\n")) < 0:
        came += _received(connection)
    head, body = came[:end], came[end + 4 :]
    if b" 200 " not in head[:20]:
        raise SystemExit(f"{request!r} was answered with {came[:500]!r}")
    length = _LENGTH.search(head)
    if length is None:
        raise SystemExit(f"{request!r}: no length in {head!r}")
    parts, missing = [body], int(length[1]) - len(body)
    while missing > 0:
        parts.append(_received(connection))
        missing -= len(parts[-1])
    return b"".join(parts)


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(256 * 1024)
    if not data:
        raise SystemExit("The site closed the connection.")
    return data


def report(found: dict[str, list[float]]) -> None:
    print(f"{'kind':<30} {'a second':>8} {'of health/':>10}")
    health = found["health"]
    for kind, rates in found.items():
        ratio = statistics.median(a / b for a, b in zip(rates, health, strict=True))
        print(f"{kind:<30} {statistics.median(rates):8.0f} {ratio:10.2f}")
