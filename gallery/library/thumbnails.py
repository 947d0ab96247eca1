"""Addresses of thumbnails that open for some minutes, whoever asks.

Whoever is shown a picture is given such addresses for it. A page has sixty of them, and to
ask for each who wants it, and whether they may, took ten times as long as to send it. They
are checked by their signature alone, by this process or by nginx, which computes the same
(`secure_link_md5` in deploy/nginx.conf), and so go on for up to LONGEST_SECONDS after the
picture was taken back. One that has run out is answered as the address without a signature
is: to those who may see the picture.

The address takes `?w=`, the width in pixels, as the other one does.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.crypto import constant_time_compare, salted_hmac

# An address stays the same for so long, that browsers need not ask again, and opens
# for between one and two such periods.
PERIOD = 300
LONGEST_SECONDS = 2 * PERIOD
# Stand for others in the addresses that `reverse` makes.
_ANY_KEY, _ANY = "key", UUID(int=0)

_ADDRESS = re.compile(
    r"/api/v1/(?:shared/[^/]+/)?thumbnails/([0-9]{1,12})-([\w-]{22})/([0-9a-f-]{36})/", re.ASCII
)


def address(pk: UUID, width: int | None = None, link: str = "") -> str:
    """Of the picture's thumbnail; `link` is the token of the share link that shows it. To be
    handed to those alone who see the picture now."""
    found = addresses(link)(pk)
    return found if width is None else f"{found}?w={width}"


def addresses(link: str = "") -> Callable[[UUID], str]:
    """What makes them for a list of pictures: path and secret are looked up once."""
    before, between, after = _parts(get_script_prefix(), link)
    secret = _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    return lambda pk: f"{before}{_key(pk, secret)}{between}{pk}{after}"


def opened_by(path: str) -> UUID | None:
    """The picture whose thumbnail the path of an address opens, whoever asks; None if its
    time is over, or if it is none of ours."""
    found = _ADDRESS.fullmatch(path)
    if found is None:
        return None
    until, signature, name = found.groups()
    if int(until) <= time.time():
        return None
    secret = _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    if not constant_time_compare(signature, _signature(until, name, secret)):
        return None
    return UUID(name)


def _key(pk: UUID, secret: str) -> str:
    """Pictures take turns in changing their addresses: browsers would otherwise ask for all
    that they show at the same moment."""
    turn = pk.int % PERIOD
    until = ((int(time.time()) + turn) // PERIOD + 2) * PERIOD - turn
    return f"{until}-{_signature(str(until), str(pk), secret)}"


def _signature(until: str, name: str, secret: str) -> str:
    """As nginx's module secure_link has it: MD5 of a text that ends with the secret, which
    nobody can lengthen, in base64 for addresses."""
    # What is signed is of our own making: collisions help nobody (docs/decisions/0032).
    text = f"{until} {name} {secret}"
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@lru_cache
def _secret(shared: str, key: str) -> str:
    return shared or salted_hmac(__name__, "secret", key, algorithm="sha256").hexdigest()


@lru_cache
def _parts(_prefix: str, link: str) -> tuple[str, str, str]:
    """What stands around key and id. A grid has hundreds of addresses, and Django takes
    longer to find a path than to write it down."""
    if link:
        found = reverse("api:shared-thumbnail-signed", args=[link, _ANY_KEY, _ANY])
    else:
        found = reverse("api:image-thumbnail-signed", args=[_ANY_KEY, _ANY])
    before, rest = found.rsplit(_ANY_KEY, 1)
    between, after = rest.split(str(_ANY))
    return before, between, after
