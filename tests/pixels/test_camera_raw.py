"""Camera RAW is refused with the name of its format, whatever the file name. Its preview never
counts as the picture. Ordinary TIFF files are accepted."""

from __future__ import annotations

import io
import struct

import pytest

from gallery.errors import Refusal
from gallery.library.validation import inspect_picture
from tests import bombs, pictures

BYTE, ASCII, SHORT, LONG = 1, 2, 3, 4
SUB_IFDS = 330

Tags = dict[int, tuple[int, list[int] | bytes]]


def directory(side: int, photometric: int, compression: int = 1, **more: int) -> Tags:
    """Return a directory with one strip of `side` × `side`. `more` are `subfile` and `samples`."""
    samples = more.get("samples", 1)
    return {
        254: (LONG, [more.get("subfile", 0)]),
        256: (LONG, [side]),
        257: (LONG, [side]),
        258: (SHORT, [8] * samples),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        277: (SHORT, [samples]),
        278: (LONG, [side]),
        279: (LONG, [side * side * samples]),
    }


def tiff(first: Tags, *subs: Tags, order: str = "<", big: bool = False, **later: Tags) -> bytes:
    """Return a TIFF. `subs` are its SubIFDs, `later` the directories after it."""
    word, long, head = ("Q", "Q", 16) if big else ("H", "L", 8)
    inline = 8 if big else 4
    data = bytearray(head)

    def value(kind: int, numbers: list[int] | bytes) -> bytes:
        if isinstance(numbers, bytes):
            return numbers
        letter = {BYTE: "B", SHORT: "H", LONG: long if big else "L"}[kind]
        return struct.pack(f"{order}{len(numbers)}{letter}", *numbers)

    def write(tags: Tags, following: int = 0) -> int:
        pixels = len(data)
        data.extend(bytes([120]) * tags[279][1][0])
        entries = []
        for tag, (kind, numbers) in sorted({**tags, 273: (LONG, [pixels])}.items()):
            packed = value(kind, numbers)
            told = 16 if big and kind == LONG else kind
            if len(packed) > inline:
                place = len(data)
                data.extend(packed)
                packed = struct.pack(order + long, place)
            entries.append(
                struct.pack(f"{order}HH{long}", tag, told, len(numbers))
                + packed.ljust(inline, b"\0")
            )
        start = len(data)
        data.extend(struct.pack(order + word, len(entries)) + b"".join(entries))
        data.extend(struct.pack(order + long, following))
        return start

    starts = [write(sub) for sub in subs]
    following = 0
    for tags in later.values():
        following = write(tags, following)
    if starts:
        first = {**first, SUB_IFDS: (LONG, starts)}
    start = write(first, following)
    mark = {"<": b"II", ">": b"MM"}[order]
    magic = struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    data[:head] = mark + magic + struct.pack(order + long, start)
    return bytes(data)


PREVIEW = directory(32, 2, samples=3, subfile=1)
MOSAIC = directory(64, 32803)
DNG = {**PREVIEW, 50706: (BYTE, [1, 4, 0, 0])}
CFA_COMPRESSIONS = (34713, 32767, 32769, 65535, 34892, 32770)

RAW = {
    "dng": (tiff(DNG, MOSAIC), "DNG"),
    "dng, big-endian": (tiff(DNG, MOSAIC, order=">"), "DNG"),
    "dng of one directory": (tiff({**MOSAIC, 50706: (BYTE, [1, 4, 0, 0])}), "DNG"),
    "dng, linear": (tiff(DNG, directory(64, 34892, samples=3)), "DNG"),
    "bigtiff": (tiff(PREVIEW, MOSAIC, big=True), "TIFF"),
    "nef": (tiff({**PREVIEW, 271: (ASCII, b"NIKON CORPORATION\0")}, MOSAIC, order=">"), "Nikon"),
    "arw": (tiff({**PREVIEW, 271: (ASCII, b"SONY\0")}, MOSAIC), "Sony"),
    "pef": (tiff({**directory(64, 32803, 65535), 271: (ASCII, b"PENTAX\0")}), "Pentax"),
    "mosaic behind the preview": (tiff(PREVIEW, later=MOSAIC), "TIFF"),
    **{
        f"compression {number}": (tiff(PREVIEW, directory(64, 1, number)), "TIFF")
        for number in CFA_COMPRESSIONS
    },
    "cr2": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(200), "Canon CR2"),
    "cr3": (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + bytes(200), "Canon CR3"),
    "crw": (b"II\x1a\0\0\0HEAPCCDR" + bytes(200), "Canon CRW"),
    "orf": (b"IIRO\x08\0\0\0" + bytes(200), "Olympus"),
    "rw2": (b"IIU\0\x18\0\0\0" + bytes(200), "Panasonic"),
    "raf": (b"FUJIFILMCCD-RAW 0201" + bytes(200), "Fujifilm"),
    "x3f": (b"FOVb" + bytes(200), "Sigma"),
    "mrw": (b"\0MRM" + bytes(200), "Minolta"),
}


@pytest.mark.parametrize("name", ["picture", "photo.jpg", "photo.tif", "photo.nef"])
@pytest.mark.parametrize("kind", RAW)
def test_camera_raw_is_refused_by_its_name(kind: str, name: str) -> None:
    data, told = RAW[kind]

    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(data), name)

    assert caught.value.code == "unsupported_format"
    assert "camera RAW" in str(caught.value)
    assert told in str(caught.value)


# Pillow reads no big-endian BigTIFF.
@pytest.mark.parametrize(("order", "big"), [("<", False), (">", False), ("<", True)])
def test_a_pyramid_is_an_ordinary_picture(order: str, big: bool) -> None:
    reduced = [directory(side, 2, samples=3, subfile=1) for side in (32, 16)]
    data = tiff(directory(64, 2, samples=3), *reduced, order=order, big=big)

    assert inspect_picture(io.BytesIO(data)).width == 64


@pytest.mark.parametrize(
    "data",
    [
        tiff(directory(64, 1), later=directory(200, 1)),  # pages
        tiff(directory(64, 1, subfile=1)),  # marked by mistake, and there is no other one
        tiff(directory(64, 1, subfile=2), later=directory(64, 1, subfile=2)),
        tiff({**directory(64, 1), 271: (ASCII, b"NIKON CORPORATION\0")}),
        pictures.tiff(),
    ],
    ids=["pages", "wrong mark", "pages marked", "developed", "lzw"],
)
def test_other_tiff_files_are_accepted(data: bytes) -> None:
    assert inspect_picture(io.BytesIO(data)).width == 64


@pytest.mark.parametrize(
    "data",
    [tiff(PREVIEW, directory(64, 2, samples=3)), tiff(PREVIEW, later=directory(64, 2, samples=3))],
    ids=["in a SubIFD", "behind"],
)
def test_a_preview_is_not_kept_in_place_of_the_picture(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(data))

    assert caught.value.code == "unsupported_format"
    assert "preview" in str(caught.value)


def test_directories_that_go_in_a_circle_end() -> None:
    data = bytearray(tiff(directory(64, 1)))
    (start,) = struct.unpack_from("<L", data, 4)
    data[-4:] = struct.pack("<L", start)

    assert inspect_picture(io.BytesIO(bytes(data))).width == 64


@pytest.mark.parametrize("side", [64, 40_000])
def test_pictures_that_lie_over_one_another_are_refused_by_what_they_are(side: int) -> None:
    """Once their canvas was drawn before anybody checked its size, and took gigabytes."""
    with pytest.raises(Refusal) as refusal:
        inspect_picture(io.BytesIO(bombs.heif_overlay((side, side))))
    assert refusal.value.code == "unsupported_format"
    assert "over one another" in refusal.value.message
