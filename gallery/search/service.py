"""Search by text, by a stored picture and by a picture that is not kept.

query -> vector -> window of the nearest visible pictures -> a page of hits
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from gallery.encoders import client
from gallery.encoders.base import Vectors
from gallery.errors import Expired, Refusal, Unavailable
from gallery.indexing.showing import for_showing
from gallery.indexing.spaces import active_space, failed_space
from gallery.models import Embedding, EmbeddingSpace, Image, User
from gallery.search import planner, window
from gallery.search.window import Window

Viewer = User | AnonymousUser

DEFAULT_LIMIT = 40
MAX_LIMIT = 500
MAX_QUERY_CHARACTERS = 1000
# The first page looks further than it shows, so that the next ones are ready.
FIRST_WINDOW = 200
# Past the first window, so many more at a time.
WIDEN_BY = 1000


class QueryPicture(Protocol):
    """A validated picture that is not kept (gallery.library.query_picture)."""

    @property
    def packed(self) -> bytes: ...

    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True)
class Hit:
    """One result; `score` is the cosine of query and picture, in [-1, 1]."""

    image: Image
    score: float


@dataclass(frozen=True)
class Results:
    """One page of results, best first.

    `exact` is False where an approximate index was used, `next` is the cursor of
    the next page or None after the last, `start` that of the first. `took_ms` holds
    milliseconds by step.
    `exact_copies` are visible pictures with the very bytes of the query picture;
    they are never among the hits.
    """

    hits: list[Hit]
    exact: bool
    space: EmbeddingSpace
    next: str | None
    start: str
    took_ms: dict[str, float]
    exact_copies: list[Image] = field(default_factory=list)


class _Clock:
    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.took_ms[name] = round((time.perf_counter() - start) * 1000, 2)


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
    clock = _Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = client.encode_texts(space, [query])[0]
    found = Window(viewer.pk, space.pk, vector, "text")
    return _page(found, space, viewer, 0, limit, clock)


def search_similar(image: Image, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like a stored one, without it and its exact copies.

    The caller has checked that `viewer` may reach `image`. Raises Refusal while
    the picture has no vector yet.
    """
    clock = _Clock()
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
    return _page(found, space, viewer, 0, limit, clock)


def search_picture(picture: QueryPicture, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """Pictures like one that is only shown to us; its exact copies are named apart.

    Raises Unavailable if the encoder is down.
    """
    clock = _Clock()
    space = require_active_space()
    with clock.step("encode"):
        vector = client.encode_picture(space, picture.packed)
    found = Window(viewer.pk, space.pk, vector, "image", exclude_sha256=picture.sha256)
    results = _page(found, space, viewer, 0, limit, clock)
    # Kept even where one page holds it all: the picture is gone, and whoever
    # reloads the results has only `start`.
    window.save(found)
    return results


def continue_search(cursor: str, viewer: Viewer, *, limit: int = DEFAULT_LIMIT) -> Results:
    """The next page of a search. Raises Expired if its window is no longer kept."""
    clock = _Clock()
    found, offset = window.load(cursor, viewer.pk)
    return _page(found, _space_of(found), viewer, offset, limit, clock)


def found_ids(cursor: str, viewer: Viewer, count: int) -> list[UUID]:
    """The ids of the first `count` results of a search, whatever page `cursor` is of.

    Raises Expired as `continue_search` does.
    """
    found, _offset = window.load(cursor, viewer.pk)
    space = _space_of(found)
    while True:
        visible = Image.objects.visible_to(viewer).filter(pk__in=found.ids)
        allowed = set(visible.order_by().values_list("pk", flat=True))
        missing = count - len(allowed)
        if missing <= 0 or not _widen(found, space, viewer, len(found.ids) + missing):
            break
    window.save(found)
    return [pk for pk in found.ids if pk in allowed][:count]


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


def _space_of(found: Window) -> EmbeddingSpace:
    space = EmbeddingSpace.objects.filter(pk=found.space_id).first()
    if space is None:
        raise Expired(
            "search_expired", _("These results are no longer kept. Search again."), "cursor"
        )
    return space


def _page(
    found: Window,
    space: EmbeddingSpace,
    viewer: Viewer,
    offset: int,
    limit: int,
    clock: _Clock,
) -> Results:
    """`limit` hits from `offset` on, skipping what the viewer may no longer see."""
    copies = _exact_copies(found, viewer) if offset == 0 else []
    hits: list[Hit] = []
    with clock.step("search"):
        while len(hits) < limit:
            if offset >= len(found.ids) and not _widen(found, space, viewer, offset + limit):
                break
            chunk = slice(offset, min(offset + limit - len(hits), len(found.ids)))
            hits += _load(found, chunk, viewer)
            offset = chunk.stop
        more = offset < len(found.ids) or not found.complete
        window.save(found)
    clock.took_ms["total"] = round(sum(clock.took_ms.values()), 2)
    return Results(
        hits=hits,
        exact=found.exact,
        space=space,
        next=found.cursor(offset) if more else None,
        start=found.cursor(0),
        took_ms=clock.took_ms,
        exact_copies=copies,
    )


def _exact_copies(found: Window, viewer: Viewer) -> list[Image]:
    if not found.exclude_sha256:
        return []
    same_bytes = Image.objects.visible_to(viewer).filter(sha256=found.exclude_sha256)
    if found.exclude_id is not None:
        same_bytes = same_bytes.exclude(pk=found.exclude_id)
    return list(for_showing(same_bytes, viewer))


def _widen(found: Window, space: EmbeddingSpace, viewer: Viewer, needed: int) -> bool:
    """Rank further pictures into the window; False if there are none."""
    if found.complete:
        return False
    before = len(found.ids)
    size = max(FIRST_WINDOW, needed) if before == 0 else needed + WIDEN_BY
    scope = _scope(found, viewer)
    ranking = planner.nearest(space, found.vector, scope, size, found.kind)
    found.append(ranking.ids, ranking.scores)
    found.exact = found.exact and ranking.exact
    found.complete = ranking.complete
    return len(found.ids) > before


def _scope(found: Window, viewer: Viewer) -> QuerySet[Image]:
    scope = Image.objects.visible_to(viewer)
    if found.exclude_sha256:
        scope = scope.exclude(sha256=found.exclude_sha256)
    return scope


def _load(found: Window, chunk: slice, viewer: Viewer) -> list[Hit]:
    """The pictures of a slice of the window, in its order."""
    scores = dict(zip(found.ids[chunk], found.scores[chunk], strict=True))
    images = for_showing(Image.objects.visible_to(viewer).filter(pk__in=list(scores)), viewer)
    by_id = {image.pk: image for image in images}
    return [Hit(by_id[pk], score) for pk, score in scores.items() if pk in by_id]
