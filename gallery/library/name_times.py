"""Dates in the names of files, as cameras, phones and programs write them.

A number is a date only where it stands alone and its parts could be one: eight digits need
a time behind them, or the mark of WhatsApp.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gallery.library.clocks import Clock
from gallery.library.written_times import believable, of_utc

# Numbers without separators that are older are no dates: there was nothing that wrote them.
_FIRST_DIGITAL = 1990

_SEPARATED = r"(?P<year>\d{4})(?P<mark>[-_.])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
_COMPACT = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
# "_", " ", "T" or "-", or a word as in "Screenshot 2015-06-07 at 8.09.10 PM".
_BETWEEN = r"(?:[-_ .,T]{1,3}|\s[^\d\s_]{1,4}\s)"
# With thousandths, and the narrow blank that macOS writes before AM and PM.
_TIME = (
    r"(?P<hour>\d{1,2})(?P<point>[-_.:])(?P<minute>\d\d)(?P=point)(?P<second>\d\d)"
    r"(?:[-_.](?P<part>\d{3}))?(?!\d)(?:\s?(?P<half>[AaPp])[Mm]\b)?"
)
_CHINESE = r"(?P<year>\d{4})年(?P<month>\d{1,2})月(?P<day>\d{1,2})日"
_CHINESE_TIME = r"\s?(?P<hour>\d{1,2})[时時点點](?P<minute>\d{1,2})分(?:(?P<second>\d{1,2})秒)?"
_COMPACT_TIME = r"(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?P<part>\d{3})?(?!\d)"

_SHAPES = [
    re.compile(rf"(?<!\d){shape}", re.ASCII)
    for shape in (
        _SEPARATED + _BETWEEN + _TIME,
        _SEPARATED + _BETWEEN + _COMPACT_TIME,
        _COMPACT + _BETWEEN + _TIME,
        _COMPACT + _BETWEEN + _COMPACT_TIME,
        _COMPACT + _COMPACT_TIME,
        _COMPACT + r"(?=-WA\d)",
        _SEPARATED + r"(?![-_.]?\d)",
        _CHINESE + _CHINESE_TIME,
        _CHINESE,
    )
]
# Phones of Google, whose names are in UTC.
_IN_UTC = re.compile(r"PXL_\d{8}_\d{9}", re.ASCII)
# WeChat and Facebook name what they save by the milliseconds since 1970.
_MOMENT = re.compile(r"(?:mmexport|wx_camera_|FB_IMG_)(?P<moment>1\d{12})(?!\d)", re.ASCII)


def read_name(name: str) -> Clock | None:
    """The date that the name of a file tells; None where it tells none."""
    name = name.replace("\u202f", " ").replace("\xa0", " ")[-255:]
    if named := _MOMENT.match(name):
        moment = datetime.fromtimestamp(int(named["moment"]) / 1000, UTC)
        return of_utc(moment.replace(tzinfo=None))
    for shape in _SHAPES:
        for match in shape.finditer(name):
            if time := _time(match.groupdict()):
                return of_utc(time) if _IN_UTC.match(name) else believable(Clock(time))
    return None


def _time(parts: dict[str, str | None]) -> datetime | None:
    year, hour = int(parts["year"] or 0), int(parts.get("hour") or 0)
    if half := parts.get("half"):
        hour = hour % 12 + (12 if half in "Pp" else 0)
    if not parts.get("mark") and year < _FIRST_DIGITAL:
        return None
    try:
        return datetime(
            year,
            int(parts["month"] or 0),
            int(parts["day"] or 0),
            hour,
            int(parts.get("minute") or 0),
            int(parts.get("second") or 0),
            int(parts.get("part") or 0) * 1000,
        )
    except ValueError:
        return None
