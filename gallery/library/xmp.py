"""The properties of an XMP packet that say when a picture was taken, and its stars.

A packet is untrusted XML: nothing external is loaded, entities are not expanded, and a packet
with a document type is not read. Source: ISO 16684-1 (XMP), 7.
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
    f"{_XMP} Rating": "xmp:Rating",
}
_MOST_TEXT = 100


class _Refused(Exception):
    """The packet has a document type, or more levels than any real one."""


def read_properties(packet: bytes) -> dict[str, str]:
    """Return the properties by their usual names, the first value of each, whether written as
    attributes or as elements. A broken packet yields those before the fault, a refused one
    none."""
    reader = _Reader()
    try:
        reader.parser.Parse(packet.strip(b"\0 \t\r\n"), True)
    except _Refused:
        return {}
    except (expat.ExpatError, LookupError, ValueError):  # the last two: unknown encodings
        pass
    return reader.found


class _Reader:
    """Collects the properties of the picture itself: those of a description right below the
    root. Properties of other pictures, such as its source, lie deeper."""

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


def _refuse(*_arguments: Any) -> None:
    raise _Refused
