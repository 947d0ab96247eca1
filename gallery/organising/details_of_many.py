"""Dates, titles and stars of many pictures of one owner, in the caller's transaction.

Each change returns rows for its undo: ids, former values, new values. The undo restores values that
are still as the act left them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.library import texts
from gallery.library.clocks import Clock, time_fields
from gallery.models import Image
from gallery.organising.details import clock_of

MOST_STARS = 5
# Stands for the number of a picture in a title for many.
NUMBER = "{n}"
# The time of pictures that get a day and had no time.
NOON = time(12)
# A shift by more than this is a slip of the keyboard.
MOST_SHIFT = timedelta(days=366 * 200)

_TIME_FIELDS = ("captured_at", "ahead_of_utc", "is_offset_known")
_BATCH = 1000

Rows = list[list[Any]]


def clean_rating(stars: Any) -> int:
    """Return stars from 0, for none, to 5. Raises Refusal (bad_rating)."""
    if isinstance(stars, int) and not isinstance(stars, bool) and 0 <= stars <= MOST_STARS:
        return stars
    raise Refusal("bad_rating", _("Give from 0 to 5 stars."), "rating")


def rate(image_ids: Sequence[UUID], stars: int) -> Rows:
    rows = [
        [str(image.pk), image.rating, stars]
        for image in _locked(image_ids, "rating")
        if image.rating != stars
    ]
    changed = Image.objects.filter(pk__in=[pk for pk, _former, _now in rows])
    changed.update(rating=stars, updated_at=timezone.now())
    return rows


def set_titles(image_ids: Sequence[UUID], title: str) -> Rows:
    """Give all the same title or, with NUMBER in it, one number each, the earliest picture first.
    Raises Refusal (title_too_long)."""
    images = sorted(_locked(image_ids, "title", "taken_at"), key=lambda i: (i.taken_at, i.pk))
    rows = []
    for number, image in enumerate(images, 1):
        wanted = texts.clean_title(title.replace(NUMBER, str(number)))
        if wanted != image.title:
            rows.append([str(image.pk), image.title, wanted])
    _write_titles([(UUID(pk), now) for pk, _former, now in rows])
    return rows


def set_dates(image_ids: Sequence[UUID], given: datetime | None) -> Rows:
    """Set one local time, with its offset if known; None: unknown. A known offset stays if `given`
    has none. Raises Refusal (bad_captured_at)."""
    return _change_dates(image_ids, lambda image: clock_of(image, given))


def set_days(image_ids: Sequence[UUID], day: date) -> Rows:
    """Set the day and keep the time of day of each picture; noon for those without a date. Raises
    Refusal (bad_captured_at)."""

    def on_that_day(image: Image) -> Clock | None:
        known = image.captured_clock
        return clock_of(image, datetime.combine(day, known.time() if known else NOON), exactly=True)

    return _change_dates(image_ids, on_that_day)


def shift_dates(image_ids: Sequence[UUID], by: timedelta) -> Rows:
    """Move all local times by the same. Pictures without a date have had that of their upload, from
    which they move. Raises Refusal (bad_shift, bad_captured_at)."""
    if not by or abs(by) > MOST_SHIFT:
        raise Refusal(
            "bad_shift", _("Say by how many days, hours or minutes to move the dates."), "shift"
        )

    def moved(image: Image) -> Clock | None:
        return clock_of(image, image.taken_at + by, exactly=True)

    return _change_dates(image_ids, moved)


def _change_dates(image_ids: Sequence[UUID], wanted_of: Callable[[Image], Clock | None]) -> Rows:
    images, rows = [], []
    for image in _locked(image_ids, *_TIME_FIELDS, "taken_at", "created_at"):
        former = _times(image)
        for name, value in time_fields(wanted_of(image), image.created_at).items():
            setattr(image, name, value)
        if _times(image) != former:
            images.append(image)
            rows.append([str(image.pk), former, _times(image)])
    _save_times(images)
    return rows


def days_of(rows: Rows) -> tuple[date, date] | None:
    """Return the first and the last day to which a change of dates led, at the places where the
    pictures were taken. None if they have no date now."""
    days = [
        (datetime.fromisoformat(moment) + timedelta(seconds=ahead)).date()
        for _pk, _former, (moment, ahead, _is_offset_known) in rows
        if moment
    ]
    return (min(days), max(days)) if days else None


def _times(image: Image) -> list[Any]:
    moment = image.captured_at and image.captured_at.isoformat()
    return [moment, image.ahead_of_utc, image.is_offset_known]


# --- Undo -------------------------------------------------------------------------


def restore_ratings(rows: Rows, owner_id: int) -> int:
    return _restore_each(rows, owner_id, "rating")


def restore_titles(rows: Rows, owner_id: int) -> int:
    former = {UUID(pk): (before, now) for pk, before, now in rows}
    still = [
        image for image in _locked(list(former), "title", owner_id=owner_id)
        if image.title == former[image.pk][1]
    ]  # fmt: skip
    _write_titles([(image.pk, former[image.pk][0]) for image in still])
    return len(still)


def restore_dates(rows: Rows, owner_id: int) -> int:
    former = {UUID(pk): (before, now) for pk, before, now in rows}
    images = []
    for image in _locked(list(former), *_TIME_FIELDS, owner_id=owner_id):
        before, now = former[image.pk]
        if _times(image) == now:
            moment, image.ahead_of_utc, image.is_offset_known = before
            image.captured_at = moment and parse_datetime(moment)
            images.append(image)
    _save_times(images)
    return len(images)


def _restore_each(rows: Rows, owner_id: int, field: str) -> int:
    """Restore a field of which there are few values: one statement for each."""
    restored = 0
    for former, now in {(before, after) for _pk, before, after in rows}:
        ids = [pk for pk, before, after in rows if (before, after) == (former, now)]
        same = Image.objects.filter(pk__in=ids, owner_id=owner_id, **{field: now})
        restored += same.update(**{field: former, "updated_at": timezone.now()})
    return restored


# --- Rows -------------------------------------------------------------------------


def _locked(image_ids: Iterable[UUID], *fields: str, owner_id: int | None = None) -> list[Image]:
    found = Image.objects.filter(pk__in=list(image_ids)).order_by("pk").only(*fields)
    if owner_id is not None:
        found = found.filter(owner_id=owner_id)
    return list(found.select_for_update(no_key=True))


def _save_times(images: list[Image]) -> None:
    for image in images:
        image.updated_at = timezone.now()
    Image.objects.bulk_update(images, [*_TIME_FIELDS, "updated_at"], batch_size=_BATCH)


def _write_titles(titles: Sequence[tuple[UUID, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE gallery_image image SET title = fresh.title, updated_at = now()"
            " FROM unnest(%s::uuid[], %s::text[]) AS fresh (id, title) WHERE image.id = fresh.id",
            [[pk for pk, _title in titles], [title for _pk, title in titles]],
        )
