"""What is done to the pixels of one file: jobs for `isolation.run`, and what they cost."""

from __future__ import annotations

import io
from typing import IO

from PIL import Image

from gallery.pixels import endings, isolation, png
from gallery.pixels.decode import (
    MAX_RATIO,
    MIN_SHORT_SIDE,
    decode,
    decode_part,
    decode_rgb,
    load,
    pack,
)
from gallery.pixels.header import Cost, Header, read_header

# To look at every byte of the pixels, a JPEG need not be decoded larger than that.
_LEAST = 8.0
_INCOMPLETE = b"incomplete"


def header_of(file: IO[bytes]) -> Header:
    """Of a picture that was accepted before. Raises Undecodable."""
    try:
        return read_header(file)
    except Exception as error:
        raise isolation.undecodable_unless_io(error) from error


def is_incomplete(file: IO[bytes], header: Header) -> bool:
    """Read the picture to its end, which is the only way to find damage. Returns whether
    the file breaks off, and the picture is kept for what is left of it.

    Raises as `isolation.run` does, Undecodable where nothing is left.
    """
    (answer,) = isolation.run(_verified, file, header.cost(_LEAST))
    return answer == _INCOMPLETE


def pixels_for_encoder(file: IO[bytes], header: Header) -> Image.Image:
    """See `decode.decode_rgb`. Raises as `isolation.run` does."""
    size, pixels = isolation.run(_rgb, file, cost_for_encoder(header))
    width, height = map(int, size.split())
    return Image.frombytes("RGB", (width, height), pixels)


def packed_for_encoder(file: IO[bytes], header: Header) -> bytes:
    """The same as it travels to the worker. Raises as `isolation.run` does."""
    (packed,) = isolation.run(_packed, file, cost_for_encoder(header))
    return packed


def cost_for_encoder(header: Header) -> Cost:
    short, long = sorted((header.width, header.height))
    return header.cost(short / MIN_SHORT_SIDE, share=min(1.0, MAX_RATIO * short / long))


def packed_part(file: IO[bytes], header: Header, part: tuple[float, float, float, float]) -> bytes:
    """See `decode.decode_part`. Raises as `isolation.run` does."""
    shrink = min(header.width, header.height) * min(part[2:]) / MIN_SHORT_SIDE
    (packed,) = isolation.run(_packed_part, file, header.cost(shrink), part=part)
    return packed


def small_jpeg(
    file: IO[bytes], header: Header, short_side: int, long_side: int, quality: int
) -> bytes:
    """An upright JPEG without metadata: its long side at most `long_side`, and no
    smaller on its short side than `short_side` unless that needs it. Raises as
    `isolation.run` does."""
    short, long = sorted((header.width, header.height))
    shrink = max(short / short_side, long / long_side)
    cost = header.cost(shrink)
    (jpeg,) = isolation.run(_jpeg, file, cost, shrink=shrink, long_side=long_side, quality=quality)
    return jpeg


# --- The jobs: they run in any process --------------------------------------------


def _verified(file: IO[bytes]) -> list[bytes]:
    incomplete = load(file, _LEAST).incomplete or endings.lacks_end(file)
    file.seek(0)
    if png.is_png(file.read(len(png.SIGNATURE))):
        png.check_sums(file)
    return [_INCOMPLETE if incomplete else b"whole"]


def _rgb(file: IO[bytes]) -> list[bytes]:
    image = decode_rgb(file)
    return [f"{image.width} {image.height}".encode(), image.tobytes()]


def _packed(file: IO[bytes]) -> list[bytes]:
    return [pack(decode_rgb(file))]


def _packed_part(file: IO[bytes], part: tuple[float, float, float, float]) -> list[bytes]:
    return [pack(decode_part(file, part))]


def _jpeg(file: IO[bytes], shrink: float, long_side: int, quality: int) -> list[bytes]:
    image = decode(file, shrink)
    image.thumbnail((long_side, long_side))
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return [buffer.getvalue()]
