"""The requester for whom this thread works: a signed-in account or a visitor's address.

Rate limits, queue places and cached results belong to one requester each. This says
nothing about rights: functions take the viewer as an argument.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

# A client with one IPv6 address usually has a whole network of this prefix length.
_NETWORK_BITS = 64


@dataclass(frozen=True)
class Requester:
    """An account, or a visitor (`account` is None) at an address. `browser` tells visitors of
    one address apart; it is "" if nothing does."""

    account: int | None = None
    address: str = ""
    browser: str = ""

    @property
    def key(self) -> str:
        """The key of rate limits and queues."""
        return f"account:{self.account}" if self.account else f"address:{self.address}"

    @property
    def cache_scope(self) -> str:
        """The key of cached results; "" if nothing may be cached.

        Requesters do not share results: response times would tell what others asked for.
        """
        if self.account:
            return self.key
        return f"browser:{self.browser}" if self.browser else ""


# A request is resolved to its requester only when needed: tokens are read late, and not
# every page reads the session.
_current: ContextVar[HttpRequest | Requester | None] = ContextVar("requester", default=None)


@contextmanager
def on_behalf_of(who: HttpRequest | Requester) -> Iterator[None]:
    """Set the requester for the code inside the block."""
    token = _current.set(who)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Requester | None:
    """Return the current requester; None in workers and commands."""
    who = _current.get()
    return _requester_of(who) if isinstance(who, HttpRequest) else who


def cache_scope() -> str:
    """Return the `cache_scope` of the current requester; workers and commands share one."""
    who = current()
    return who.cache_scope if who else "nobody"


def absolute(path: str) -> str:
    """Return the absolute address of a path, as the current requester reaches the site; "" in
    workers and commands."""
    who = _current.get()
    return who.build_absolute_uri(path) if isinstance(who, HttpRequest) else ""


def address_of(request: HttpRequest) -> str:
    """Return the client's address, behind PROXY_COUNT proxies."""
    told = request.headers.get("X-Forwarded-For")
    if not settings.PROXY_COUNT or told is None:
        return _one_spelling(request.META.get("REMOTE_ADDR") or "")
    # Each proxy appends the address that it received the request from. The client can forge all
    # addresses before those.
    hops = told.split(",")
    return _one_spelling(hops[-min(settings.PROXY_COUNT, len(hops))].strip())


def network_of(request: HttpRequest) -> str:
    """Return the network that identifies visitors: the IPv4 address or the IPv6 /64."""
    return _network_of(address_of(request))


def _requester_of(request: HttpRequest) -> Requester:
    user = getattr(request, "user", None)
    account = user.pk if user is not None and user.is_authenticated else None
    # The CSRF cookie is random, belongs to one browser, and the forms of the pages need it
    # anyway.
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    browser = hashlib.sha256(cookie.encode()).hexdigest() if cookie else ""
    return Requester(account, network_of(request), browser)


@lru_cache(maxsize=1024)
def _one_spelling(told: str) -> str:
    with suppress(ValueError):  # a socket has none
        known = ip_address(told)
        # IPv4-mapped IPv6 addresses would all be one /64 network.
        return str(getattr(known, "ipv4_mapped", None) or known)
    return told


@lru_cache(maxsize=1024)
def _network_of(address: str) -> str:
    try:
        known = ip_address(address)
    except ValueError:  # a socket has none
        return address
    if not isinstance(known, IPv6Address):
        return address
    return str(ip_network((known, _NETWORK_BITS), strict=False))
