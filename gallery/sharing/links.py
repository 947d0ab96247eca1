"""Links that show an album or a picture to anybody who has their address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import caps
from gallery.models import Album, Image, ShareLink, User
from gallery.models.share import ShareLinkQuerySet
from gallery.sharing.names import clean_name
from gallery.trail import Event

LinkState = Literal["active", "used_up", "expired", "stopped", "revoked"]
STATES: tuple[LinkState, ...] = ("active", "used_up", "expired", "stopped", "revoked")

# Attempts are limited as well (gallery.sharing.link_access), so a short password is enough.
_LEAST_PASSWORD = 6
_MOST_PASSWORD = 128
_MOST_USES = 1_000_000


def links_of(user: User) -> ShareLinkQuerySet:
    """The links that `user` made, and those to albums that `user` manages, with the
    annotations that `state_of` needs."""
    links = ShareLink.objects.managed_by(user).with_standing()
    return links.select_related("album", "image", "created_by")


def state_of(link: ShareLink) -> LinkState:
    """Whether a link of `links_of` is `active`, or why it does not open. `stopped` means that
    its target is gone or hidden, or that its creator may no longer share the target."""
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at is not None and link.expires_at <= timezone.now():
        return "expired"
    if not link.is_standing:
        return "stopped"
    if link.max_uses is not None and link.use_count >= link.max_uses:
        return "used_up"
    return "active"


def create_link(
    *,
    by: User,
    album: Album | None = None,
    image: Image | None = None,
    name: str = "",
    password: str = "",
    expires_at: datetime | None = None,
    allow_download: bool = False,
    max_uses: int | None = None,
) -> ShareLink:
    """Create a link. The caller has checked that `by` may share the album or the picture.

    Raises Refusal (name_too_long, bad_password, bad_expiry, bad_max_uses, too_many_links).
    """
    link = ShareLink(
        created_by=by,
        album=album,
        image=image,
        name=clean_name(name),
        password=_hashed(password),
        expires_at=_clean_expiry(expires_at),
        allow_download=allow_download,
        max_uses=_clean_uses(max_uses),
    )
    with transaction.atomic():
        caps.hold_room(caps.LINKS, by)
        link.save()
        _forget_ended(by)
        trail.record(Event.LINK_MADE, by, link, by=by, shows=_shown_by(link))
    return link


def change_link(link: ShareLink, changes: dict[str, Any]) -> None:
    """Change the given fields: `name`, `password` (empty for none; present visitors must enter
    a new one), `expires_at`, `allow_download`, `max_uses`.

    Raises Refusal (name_too_long, bad_password, bad_expiry, bad_max_uses, link_revoked).
    """
    if link.revoked_at is not None:
        raise Refusal("link_revoked", _("This link is revoked for good. Make a new one."))
    clean: dict[str, Callable[[Any], Any]] = {
        "name": clean_name,
        "password": lambda password: _hashed(password or ""),
        "expires_at": _clean_expiry,
        "allow_download": bool,
        "max_uses": _clean_uses,
    }
    for field, value in changes.items():
        setattr(link, field, clean[field](value))
    with transaction.atomic():
        link.save(update_fields=list(changes))
        trail.record(Event.LINK_CHANGED, link.created_by, link, fields=sorted(changes))


def revoke_link(link: ShareLink) -> None:
    """Revoke a link for good, as its address may be anywhere. Do nothing if it is revoked."""
    with transaction.atomic():
        unended = ShareLink.objects.filter(pk=link.pk, revoked_at__isnull=True)
        if unended.update(revoked_at=timezone.now()):
            trail.record(Event.LINK_REVOKED, link.created_by, link)


def _forget_ended(user: User) -> None:
    """Delete the oldest of the user's links that have ended, beyond a limit."""
    made = ShareLink.objects.filter(created_by=user)
    ended = made.exclude(pk__in=made.live().values("pk"))
    caps.keep_latest(ended, caps.ENDED_KEPT)


def _shown_by(link: ShareLink) -> str:
    return f"album:{link.album_id}" if link.album_id else f"image:{link.image_id}"


def _hashed(password: str) -> str:
    if not password:
        return ""
    if not _LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD:
        raise Refusal(
            "bad_password",
            _("Choose a password of %(least)d to %(most)d characters.")
            % {"least": _LEAST_PASSWORD, "most": _MOST_PASSWORD},
            "password",
        )
    return make_password(password)


def _clean_expiry(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= timezone.now():
        raise Refusal("bad_expiry", _("Choose a time that is still to come."), "expires_at")
    return moment


def _clean_uses(most: int | None) -> int | None:
    if most is not None and not 1 <= most <= _MOST_USES:
        raise Refusal(
            "bad_max_uses",
            _("Allow 1 to %(most)d visits, or leave it empty.") % {"most": _MOST_USES},
            "max_uses",
        )
    return most
