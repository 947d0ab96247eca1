"""Animations: the number of frames and the duration are facts of a picture."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from gallery.library.facts import read_facts
from gallery.models import Image as Row
from gallery.pixels import gif
from gallery.pixels.frames import Frames, read_frames
from tests import pictures
from tests.conftest import api, upload
from tests.web_tools import browser

WAYS = {
    "GIF": {"duration": 200, "loop": 0},
    "PNG": {"duration": 200, "loop": 0},
    "WEBP": {"duration": 200, "loop": 0},
    "AVIF": {"duration": 200, "speed": 10},
}


def moving(format_: str, count: int = 4, size: tuple[int, int] = (64, 48)) -> bytes:
    shots = [Image.effect_noise(size, 20 + 40 * n).convert("RGB") for n in range(count)]
    options = WAYS[format_]
    return pictures.saved(shots[0], format_, save_all=True, append_images=shots[1:], **options)


def count(data: bytes) -> Frames:
    return read_frames(io.BytesIO(data))


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">L", len(content))
        + kind
        + content
        + struct.pack(">L", zlib.crc32(kind + content))
    )


def box(name: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return struct.pack(">L", len(data) + 8) + name + data


def sequence(brand: bytes, samples: int, *, wide: bool = False) -> bytes:
    """Return the boxes of a HEIF file whose track has that many pictures, a tenth of a second
    each."""
    times = (
        struct.pack(">B3x16xLQ", 1, 10, samples)
        if wide
        else struct.pack(">B3x8xLL", 0, 10, samples)
    )
    table = box(b"minf", box(b"stbl", box(b"stsz", struct.pack(">4xLL", 100, samples))))
    handler = box(b"hdlr", struct.pack(">8x4s", b"pict"))
    sound = box(b"trak", box(b"mdia", box(b"hdlr", struct.pack(">8x4s", b"soun"))))
    track = box(b"trak", box(b"mdia", box(b"mdhd", times), handler, table))
    return box(b"ftyp", brand, b"\0\0\0\0", b"mif1") + box(b"moov", sound, track)


@pytest.mark.parametrize("format_", list(WAYS))
def test_frames_are_counted(format_: str) -> None:
    assert count(moving(format_)) == Frames(4, pytest.approx(0.8))


@pytest.mark.parametrize("format_", list(WAYS))
def test_one_frame_is_no_animation(format_: str) -> None:
    assert count(moving(format_, 1)) == Frames()


@pytest.mark.parametrize(
    "draw",
    [pictures.jpeg, pictures.heic, pictures.bmp, pictures.mpo, pictures.multi_page_tiff],
)
def test_pages_and_second_pictures_are_no_frames(draw) -> None:
    assert count(draw()) == Frames()


@pytest.mark.parametrize("brand", [b"hevc", b"msf1", b"avis"])
@pytest.mark.parametrize("wide", [False, True])
def test_sequences_of_heif(brand: bytes, wide: bool) -> None:
    assert count(sequence(brand, 12, wide=wide)) == Frames(12, 1.2)
    assert count(sequence(brand, 1, wide=wide)) == Frames()
    assert count(sequence(b"heic", 12, wide=wide)) == Frames(), "a picture, whatever is beside it"


def test_an_apng_whose_first_picture_is_not_part_of_it() -> None:
    """Programs without APNG show it."""
    data = pictures.png()
    at, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    shots = b"".join(
        chunk(b"fcTL", struct.pack(">5L2H2B", 2 * n, 64, 48, 0, 0, 1, 0, 0, 0))
        + chunk(b"fdAT", struct.pack(">L", 2 * n + 1) + b"x")
        for n in range(3)
    )
    announced = chunk(b"acTL", struct.pack(">LL", 3, 0))
    assert count(data[:at] + announced + data[at:end] + shots + data[end:]) == Frames(3, 0.03)
    assert count(data[:at] + data[at:end] + announced + shots + data[end:]) == Frames()


def test_what_is_cut_off_counts_as_far_as_it_goes() -> None:
    for format_ in ("GIF", "PNG", "WEBP"):
        data = moving(format_)
        assert 1 <= count(data[: len(data) // 2]).count <= 4
        for length in range(0, 200):
            count(data[:length])


def test_no_file_is_read_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gif, "MOST_BLOCKS", 10)
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
    endless = head + (b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2" + b"\1x" * 500) * 3
    file = io.BytesIO(endless)
    assert read_frames(file) == Frames()
    assert file.tell() < 100


# --- What is told of it ---------------------------------------------------------------

pytest_django = pytest.mark.django_db


@pytest_django
@pytest.mark.parametrize("format_", list(WAYS))
def test_api_and_page_of_the_owner_tell_it(alice, bob, format_: str) -> None:
    image = upload(alice, moving(format_), name="a.bin", visibility="public")
    still = upload(alice, moving(format_, 1), name="b.bin")
    shown = api(alice).get(f"/api/v1/images/{image.pk}/").json()
    assert (shown["frames"], shown["duration"]) == (4, pytest.approx(0.8))
    page = browser(alice).get(f"/images/{image.pk}/").content.decode()
    assert "Animation" in page
    assert "4 frames, 0.8 s" in page
    assert f'href="/api/v1/images/{image.pk}/file/"' in page
    assert "Animation" not in browser(alice).get(f"/images/{still.pk}/").content.decode()
    # Others see a still picture, and the page promises no more.
    assert "Animation" not in browser(bob).get(f"/images/{image.pk}/").content.decode()


@pytest_django
def test_what_is_not_counted_yet_is_told_so(alice) -> None:
    image = upload(alice)
    Row.objects.update(frames=None)
    assert api(alice).get(f"/api/v1/images/{image.pk}/").json()["frames"] is None


def test_facts_have_the_frames() -> None:
    assert read_facts(io.BytesIO(moving("GIF"))).frames == Frames(4, 0.8)
