"""A file made of pieces of another one, which is neither copied nor changed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, NamedTuple


class Piece(NamedTuple):
    """`length` bytes of the other file, from `start` on."""

    start: int
    length: int


class Spliced:
    """Reads pieces of the source, and given bytes, one after the other."""

    def __init__(self, source: IO[bytes], pieces: Iterable[Piece | bytes]) -> None:
        self._source = source
        self._pieces = _joined(pieces)
        self._starts = [0]
        for piece in self._pieces:
            self._starts.append(self._starts[-1] + _length(piece))
        self._at = 0
        self._current = 0

    def read(self, size: int | None = -1) -> bytes:
        end = self._starts[-1]
        left = end - self._at if size is None or size < 0 else min(size, end - self._at)
        found = []
        while left > 0:
            while self._at >= self._starts[self._current + 1]:
                self._current += 1
            piece, skip = self._pieces[self._current], self._at - self._starts[self._current]
            most = min(left, _length(piece) - skip)
            if isinstance(piece, Piece):
                self._source.seek(piece.start + skip)
                data = self._source.read(most)
            else:
                data = piece[skip : skip + most]
            if not data:  # the file has become shorter
                break
            found.append(data)
            self._at += len(data)
            left -= len(data)
        return found[0] if len(found) == 1 else b"".join(found)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = max(0, base + offset)
        self._current = 0
        return self._at

    def tell(self) -> int:
        return self._at


def _joined(pieces: Iterable[Piece | bytes]) -> list[Piece | bytes]:
    """Join adjacent pieces, and leave out empty ones."""
    joined: list[Piece | bytes] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if isinstance(piece, Piece) and isinstance(last, Piece) and sum(last) == piece.start:
            joined[-1] = Piece(last.start, last.length + piece.length)
        elif _length(piece):
            joined.append(piece)
    return joined


def _length(piece: Piece | bytes) -> int:
    return piece.length if isinstance(piece, Piece) else len(piece)


def size_of(file: IO[bytes]) -> int:
    return file.seek(0, os.SEEK_END)
