"""Albums in a query: by id or by title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from gallery.encoders.client import normalise_text
from gallery.errors import Refusal
from gallery.models import Album
from gallery.search.results import Viewer


def with_ids(filters: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """`filters` with the id of the album that they name by its title: of those that the
    viewer may see, an own one before others, the newest first.

    Raises Refusal (no_such_album), also for albums of others.
    """
    title = filters.get("album")
    if not isinstance(title, str) or _is_id(title):
        return dict(filters)
    own_first = Case(
        When(owner_id=viewer.pk or 0, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    # Titles are of one line; and some signs neither a database nor an answer can hold.
    title = normalise_text(title)
    named = Album.objects.visible_to(viewer).alias(key=Lower("title"))
    ids = named.filter(key=Lower(Value(title))).order_by(own_first, "-created_at", "-pk")
    pk = ids.values_list("pk", flat=True).first()
    if pk is None:
        raise Refusal(
            "no_such_album",
            _("There is no album “%(title)s”, or it is not shared with you.")
            % {"title": title[:100]},
            "filters.album",
        )
    return {**filters, "album": str(pk)}


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
