"""What the owner says about one picture, all at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import service
from gallery.models import Image
from gallery.organising.tags import set_tags

# Whatever the time zones, Python and PostgreSQL agree on times in these years.
_FIRST_YEAR, _LAST_YEAR = 1000, 2999


@transaction.atomic
def change(
    image: Image,
    *,
    archived: bool | None = None,
    tags: Iterable[str] | None = None,
    **fields: Any,
) -> None:
    """Change what is given, all of it or nothing: `captured_at` (None: not known),
    `archived`, `tags`, and the fields of `service.update_image`.

    Raises Refusal.
    """
    changed = []
    if "captured_at" in fields:
        image.captured_at = _clean_moment(fields.pop("captured_at"))
        changed.append("captured_at")
    if archived is not None and archived != (image.archived_at is not None):
        image.archived_at = timezone.now() if archived else None
        changed.append("archived_at")
    image.save(update_fields=[*changed, "updated_at"])
    service.update_image(image, **fields)
    if tags is not None:
        set_tags(image, tags)


def _clean_moment(moment: datetime | None) -> datetime | None:
    if moment is not None and not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise Refusal(
            "bad_captured_at",
            _("Give a time from the year %(first)d to %(last)d.")
            % {"first": _FIRST_YEAR, "last": _LAST_YEAR},
            "captured_at",
        )
    return moment and moment.astimezone(UTC)
