"""The header of a picture, read before any pixel is decoded, and the cost of decoding.

The cost is computed from the header alone, never by trying. The figures are memory peaks
beyond the file itself, measured with Pillow 13.0, pillow-heif 1.8 and libvips 8.18 and rounded
up (docs/decisions/0022); `tests/pixels/test_pixels.py` compares them with the decoders.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from PIL import Image

from gallery.pixels import boxes, jpeg, keys, structure, webp
from gallery.pixels.opening import open_pixels, orientation_of
from gallery.pixels.spliced import Spliced

# Bytes that Pillow keeps for a pixel of each mode; four for all others.
_OF_MODE = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_RGB = 4

# A WebP file that is not plain VP8 is decoded to 4 bytes a pixel, whatever the scale. Decoder,
# libvips and Pillow each hold the result. Frames of an animation are drawn onto a canvas.
_WEBP_HELD, _WEBP_ANIMATED, _WEBP_OUT = 5, 10, 13
# Planes, their RGB copy, the copy that is handed over, and Pillow's own. Planes of more than 8
# bits are twice as large.
_AVIF, _AVIF_WITH_ALPHA, _AVIF_DEEP = 11, 14, 4
_HEIF, _HEIF_DEEP = 7.5, 14
# Frames of a GIF are drawn onto a canvas; a run-length encoded BMP is expanded before it is read.
_GIF, _BMP = 2, 5


class Cost(NamedTuple):
    """`bytes` at the peak, and `work`: how many pixels a decoder processes. `apart`: always
    decode in a separate process, since the decoder uses another header."""

    bytes: int
    work: int
    apart: bool = False


@dataclass(frozen=True)
class Header:
    """`width` and `height` are those of the upright picture; `scans` is how many times a decoder
    processes the pixels.

    Each pixel takes `held` bytes at any scale, and `decoded` bytes at the scale that the decoder
    delivers, which is smaller for formats with `scales`. `fixed` bytes come on top.
    """

    format: str
    width: int
    height: int
    held: float
    decoded: float
    is_rgb: bool
    scales: bool = False
    scans: int = 1
    fixed: int = 0

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def cost(self, shrink: float = 1.0, share: float = 1.0) -> Cost:
        """Return the cost of decoding with each side up to `shrink` times smaller, and of
        converting a `share` of the pixels to RGB (see `decode.decode`)."""
        shrink = max(1.0, shrink)
        scale = _scale(self.format, shrink) if self.scales else 1.0
        factor = max(1, int(shrink / scale + 1e-6))
        decoded = self.pixels / scale**2
        # RGB that needs no change is not copied.
        rgb = 0.0 if self.is_rgb and factor == 1 else _RGB * decoded * share / factor**2
        held = math.ceil(self.pixels * self.held + self.decoded * decoded + rgb)
        # AV1 data has a size of its own, which is not read here.
        return Cost(held + self.fixed, self.pixels * self.scans, apart=self.format == "AVIF")


def read_header(file: IO[bytes]) -> Header:
    """Read the header. Raises what Pillow raises for a damaged file, and for one that is not a
    picture in an accepted format."""
    structure.check(file)
    image = open_pixels(file)
    width, height = image.size
    # Pillow itself turns TIFF upright, and already gives the upright size here.
    if image.format != "TIFF" and orientation_of(image, file) >= 5:
        width, height = height, width
    read = _READERS.get(image.format or "", _plain)
    return read(image, file, width, height)


def _scale(format_: str, shrink: float) -> float:
    """Return how many times smaller the decoder itself makes each side."""
    if format_ == "WEBP":
        return shrink
    return 2.0 ** min(3, int(math.log2(shrink)))


# --- Formats ----------------------------------------------------------------------


def _plain(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    decoded = _OF_MODE.get(image.mode, 4)
    # 16-bit colours with a transparent one are decoded twice.
    decoded *= 2 if keys.has_deep_key(image) else 1
    return Header(image.format or "", width, height, 0, decoded, _is_rgb(image))


def _jpeg(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    """A JPEG of several scans is held as coefficients of two bytes each until the last scan."""
    scans, components = _scans_of(file)
    layers = [(across, down) for _id, across, down, _table in getattr(image, "layer", [])]
    several = components < len(layers) or "progressive" in image.info
    across = max((layer[0] for layer in layers), default=1) or 1
    down = max((layer[1] for layer in layers), default=1) or 1
    samples = sum(layer[0] * layer[1] / (across * down) for layer in layers)
    return Header(
        image.format or "",
        width,
        height,
        held=2 * samples if several else 0,
        decoded=_OF_MODE.get(image.mode, 4),
        is_rgb=_is_rgb(image),
        scales=True,
        scans=scans if several else 1,
    )


def _webp(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    file.seek(0)
    head = file.read(webp.HEAD)
    held = _WEBP_HELD
    if head[12:16] == b"VP8 ":
        held = 0
    elif head[12:16] == b"VP8X" and head[20] & 2:
        held = _WEBP_ANIMATED
    return Header("WEBP", width, height, held, _WEBP_OUT, image.mode == "RGB", scales=True)


def _avif(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    decoded = _AVIF if image.mode in ("L", "RGB") else _AVIF_WITH_ALPHA
    if boxes.is_deep_av1(file):
        decoded += _AVIF_DEEP
    return Header("AVIF", width, height, 0, decoded, _is_rgb(image))


def _heif(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    is_deep = image.info.get("bit_depth", 8) > 8 or image.mode != "RGB"
    return Header("HEIF", width, height, 0, _HEIF_DEEP if is_deep else _HEIF, _is_rgb(image))


def _gif(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    return Header("GIF", width, height, 0, _GIF, is_rgb=False)


def _bmp(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    return Header("BMP", width, height, 0, _BMP, _is_rgb(image))


def _tiff(image: Image.Image, file: IO[bytes], width: int, height: int) -> Header:
    """Besides the pixels, the decoder holds one strip or tile, both compressed and decompressed.
    The file declares its size. JPEG strips may hold coefficients."""
    tags = image.tag_v2  # type: ignore[attr-defined]
    samples = _number(tags.get(277), 1)
    bits = max(8, *_numbers(tags.get(258), 8))
    across = _number(tags.get(322), image.width)
    down = _number(tags.get(323), min(_number(tags.get(278), image.height), image.height))
    compression = _number(tags.get(259), 1)
    # Pillow turns all pixels upright into a second picture.
    pictures = 1 if _number(tags.get(274), 1) == 1 else 2
    copies = {1: 0, 6: 6, 7: 6}.get(compression, 2)
    return Header(
        "TIFF",
        width,
        height,
        held=0,
        decoded=pictures * _OF_MODE.get(image.mode, 4),
        is_rgb=_is_rgb(image),
        fixed=math.ceil(copies * across * down * samples * bits / 8),
    )


_READERS = {
    "JPEG": _jpeg,
    "WEBP": _webp,
    "AVIF": _avif,
    "HEIF": _heif,
    "GIF": _gif,
    "BMP": _bmp,
    "TIFF": _tiff,
}


def _is_rgb(image: Image.Image) -> bool:
    return image.mode == "RGB" and not image.has_transparency_data and not keys.has_deep_key(image)


def _number(value: Any, default: int) -> int:
    return _numbers(value, default)[0]


def _numbers(value: Any, default: int) -> list[int]:
    """Return the numbers of a TIFF tag, or the default for one that is missing, empty or of a
    type that makes no sense."""
    try:
        numbers = [abs(int(one)) for one in (value if isinstance(value, tuple) else (value,))]
    except (TypeError, ValueError, OverflowError):
        return [default]
    return numbers or [default]


# --- The scans of a JPEG ----------------------------------------------------------


def _scans_of(file: IO[bytes]) -> tuple[int, int]:
    """Return how many scans a JPEG has, with those of pictures behind the first, and how many
    components its first scan has."""
    components = 1
    for segment in jpeg.segments(file):
        if segment.marker == jpeg.SOS:
            file.seek(segment.start + 4)
            components = (file.read(1) or b"\1")[0]
    return _count(jpeg.pixels_alone(file), bytes((0xFF, jpeg.SOS))), components


def _count(file: Spliced, pattern: bytes) -> int:
    file.seek(0)
    found, kept = 0, b""
    while piece := file.read(io.DEFAULT_BUFFER_SIZE * 128):
        found += (kept + piece).count(pattern)
        kept = piece[-(len(pattern) - 1) :]
    return found
