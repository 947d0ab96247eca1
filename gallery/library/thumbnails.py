"""Signed addresses of thumbnails, which give access to anybody for some minutes.

Viewers of a picture get such addresses for it. A page has sixty of them; checking the viewer
and the right for each took ten times as long as sending it. Only the signature is checked, by
this process or by nginx, which computes the same (`secure_link_md5` in deploy/nginx.conf).
Addresses therefore work for up to LONGEST_SECONDS after the picture has been withdrawn. An
expired address is answered like the unsigned one: only to viewers who may see the picture.

Both kinds of addresses take `?w=`, the width in pixels. The signed ones differ from edition to
edition of a picture (gallery.pixels.recipe): no cache shows what was there before an edit. One
without the edition of an edited picture is answered by the view, which knows it.
"""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from gallery.library.storage import looked_at
from gallery.models import Image

# Seconds for which an address stays the same, so that browsers use their cache. It is valid
# for one to two periods.
PERIOD = 300
LONGEST_SECONDS = 2 * PERIOD
# Placeholders in the addresses that `reverse` makes.
_ANY_KEY, _ANY = "key", UUID(int=0)

_ADDRESS = re.compile(
    r"/api/v1/(?:shared/[^/]+/)?thumbnails/"
    r"([0-9]{1,12})-([\w-]{22})(?:-([0-9a-f]{8}))?/([0-9a-f-]{36})/",
    re.ASCII,
)


def address(pk: UUID, width: int | None = None, link: str = "", edition: str = "") -> str:
    """Return the signed address of a picture's thumbnail. `link` is the token of the share link
    that shows it. Give it only to viewers who may see the picture now."""
    found = addresses(link)(pk, edition)
    return found if width is None else f"{found}?w={width}"


def addresses(link: str = "") -> Callable[[UUID, str], str]:
    """Return a function that makes signed addresses of pictures in an edition: path and secret
    are looked up once."""
    before, between, after = _parts(get_script_prefix(), link)
    secret = _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    return lambda pk, edition: f"{before}{_key(pk, secret, edition)}{between}{pk}{after}"


def addresses_by_id(pks: Iterable[UUID], width: int) -> dict[UUID, str]:
    """Return the signed addresses of pictures of which only the id is known."""
    wanted = set(pks)
    if not wanted:
        return {}
    editions = dict(Image.objects.filter(pk__in=wanted).order_by().values_list("pk", "edition"))
    found = addresses()
    return {pk: f"{found(pk, edition)}?w={width}" for pk, edition in editions.items()}


def key_for(pk: UUID) -> str:
    """Return a key that opens `pk` for some minutes, for addresses of another kind."""
    return _key(pk, _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY), "")


def is_opened(key: str, pk: UUID) -> bool:
    """Whether `key` is a key of `pk` (see `key_for`) and has not expired."""
    until, _dash, signature = key.partition("-")
    if not (until.isascii() and until.isdigit() and len(until) <= 12):
        return False
    secret = _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    expected = _signature(until, str(pk), secret)
    return constant_time_compare(signature, expected) and int(until) > time.time()


def opened_by(path: str) -> tuple[UUID, str] | None:
    """Return the picture and its edition to whose thumbnail the path of a signed address gives
    access; None if the address has expired or is not valid."""
    found = _ADDRESS.fullmatch(path)
    if found is None:
        return None
    until, signature, edition, name = found.groups(default="")
    if int(until) <= time.time():
        return None
    secret = _secret(settings.THUMBNAIL_SECRET, settings.SECRET_KEY)
    signed = f"{name}/{edition}" if edition else name
    if not constant_time_compare(signature, _signature(until, signed, secret)):
        return None
    return UUID(name), edition


def _key(pk: UUID, secret: str, edition: str) -> str:
    """Return expiry, signature and edition. The addresses of pictures change at different times,
    since browsers would otherwise request all thumbnails of a page at the same moment."""
    turn = pk.int % PERIOD
    until = ((int(time.time()) + turn) // PERIOD + 2) * PERIOD - turn
    signature = _signature(str(until), looked_at(pk, edition), secret)
    return f"{until}-{signature}-{edition}" if edition else f"{until}-{signature}"


def _signature(until: str, name: str, secret: str) -> str:
    """Return the signature as nginx's module secure_link computes it: MD5 in URL-safe base64.
    The text ends with the secret, which prevents length extension."""
    # Only this server chooses the signed text: collisions help nobody (docs/decisions/0032).
    text = f"{until} {name} {secret}"
    digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@lru_cache
def _secret(shared: str, key: str) -> str:
    return shared or salted_hmac(__name__, "secret", key, algorithm="sha256").hexdigest()


@lru_cache
def _parts(_prefix: str, link: str) -> tuple[str, str, str]:
    """Return the parts of a path before, between and after key and id. They are cached: a grid
    has hundreds of addresses, and `reverse` is slow."""
    if link:
        found = reverse("api:shared-thumbnail-signed", args=[link, _ANY_KEY, _ANY])
    else:
        found = reverse("api:image-thumbnail-signed", args=[_ANY_KEY, _ANY])
    before, rest = found.rsplit(_ANY_KEY, 1)
    between, after = rest.split(str(_ANY))
    return before, between, after
