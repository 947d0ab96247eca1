"""Reads the facts of older pictures again, which were added when less of a file was read.

Changes by the owner stay: a time that differs from the file's time, and the removal of a time
that had been read from the file.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import IO, Any

from django.db.models import QuerySet
from PIL.ExifTags import Base

from gallery.errors import Unavailable
from gallery.library import exif
from gallery.library.clocks import Clock, time_fields
from gallery.library.exif_values import text
from gallery.library.facts import VERSION, Facts, read_facts
from gallery.library.storage import open_stored, original_of
from gallery.models import Image
from gallery.pixels.opening import open_picture
from gallery.work.drain import stopping
from gallery.work.lanes import alone

logger = logging.getLogger(__name__)


def waiting() -> QuerySet[Image]:
    return Image.objects.filter(facts=0)


def backfill_facts() -> int:
    """Read the originals of waiting pictures again, unless another process does. Returns how
    many pictures are done. While the storage is down, nothing changes. A picture whose file is
    missing is done without new facts."""
    with alone("facts") as is_alone:
        return _read_again(waiting().order_by("pk")) if is_alone else 0


def _read_again(images: QuerySet[Image]) -> int:
    done = 0
    for image in images.iterator(chunk_size=200):
        if stopping.is_set():
            break
        found: dict[str, Any] = {}
        try:
            with open_stored(original_of(image)) as file:
                found = _fields(image, file)
        except Unavailable as error:
            if error.code != "file_missing":
                logger.warning("The facts of pictures wait: the storage cannot be read.")
                break
        except SyntaxError as error:  # such files are not accepted any more
            logger.warning("The facts of %s cannot be read: %s", image.pk, error)
        # If the owner has changed the time meanwhile, the picture waits and is read again.
        same = Image.objects.filter(pk=image.pk, captured_at=image.captured_at)
        if image.captured_at is None:
            same = Image.objects.filter(pk=image.pk, captured_at__isnull=True)
        done += same.update(facts=VERSION, **found)
    return done


def _fields(image: Image, file: IO[bytes]) -> dict[str, Any]:
    facts = read_facts(file, image.original_name)
    fields: dict[str, Any] = {"frames": facts.frames.count, "duration": facts.frames.duration}
    if image.latitude is None:
        fields |= {"latitude": facts.latitude, "longitude": facts.longitude}
    return {**fields, **_times(image, facts, file)}


def _times(image: Image, facts: Facts, file: IO[bytes]) -> dict[str, Any]:
    taken: Clock | None = facts.taken
    if taken is None:
        return {}
    if image.captured_at is None:
        return {} if _was_read(file) else time_fields(taken)
    return time_fields(taken) if taken.moment == image.captured_at else {}


def _was_read(file: IO[bytes]) -> bool:
    """Return whether former versions could read a time: then the owner has removed it."""
    photo = exif.read_directories(open_picture(file)).photo
    for tag in (Base.DateTimeOriginal, Base.DateTimeDigitized):
        try:
            datetime.strptime(text(photo.get(tag))[:19], "%Y:%m:%d %H:%M:%S")
            return True
        except ValueError:
            continue
    return False
