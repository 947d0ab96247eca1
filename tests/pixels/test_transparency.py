"""Drawings on a transparent background are visible, and colours of a colour key are not."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from gallery.pixels import decode as decoding
from gallery.pixels import ground
from gallery.pixels.decode import decode, decode_rgb
from tests import bombs
from tests.pictures import saved

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def logo(*colours: tuple[int, ...], side: int = 400) -> Image.Image:
    """Draw separate rings on a transparent background."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for number, colour in enumerate(colours):
        wide = side // len(colours)
        box = (number * wide + 9, side // 3, number * wide + wide - 9, side // 3 + wide - 18)
        pen.ellipse(box, outline=(*colour, 255)[:4], width=max(2, wide // 8))
    return image


def contrast(data: bytes, on: tuple[int, int], off: tuple[int, int], shrink: float = 1) -> int:
    pixels = np.asarray(decode(io.BytesIO(data), shrink), int)
    one, other = (pixels[int(y / shrink), int(x / shrink)] for x, y in (on, off))
    return int(np.abs(one - other).max())


def ground_of(image: Image.Image) -> int:
    return ground.under(image, lambda tile: tile.convert("RGBA"))


STORED: dict[str, Any] = {
    "png": lambda image: saved(image, "PNG"),
    "palette": lambda image: saved(image.quantize(8), "PNG"),
    "gif": lambda image: saved(image, "GIF"),
    "webp": lambda image: saved(image, "WEBP", lossless=True),
    "webp, lossy": lambda image: saved(image, "WEBP", quality=80),
    "avif": lambda image: saved(image, "AVIF", quality=80),
    "heif": lambda image: saved(image, "HEIF", quality=80),
    "tiff": lambda image: saved(image, "TIFF"),
    "grey and alpha": lambda image: saved(image.convert("LA"), "PNG"),
}


@pytest.mark.parametrize("format_", STORED)
@pytest.mark.parametrize("shrink", [1, 4])
@pytest.mark.parametrize("colour", [WHITE, (250, 250, 235), (230, 230, 230), BLACK, (90, 90, 90)])
def test_a_drawing_stands_out(format_: str, colour: tuple[int, ...], shrink: float) -> None:
    data = STORED[format_](logo(colour))

    assert contrast(data, on=(30, 325), off=(200, 325), shrink=shrink) >= 70


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ((BLACK,), ground.WHITE),
        (((200, 30, 30),), ground.WHITE),
        (((30, 30, 120), (20, 90, 20)), ground.WHITE),
        ((WHITE,), ground.DARK),
        ((WHITE, (200, 30, 30)), ground.DARK),
        ((WHITE, BLACK), ground.MIDDLE),
    ],
)
def test_the_ground_lets_all_be_seen(colours: Any, expected: int) -> None:
    assert ground_of(logo(*colours)) == expected


def test_white_is_left_for_nothing_less() -> None:
    """This guards against a correction that goes too far."""
    outlined = logo(BLACK)
    ImageDraw.floodfill(outlined, (200, 300), (255, 255, 255, 255))
    page = Image.new("RGBA", (400, 400), WHITE)
    ImageDraw.Draw(page).text((50, 50), "text", fill=BLACK)
    rounded = page.copy()
    mask = Image.new("L", page.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 399, 399), 20, fill=255)
    rounded.putalpha(mask)
    shadowed = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    ImageDraw.Draw(shadowed).rectangle((60, 60, 340, 340), fill=(0, 0, 0, 160))
    shadowed = shadowed.filter(ImageFilter.GaussianBlur(12))
    shadowed.paste(page.resize((260, 260)), (70, 65))
    nothing = Image.new("RGBA", (40, 40), (255, 255, 255, 0))
    veil = Image.new("RGBA", (40, 40), (255, 255, 255, 128))

    for image in (outlined, page, rounded, shadowed, nothing, veil):
        assert ground_of(image) == ground.WHITE


def test_encoder_and_thumbnail_see_the_same() -> None:
    data = saved(logo(WHITE, side=900), "PNG")

    assert decode_rgb(io.BytesIO(data)).getpixel((2, 2)) == (ground.DARK,) * 3
    assert decode(io.BytesIO(data), 3).getpixel((2, 2)) == (ground.DARK,) * 3


def test_the_ground_is_one_for_all_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    image = logo(WHITE)
    image.paste(logo(BLACK, side=100), (0, 0))
    data = saved(image, "PNG")
    whole = np.asarray(decode(io.BytesIO(data)))
    monkeypatch.setattr(decoding, "_TILE_PIXELS", 900)

    assert np.array_equal(np.asarray(decode(io.BytesIO(data))), whole)


# --- Keys ---------------------------------------------------------------------------


def keyed(depth: int, samples: np.ndarray, key: tuple[int, ...]) -> bytes:
    """Return a PNG of grey (h, w) or RGB (h, w, 3) whose colour `key` is transparent."""
    height, width = samples.shape[:2]
    colour = 2 if samples.ndim == 3 else 0
    if depth == 16:
        rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        rows = samples.astype(np.uint8).reshape(height, -1)
    else:
        bits = np.unpackbits(samples.astype(np.uint8)[..., None], axis=-1)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=-1)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [
        (b"IHDR", header), (b"tRNS", struct.pack(f">{len(key)}H", *key)), (b"IDAT", packed),
        (b"IEND", b""),
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(bombs.png_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_grey_that_is_transparent(depth: int) -> None:
    most = 2**depth - 1
    key = max(1, most * 2 // 5)
    other = key + 1 if depth > 1 else 0
    samples = np.zeros((60, 80), int)
    samples[20:40, 20:60] = key
    samples[0:4] = other

    pixels = np.asarray(decode(io.BytesIO(keyed(depth, samples, (key,)))), int)

    assert pixels[30, 40].tolist() == [255, 255, 255]
    assert np.abs(pixels[2, 40] - other * 255 // most).max() <= 1
    assert pixels[50, 40].tolist() == [0, 0, 0]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("shrink", [1, 2])
def test_a_colour_that_is_transparent(depth: int, shrink: float) -> None:
    """All 16 bits count: a colour with the same upper bits is opaque."""
    key = (0x1234, 0x5678, 0x0042) if depth == 16 else (0x12, 0x56, 0x42)
    samples = np.zeros((60, 80, 3), int)
    samples[20:40, 20:60] = key
    samples[0:8] = (*key[:2], key[2] + 1)

    pixels = np.asarray(decode(io.BytesIO(keyed(depth, samples, key)), shrink), int)

    middle, edge = (int(at / shrink) for at in (30, 4))
    upper = [sample >> 8 for sample in key] if depth == 16 else [0x12, 0x56, 0x43]
    assert pixels[middle, int(40 / shrink)].tolist() == [255, 255, 255]
    assert np.abs(pixels[edge, int(40 / shrink)] - upper).max() <= 1


def test_a_colour_of_16_bits_in_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_TILE_PIXELS", 300)
    samples = np.zeros((60, 80, 3), int)
    samples[20:40, 20:60] = (1, 2, 3)
    pixels = np.asarray(decode(io.BytesIO(keyed(16, samples, (1, 2, 3)))))

    assert (pixels[20:40, 20:60] == 255).all()
    assert (pixels[:20] == 0).all()
