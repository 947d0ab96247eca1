"""Dates and times as programs write them into files, read as local times.

In digits, the year must come first: 03/04/2010 is ambiguous and not read.

Sources: Exif 3.0, 4.6.6; ISO 8601; RFC 5322, 3.3; IPTC-IIM 4.2; PNG (third edition), 11.3.3.1.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz

from django.utils import timezone

from gallery.library.clocks import Clock

FIRST_PHOTOGRAPH = 1826
# The time of a clock that was never set, and of a zero that a program wrote.
_NEVER_SET = datetime(1970, 1, 1)
# Offsets go from UTC-12 to UTC+14; historical ones went a little further.
_MOST_OFFSET = timedelta(hours=16)

_SEPARATED = r"(?P<year>\d{4})[-:/.](?P<month>\d{1,2})[-:/.](?P<day>\d{1,2})"
_COMPACT = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
_TIME = (
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
)
_COMPACT_TIME = r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?:[.,](?P<part>\d{1,9}))?"
_ZONE = r"(?:\s*(?P<zone>Z|z|UTC|GMT|[-+]\d\d(?::?\d\d)?))?"
_BETWEEN = r"(?:[Tt_,\s]|\s*,?\s+)"
_SHAPES = [
    re.compile(rf"{day}(?:{_BETWEEN}{time}{_ZONE})?", re.ASCII)
    for day, time in [(_SEPARATED, _TIME), (_COMPACT, _COMPACT_TIME), (_COMPACT, _TIME)]
]
# "2010: 5: 1  9: 3: 0", as some cameras write it.
_BLANK = re.compile(r"(?<=[-:/.]) (?=\d)", re.ASCII)
_OFFSET = re.compile(r"([-+])(\d\d):?(\d\d)?", re.ASCII)
# For dates of emails. "-0000" means that the zone is unknown.
_LETTERS = re.compile(r"[A-Za-z]{3}")
_EMAIL_ZONE = re.compile(r"(?:GMT|UTC?|[ECMP][SD]T|\+\d{4}|-(?!0000)\d{4})\b", re.ASCII)


def read(text: str, offset: str = "") -> Clock | None:
    """Read a date, with or without a time, between the first photograph and tomorrow; None if
    there is none. `offset`, like "+08:00", comes from another field; an offset in the text
    takes precedence. A date without a time means the first moment of the day."""
    text = _BLANK.sub("0", text.strip())
    for shape in _SHAPES:
        if match := shape.fullmatch(text):
            return _of_parts(match.groupdict(), offset)
    return _of_email(text)


def of_utc(moment: datetime) -> Clock | None:
    """Return a moment in UTC (naive) as local time of the site, for sources without an
    offset."""
    try:
        return believable(Clock(timezone.make_naive(moment.replace(tzinfo=UTC))))
    except (ValueError, OverflowError):
        return None


def read_offset(text: str) -> timedelta | None:
    """Return an offset from UTC, or None if `text` has none, like the "   :  " of cameras that
    do not know it."""
    text = text.strip()
    if text in ("Z", "z", "UTC", "GMT"):
        return timedelta(0)
    match = _OFFSET.fullmatch(text)
    if match is None or int(match[3] or 0) > 59:
        return None
    offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    if offset > _MOST_OFFSET:
        return None
    return -offset if match[1] == "-" else offset


def believable(clock: Clock) -> Clock | None:
    """Return `clock`, or None if no photograph can have been taken then."""
    if clock.time.year < FIRST_PHOTOGRAPH or clock.time == _NEVER_SET:
        return None
    try:
        # A day of grace: the camera's clock may run in another zone.
        is_past = clock.moment < timezone.now() + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return clock if is_past else None


def _of_parts(parts: dict[str, str | None], offset: str) -> Clock | None:
    hour = int(parts.get("hour") or 0)
    if half := parts.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    second = int(parts.get("second") or 0)
    try:
        time = datetime(
            int(parts["year"] or 0),
            int(parts["month"] or 0),
            int(parts["day"] or 0),
            hour,
            int(parts.get("minute") or 0),
            59 if second == 60 else second,  # a leap second
            int((parts.get("part") or "").ljust(6, "0")[:6]),
        )
    except ValueError:
        return None
    zone = parts.get("zone")
    return believable(Clock(time, read_offset(zone) if zone else read_offset(offset)))


def _of_email(text: str) -> Clock | None:
    """Read a date like "Sat, 01 May 2010 12:00:00 +0200", as in emails, or as C's asctime
    writes it."""
    parsed = parsedate_tz(text[:64]) if _LETTERS.search(text) else None
    if parsed is None:
        return None
    offset = timedelta(seconds=parsed[9] or 0)
    known = _EMAIL_ZONE.search(text) is not None and abs(offset) <= _MOST_OFFSET
    try:
        return believable(Clock(datetime(*parsed[:6]), offset if known else None))
    except ValueError:
        return None
