"""Archive and trash: fields with the time when a picture was archived or deleted.

All changes can be undone exactly: each function returns the time that it set, or the times that
it removed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection
from django.utils import timezone

from gallery.models import Image

Field = Literal["archived_at", "deleted_at"]


def stamp(field: Field, image_ids: Sequence[UUID]) -> tuple[datetime, list[UUID]]:
    """Set `field` to now where it is empty. Returns the time and the changed pictures."""
    now = timezone.now()
    return now, _set(
        f"UPDATE gallery_image SET {field} = %s, updated_at = now()"  # noqa: S608 - one of two
        f" WHERE id = ANY(%s) AND {field} IS NULL RETURNING id",
        [now, list(image_ids)],
    )


def unstamp_only(
    field: Field, image_ids: Sequence[UUID], owner_id: int, moment: datetime
) -> list[UUID]:
    """Empty `field` where it still is `moment`. Returns the changed pictures."""
    return _set(
        f"UPDATE gallery_image SET {field} = NULL, updated_at = now()"  # noqa: S608 - one of two
        f" WHERE id = ANY(%s) AND owner_id = %s AND {field} = %s RETURNING id",
        [list(image_ids), owner_id, moment],
    )


def unstamp(field: Field, image_ids: Sequence[UUID]) -> list[tuple[UUID, datetime]]:
    """Empty `field`. Returns the former values of pictures where it was not empty."""
    filled = Image.objects.filter(pk__in=image_ids).exclude(**{field: None})
    former = list(filled.order_by("pk").values_list("pk", field))
    filled.update(**{field: None, "updated_at": timezone.now()})
    return former


def stamp_again(field: Field, former: Sequence[tuple[str, str]], owner_id: int) -> list[UUID]:
    """Restore the values that `unstamp` returned, where `field` is still empty. Returns the
    changed pictures."""
    return _set(
        f"UPDATE gallery_image image SET {field} = former.moment, updated_at = now()"  # noqa: S608
        " FROM unnest(%s::uuid[], %s::timestamptz[]) AS former (id, moment)"
        f" WHERE image.id = former.id AND image.owner_id = %s AND image.{field} IS NULL"
        " RETURNING image.id",
        [[pk for pk, _ in former], [moment for _, moment in former], owner_id],
    )


def _set(statement: str, values: list[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]
