"""Pages of pictures, newest first, that neither repeat nor skip one when others
are added meanwhile: the next page begins after a (time, id), not at a number."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Image


def page(
    images: QuerySet[Image], after: str | None, size: int, moment: str = "created_at"
) -> tuple[list[Image], str | None]:
    """At most `size` pictures that come after the cursor `after`, ordered by the
    field `moment`, and the cursor of the next page (None on the last one).

    Raises Refusal (bad_cursor).
    """
    if after:
        when, pk = _parse(after)
        # The first condition is the one that an index is searched by.
        images = images.filter(**{f"{moment}__lte": when}).filter(
            Q(**{f"{moment}__lt": when}) | Q(pk__lt=pk)
        )
    found = list(images.order_by(f"-{moment}", "-pk")[: size + 1])
    if len(found) <= size:
        return found, None
    last = found[size - 1]
    return found[:size], f"{getattr(last, moment).isoformat()}~{last.pk}"


def _parse(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, pk = cursor.split("~")
        when = datetime.fromisoformat(moment)
        if when.tzinfo is None:
            raise ValueError("a time without its zone")
        # As UTC: PostgreSQL knows fewer offsets than Python.
        return when.astimezone(UTC), UUID(pk)
    except (ValueError, OverflowError) as error:
        raise Refusal(
            "bad_cursor", _("This page is not known. Start again from the first one."), "cursor"
        ) from error
