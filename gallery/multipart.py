"""Parses forms with files as real programs send them.

Django's parser loses information. It silently skips a part whose header is not UTF-8 or
declares an unknown encoding, and the last part of a truncated form. It treats a file without a
name as a field, replaces bytes that are not UTF-8 by U+FFFD, and changes names: `&amp;` becomes
`&`, and joiners disappear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import quote, unquote_to_bytes

from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict

from gallery import code_pages
from gallery.spelling import clean_name

# The name of a file that has none, or none after cleaning. Browsers use the same name.
NAMELESS = "blob"

# An encoding that decodes any bytes, and encodes them back unchanged.
_BYTES = "latin-1"
_END_OF_HEAD = b"\r\n\r\n"
# Django refuses a longer header of a part.
_MOST_HEAD = 8 * 1024
_FILE_NAME = re.compile(rb";\s*filename\*?\s*=", re.IGNORECASE)
_ENCODED_NAME = re.compile(r"""(filename\*\s*=\s*"?)([^'";]*)'[^'";]*'([^";]*)""", re.IGNORECASE)
_NO_NAME = re.compile(rb';\s*filename\s*=\s*(?:"\s*"|(?=;|\s*$))', re.IGNORECASE)
_DISPOSITION = re.compile(rb"content-disposition\s*:\s*form-data", re.IGNORECASE)
_TYPE = re.compile(rb"^content-type\s*:\s*(?!text/plain)\S", re.IGNORECASE | re.MULTILINE)


class FormParser(MultiPartParser):
    """Django's parser, but a file is always a file and keeps its name."""

    _encoding: str

    def __init__(self, META: Mapping[str, Any], input_data: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(META, input_data, *args, **kwargs)
        self._input_data = _Readable(input_data, self._boundary)  # type: ignore[attr-defined]

    def parse(self) -> tuple[Any, Any]:
        """Parse the form. Values that are not UTF-8 are decoded with the most likely code page."""
        if self._encoding.lower() not in ("utf-8", "utf8"):
            return super().parse()
        self._encoding = _BYTES
        fields, files = super().parse()
        values = QueryDict(mutable=True)
        for name, texts in fields.lists():
            values.setlist(_text(name), [_text(text) for text in texts])
        values._mutable = False
        return values, MultiValueDict({_text(name): sent for name, sent in files.lists()})

    def sanitize_file_name(self, file_name: str) -> str:
        """Remove folders and deceptive characters (gallery.spelling). Never returns ""."""
        is_bytes = self._encoding == _BYTES
        return clean_name(_text(file_name) if is_bytes else file_name) or NAMELESS


class _Readable:
    """The body of a form, rewritten so that the headers of all parts are UTF-8 and those of
    files have names."""

    def __init__(self, body: IO[bytes], boundary: bytes) -> None:
        self._body = body
        self._delimiter = b"--" + boundary
        self._rest = b""
        self._is_in_head = False
        self._is_over = False
        self._is_closed = True

    def read(self, size: int) -> bytes:
        """Return some bytes, perhaps a few more than `size`; none at the end."""
        while True:
            if not self._is_over:
                piece = self._body.read(size)
                self._is_over = not piece
                self._rest += piece
            ready = b"".join(self._ready())
            if ready or self._is_over:
                return ready

    def _ready(self) -> list[bytes]:
        """The pieces that can be passed on before more is read."""
        ready = []
        while (part := self._head() if self._is_in_head else self._content()) is not None:
            ready.append(part)
        if self._is_over:
            if not self._is_closed:
                raise MultiPartParserError("it breaks off")
            ready.append(self._rest)
            self._rest = b""
        return ready

    def _content(self) -> bytes | None:
        """The content up to and including the next delimiter, or all that cannot be the
        beginning of a delimiter."""
        start = self._rest.find(self._delimiter)
        if start >= 0:
            self._is_in_head, self._is_closed = True, False
            return self._take(start + len(self._delimiter))
        sure = len(self._rest) - len(self._delimiter) + 1
        return self._take(sure) if sure > 0 else None

    def _head(self) -> bytes | None:
        """The header of a part, once it is known whether any content follows."""
        self._is_closed = self._is_closed or self._rest.startswith(b"--")
        end = self._rest.find(_END_OF_HEAD)
        following = end + len(_END_OF_HEAD)
        whole = following + len(b"\r\n") + len(self._delimiter)
        if end < 0 and len(self._rest) <= _MOST_HEAD:
            return None
        self._is_in_head = False
        if end < 0:
            return self._take(len(self._rest))
        if len(self._rest) < whole and not self._is_over:
            self._is_in_head = True
            return None
        content = self._rest[following:whole].removeprefix(b"\r\n")
        head = self._take(following)
        return _readable(head, is_empty=content.startswith(self._delimiter))

    def _take(self, size: int) -> bytes:
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _readable(head: bytes, *, is_empty: bool) -> bytes:
    """Convert each line of a part's header from its most likely code page to UTF-8, and add a
    name if the part is a file with content."""
    lines = head.split(b"\r\n")
    is_typed = any(_TYPE.match(line) for line in lines)
    return b"\r\n".join(_line(line, is_typed and not is_empty) for line in lines)


def _line(line: bytes, is_file: bool) -> bytes:
    (text,) = code_pages.decoded([line])
    line = _ENCODED_NAME.sub(_in_utf8, text).encode(errors="replace")
    if not (is_file and _DISPOSITION.match(line)):
        return line
    line = _NO_NAME.sub(b"", line)
    return line if _FILE_NAME.search(line) else line + f'; filename="{NAMELESS}"'.encode()


def _in_utf8(found: re.Match[str]) -> str:
    """Convert a name in the syntax of RFC 5987 to UTF-8. Its declared charset may be wrong."""
    begin, charset, name = found.groups()
    content = unquote_to_bytes(name)
    try:
        text = content.decode(charset)
    except (LookupError, ValueError):
        (text,) = code_pages.decoded([content])
    return f"{begin}UTF-8''{quote(text, safe='', errors='replace')}"


def _text(written: str) -> str:
    """Decode text that was read as _BYTES."""
    content = written.encode(_BYTES)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return code_pages.decoded([content])[0]
