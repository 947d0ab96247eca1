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
    """Return `filters` with an album title replaced by ids. These are all albums that the viewer
    may see and may mean by the title (`named`), at most the MAX_ALBUMS newest.

    Raises Refusal (no_such_album) if there is none, even if the viewer may not see one of that
    title.
    """
    title = filters.get("album")
    if not isinstance(title, str) or _is_id(title):
        return dict(filters)
    # A title is one line, and neither the database nor a response takes all characters.
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
    """Return the same for a saved query. A single album is saved by id, which survives a new title.
    A title of several albums stays: it means the albums that have it at the time of a search."""
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
