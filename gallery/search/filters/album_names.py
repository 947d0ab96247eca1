"""Albums in a query: by id or by title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import Album, Viewer
from gallery.models.words import named
from gallery.search.filters.fields import MAX_ALBUMS
from gallery.spelling import normalise_text


def with_ids(filters: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """`filters` with the ids of the albums that they name by a title: all those that the
    viewer may see and may mean by it (`named`), of more than MAX_ALBUMS the newest.

    Raises Refusal (no_such_album), also for albums of others.
    """
    title = filters.get("album")
    if not isinstance(title, str) or _is_id(title):
        return dict(filters)
    # Titles are of one line; and some signs neither a database nor an answer can hold.
    title = normalise_text(title)
    meant = named(Album.objects.visible_to(viewer), "title", title)
    newest = meant.order_by("-created_at", "-pk")
    ids = [str(pk) for pk in newest.values_list("pk", flat=True)[:MAX_ALBUMS]]
    if not ids:
        raise Refusal(
            "no_such_album",
            _("There is no album “%(title)s”, or it is not shared with you.")
            % {"title": title[:100]},
            "filters.album",
        )
    return {**filters, "album": ids}


def with_lasting_ids(filters: Mapping[str, Any], viewer: Viewer) -> dict[str, Any]:
    """The same for what is kept: an album by its id, which another title does not change.
    A title that several have stays: it stands for those that have it by then."""
    found = with_ids(filters, viewer)
    match found.get("album"):
        case [only]:
            return {**found, "album": only}
        case [*_several]:
            return dict(filters)
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
