"""Dates in file names, as cameras, phones and programs write them.

A number counts as a date only if it stands alone and its parts form a valid date. Eight digits
also need a time after them, or WhatsApp's mark.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from gallery.library.clocks import Clock
from gallery.library.written_times import believable, of_utc

# The first year of dates without separators: before it, no program wrote such names.
_FIRST_DIGITAL = 1990

_SEPARATED = r"(?P<year>\d{4})(?P<mark>[-_.])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)"
_COMPACT = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
# "_", " ", "T" or "-", or a word as in "Screenshot 2015-06-07 at 8.09.10 PM".
_BETWEEN = r"(?:[-_ .,T]{1,3}|\s[^\d\s_]{1,4}\s)"
# Perhaps with thousandths, and with AM or PM after a space.
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
# Google's phones name files in UTC.
_IN_UTC = re.compile(r"PXL_\d{8}_\d{9}", re.ASCII)
# WeChat and Facebook name saved files by milliseconds since 1970.
_MOMENT = re.compile(r"(?:mmexport|wx_camera_|FB_IMG_)(?P<moment>1\d{12})(?!\d)", re.ASCII)


def read_name(name: str) -> Clock | None:
    """Return the date in a file name, or None."""
    # macOS writes a narrow no-break space before AM and PM.
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
