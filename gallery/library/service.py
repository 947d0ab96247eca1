"""Pictures of an owner: add, change, delete, restore, purge."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import IO

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery import spelling, trail
from gallery.errors import Unavailable
from gallery.library import quota, texts
from gallery.library.clocks import time_fields
from gallery.library.facts import VERSION, Facts, read_facts
from gallery.library.originals import (
    as_django_file,
    lock_original,
    remove_original_if_unnamed,
    sha256_of,
)
from gallery.library.renditions import remove_renditions
from gallery.library.storage import (
    DurableFileSystemStorage,
    is_stored,
    original_of,
    original_path,
    replace_stored,
)
from gallery.library.validation import PictureFacts, inspect_picture
from gallery.models import Image, User
from gallery.trail import Event
from gallery.work import ledger

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """`duplicate`: the owner had these bytes already, and `image` is that picture, unchanged.
    `restored`: that picture was in the trash and has been restored."""

    image: Image
    duplicate: bool = False
    restored: bool = False


def add_image(
    *,
    owner: User,
    file: IO[bytes] | File[bytes],
    name: str,
    title: str = "",
    description: str = "",
    visibility: str = Image.Visibility.PRIVATE,
) -> Upload:
    """Check, store and register a picture; workers make the rest.

    The file is on the disk before the row that names it is committed. Raises
    Refusal or TooLarge (see `validation`, `texts` and `quota`), and Unavailable
    (storage_unavailable).
    """
    entered = {
        "title": texts.clean_title(title),
        "description": texts.clean_description(description),
        "visibility": texts.clean_visibility(visibility),
        "original_name": spelling.clean_name(name),
    }
    content = as_django_file(file)
    facts = inspect_picture(content, name)
    sha256 = sha256_of(content)
    path = original_path(owner.pk, sha256, facts.extension)
    known = known_images(owner, [sha256]).get(sha256)
    if known is None:
        quota.check(owner, content.size)  # before anything is stored for nothing
    elif known.deleted_at is None and is_stored(path):
        return Upload(known, duplicate=True)

    new = Image(
        owner=owner,
        file=path,
        sha256=sha256,
        byte_size=content.size,
        **entered,
        **_fields(facts, read_facts(content, entered["original_name"])),
    )
    _store(path, content)
    try:
        return _register(new, content)
    except BaseException:
        _clean_up(owner.pk, sha256, path)
        raise


def _store(name: str, content: File[bytes]) -> None:
    try:
        replace_stored(name, content)
    except Exception as error:  # each kind of storage has exceptions of its own
        logger.exception("The storage takes no pictures: %s", name)
        raise Unavailable(
            "storage_unavailable",
            _("The picture cannot be stored just now. Try again in a moment."),
        ) from error


def known_images(owner: User, hashes: Iterable[str]) -> dict[str, Image]:
    """Return the owner's pictures with these SHA-256 sums, by sum, the trash included."""
    images = Image.objects.filter(owner_id=owner.pk, sha256__in=list(hashes))
    return {image.sha256: image for image in images}


def _fields(picture: PictureFacts, facts: Facts) -> dict[str, object]:
    return {
        "content_type": picture.content_type,
        "width": picture.width,
        "height": picture.height,
        "incomplete": picture.incomplete,
        "facts": VERSION,
        "frames": facts.frames.count,
        "duration": facts.frames.duration,
        "camera": facts.camera,
        "exif": facts.settings,
        "latitude": facts.latitude,
        "longitude": facts.longitude,
        "rating": facts.rating,
        **time_fields(facts.taken),
    }


@transaction.atomic
def _register(new: Image, content: File[bytes]) -> Upload:
    """Make the row that names a stored file, or use the one that exists already."""
    lock_original(new.owner_id, new.sha256)
    if not is_stored(original_of(new)):
        # Another upload or a purge removed it before the lock was taken.
        _store(original_of(new), content)
    known = Image.objects.filter(owner_id=new.owner_id, sha256=new.sha256).first()
    if known is None:
        quota.check_and_hold(new.owner, new.byte_size)
        new.save(force_insert=True)
        _announce(new)
        return Upload(new)
    if known.deleted_at is None:
        return Upload(known, duplicate=True)
    entered = ["title", "description", "visibility", "original_name"]
    for field in entered:
        setattr(known, field, getattr(new, field))
    known.save(update_fields=entered)
    restore_image(known)
    return Upload(known, restored=True)


def _announce(image: Image) -> None:
    """Enter the picture into the ledger and notify the workers on commit."""
    ledger.enqueue([image.pk])


def _clean_up(owner_id: int, sha256: str, path: str) -> None:
    """Remove the file of a failed upload. Errors are only logged, so that the caller reports
    the first one."""
    try:
        remove_original_if_unnamed(owner_id, sha256, path)
    except Exception:
        logger.exception("An original without a row may remain: %s", path)


def update_image(
    image: Image,
    *,
    title: str | None = None,
    description: str | None = None,
    visibility: str | None = None,
) -> Image:
    """Change the given fields, leave the rest. Raises Refusal (see `texts`)."""
    changes: dict[str, str] = {}
    if title is not None:
        changes["title"] = texts.clean_title(title)
    if description is not None:
        changes["description"] = texts.clean_description(description)
    if visibility is not None:
        changes["visibility"] = texts.clean_visibility(visibility)
    for field, value in changes.items():
        setattr(image, field, value)
    with transaction.atomic():
        image.save(update_fields=[*changes, "updated_at"])
        trail.record_if_anothers(Event.PICTURE_CHANGED, image, fields=[*changes])
    return image


def delete_image(image: Image) -> None:
    """Put a picture into the trash. Nothing happens if it is there already."""
    if image.deleted_at is None:
        image.deleted_at = timezone.now()
        with transaction.atomic():
            image.save(update_fields=["deleted_at", "updated_at"])
            trail.record_if_anothers(Event.PICTURE_DELETED, image)


@transaction.atomic
def restore_image(image: Image) -> None:
    """Take a picture out of the trash."""
    image.deleted_at = None
    image.save(update_fields=["deleted_at", "updated_at"])
    trail.record_if_anothers(Event.PICTURE_RESTORED, image)
    # The active space may have changed while the picture was away.
    _announce(image)


def purge_trash(older_than: timedelta) -> int:
    """Remove for good pictures that have been in the trash longer than `older_than`, and files
    that killed processes left half written. Returns the number of pictures."""
    limit = timezone.now() - older_than
    expired = Image.objects.filter(deleted_at__lt=limit)
    purged = 0
    for pk in list(expired.values_list("pk", flat=True)):
        with transaction.atomic():
            # Locked and read again: it may have been restored since.
            image = expired.select_for_update().filter(pk=pk).first()
            if image is not None:
                purge_image(image)
                purged += 1
    if isinstance(default_storage, DurableFileSystemStorage):
        default_storage.remove_unfinished(timedelta(days=1))
    return purged


@transaction.atomic
def purge_image(image: Image) -> None:
    """Remove a picture for good: first the row, then, after the commit, the files. A kill in
    between leaves files without a row, never a row without its file."""
    trail.record_if_anothers(Event.PICTURE_PURGED, image)
    Image.objects.filter(pk=image.pk).delete()
    remove_original = partial(
        remove_original_if_unnamed, image.owner_id, image.sha256, original_of(image)
    )
    transaction.on_commit(remove_original, robust=True)
    transaction.on_commit(partial(remove_renditions, image.pk), robust=True)
