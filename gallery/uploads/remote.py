"""Fetches a picture from an address that a user gives.

The server must not fetch from hosts that only the server can reach. So each host, also of a
redirect, is looked up once and checked (`addresses`), and the connection goes to exactly the
checked address. Proxies of the environment are not used. One deadline covers everything,
including look-ups.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO
from urllib.parse import quote, unquote, urljoin, urlsplit

from django.conf import settings
from django.core.files import File
from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from gallery import spelling
from gallery.errors import Refusal
from gallery.uploads import addresses, partial
from gallery.uploads.limits import too_large

MAX_URL = 2_000
# Seconds for the whole fetch, and for each wait for data from the server.
TOTAL_SECONDS = 60.0
SILENCE_SECONDS = 10.0
MAX_REDIRECTS = 5

_PORTS = {"http": 80, "https": 443}
# The ports of web servers. Other ports may belong to mail, databases or remote shells.
_WEB_PORTS = {80, 443, *range(8000, 9000)}
_REDIRECTS = {301, 302, 303, 307, 308}
_PIECE = 64 * 1024
_HEADERS = {
    "User-Agent": "Clipsite (import of pictures by address)",
    "Accept": "image/*,*/*;q=0.1",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
# The characters of an address: neither blanks nor invisible ones.
_VISIBLE = re.compile(r"[^\x00-\x20\x7f-\xa0\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True)
class Url:
    """The parts of a checked address; all of them are ASCII."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def file_name(self) -> str:
        return spelling.clean_name(unquote(self.path).rpartition("/")[2])


@dataclass(frozen=True)
class Fetched:
    file: File[bytes]
    name: str


def parse(url: str) -> Url:
    """Parse and check an address. Raises Refusal (bad_url, url_with_password, bad_port)."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        port = parts.port
    except ValueError as error:
        raise _bad_url() from error
    if len(url) > MAX_URL or not _VISIBLE.fullmatch(url) or not host:
        raise _bad_url()
    if parts.scheme not in _PORTS:
        raise _bad_url()
    if parts.username is not None or parts.password is not None:
        raise Refusal("url_with_password", _("Addresses with a username are not fetched."))
    if port is None:
        port = _PORTS[parts.scheme]
    if port not in _WEB_PORTS:
        raise Refusal(
            "bad_port", _("Pictures are fetched from the ports 80, 443 and 8000 to 8999 alone.")
        )
    return Url(
        parts.scheme,
        host,
        port,
        quote(parts.path or "/", safe="%/:@!$&'()*+,;=~"),
        quote(parts.query, safe="%/?:@!$&'()*+,;=~[]|"),
    )


def fetch(url: str) -> Fetched:
    """Fetch the file at `url`. The caller closes it.

    Raises Refusal (bad_url, url_with_password, bad_port, not_public, too_many_redirects,
    not_found_there, not_reached, too_slow, web_page) or TooLarge.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    with ExitStack() as unless_it_works:
        copy = unless_it_works.enter_context(partial.scratch())
        last, size = _follow(parse(url), copy, deadline)
        copy.seek(0)
        unless_it_works.pop_all()
    file = File(copy)
    file.size = size
    return Fetched(file, last.file_name)


def _follow(url: Url, copy: IO[bytes], deadline: float) -> tuple[Url, int]:
    """Fetch `url` and follow redirects. Return the last address and the number of bytes."""
    for _hop in range(MAX_REDIRECTS + 1):
        with _Exchange(url, deadline) as exchange:
            answer = exchange.answer()
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not location:
                _check_answer(answer)
                return url, _store(exchange, copy)
        url = parse(urljoin(f"{url.scheme}://{url.host_header}{url.target}", location))
    raise Refusal("too_many_redirects", _("This address redirects without end."))


class _Exchange:
    """One request and its answer. A watchdog ends the connection at the deadline, even while
    the server keeps sending slowly."""

    def __init__(self, url: Url, deadline: float) -> None:
        seconds = max(0.0, min(SILENCE_SECONDS, deadline - time.monotonic()))
        try:
            address = addresses.public_addresses(url.host, url.port, seconds)[0]
        except TimeoutError as error:
            raise _too_slow() from error
        self._url = url
        self._connection = _connection(url, address)
        self._is_over = threading.Event()
        self._watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), self._end)
        self._watchdog.daemon = True

    def __enter__(self) -> _Exchange:
        self._watchdog.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._watchdog.cancel()
        self._connection.close()

    def answer(self) -> BaseHTTPResponse:
        """Send the request and return the answer, without its content."""
        with self._errors_as_refusals():
            self._connection.connect()
            if self._is_over.is_set():  # the watchdog came before there was a connection
                raise TimeoutError
            headers = {"Host": self._url.host_header, **_HEADERS}
            self._connection.request(
                "GET",
                self._url.target,
                headers=headers,
                preload_content=False,
                decode_content=False,
            )
            self._answer = self._connection.getresponse()
        return self._answer

    def read(self) -> bytes:
        """Return the next bytes of the content; none at its end."""
        with self._errors_as_refusals():
            return self._answer.read1(_PIECE)

    @contextmanager
    def _errors_as_refusals(self) -> Iterator[None]:
        """Turn network errors into Refusal (too_slow, not_reached)."""
        try:
            yield
        except (OSError, HTTPError, HTTPException, ValueError) as error:
            if self._is_over.is_set() or isinstance(error, TimeoutError):
                raise _too_slow() from error
            raise _not_reached() from error
        if self._is_over.is_set():
            raise _too_slow()

    def _end(self) -> None:
        self._is_over.set()
        if self._connection.sock is not None:
            with suppress(OSError):  # the connection has just ended by itself
                self._connection.sock.shutdown(socket.SHUT_RDWR)


def _connection(url: Url, address: str) -> HTTPConnection:
    """A connection to exactly this address; the certificate must match the host name."""
    if url.scheme == "http":
        return HTTPConnection(address, url.port, timeout=SILENCE_SECONDS)
    return HTTPSConnection(
        address,
        url.port,
        timeout=SILENCE_SECONDS,
        server_hostname=url.host,
        assert_hostname=url.host,
        cert_reqs="CERT_REQUIRED",
    )


# Temporary client errors: timeout, too early, too many requests (RFC 9110, 8470, 6585).
_NOT_NOW = (408, 425, 429)


def _check_answer(answer: BaseHTTPResponse) -> None:
    if answer.status != 200:
        is_passing = answer.status >= 500 or answer.status in _NOT_NOW
        raise Refusal(
            "not_now_there" if is_passing else "not_found_there",
            _("The server there does not give the file away (it answered %(status)s).")
            % {"status": answer.status},
        )
    if answer.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise Refusal(
            "web_page",
            _("This address leads to a web page. Copy the address of the picture itself."),
        )
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > settings.MAX_UPLOAD_BYTES:
        raise too_large()


def _store(exchange: _Exchange, copy: IO[bytes]) -> int:
    """Copy the content and return its size. Raises TooLarge (too_large) before the copy exceeds
    the limit."""
    size = 0
    while piece := exchange.read():
        size += len(piece)
        if size > settings.MAX_UPLOAD_BYTES:
            raise too_large()
        copy.write(piece)
    return size


def _bad_url() -> Refusal:
    return Refusal("bad_url", _("This is no address of the form https://example.com/picture.jpg."))


def _not_reached() -> Refusal:
    return Refusal("not_reached", _("The server there does not answer as it should."))


def _too_slow() -> Refusal:
    return Refusal("too_slow", _("The server there is too slow: the picture did not come in time."))
