"""Times on the spot, and how a picture keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import timezone as fixed
from typing import Any

from django.utils import timezone

from gallery.models.clock import ahead_of_utc


@dataclass(frozen=True)
class Clock:
    """What clocks showed on the spot (naive), and by how much they were ahead of UTC, where
    that is known."""

    time: datetime
    offset: timedelta | None = None

    @property
    def moment(self) -> datetime:
        """In UTC; by the clocks of the site where the offset is not known. Raises
        OverflowError at the ends of all years."""
        if self.offset is not None:
            return (self.time - self.offset).replace(tzinfo=UTC)
        return timezone.make_aware(self.time).astimezone(UTC)


def time_fields(taken: Clock | None, uploaded: datetime | None = None) -> dict[str, Any]:
    """The fields of `Image` that say when a picture was taken. Where that is not known the
    clocks of the site count, at the time of the upload (now)."""
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
    """By how much clocks are ahead of UTC, as "+05:30"; None where that is not known."""
    return None if offset is None else datetime.min.replace(tzinfo=fixed(offset)).isoformat()[19:]


def told(time: datetime, offset: timedelta | None, zone: tzinfo | None = None) -> str:
    """A time on the spot in ISO's form, of which its clocks come first: with its offset, or
    with that of the clocks of the site where it is not known, or not to be told. `zone` is
    that of the site, for who has looked it up."""
    if offset is None:
        return in_iso_form(timezone.make_aware(time, zone))
    return in_iso_form(time.replace(tzinfo=fixed(offset)))


def in_iso_form(moment: datetime) -> str:
    """As REST framework writes it."""
    text = moment.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text
