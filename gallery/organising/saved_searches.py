"""Searches that a user saves under a name. Nobody else sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from gallery import spelling
from gallery.errors import Refusal
from gallery.library import caps, undo_log
from gallery.library.user_lock import lock_user
from gallery.models import Album, Change, SavedSearch, User, Viewer
from gallery.models.words import called
from gallery.search.filters import album_names
from gallery.search.filters.narrowed import checked as checked_filters
from gallery.search.query.query import Query

if TYPE_CHECKING:
    from django.db.models import QuerySet

MAX_NAME = 200


def saved_searches_of(owner: Viewer) -> QuerySet[SavedSearch]:
    """Return the owner's saved searches in the order `keyset.BY_NAME`, with its `name_key`."""
    found = SavedSearch.objects.filter(owner_id=owner.pk or 0).annotate(name_key=Lower("name"))
    return found.order_by("name_key", "pk").select_related("album")


def query_of(saved: SavedSearch) -> Query:
    return Query.from_json(saved.query)


@transaction.atomic
def save(owner: User, name: str, query: Query) -> SavedSearch:
    """Save `query` under a name that the owner has not used yet.

    Raises Refusal (name_missing, name_too_long, name_taken, too_many_searches,
    empty_query, upload_not_kept, or what is wrong with the query).
    """
    name = clean_name(name)
    query = clean_query(query, owner)
    caps.hold_room(caps.SAVED_SEARCHES, owner)
    _refuse_taken(owner, name)
    return SavedSearch.objects.create(owner=owner, name=name, query=query.as_json())


@transaction.atomic
def update(saved: SavedSearch, *, name: str | None = None, query: Query | None = None) -> bool:
    """Change the given fields. Returns whether the query has changed: an album that it fills then
    has to be filled again (gallery.organising.smart_albums).

    Raises Refusal as `save` does.
    """
    fields = []
    lock_user(saved.owner)
    if name is not None:
        name = clean_name(name)
        _refuse_taken(saved.owner, name, besides=saved)
        saved.name = name
        fields.append("name")
    is_another = False
    if query is not None:
        query = clean_query(query, saved.owner)
        is_another = query.as_json() != saved.query
    if query is not None and is_another:
        _refuse_circle(query, saved)
        saved.query = query.as_json()
        saved.filled_at = None
        fields += ["query", "filled_at"]
    if fields:
        saved.save(update_fields=[*fields, "updated_at"])
    return is_another


@transaction.atomic
def delete(saved: SavedSearch) -> Change:
    """Delete a saved search. The album that it filled becomes an ordinary one. Returns what
    undoes it."""
    lock_user(saved.owner)
    kept = {"id": str(saved.pk), "name": saved.name, "query": saved.query}
    before = {**kept, "album": album_as_it_is(saved.album)}
    change = undo_log.record(saved.owner, "delete_search", before)
    saved.delete()
    return change


def restore(before: Mapping[str, Any], owner: User) -> SavedSearch:
    """Restore what `delete` kept, under a free name. The search fills its album again, unless the
    album has been changed since. Raises Refusal (too_many_searches)."""
    caps.hold_room(caps.SAVED_SEARCHES, owner)
    return SavedSearch.objects.create(
        pk=before["id"],
        owner=owner,
        name=free_name(owner, before["name"]),
        query=before["query"],
        album=unchanged_album(before["album"], owner),
    )


def album_as_it_is(album: Album | None) -> dict[str, str] | None:
    """Return what `unchanged_album` needs to find the album again."""
    if album is None:
        return None
    return {"id": str(album.pk), "changed": album.updated_at.isoformat()}


def unchanged_album(before: Mapping[str, str] | None, owner: User) -> Album | None:
    """Return the album if it has not been changed since and no search fills it, else None."""
    if before is None:
        return None
    changed = datetime.fromisoformat(before["changed"])
    untouched = Album.objects.filter(owner=owner, smart=None, updated_at=changed)
    return untouched.filter(pk=before["id"]).first()


def named(owner: Viewer, name: str) -> SavedSearch | None:
    """Return the owner's search of this name (gallery.models.words), or None."""
    return called(saved_searches_of(owner), "name", name).first()


def free_name(owner: Viewer, wanted: str) -> str:
    """Return `wanted`, with the first number that makes it unique if it is taken."""
    wanted = wanted[:MAX_NAME].strip()
    name, number = wanted, 1
    while name and named(owner, name):
        number += 1
        ending = f" {number}"
        name = f"{wanted[: MAX_NAME - len(ending)]}{ending}"
    return name


def clean_name(name: str) -> str:
    """Return the name in one line. Raises Refusal (name_missing, name_too_long)."""
    name = spelling.clean_line(name)
    if len(name) > MAX_NAME:
        raise Refusal(
            "name_too_long",
            _("Shorten the name to at most %(most)d characters.") % {"most": MAX_NAME},
            "name",
        )
    if not name:
        raise Refusal("name_missing", _("Give the search a name."), "name")
    return name


def clean_query(query: Query, owner: User) -> Query:
    """Return `query` as it is stored: an album by its id, which stays when the title changes.

    Raises Refusal (empty_query, upload_not_kept, and those for wrong terms and filters).
    """
    query.check()
    if query.is_empty:
        raise Refusal("empty_query", _("Say what to search for."), "query")
    if any(term.upload for term in query.terms):
        raise Refusal(
            "upload_not_kept",
            _(
                "A picture that was only shown to the search is forgotten within the hour. "
                "Upload it to your gallery, search by it there, and save that."
            ),
            "query",
        )
    checked_filters(query.filters, owner)
    return replace(query, filters=album_names.with_lasting_ids(query.filters, owner))


def _refuse_circle(query: Query, saved: SavedSearch) -> None:
    """Raise Refusal (fills_from_itself) if the query only finds pictures of the album that it
    fills."""
    if saved.album_id is not None and str(query.filters.get("album")) == str(saved.album_id):
        raise Refusal(
            "fills_from_itself",
            _("The search cannot look only into the album that it fills itself."),
            "query",
        )


def _refuse_taken(owner: User, name: str, besides: SavedSearch | None = None) -> None:
    taken = named(owner, name)
    if taken is not None and (besides is None or taken.pk != besides.pk):
        raise Refusal("name_taken", _("You have a saved search of this name already."), "name")
