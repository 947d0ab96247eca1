"""On whose behalf this thread works: the account that is signed in or, of a visitor, the
address. What is counted, queued and remembered for one of them is nobody else's.

It says nothing about rights: who may see what is the viewer's, and is handed on as one.
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
from rest_framework.throttling import BaseThrottle

# Who has one address of IPv6 has a network of them.
_NETWORK_BITS = 64


@dataclass(frozen=True)
class Asker:
    """`account` is None for a visitor. `browser` tells visitors of one address apart, ""
    where nothing does."""

    account: int | None = None
    address: str = ""
    browser: str = ""

    @property
    def key(self) -> str:
        """By which is counted and queued."""
        return f"account:{self.account}" if self.account else f"address:{self.address}"

    @property
    def memory(self) -> str:
        """Under which is kept what the next request may be answered from: how fast that
        goes would tell others what was asked. "" where nothing may be kept."""
        if self.account:
            return self.key
        return f"browser:{self.browser}" if self.browser else ""


# The request says who asks only when it is asked: a token is read late, a session not
# by every page.
_current: ContextVar[HttpRequest | Asker | None] = ContextVar("asker", default=None)


@contextmanager
def asking(who: HttpRequest | Asker) -> Iterator[None]:
    """What is done in here is done on behalf of whoever sent the request."""
    token = _current.set(who)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Asker | None:
    """None in a worker and a command, which act for nobody."""
    who = _current.get()
    return _asker_of(who) if isinstance(who, HttpRequest) else who


def memory() -> str:
    """`Asker.memory` of who asks now. What workers and commands ask for has one of its own."""
    who = current()
    return who.memory if who else "nobody"


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, behind PROXY_COUNT proxies."""
    # It reads the headers alone, which REST framework's requests pass on.
    return _one_spelling(BaseThrottle().get_ident(request) or "")  # type: ignore[arg-type]


def network_of(request: HttpRequest) -> str:
    """By which visitors are counted: the address, of IPv6 its /64."""
    return _network_of(address_of(request))


def _asker_of(request: HttpRequest) -> Asker:
    user = getattr(request, "user", None)
    account = user.pk if user is not None and user.is_authenticated else None
    # Random, and what the forms of the pages need anyway: nobody else has it.
    cookie = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
    browser = hashlib.sha256(cookie.encode()).hexdigest() if cookie else ""
    return Asker(account, network_of(request), browser)


@lru_cache(maxsize=1024)
def _one_spelling(told: str) -> str:
    with suppress(ValueError):  # a socket has none
        known = ip_address(told)
        # An address of IPv4 may be written as one of IPv6: all of these would be one network.
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
