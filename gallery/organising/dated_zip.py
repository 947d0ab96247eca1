"""A ZIP file that is made while it is sent, with given dates of its entries."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from zipstream import ZipStream

# The range of an entry's date and time. Source: PKWARE, APPNOTE 6.3.10, 4.4.6.
_FIRST, _LAST = datetime(1980, 1, 1), datetime(2107, 12, 31, 23, 59, 58)
_PLACE = 10


class DatedZip(ZipStream):
    """zipstream gives entries that are not files on the disk the current time. The times of
    entries have no zone: here they are local times."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._dates: dict[str, datetime] = {}

    def add_dated(self, content: Any, name: str, when: datetime, size: int | None = None) -> None:
        """Add an entry with the date `when`, which is naive."""
        self._dates[name] = min(max(when, _FIRST), _LAST)
        self.add(content, name, size=size)

    def _gen_file_entry(self, **entry: Any) -> Iterator[bytes]:
        pieces = super()._gen_file_entry(**entry)
        when = self._dates.pop(entry["arcname"], None)
        if when is None:
            yield from pieces
            return
        head = bytearray(next(pieces))
        day = (when.year - 1980) << 9 | when.month << 5 | when.day
        time = when.hour << 11 | when.minute << 5 | when.second // 2
        struct.pack_into("<HH", head, _PLACE, time, day)
        yield bytes(head)
        yield from pieces
        self._filelist[-1].date_time = when.timetuple()[:6]  # for the central directory
