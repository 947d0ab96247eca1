"""Search by text, by a stored picture and by a picture that is not kept.

query -> vector -> window of the nearest visible pictures -> a page of hits
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from django.utils.translation import gettext as _

from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Refusal, Unavailable
from gallery.indexing.spaces import active_space, failed_space
from gallery.models import Embedding, EmbeddingSpace, Image
from gallery.search import pages, window
from gallery.search.results import Clock, Results, Viewer
from gallery.search.window import Window

DEFAULT_LIMIT = 40
MAX_LIMIT = 500
MAX_QUERY_CHARACTERS = 1000


class QueryPicture(Protocol):
    """A validated picture that is not kept (gallery.library.query_picture)."""

    @property
    def packed(self) -> bytes: ...

    @property
    def sha256(self) -> str: ...


def clean_limit(value: int | str | None) -> int:
    """A page size from the outside. Raises Refusal unless it is 1 to MAX_LIMIT."""
    if value is None or value == "":
        return DEFAULT_LIMIT
    try:
        limit = int(value)
    except ValueError:
        limit = 0
    if not 1 <= limit <= MAX_LIMIT:
        raise Refusal(
            "bad_limit",
            _("“limit” must be a whole number from 1 to %(max)d.") % {"max": MAX_LIMIT},
            "limit",
        )
    return limit


def search_text(text: str, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures that show what `text` says, in any language the active model knows.

    Raises Refusal for an empty or overlong text, Unavailable if the encoder is down.
    """
    query = client.normalise_text(text)
    if not query:
        raise Refusal("empty_query", _("Type what the picture should show."), "q")
    if len(query) > MAX_QUERY_CHARACTERS:
        raise Refusal(
            "query_too_long",
            _("Describe the picture in at most %(max)d characters.")
            % {"max": MAX_QUERY_CHARACTERS},
            "q",
        )
    clock = Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = client.encode_texts(space, [query])[0]
    found = Window(viewer.pk, space.pk, vector, "text")
    return pages.page(found, space, viewer, 0, limit, clock)


def search_similar(image: Image, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like a stored one, without it and its exact copies.

    The caller has checked that `viewer` may reach `image`. Raises Refusal while
    the picture has no vector yet.
    """
    clock = Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = stored_vector(image, space)
    found = Window(
        viewer.pk,
        space.pk,
        vector,
        "image",
        exclude_id=image.pk,
        exclude_sha256=image.sha256,
    )
    return pages.page(found, space, viewer, 0, limit, clock)


def search_picture(picture: QueryPicture, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like one that is only shown to us; its exact copies are named apart.

    Raises Unavailable if the encoder is down.
    """
    clock = Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = client.encode_picture(space, picture.packed)
    found = Window(viewer.pk, space.pk, vector, "image", exclude_sha256=picture.sha256)
    results = pages.page(found, space, viewer, 0, limit, clock)
    # Kept even where one page holds it all: the picture is gone, and whoever
    # reloads the results has only `start`.
    window.save(found)
    return results


def continue_search(cursor: str, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """The next page of a search. Raises Expired if its window is no longer kept."""
    return pages.continued(cursor, viewer, limit)


def stored_vector(image: Image, space: EmbeddingSpace) -> Vectors:
    """(d,) float32 of a stored picture in `space`. Raises Refusal if there is none yet."""
    entry = Embedding.objects.filter(image=image, space=space, vector__isnull=False).first()
    if entry is None:
        raise Refusal(
            "not_encoded_yet",
            _("This picture is still being prepared. Try again in a moment."),
        )
    return np.asarray(entry.vector, dtype=np.float32)


def require_active_space() -> EmbeddingSpace:
    """The space that answers. Raises Unavailable before the first one is ready."""
    space = active_space()
    if space is None and failed_space() is not None:
        raise Unavailable(
            "model_unavailable",
            _("Search is not available: its model could not be loaded. Tell the administrator."),
            retry_after=60,
        )
    if space is None:
        raise Unavailable(
            "no_active_space",
            _("Search is being prepared: the model is still loading. Try again in a moment."),
            retry_after=5,
        )
    return space
