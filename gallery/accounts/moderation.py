"""Hides pictures that should not be seen. The owner keeps a hidden picture, but others no
longer see it, whatever its visibility, albums and links allow."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import texts
from gallery.models import Image, User
from gallery.models.image import ImageQuerySet
from gallery.trail import Event

_MAX_REASON = 500


def hidden_images() -> ImageQuerySet:
    """The pictures that moderators have hidden and their owners have not deleted."""
    return Image.objects.filter(hidden_at__isnull=False, deleted_at__isnull=True)


def judgeable_by(moderator: User) -> ImageQuerySet:
    """The pictures that `moderator` may hide or unhide: all that they can see, hidden or not."""
    reachable = Image.objects.reachable_by(moderator)
    return reachable if moderator.is_moderator else reachable.none()


@transaction.atomic
def hide(image: Image, by: User, reason: str) -> None:
    """Hide a picture from everybody but the owner and moderators; the owner sees the reason.
    Raises Refusal (own_picture, no_reason, reason_too_long)."""
    reason = _clean_reason(reason)
    _refuse_own(image, by)
    image.hidden_at, image.hidden_by, image.hidden_reason = timezone.now(), by, reason
    image.save(update_fields=["hidden_at", "hidden_by", "hidden_reason", "updated_at"])
    trail.record(Event.PICTURE_HIDDEN, image.owner, image, by=by)


@transaction.atomic
def unhide(image: Image, by: User) -> None:
    """Restore the visibility that the owner has chosen. Raises Refusal (own_picture): another
    moderator must judge it."""
    _refuse_own(image, by)
    image.hidden_at, image.hidden_by, image.hidden_reason = None, None, ""
    image.save(update_fields=["hidden_at", "hidden_by", "hidden_reason", "updated_at"])
    trail.record(Event.PICTURE_UNHIDDEN, image.owner, image, by=by)


def _refuse_own(image: Image, by: User) -> None:
    if image.is_owned_by(by):
        raise Refusal(
            "own_picture",
            _("This is your own picture: another moderator has to judge it."),
        )


def _clean_reason(reason: str) -> str:
    reason = texts.clean_description(reason)
    if not reason:
        raise Refusal("no_reason", _("Say why: the owner reads it."), "reason")
    if len(reason) > _MAX_REASON:
        raise Refusal(
            "reason_too_long",
            _("Shorten the reason to at most %(most)d characters.") % {"most": _MAX_REASON},
            "reason",
        )
    return reason
