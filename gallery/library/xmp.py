"""The properties of a packet of XMP that say when a picture was taken.

A packet is XML from outside: nothing is looked up, no entity is put in place of another,
and one with a document type is not read. Source: ISO 16684-1 (XMP), 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_DESCRIPTION, _ROOT = f"{_RDF} Description", f"{_RDF} RDF"
_EXIF, _XMP = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/xap/1.0/"
_PROPERTIES = {
    f"{_EXIF} DateTimeOriginal": "exif:DateTimeOriginal",
    f"{_EXIF} DateTimeDigitized": "exif:DateTimeDigitized",
    "http://ns.adobe.com/photoshop/1.0/ DateCreated": "photoshop:DateCreated",
    f"{_XMP} CreateDate": "xmp:CreateDate",
}
_MOST_TEXT = 100


class _Refused(Exception):
    """A document type, or more levels than any packet has."""


def read_properties(packet: bytes) -> dict[str, str]:
    """By their usual names, the first of each, written as attributes or as elements. Of a
    packet that is broken those before the fault; of one with a document type none."""
    reader = _Reader()
    try:
        reader.parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    except _Refused:
        return {}
    except (expat.ExpatError, LookupError, ValueError):  # the last two: unknown encodings
        pass
    return reader.found


class _Reader:
    """Only properties of the picture itself count: those of a description right below the
    root. What a packet tells of others, such as what it was made from, lies deeper."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._inside: str | None = None
        self._text: list[str] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = _refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == _DESCRIPTION and self._path[-1:] == [_ROOT]:
            for attribute, value in attributes.items():
                self._keep(attribute, value)
        if self._path[-2:] == [_ROOT, _DESCRIPTION] and name in _PROPERTIES:
            self._inside, self._text = name, []
        self._path.append(name)
        if len(self._path) > 100:
            raise _Refused

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == self._inside and self._path[-2:] == [_ROOT, _DESCRIPTION]:
            self._keep(name, "".join(self._text))
            self._inside = None

    def _characters(self, text: str) -> None:
        if self._inside and len(self._text) < _MOST_TEXT:
            self._text.append(text[:_MOST_TEXT])

    def _keep(self, name: str, value: str) -> None:
        if name in _PROPERTIES and value.strip():
            self.found.setdefault(_PROPERTIES[name], value.strip()[:_MOST_TEXT])


def _refuse(*_told: Any) -> None:
    raise _Refused
