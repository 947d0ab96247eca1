"""Access by a link: with its password if it has one, and up to its limit of uses.

A visit is one use of the link. The visitor gets a signed key that tells which link was opened
and with which password. The pages keep it in the session; API clients keep it themselves. Each
request looks up the link, so a key without its link is worthless, and a change of the password
invalidates it.
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
# The most password attempts, wrong and right: of one visitor in ten minutes, and of all
# visitors of a link in an hour.
_MOST_TRIES, _TRIES_SECONDS = 10, 600
_MOST_TRIES_OF_ALL, _TRIES_OF_ALL_SECONDS = 300, 3600


class LinkGone(Refusal):
    """The link does not work (HTTP 404): it never existed, or it is revoked, expired, used up
    or stopped. The answer does not tell which."""

    status = 404

    def __init__(self) -> None:
        super().__init__(
            "link_gone", _("This link does not work any more. Ask who sent it for a new one.")
        )


class Locked(Refusal):
    """The visitor must open the link first (HTTP 403)."""

    status = 403

    def __init__(self) -> None:
        super().__init__("locked", _("Open the link first, with its password if it has one."))


def find_link(token: str) -> ShareLink:
    """Return the link with this token if it shows anything. Raises LinkGone."""
    links = ShareLink.objects.showing().select_related("album__owner", "image__owner")
    link = links.filter(token=token).first() if _TOKEN.fullmatch(token) else None
    if link is None:
        raise LinkGone
    return link


def asks_first(link: ShareLink) -> bool:
    """Whether a visit begins with a form. A link with a limit of uses asks, too: programs that
    preview addresses in messages must not use it up."""
    return bool(link.password) or link.max_uses is not None


def is_visiting(link: ShareLink, key: str) -> bool:
    """Whether `key` opened this link with its present password."""
    try:
        opened = signing.loads(key, salt=_SALT, max_age=VISIT) if key else None
    except signing.BadSignature:
        return False
    return bool(opened == [link.pk.hex, _fingerprint(link)])


def check_visit(link: ShareLink, key: str) -> None:
    """Check that the visitor may see the link's content. Raises Locked, or LinkGone if the link
    admits no new visitors."""
    if asks_first(link) and not is_visiting(link, key):
        check_open(link)
        raise Locked


def check_open(link: ShareLink) -> None:
    """Check that the link admits new visitors. Raises LinkGone."""
    if link.max_uses is not None and link.use_count >= link.max_uses:
        raise LinkGone


def begin(link: ShareLink, password: str = "", address: str = "") -> str:
    """Begin a visit, which is one use, and return its key. `address` is the visitor's.

    Raises LinkGone, TooManyAttempts, or Refusal (wrong_password).
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
    """A digest that changes with the password and reveals nothing about it."""
    return salted_hmac(_SALT, link.password).hexdigest()[:32]
