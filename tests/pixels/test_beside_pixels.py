"""Broken or large metadata is left out, and a picture never counts as damaged because of it."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image

from gallery.library.facts import read_facts
from gallery.library.query_picture import read_query_picture
from gallery.library.validation import inspect_picture
from gallery.models import User
from gallery.pixels import png
from gallery.pixels.decode import decode
from gallery.pixels.opening import open_picture
from gallery.pixels.spliced import Piece, Spliced
from tests import bombs, pictures
from tests.bombs import png_chunk
from tests.measured import MEGABYTE, Meter

MB = 1024**2
Draw = Callable[[], bytes]


def between(data: bytes, at: int, *parts: bytes) -> bytes:
    return data[:at] + b"".join(parts) + data[at:]


def png_with(*chunks: bytes, behind: bool = False) -> bytes:
    whole = pictures.png()
    return between(whole, len(whole) - 12 if behind else 33, *chunks)


def wrong(kind: bytes, content: bytes) -> bytes:
    """Return a chunk with a wrong checksum."""
    return png_chunk(kind, content)[:-4] + b"\x12\x34\x56\x78"


def packed(size: int) -> bytes:
    return zlib.compress(bytes(size), 9)


TEXT = b"Comment\0"
NOISE = bytes(range(256)) * 40

PNG: dict[str, Draw] = {
    "zTXt of 80 MB": lambda: png_with(png_chunk(b"zTXt", TEXT + b"\0" + packed(80 * MB))),
    "iTXt of 80 MB": lambda: png_with(
        png_chunk(b"iTXt", TEXT + b"\1\0\0\0" + packed(80 * MB))
    ),
    "many texts": lambda: png_with(*[png_chunk(b"zTXt", TEXT + b"\0" + packed(MB - 9))] * 40),
    "tEXt of 9 MB": lambda: png_with(png_chunk(b"tEXt", TEXT + b"a" * (9 * MB))),
    "iCCP of 80 MB": lambda: png_with(png_chunk(b"iCCP", b"icc\0\0" + packed(80 * MB))),
    "iCCP that is none": lambda: png_with(png_chunk(b"iCCP", b"icc\0\0" + NOISE)),
    "iCCP without a name": lambda: png_with(png_chunk(b"iCCP", b"icc")),
    "iCCP packed otherwise": lambda: png_with(png_chunk(b"iCCP", b"icc\0\7" + packed(9))),
    "zTXt packed otherwise": lambda: png_with(png_chunk(b"zTXt", TEXT + b"\7" + packed(9))),
    "zTXt that is none": lambda: png_with(png_chunk(b"zTXt", TEXT + b"\0" + NOISE)),
    "zTXt empty": lambda: png_with(png_chunk(b"zTXt", b"")),
    "iTXt empty": lambda: png_with(png_chunk(b"iTXt", b"")),
    "eXIf of 9 MB": lambda: png_with(png_chunk(b"eXIf", b"MM\0*\0\0\0\x08" + bytes(9 * MB))),
    "eXIf of noise": lambda: png_with(png_chunk(b"eXIf", NOISE)),
    "private of 9 MB": lambda: png_with(png_chunk(b"prVt", bytes(9 * MB))),
    "gAMA too short": lambda: png_with(png_chunk(b"gAMA", b"\0")),
    "cHRM too short": lambda: png_with(png_chunk(b"cHRM", b"\0" * 8)),
    "sRGB empty": lambda: png_with(png_chunk(b"sRGB", b"")),
    "pHYs too short": lambda: png_with(png_chunk(b"pHYs", b"\0")),
    "tRNS too short": lambda: png_with(png_chunk(b"tRNS", b"\0")),
    "cICP too long": lambda: png_with(png_chunk(b"cICP", bytes(40))),
    "acTL too short": lambda: png_with(png_chunk(b"acTL", b"\0")),
    "fcTL of no frame": lambda: png_with(png_chunk(b"fcTL", bytes(26))),
    **{
        f"wrong checksum of {kind.decode()}": partial(png_with, wrong(kind, content))
        for kind, content in {
            b"tEXt": TEXT + b"a", b"zTXt": TEXT + b"\0" + packed(9), b"iTXt": TEXT + bytes(4),
            b"eXIf": b"MM\0*", b"pHYs": bytes(9), b"tIME": bytes(7), b"gAMA": b"\0\0\xb1\x8f",
            b"iCCP": b"icc\0\0" + packed(9), b"prVt": b"a", b"sRGB": b"\0", b"bKGD": bytes(6),
        }.items()
    },
    "behind the pixels": lambda: png_with(
        png_chunk(b"zTXt", TEXT + b"\0" + packed(80 * MB)), wrong(b"tEXt", b"a"), behind=True
    ),
}  # fmt: skip

JPEG = pictures.jpeg()


def segment(marker: int, content: bytes) -> bytes:
    return bombs.jpeg_segment(marker, content)


def jpeg_with(*segments: bytes) -> Draw:
    return lambda: between(JPEG, 2, *segments)


JPEGS: dict[str, Draw] = {
    "34 MB of APP1": jpeg_with(*[segment(0xE1, bytes(65_533))] * 520),
    "34 MB of ICC": jpeg_with(*[segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(65_000))] * 520),
    "34 MB of comments": jpeg_with(*[segment(0xFE, bytes(65_533))] * 520),
    "a JFIF that is too short": jpeg_with(segment(0xE0, b"JFIF\0")),
    "an Adobe that is too short": jpeg_with(segment(0xEE, b"Adobe")),
    "an MPF that is none": jpeg_with(segment(0xE2, b"MPF\0" + NOISE)),
    "a Photoshop that is none": jpeg_with(segment(0xED, b"Photoshop 3.0\x008BIM" + NOISE)),
    "an Exif that is none": jpeg_with(segment(0xE1, b"Exif\0\0" + NOISE)),
    "an ICC that is none": jpeg_with(segment(0xE2, b"ICC_PROFILE\0\1\1" + NOISE)),
    "an ICC without a number": jpeg_with(segment(0xE2, b"ICC_PROFILE\0")),
    "a length of nothing": jpeg_with(b"\xff\xe5\0\0", b"\xff\xe5\0\1"),
    "bytes between": jpeg_with(segment(0xE5, b"a"), b"b" * 50_000),
    "bytes that fill": jpeg_with(b"\xff" * 50_000),
}


def tiff(*entries: tuple[int, int, int, bytes]) -> Draw:
    """Return a TIFF with entries (tag, type, count, value or offset) of any kind."""

    def draw() -> bytes:
        plain = {256: 64, 257: 48, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 48, 279: 64 * 48}
        rows = [struct.pack("<HHLL", tag, 4, 1, value) for tag, value in plain.items()]
        rows += [struct.pack("<HHL", *row[:3]) + row[3] for row in entries]
        rows.sort(key=lambda row: struct.unpack_from("<H", row))
        pixels = bytes(range(64)) * 48
        head = b"II*\0" + struct.pack("<L", 8 + len(pixels)) + pixels
        return head + struct.pack("<H", len(rows)) + b"".join(rows) + bytes(4)

    return draw


NOWHERE = b"\xff\xff\xff\x7f"
TIFF: dict[str, Draw] = {
    **{
        f"{tag} of type {kind}": tiff((tag, kind, count, NOWHERE if count > 4 else b"\1\0\0\0"))
        for tag in (270, 282, 296, 301, 318, 700, 33723, 34377, 34665, 34675, 34853, 50838)
        for kind in (1, 2, 3, 5, 7, 12, 99)
        for count in (1, 5)
    },
    "a mark of another format": tiff((0xBC01, 4, 1, b"\1\0\0\0")),
}


def riff(*chunks: bytes) -> bytes:
    return bombs.webp_file(*chunks)


def webp_with(*more: bytes, flags: int = 0x0C) -> bytes:
    whole = pictures.webp()
    extended = struct.pack("<L", flags) + struct.pack("<L", 63)[:3] + struct.pack("<L", 47)[:3]
    return riff(bombs.webp_chunk(b"VP8X", extended), whole[12:], *more)


WEBP: dict[str, Draw] = {
    "an XMP that is too long": lambda: webp_with(b"XMP " + struct.pack("<L", 9_999) + b"ab"),
    "an EXIF that is too long": lambda: webp_with(b"EXIF" + struct.pack("<L", 2**31) + b"ab"),
    "an EXIF of noise": lambda: webp_with(bombs.webp_chunk(b"EXIF", NOISE)),
    "9 MB of XMP": lambda: webp_with(bombs.webp_chunk(b"XMP ", bytes(9 * MB))),
    "what nobody knows": lambda: webp_with(bombs.webp_chunk(b"abcd", NOISE)),
}

ALL = {
    **{f"png: {name}": draw for name, draw in PNG.items()},
    **{f"jpeg: {name}": draw for name, draw in JPEGS.items()},
    **{f"tiff: {name}": draw for name, draw in TIFF.items()},
    **{f"webp: {name}": draw for name, draw in WEBP.items()},
}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")
def test_it_is_no_damage(name: str) -> None:
    data = ALL[name]()

    facts = inspect_picture(io.BytesIO(data))

    assert (facts.width, facts.height) == (64, 48)
    picture = decode(io.BytesIO(data))
    assert picture.size == (64, 48)
    if "tiff" not in name:
        assert pictures.corner_names(picture) == ["red", "green", "blue", "white"]
    assert read_query_picture(io.BytesIO(data), "q", User(pk=1)).packed
    read_facts(io.BytesIO(data))


@pytest.mark.parametrize(
    "name",
    [
        "png: zTXt of 80 MB", "png: iTXt of 80 MB", "png: iCCP of 80 MB", "png: many texts",
        "jpeg: 34 MB of APP1",
    ],
)  # fmt: skip
def test_it_costs_no_memory(name: str, tmp_path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(ALL[name]())
    with Meter() as meter:
        costs = meter.costs(path, ("inspect_picture", "read_facts", "thumbnails"))

    # libwebp and others need about as much the first time.
    most = 24 * MEGABYTE + (40 * MEGABYTE if "jpeg" in name else 0)
    assert [cost.outcome for cost in costs] == ["ok"] * 3
    assert max(cost.peak for cost in costs) < most


def test_small_texts_and_animation_are_still_read() -> None:
    info = open_picture(io.BytesIO(png_with(png_chunk(b"tEXt", TEXT + b"a"), behind=True))).info
    frames = [pictures.drawing(), Image.new("RGB", (64, 48))]
    animated = pictures.saved(frames[0], "PNG", save_all=True, append_images=frames[1:])

    assert info["Comment"] == "a"
    assert open_picture(io.BytesIO(animated)).n_frames == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_what_a_camera_wrote_is_still_read(format_: str) -> None:
    facts = read_facts(io.BytesIO(pictures.with_gps(format_)))

    assert facts.camera == "NIKON D850"
    assert facts.latitude is not None
    assert facts.settings["iso"] == 200


def test_a_checksum_of_what_pixels_need_counts() -> None:
    whole = pictures.png()
    spoilt = whole[:29] + bytes(4) + whole[33:]  # of the header

    with pytest.raises(SyntaxError):
        png.check_sums(io.BytesIO(spoilt))
    png.check_sums(io.BytesIO(whole))


def test_pieces_read_as_one_file() -> None:
    source = io.BytesIO(bytes(range(100)))
    pieces = [Piece(10, 5), b"abc", Piece(15, 5), Piece(20, 5), b"", Piece(98, 9)]
    whole = bytes(range(10, 15)) + b"abc" + bytes(range(15, 25)) + bytes((98, 99))
    spliced = Spliced(source, pieces)

    assert spliced.read() == whole
    chance = np.random.default_rng(1)
    for _time in range(200):
        at, size = (int(number) for number in chance.integers(0, 22, 2))
        assert spliced.seek(at) == spliced.tell() == at
        assert spliced.read(size) == whole[at : at + size]
