"""Local times at the place where a picture was taken, and the fields that store them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from typing import Any

from django.utils import timezone

from gallery.models.clock import ahead_of_utc


@dataclass(frozen=True)
class Clock:
    """The local time (naive) where a picture was taken, and its offset from UTC if known."""

    time: datetime
    offset: timedelta | None = None

    @property
    def moment(self) -> datetime:
        """The time in UTC. Without an offset it counts as the site's local time. Raises
        OverflowError next to the first and the last year of `datetime`."""
        if self.offset is not None:
            return (self.time - self.offset).replace(tzinfo=UTC)
        return timezone.make_aware(self.time).astimezone(UTC)


def time_fields(taken: Clock | None, uploaded: datetime | None = None) -> dict[str, Any]:
    """Return the fields of `Image` that say when a picture was taken. If that is unknown, they
    hold the site's offset at the time of the upload (default: now)."""
    if taken is None:
        return {
            "captured_at": None,
            "ahead_of_utc": ahead_of_utc(uploaded),
            "is_offset_known": False,
        }
    moment = taken.moment
    return {
        "captured_at": moment,
        "ahead_of_utc": round((taken.time.replace(tzinfo=UTC) - moment).total_seconds()),
        "is_offset_known": taken.offset is not None,
    }


def offset_text(offset: timedelta | None) -> str | None:
    """Return an offset from UTC like "+05:30", or None if it is unknown."""
    return None if offset is None else datetime.min.replace(tzinfo=fixed(offset)).isoformat()[19:]


def told(time: datetime, offset: timedelta | None, zone: tzinfo | None = None) -> str:
    """Return a local time in ISO format: with its own offset, or with the site's if that is
    unknown or must not be shown. `zone` is the site's zone, if the caller has looked it up."""
    if offset is None:
        return in_iso_form(timezone.make_aware(time, zone))
    return in_iso_form(time.replace(tzinfo=fixed(offset)))


def in_iso_form(moment: datetime) -> str:
    """Return the ISO format as REST framework writes it, with "Z" for UTC."""
    text = moment.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
