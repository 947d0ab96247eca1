"""Smart albums: a saved search fills them with the owner's own pictures that it finds.

An album shows its pictures to everybody with access, so pictures of others never get in, whatever
the search finds. The saved search keeps the state: `filled_at` is the age of the content, and
`due` finds albums that a lost message or an unavailable encoder left behind.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from gallery import dispatch, keyset, task_names
from gallery.errors import Expired, Refusal, Unavailable
from gallery.labels import labelling
from gallery.library import undo_log
from gallery.library.user_lock import lock_user
from gallery.models import (
    Album,
    AlbumItem,
    Analysis,
    Answer,
    Change,
    Embedding,
    Image,
    LabelJob,
    SavedSearch,
    User,
)
from gallery.organising import album_rows, albums, saved_searches
from gallery.search import service
from gallery.search.filters import album_names as named_albums
from gallery.search.filters import image_filter
from gallery.search.query.query import Query
from gallery.search.results import Hit, Results

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)


# The most pictures of one album: for a search with terms, which is sorted by similarity, for a
# search by filters alone, and for one without a threshold between matches and the rest.
MAX_MATCHES = 1000
MAX_FILTERED = 5000
MAX_WITHOUT_LINE = 100

# A page that shows older content asks for the album to be filled.
FRESH = timedelta(minutes=1)
# No event is sent when a new tag or date makes a picture match. Albums are filled at this
# interval to notice it.
STALE = timedelta(hours=1)
# How many of the latest pictures are checked for having been encoded since.
_LATEST = 50
# How long a refused search (a part of it is gone) is not tried again.
_REFUSED_SECONDS = 3600


# --- Make and unmake --------------------------------------------------------------


def make(saved: SavedSearch) -> Album:
    """Return the album of a search. If there is none, or it is in the trash, make one with the
    search's name and fill it now; while the encoder is down, it is filled later."""
    album, is_new = _make(saved)
    if not is_new:
        return album
    try:
        fill(saved.pk)
    except Unavailable as cause:
        logger.info("The album %s is filled later: %s", album.pk, cause)
    saved.refresh_from_db(fields=["filled_at"])
    return album


@transaction.atomic
def _make(saved: SavedSearch) -> tuple[Album, bool]:
    """Return the album, and whether it is new."""
    lock_user(saved.owner)
    saved.refresh_from_db(fields=["album"])
    if saved.album is not None and saved.album.deleted_at is None:
        return saved.album, False
    album = albums.create(saved.owner, saved.name)
    saved.album, saved.filled_at = album, None
    saved.save(update_fields=["album", "filled_at"])
    return album, True


@transaction.atomic
def stop(saved: SavedSearch) -> Change | None:
    """Stop filling the album. It keeps its pictures as an ordinary album. Returns what undoes
    it."""
    lock_user(saved.owner)
    saved.refresh_from_db(fields=["album"])
    if saved.album is None:
        return None
    before = {"search": str(saved.pk), "album": saved_searches.album_as_it_is(saved.album)}
    saved.album, saved.filled_at = None, None
    saved.save(update_fields=["album", "filled_at"])
    return undo_log.record(saved.owner, "stop_filling", before)


def start_again(before: Mapping[str, Any], owner: User) -> bool:
    """Undo `stop`, unless the album or the search's album has been changed since. Returns whether
    it was done."""
    album = saved_searches.unchanged_album(before["album"], owner)
    if album is None:
        return False
    without_album = SavedSearch.objects.filter(owner=owner, pk=before["search"], album=None)
    return bool(without_album.update(album=album, filled_at=None))


def of_album(album: Album) -> SavedSearch | None:
    """Return the search that fills the album, or None."""
    return SavedSearch.objects.filter(album=album).select_related("owner").first()


# --- Fill -------------------------------------------------------------------------


def ask_for_filling(saved: SavedSearch) -> None:
    """Ask a worker to fill an album whose content is no longer fresh. Every viewer of the album
    may cause this."""
    if saved.filled_at is None or saved.filled_at < timezone.now() - FRESH:
        dispatch.on_commit(task_names.FILL_SMART_ALBUMS, str(saved.pk))


def fill_due(only: UUID | None = None) -> None:
    """Fill every album that is due, or only that of one search, due or not. While the encoder is
    down, albums whose search needs it stay as they are."""
    is_down = False
    for saved in due() if only is None else _fillable().filter(pk=only):
        if is_down and saved_searches.query_of(saved).terms:
            continue
        try:
            fill(saved.pk)
        except Unavailable as cause:
            logger.info("Albums that fill themselves wait: %s", cause)
            is_down = True


def due(rest: timedelta = timedelta(0)) -> QuerySet[SavedSearch]:
    """Return searches whose albums have never been filled, not for STALE, or not since pictures
    of their owner were encoded or, for a search by category, got other labels. These two kinds
    wait until `rest` has passed."""
    # The latest pictures are encoded last, and an index finds them quickly. Older pictures that
    # are encoded again are covered by STALE.
    latest = Image.objects.filter(owner_id=OuterRef(OuterRef("owner_id")))
    encoded = Embedding.objects.filter(
        image__in=latest.order_by("-created_at", "-pk").values("pk")[:_LATEST],
        encoded_at__gt=OuterRef("filled_at"),
    )
    now = timezone.now()
    stale = Q(filled_at__lt=now - STALE)
    newer = Q(Exists(encoded), filled_at__lt=now - rest)
    relabelled = Q(_labels_changed(), query__filters__has_key="category", filled_at__lt=now - rest)
    waiting = _fillable().filter(Q(filled_at=None) | stale | newer | relabelled)
    return waiting.order_by(F("filled_at").asc(nulls_first=True), "pk")


def _labels_changed() -> Q:
    """Whether labels that the owner of a search sees have changed since its album was filled: by a
    job, an answer, or for new pictures."""
    since = OuterRef("filled_at")
    jobs = LabelJob.objects.filter(_seen_through("label_set"), finished_at__gt=since)
    said = Answer.objects.filter(_seen_through("category__label_set"), at__gt=since)
    latest = Image.objects.filter(owner_id=OuterRef(OuterRef("owner_id")))
    labelled = Analysis.objects.filter(
        analyser=labelling.ANALYSER,
        image__in=latest.order_by("-created_at", "-pk").values("pk")[:_LATEST],
        done_at__gt=since,
    )
    return Q(Exists(jobs)) | Q(Exists(said)) | Q(Exists(labelled))


def _seen_through(label_set: str) -> Q:
    """Whether the owner of a search sees the set that a row refers to as `label_set`."""
    own = Q(**{f"{label_set}__owner_id": OuterRef("owner_id")})
    return own | Q(**{f"{label_set}__owner": None})


def fill(saved_id: UUID) -> bool:
    """Make the album of a search equal to its results. Returns whether that was done.

    If a part of the search is gone, the album stays as it is (see `is_refused`). Raises
    Unavailable while the encoder is down.
    """
    # Of two workers at once, the second one searches again, so that older results never win.
    for _attempt in range(3):
        saved = _fillable().filter(pk=saved_id).first()
        if saved is None or is_refused(saved):
            return False
        moment = timezone.now()
        try:
            found = matches(saved)
        except Expired as cause:
            raise Unavailable("search_expired", cause.message) from cause
        except Refusal as refusal:
            logger.info("The search %s cannot be made: %s", saved.pk, refusal.code)
            cache.set(_refused_key(saved), refusal.code, _REFUSED_SECONDS)
            return False
        if _put(saved, found, moment):
            return True
    return False


def is_refused(saved: SavedSearch) -> bool:
    """Return whether the search was refused when it was last tried, since a part of it is
    gone."""
    return cache.get(_refused_key(saved)) is not None


def _refused_key(saved: SavedSearch) -> str:
    """Return the cache key for the search in its present form: a changed query is tried at
    once."""
    return f"smart-album-refused:{saved.pk}:{saved.updated_at.timestamp()}"


def _fillable() -> QuerySet[SavedSearch]:
    alive = SavedSearch.objects.filter(album__deleted_at__isnull=True, album__isnull=False)
    return alive.filter(owner__is_active=True).select_related("owner", "album")


@transaction.atomic
def _put(saved: SavedSearch, found: Sequence[UUID], moment: datetime) -> bool:
    """Append new pictures to the album and remove those that no longer match; the others keep
    their places. Returns False if the search was changed, or its album filled, since `saved` was
    read."""
    as_read = {"query": saved.query, "album": saved.album_id, "filled_at": saved.filled_at}
    held = SavedSearch.objects.select_for_update(no_key=True).filter(pk=saved.pk, **as_read).first()
    if held is None or saved.album is None:
        return False
    inside = set(AlbumItem.objects.filter(album=saved.album).values_list("image_id", flat=True))
    # Checked again: the owner may have deleted pictures since the search.
    own = Image.objects.owned_by(saved.owner).filter(pk__in=found).order_by()
    wanted = set(own.values_list("pk", flat=True))
    if wanted != inside:
        album_rows.lock(saved.album)
        album_rows.remove(saved.album, list(inside - wanted))
        album_rows.append(saved.album, list(wanted - inside))
    held.filled_at = moment
    held.save(update_fields=["filled_at"])
    return True


# --- Results of the search ----------------------------------------------------------


def matches(saved: SavedSearch) -> list[UUID]:
    """Return the owner's own pictures that the search finds, best or newest first.

    Raises Refusal if a part of the search is gone, and Unavailable.
    """
    query = saved_searches.query_of(saved)
    if query.filters.get("owner") not in {None, "", "me", saved.owner.get_username()}:
        return []
    own = replace(query, filters={**query.filters, "owner": "me"})
    return _best(own, saved.owner) if query.terms else _filtered(own, saved.owner)


def _filtered(query: Query, owner: User) -> list[UUID]:
    wanted = named_albums.with_ids(query.filters, owner)
    found = image_filter.narrow(Image.objects.owned_by(owner), wanted, owner)
    newest = found.order_by(*keyset.UPLOADED.fields())
    return list(newest.values_list("pk", flat=True)[:MAX_FILTERED])


def _best(query: Query, owner: User) -> list[UUID]:
    """Return results above the relevance threshold (`line`), and those whose words match; without
    a threshold, the first ones."""
    results = service.search(query, owner, limit=service.MAX_LIMIT)
    if results.judgement.line is None:
        return [hit.image.pk for hit in results.hits[:MAX_WITHOUT_LINE]]
    hits = islice(_all_hits(results, owner), MAX_MATCHES)
    return [hit.image.pk for hit in hits if results.is_match(hit)]


def _all_hits(results: Results, owner: User) -> Iterator[Hit]:
    while True:
        yield from results.hits
        if results.next is None:
            return
        results = service.continue_search(results.next, owner, limit=service.MAX_LIMIT)
