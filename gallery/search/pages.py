"""Reading on in the results of a search, page after page, to the last picture."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import gettext as _

from gallery.errors import Expired
from gallery.indexing.showing import for_showing
from gallery.models import EmbeddingSpace, Image
from gallery.search import ranking, window
from gallery.search.results import Clock, Hit, Results, Viewer
from gallery.search.window import Window

# The first page looks further than it shows, so that the next ones are ready.
FIRST_WINDOW = 200
# Past the first window, so many more at a time.
WIDEN_BY = 1000


def continued(cursor: str, viewer: Viewer, limit: int) -> Results:
    """The page that `cursor` names. Raises Expired if its window is no longer kept."""
    found, offset = window.load(cursor, viewer.pk)
    return page(found, _space_of(found), viewer, offset, limit, Clock())


def found_ids(cursor: str, viewer: Viewer, count: int) -> list[UUID]:
    """The ids of the first `count` results of a search, whatever page `cursor` is of.

    Raises Expired as `continued` does.
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


def page(
    found: Window,
    space: EmbeddingSpace,
    viewer: Viewer,
    offset: int,
    limit: int,
    clock: Clock,
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
    return Results(
        hits=hits,
        exact=found.exact,
        space=space,
        next=found.cursor(offset) if more else None,
        start=found.cursor(0),
        took_ms=clock.stop(),
        exact_copies=copies,
    )


def _space_of(found: Window) -> EmbeddingSpace:
    space = EmbeddingSpace.objects.filter(pk=found.space_id).first()
    if space is None:
        raise Expired(
            "search_expired", _("These results are no longer kept. Search again."), "cursor"
        )
    return space


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
    more = ranking.rank(found, space, viewer, size)
    found.append(more.ids, more.scores)
    found.exact = found.exact and more.exact
    found.complete = more.complete
    return len(found.ids) > before


def _load(found: Window, chunk: slice, viewer: Viewer) -> list[Hit]:
    """The pictures of a slice of the window, in its order."""
    scores = dict(zip(found.ids[chunk], found.scores[chunk], strict=True))
    images = for_showing(Image.objects.visible_to(viewer).filter(pk__in=list(scores)), viewer)
    by_id = {image.pk: image for image in images}
    return [Hit(by_id[pk], score) for pk, score in scores.items() if pk in by_id]
