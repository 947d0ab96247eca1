"""One act on many pictures: set-based, in one transaction, and with a way to undo it.

If only the owner may do an act, it skips the pictures of others in the selection. The acts of
one user run one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.indexing import encoding
from gallery.library import texts
from gallery.library.user_lock import lock_user
from gallery.models import Album, Change, Image, User
from gallery.organising import (
    album_rows,
    albums,
    changes,
    details_of_many,
    favourites,
    looks,
    selection,
    tags,
    timestamps,
    trash,
)
from gallery.work import ledger

if TYPE_CHECKING:
    from gallery.models.album import AlbumQuerySet

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """Numbers of pictures: `matched` were selected and visible; the act is not allowed on
    `skipped` of them; `changed` have changed."""

    matched: int
    changed: int
    skipped: int
    undo: Change | None = None
    # The first and the last day of the changed pictures, if their dates have changed.
    days: tuple[date, date] | None = None


@dataclass(frozen=True)
class Chosen:
    """The selected pictures, and those of them that are the user's own."""

    ids: list[UUID]
    own: list[UUID]

    @property
    def of_others(self) -> int:
        return len(self.ids) - len(self.own)


@dataclass(frozen=True)
class Done:
    """What an act did. `before` is for `undoing`; None if there is nothing to undo. `days` is as
    in `Outcome`."""

    changed: int
    skipped: int
    before: dict[str, Any] | None = None
    days: tuple[date, date] | None = None


def run(action: str, spec: Mapping[str, Any], user: User, **params: Any) -> Outcome:
    """Do `action` to the pictures of the selection `spec` (see `selection`).

    `params` by action: album (a UUID), tags (names), visibility, rating (stars), title,
    captured_at (a local time or None) or captured_on (a day), shift (seconds), turns (quarters to
    the right). Raises Refusal for invalid input.
    """
    act = ACTIONS.get(action)
    if act is None:
        raise Refusal("unknown_action", _("There is no such action."), "action")
    # Resolved outside of the transaction, since a search may use the cache and take time.
    meant = selection.resolve(spec, user, trash=action in IN_TRASH)
    with transaction.atomic():
        lock_user(user)
        rows = list(meant.values_list("pk", "owner_id"))
        own = [pk for pk, owner_id in rows if owner_id == user.pk]
        chosen = Chosen([pk for pk, _owner in rows], own)
        done = act(chosen, user, params)
        change = changes.record(user, action, done.before)
    return Outcome(len(chosen.ids), done.changed, done.skipped, change, done.days)


@transaction.atomic
def move(
    album: Album, image_ids: list[UUID], before: UUID | None, user: User
) -> tuple[int, Change | None]:
    """Arrange an album (see `albums.move`). Returns how many moved, and what undoes it."""
    lock_user(user)
    moves = albums.move(album, image_ids, before, user)
    kept = {"album": str(album.pk), "moves": [[str(pk), *places] for pk, *places in moves]}
    return len(moves), changes.record(user, "move", kept if moves else None)


def _locked(image_ids: list[UUID], *fields: str) -> list[tuple[Any, ...]]:
    """Return ids and fields of these pictures, locked until the transaction ends."""
    rows = Image.objects.filter(pk__in=image_ids).order_by("pk").select_for_update(no_key=True)
    return list(rows.values_list("pk", *fields))


# --- Albums -----------------------------------------------------------------------


def _add_to_album(chosen: Chosen, user: User, params: Params) -> Done:
    album = _album(params, Album.objects.open_to(user))
    albums.refuse_if_smart(album)
    album_rows.lock(album)
    entries = album_rows.append(album, chosen.own)
    before = {"album": str(album.pk), "entries": entries}
    return Done(len(entries), chosen.of_others, before if entries else None)


def _remove_from_album(chosen: Chosen, user: User, params: Params) -> Done:
    album = _album(params, Album.objects.visible_to(user))
    albums.refuse_if_smart(album)
    removable = chosen.ids if albums.may_manage(album, user) else chosen.own
    album_rows.lock(album)
    removed = album_rows.remove(album, removable)
    entries = [
        [entry, str(pk), position, when.isoformat()] for entry, pk, position, when in removed
    ]
    before = {"album": str(album.pk), "entries": entries}
    return Done(len(removed), len(chosen.ids) - len(removable), before if removed else None)


def _album(params: Params, allowed: AlbumQuerySet) -> Album:
    album = allowed.filter(pk=params["album"]).first() if params.get("album") else None
    if album is None:
        raise Refusal(
            "unknown_album", _("Choose an album that you may change in this way."), "album"
        )
    return album


# --- Tags and favourites ------------------------------------------------------------


def _add_tags(chosen: Chosen, user: User, params: Params) -> Done:
    names = _names(params)
    links = tags.link(tags.named(user, names), chosen.own)
    changed = len({image_id for _link, image_id in links})
    before = {"links": [link for link, _image in links]}
    return Done(changed, chosen.of_others, before if links else None)


def _remove_tags(chosen: Chosen, user: User, params: Params) -> Done:
    links = tags.unlink(tags.known(user, _names(params)), chosen.own)
    changed = len({image_id for _link, _tag, image_id in links})
    before = {"links": [[link, str(tag), str(image)] for link, tag, image in links]}
    return Done(changed, chosen.of_others, before if links else None)


def _names(params: Params) -> list[str]:
    names = tags.clean_names(params.get("tags") or [])
    if not names:
        raise Refusal("no_tags", _("Name at least one tag."), "tags")
    return names


def _favourite(chosen: Chosen, user: User, params: Params) -> Done:
    marks = favourites.mark(user, chosen.ids)
    return Done(len(marks), 0, {"marks": marks} if marks else None)


def _unfavourite(chosen: Chosen, user: User, params: Params) -> Done:
    marks = favourites.unmark(user, chosen.ids)
    before = {"marks": [[mark, str(pk), when.isoformat()] for mark, pk, when in marks]}
    return Done(len(marks), 0, before if marks else None)


# --- The owner's alone --------------------------------------------------------------


def _set_visibility(chosen: Chosen, user: User, params: Params) -> Done:
    wanted = texts.clean_visibility(params.get("visibility") or "")
    former: dict[str, list[str]] = defaultdict(list)
    changing = []
    for pk, visibility in _locked(chosen.own, "visibility"):
        if visibility != wanted:
            former[visibility].append(str(pk))
            changing.append(pk)
    Image.objects.filter(pk__in=changing).update(visibility=wanted, updated_at=timezone.now())
    before = {"to": wanted, "from": dict(former)}
    return Done(len(changing), chosen.of_others, before if changing else None)


def _stamp(field: timestamps.Field) -> Callable[[Chosen, User, Params], Done]:
    def act(chosen: Chosen, user: User, params: Params) -> Done:
        _locked(chosen.own)
        moment, changed = timestamps.stamp(field, chosen.own)
        before = {"moment": moment.isoformat(), "ids": [str(pk) for pk in changed]}
        return Done(len(changed), chosen.of_others, before if changed else None)

    return act


def _unstamp(field: timestamps.Field) -> Callable[[Chosen, User, Params], Done]:
    def act(chosen: Chosen, user: User, params: Params) -> Done:
        _locked(chosen.own)
        former = timestamps.unstamp(field, chosen.own)
        before = {"former": [[str(pk), when.isoformat()] for pk, when in former]}
        return Done(len(former), chosen.of_others, before if former else None)

    return act


def _restore(chosen: Chosen, user: User, params: Params) -> Done:
    done = _unstamp("deleted_at")(chosen, user, params)
    # The active space may have changed while the pictures were away.
    ledger.enqueue(chosen.own)
    return done


def _purge(chosen: Chosen, user: User, params: Params) -> Done:
    return Done(trash.condemn(chosen.own), chosen.of_others)


def _reencode(chosen: Chosen, user: User, params: Params) -> Done:
    ledger.requeue(chosen.own, encoding.analysers())
    return Done(len(chosen.own), chosen.of_others)


# --- What a picture is and looks like -------------------------------------------------


def _rate(chosen: Chosen, user: User, params: Params) -> Done:
    stars = details_of_many.clean_rating(params.get("rating"))
    return _noted(chosen, details_of_many.rate(chosen.own, stars))


def _set_title(chosen: Chosen, user: User, params: Params) -> Done:
    title = params.get("title")
    if title is None:
        raise Refusal("no_title", _("Give a title; an empty one removes the titles."), "title")
    return _noted(chosen, details_of_many.set_titles(chosen.own, title))


def _set_date(chosen: Chosen, user: User, params: Params) -> Done:
    if {"captured_at", "captured_on"} <= params.keys():
        raise Refusal("two_dates", _("Give either a day or a time, and not both."), "captured_on")
    if "captured_at" in params:
        return _dated(chosen, details_of_many.set_dates(chosen.own, params["captured_at"]))
    if "captured_on" in params:
        return _dated(chosen, details_of_many.set_days(chosen.own, params["captured_on"]))
    raise Refusal("no_date", _("Give a date, with or without a time."), "captured_at")


def _shift_date(chosen: Chosen, user: User, params: Params) -> Done:
    by = timedelta(seconds=params.get("shift") or 0)
    return _dated(chosen, details_of_many.shift_dates(chosen.own, by))


def _rotate(chosen: Chosen, user: User, params: Params) -> Done:
    quarters = params.get("turns") or 0
    if quarters % 4 == 0:
        raise Refusal("bad_turns", _("Turn by one, two or three quarters."), "turns")
    return _noted(chosen, looks.change(chosen.own, looks.turned(quarters), user))


def _to_original(chosen: Chosen, user: User, params: Params) -> Done:
    return _noted(chosen, looks.change(chosen.own, looks.back_to_original, user))


def _dated(chosen: Chosen, rows: details_of_many.Rows) -> Done:
    return replace(_noted(chosen, rows), days=details_of_many.days_of(rows))


def _noted(chosen: Chosen, rows: Sequence[Any]) -> Done:
    return Done(len(rows), chosen.of_others, {"rows": rows} if rows else None)


ACTIONS: dict[str, Callable[[Chosen, User, Params], Done]] = {
    "add_to_album": _add_to_album,
    "remove_from_album": _remove_from_album,
    "add_tags": _add_tags,
    "remove_tags": _remove_tags,
    "set_visibility": _set_visibility,
    "favourite": _favourite,
    "unfavourite": _unfavourite,
    "archive": _stamp("archived_at"),
    "unarchive": _unstamp("archived_at"),
    "trash": _stamp("deleted_at"),
    "restore": _restore,
    "purge": _purge,
    "reencode": _reencode,
    "rate": _rate,
    "set_title": _set_title,
    "set_date": _set_date,
    "shift_date": _shift_date,
    "rotate": _rotate,
    "to_original": _to_original,
}
# Actions on pictures in the trash. All others are for pictures outside of it.
IN_TRASH = {"restore", "purge"}
