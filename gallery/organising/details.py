"""Changes of one picture by its owner, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import service
from gallery.library.clocks import Clock, time_fields
from gallery.models import Image
from gallery.organising.tags import set_tags

# Python and PostgreSQL agree on times in these years in every time zone.
_FIRST_YEAR, _LAST_YEAR = 1000, 2999


@transaction.atomic
def change(
    image: Image,
    *,
    archived: bool | None = None,
    rating: int | None = None,
    tags: Iterable[str] | None = None,
    **fields: Any,
) -> None:
    """Change the given fields, all of them or none: `captured_at`, a local time (None: unknown)
    with its offset if known; `archived`, `rating` in stars, `tags`, and the fields of
    `service.update_image`.

    Raises Refusal.
    """
    changed = []
    if "captured_at" in fields:
        clock = clock_of(image, fields.pop("captured_at"))
        for name, value in time_fields(clock, image.created_at).items():
            setattr(image, name, value)
            changed.append(name)
    if archived is not None and archived != (image.archived_at is not None):
        image.archived_at = timezone.now() if archived else None
        changed.append("archived_at")
    if rating is not None:
        image.rating = rating
        changed.append("rating")
    image.save(update_fields=[*changed, "updated_at"])
    service.update_image(image, **fields)
    if tags is not None:
        set_tags(image, tags)


def clock_of(image: Image, given: datetime | None, *, exactly: bool = False) -> Clock | None:
    """Return the new time. A known offset stays if `given` has none, and so do fractions of a
    second, which nobody can enter, unless `given` is meant `exactly`.

    Raises Refusal (bad_captured_at)."""
    if given is None:
        return None
    if not _FIRST_YEAR <= given.year <= _LAST_YEAR:
        raise Refusal(
            "bad_captured_at",
            _("Give a time from the year %(first)d to %(last)d.")
            % {"first": _FIRST_YEAR, "last": _LAST_YEAR},
            "captured_at",
        )
    if (offset := given.utcoffset()) is not None:
        return Clock(given.replace(tzinfo=None), offset)
    known = image.captured_clock
    unchanged = not exactly and known is not None and known.replace(microsecond=0) == given
    return Clock(known if known and unchanged else given, image.offset)
