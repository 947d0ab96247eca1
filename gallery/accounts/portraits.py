"""The pictures of accounts: small squares, shown beside a name.

An address opens for some minutes and is only on pages that show the account, so nobody else
finds the picture (as for thumbnails, docs/decisions/0032).
"""

from __future__ import annotations

import uuid
from typing import IO
from uuid import UUID

from django.core.files import File
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import query_picture, thumbnails
from gallery.library.user_lock import lock_user
from gallery.models import Image, Portrait, User

# Pixels: sharp at 96 CSS pixels on most screens.
SIDE = 256


def upload(user: User, file: IO[bytes] | File[bytes], name: str) -> None:
    """Make the middle of a picture file the account's picture. Raises as
    `query_picture.read_square` does."""
    _set(user, query_picture.read_square(file, name, user, SIDE))


def choose(user: User, image_id: UUID) -> None:
    """Make the middle of one of the user's pictures the account's picture. Raises Refusal
    (no_such_picture) or as `query_picture.square_of_stored` does."""
    image = Image.objects.owned_by(user).filter(pk=image_id).first()
    if image is None:
        raise Refusal("no_such_picture", _("Choose one of your own pictures."), "image")
    _set(user, query_picture.square_of_stored(image, SIDE))


@transaction.atomic
def remove(user: User) -> None:
    lock_user(user)
    Portrait.objects.filter(user=user).delete()
    _remember(user, None)


def address(user: User) -> str:
    """Return the address of the account's picture, which has one. Give it only to viewers who
    see the account."""
    pk = user.portrait_id
    if pk is None:
        raise ValueError(f"The account {user.pk} has no picture.")
    return reverse("portrait", args=[thumbnails.key_for(pk), pk])


def content(key: str, pk: UUID) -> bytes | None:
    """Return the WebP file that an address opens; None if it has expired or there is none."""
    if not thumbnails.is_opened(key, pk):
        return None
    found = Portrait.objects.filter(pk=pk).values_list("content", flat=True).first()
    return None if found is None else bytes(found)


@transaction.atomic
def _set(user: User, square: bytes) -> None:
    lock_user(user)
    pk = uuid.uuid4()
    # The id is new as well, so that browsers do not show the former picture from their cache.
    Portrait.objects.filter(user=user).delete()
    Portrait.objects.create(pk=pk, user=user, content=square)
    _remember(user, pk)


def _remember(user: User, pk: UUID | None) -> None:
    user.portrait_id = pk
    user.save(update_fields=["portrait_id"])
