"""Coming in by a link: at most so often, with its password if it has one.

A visit is one use of the link. The visitor keeps a key, signed by us, that tells
which link was opened and with which password: the pages in the session, programs
as they like. A key is worth nothing without the link, which is looked up for each
request, and a changed password makes it worthless.
"""

from __future__ import annotations

import re
from datetime import timedelta

from django.contrib.auth.hashers import check_password
from django.core import signing
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.models import ShareLink
from gallery.sharing import attempt_limits
from gallery.trail import Event

VISIT = timedelta(days=1)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SALT = "clipsite.share-visit"
# Wrong and right passwords: of one visitor in ten minutes, and of all in an hour.
_MOST_TRIES, _TRIES_SECONDS = 10, 600
_MOST_TRIES_OF_ALL, _TRIES_OF_ALL_SECONDS = 300, 3600


class LinkGone(Refusal):
    """Nothing is behind this address (HTTP 404): it never was one, or the link is
    revoked, expired, used up or stopped. Nobody is told which."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "link_gone", _("This link does not work any more. Ask who sent it for a new one.")
        )


class Locked(Refusal):
    """The link is not opened yet, and asks before it lets somebody in (HTTP 403)."""

    status = 403

    def __init__(self) -> None:
        super().__init__("locked", _("Open the link first, with its password if it has one."))


def find_link(token: str) -> ShareLink:
    """The link of this address, if it shows something. Raises LinkGone."""
    links = ShareLink.objects.showing().select_related("album__owner", "image__owner")
    link = links.filter(token=token).first() if _TOKEN.fullmatch(token) else None
    if link is None:
        raise LinkGone
    return link


def asks_first(link: ShareLink) -> bool:
    """Whether a visit begins with a question. Where visits are counted out, programs
    that only look at addresses in messages must not use them up."""
    return bool(link.password) or link.max_uses is not None


def is_visiting(link: ShareLink, key: str) -> bool:
    """Whether the link was opened with `key`, as it is now."""
    try:
        opened = signing.loads(key, salt=_SALT, max_age=VISIT) if key else None
    except signing.BadSignature:
        return False
    return bool(opened == [link.pk.hex, _fingerprint(link)])


def check_visit(link: ShareLink, key: str) -> None:
    """Before anything of the link is shown. Raises Locked, or LinkGone where it lets
    nobody new in."""
    if asks_first(link) and not is_visiting(link, key):
        check_open(link)
        raise Locked


def check_open(link: ShareLink) -> None:
    """Raises LinkGone where the link lets nobody new in."""
    if link.max_uses is not None and link.use_count >= link.max_uses:
        raise LinkGone


def begin(link: ShareLink, password: str = "", address: str = "") -> str:
    """Begin a visit, which is one use, and return its key. `address` is the visitor's.

    Raises LinkGone, TooManyTries, or Refusal (wrong_password).
    """
    check_open(link)
    if link.password:
        _check_password(link, password, address)
    entered = ShareLink.objects.filter(
        Q(max_uses__isnull=True) | Q(use_count__lt=F("max_uses")), pk=link.pk
    ).update(use_count=F("use_count") + 1, last_used_at=timezone.now())
    if not entered:
        raise LinkGone
    return signing.dumps([link.pk.hex, _fingerprint(link)], salt=_SALT)


def _check_password(link: ShareLink, password: str, address: str) -> None:
    attempt_limits.count(f"link:{link.pk}:{address}", _MOST_TRIES, _TRIES_SECONDS)
    attempt_limits.count(f"link:{link.pk}", _MOST_TRIES_OF_ALL, _TRIES_OF_ALL_SECONDS)
    if not check_password(password, link.password):
        trail.failed(Event.LINK_PASSWORD_FAILED, link.created_by, link)
        raise Refusal("wrong_password", _("This is not the password. Try again."), "password")


def _fingerprint(link: ShareLink) -> str:
    """Changes with the password, and tells nothing of it."""
    return salted_hmac(_SALT, link.password).hexdigest()[:32]
