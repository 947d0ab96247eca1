"""When a picture was taken, from all sources in its file.

They count in this order (docs/decisions/0028): the date of the photograph, the date of its
digitisation, the GPS time, the date in the file name, and last the date of change, if a camera
wrote nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

from PIL.ExifTags import GPS, Base

from gallery.library import iptc
from gallery.library.clocks import Clock
from gallery.library.exif_values import Tags, number, text
from gallery.library.name_times import read_name
from gallery.library.written_times import of_utc, read
from gallery.library.xmp import read_properties
from gallery.pixels.blocks import Blocks

# The first keyword is PNG's own; ImageMagick copies EXIF into the second one. "date:create"
# and "date:modify" are not used, since they are dates of a file; nor is the chunk tIME, which
# is the date of the last change.
_OF_PNG = ("creation time", "exif:datetimeoriginal")


def taken(main: Tags, photo: Tags, gps: Tags, blocks: Blocks, name: str = "") -> Clock | None:
    """Return when a picture was taken, or None. `main`, `photo` and `gps` are the directories of
    EXIF; `name` is the file name."""
    written = list(_written(main, photo, blocks))
    if written:
        return _completed(written[0], written[1:])
    changed = text(main.get(Base.DateTime)) if main.get(Base.Make) or main.get(Base.Model) else ""
    return _by_satellite(gps) or read_name(name) or read(changed)


def _written(main: Tags, photo: Tags, blocks: Blocks) -> Iterator[Clock]:
    xmp, of_iptc = read_properties(blocks.xmp), iptc.read_application_record(blocks.iptc)
    candidates = (
        _of_exif(photo, Base.DateTimeOriginal, Base.OffsetTimeOriginal, Base.SubsecTimeOriginal),
        _of_exif(main, Base.DateTimeOriginal, Base.OffsetTimeOriginal, Base.SubsecTimeOriginal),
        read(xmp.get("exif:DateTimeOriginal", "")),
        read(xmp.get("photoshop:DateCreated", "")),
        _of_iptc(of_iptc, iptc.CREATED, iptc.CREATED_TIME),
        *(read(blocks.texts.get(keyword, "")) for keyword in _OF_PNG),
        _of_exif(photo, Base.DateTimeDigitized, Base.OffsetTimeDigitized, Base.SubsecTimeDigitized),
        read(xmp.get("exif:DateTimeDigitized", "")),
        read(xmp.get("xmp:CreateDate", "")),
        _of_iptc(of_iptc, iptc.DIGITISED, iptc.DIGITISED_TIME),
    )
    yield from (clock for clock in candidates if clock is not None)


def _completed(clock: Clock, others: Sequence[Clock]) -> Clock:
    """Complete a clock from the others: with a time on the same day if it has only a date, and
    with the offset of the same time. XMP often has the offset that EXIF lacks."""
    if clock.time.time() == time.min:
        day = (other for other in others if other.time.date() == clock.time.date())
        clock = next((other for other in day if other.time.time() != time.min), clock)
    if clock.offset is None:
        second = clock.time.replace(microsecond=0)
        same = (other for other in others if other.time.replace(microsecond=0) == second)
        known = (other.offset for other in same if other.offset is not None)
        return replace(clock, offset=next(known, None))
    return clock


def _of_exif(tags: Tags, when: int, offset: int, part: int) -> Clock | None:
    clock = read(text(tags.get(when)), text(tags.get(offset)))
    digits = text(tags.get(part)).strip()
    if clock is None or clock.time.microsecond or not (digits.isascii() and digits.isdigit()):
        return clock
    return replace(clock, time=clock.time.replace(microsecond=int(digits.ljust(6, "0")[:6])))


def _of_iptc(sets: Mapping[int, str], date: int, of_day: int) -> Clock | None:
    """Read a date like "20100501" and a time like "120000+0200"; the date alone if the time
    is not valid."""
    day = sets.get(date, "")
    return read(f"{day} {sets.get(of_day, '')}") or read(day)


def _by_satellite(gps: Tags) -> Clock | None:
    """Return the date and time of a GPS fix, which are in UTC."""
    day = read(text(gps.get(GPS.GPSDateStamp)))
    parts: Any = gps.get(GPS.GPSTimeStamp)
    if day is None:
        return None
    numbers = [number(part) for part in parts] if isinstance(parts, tuple) else []
    hours, minutes, seconds = (*(part or 0.0 for part in numbers), 0.0, 0.0, 0.0)[:3]
    start = datetime(day.time.year, day.time.month, day.time.day)
    passed = timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
    return of_utc(start + passed) if timedelta(0) <= passed < timedelta(days=1) else of_utc(start)
