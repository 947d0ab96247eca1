"""Data sets of IPTC-IIM. Source: IPTC-NAA Information Interchange Model, version 4.2, 1.5."""

from __future__ import annotations

from collections.abc import Mapping

_MARK = 0x1C
# Data sets of record 2: date and time of creation, date and time of digitisation.
CREATED, CREATED_TIME, DIGITISED, DIGITISED_TIME = 55, 60, 62, 63


def read_application_record(data: bytes) -> Mapping[int, str]:
    """Return the data sets of record 2 by number, the first of each."""
    found: dict[int, str] = {}
    at = 0
    while at + 5 <= len(data) and data[at] == _MARK:
        record, number = data[at + 1], data[at + 2]
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        at += 5
        if length & 0x8000:  # an extended data set: this is the length of its length
            wide = length & 0x7FFF
            length = int.from_bytes(data[at : at + wide], "big")
            at += wide
        if record == 2:
            found.setdefault(number, data[at : at + min(length, 100)].decode("latin-1"))
        at += length
    return found
