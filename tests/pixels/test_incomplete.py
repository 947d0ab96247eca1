"""A truncated picture is accepted and marked as incomplete. It is refused if nothing is left of
it, or if its pixels may be wrong."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image as PILImage
from PIL import ImageFile
from skimage import data as photographs

from gallery.errors import Refusal
from gallery.library.query_picture import read_query_picture, read_small_picture
from gallery.library.validation import inspect_picture
from gallery.models import User
from gallery.pixels import interlaced, places
from gallery.pixels.decode import decode, decode_rgb
from tests import bombs, pictures
from tests.conftest import api, upload
from tests.factories import analyse
from tests.web_tools import browser

WHOLE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: pictures.jpeg(640, 480),
    "jpeg, progressive": lambda: pictures.jpeg(640, 480, progressive=True),
    "jpeg, grey": lambda: pictures.saved(pictures.drawing(640, 480).convert("L"), "JPEG"),
    "jpeg, ink": lambda: pictures.saved(pictures.drawing(640, 480).convert("CMYK"), "JPEG"),
    "png": lambda: pictures.png(640, 480),
    "png, alpha": lambda: pictures.saved(pictures.drawing(640, 480).convert("RGBA"), "PNG"),
    "png, palette": lambda: pictures.saved(pictures.drawing(640, 480).quantize(64), "PNG"),
    "gif": lambda: pictures.saved(pictures.drawing(640, 480), "GIF", interlace=0),
    "gif, interlaced": lambda: pictures.saved(pictures.drawing(640, 480), "GIF", interlace=1),
    "png, interlaced": lambda: interlaced_png(),
    "bmp": lambda: pictures.bmp(640, 480),
    "webp": lambda: pictures.webp(640, 480),
    "tiff": lambda: pictures.saved(pictures.drawing(640, 480), "TIFF"),
    "tiff, strips": lambda: striped_tiff(),
}


def interlaced_png() -> bytes:
    pixels = np.asarray(pictures.drawing(640, 480))
    rows = b"".join(
        b"\0" + row.tobytes()
        for one in interlaced.ADAM7
        for row in pixels[one.top :: one.down, one.left :: one.across]
    )
    header = struct.pack(">LLBBBBB", 640, 480, 8, 2, 0, 0, 1)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(bombs.png_chunk(*chunk) for chunk in chunks)


def striped_tiff() -> bytes:
    """Return a TIFF whose rows are packed in strips, behind the directory."""
    rows = np.asarray(pictures.drawing(640, 480)).reshape(480 // 8, -1)
    return directory_first([zlib.compress(row.tobytes()) for row in rows])


def directory_first(strips: list[bytes]) -> bytes:
    entries = {256: 640, 257: 480, 259: 8, 262: 2, 277: 3, 278: 8}
    behind = 8 + 2 + 12 * (len(entries) + 3) + 4
    count = len(strips)
    pixels = behind + 6 + 8 * count
    places = [pixels + sum(map(len, strips[:number])) for number in range(count)]
    rows = [struct.pack("<HHLL", tag, 4, 1, value) for tag, value in entries.items()]
    rows.append(struct.pack("<HHLL", 258, 3, 3, behind))
    rows.append(struct.pack("<HHLL", 273, 4, count, behind + 6))
    rows.append(struct.pack("<HHLL", 279, 4, count, behind + 6 + 4 * count))
    rows.sort(key=lambda row: struct.unpack_from("<H", row))
    head = b"II*\0" + struct.pack("<LH", 8, len(rows)) + b"".join(rows) + bytes(4)
    head += struct.pack("<3H", 8, 8, 8) + struct.pack(f"<{count}L", *places)
    return head + struct.pack(f"<{count}L", *map(len, strips)) + b"".join(strips)


IN_PASSES = {"jpeg, progressive", "gif, interlaced", "png, interlaced"}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_picture_is_not_marked(kind: str) -> None:
    assert not inspect_picture(io.BytesIO(WHOLE[kind]())).incomplete


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("share", [0.6, 0.95])
def test_what_is_left_is_kept_and_marked(kind: str, share: float) -> None:
    whole = WHOLE[kind]()
    file = io.BytesIO(whole[: int(len(whole) * share)])

    facts = inspect_picture(file)

    assert facts.incomplete
    assert (facts.width, facts.height) == (640, 480)
    left, right = (np.asarray(decode(io.BytesIO(data)), int) for data in (file.getvalue(), whole))
    half = slice(300, None) if kind == "bmp" else slice(0, 180)  # its last row comes first
    assert np.abs(left[half] - right[half]).mean() < (8 if kind in IN_PASSES else 2)
    assert min(decode_rgb(file).size) >= 448
    assert read_query_picture(file, "q", User(pk=1)).packed
    assert read_small_picture(file, "q", User(pk=1)).content


def test_a_bmp_of_run_lengths_is_whole_until_it_is_cut() -> None:
    whole = pictures.bmp_of_run_lengths(640, 480)

    assert not inspect_picture(io.BytesIO(whole)).incomplete
    assert inspect_picture(io.BytesIO(whole[: len(whole) * 2 // 3])).incomplete


@pytest.mark.parametrize("missing", [1, 2, 3, 12])
@pytest.mark.parametrize("kind", ["jpeg", "jpeg, progressive", "png", "gif"])
def test_a_few_bytes_are_enough_to_be_marked(kind: str, missing: int) -> None:
    assert inspect_picture(io.BytesIO(WHOLE[kind]()[:-missing])).incomplete


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp"])
def test_large_pictures_go_the_same_way(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SMALL_BYTES", -1)
    whole = WHOLE[kind]()

    assert not inspect_picture(io.BytesIO(whole)).incomplete
    assert inspect_picture(io.BytesIO(whole[: len(whole) * 2 // 3])).incomplete


def test_a_file_whose_end_is_zeros_breaks_off_there() -> None:
    """Programs leave such a file if they reserve its final length first."""
    whole = WHOLE["jpeg"]()
    half = whole[: len(whole) // 2]

    assert inspect_picture(io.BytesIO(half + bytes(len(whole) - len(half)))).incomplete


def test_a_png_may_lack_pixels_though_it_has_an_end() -> None:
    rows = b"".join(b"\0" + bytes([200, 30, 30]) * 40 for _row in range(20))
    header = struct.pack(">LLBBBBB", 40, 30, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(bombs.png_chunk(*chunk) for chunk in chunks)

    assert inspect_picture(io.BytesIO(data)).incomplete
    assert decode(io.BytesIO(data)).getpixel((20, 10)) == (200, 30, 30)


def test_a_thumbnail_in_its_exif_does_not_end_a_jpeg() -> None:
    whole = pictures.jpeg(640, 480, exif=pictures.exif_block(main={0x010F: "A" * 9}))
    thumbnail = pictures.jpeg(40, 30)
    whole = whole[:2] + bombs.jpeg_segment(0xE1, b"Exif\0\0" + thumbnail) + whole[2:]

    assert inspect_picture(io.BytesIO(whole[: len(whole) // 2])).incomplete
    assert not inspect_picture(io.BytesIO(whole)).incomplete


def cut_behind(data: bytes, mark: bytes, more: int) -> bytes:
    return data[: data.index(mark) + more]


@pytest.mark.parametrize(
    "data",
    [
        cut_behind(WHOLE["jpeg"](), b"\xff\xda", 0),
        cut_behind(WHOLE["jpeg"](), b"\xff\xda", 14),
        cut_behind(WHOLE["jpeg, progressive"](), b"\xff\xda", 14),
        cut_behind(WHOLE["png"](), b"IDAT", -4),
        cut_behind(WHOLE["png"](), b"IDAT", 8),
        WHOLE["webp"]()[:60],
        pictures.webp(64, 48)[:60],
        WHOLE["bmp"]()[:54],
        WHOLE["tiff"]()[:200],
        WHOLE["gif"]()[:800],
    ],
    ids=[
        "jpeg",
        "jpeg scan",
        "progressive",
        "png",
        "png row",
        "webp",
        "small webp",
        "bmp",
        "tiff",
        "gif",
    ],
)
def test_what_has_no_pixels_is_refused(data: bytes) -> None:
    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(data))
    assert caught.value.code == "damaged_picture"
    with pytest.raises(Refusal):
        read_small_picture(io.BytesIO(data), "q", User(pk=1))


def test_doubt_about_pixels_is_damage_wherever_it_is_told() -> None:
    """Pillow ignores the checksums of pixels."""
    whole = WHOLE["png"]()
    at = whole.index(b"IEND") - 8
    wrong = whole[:at] + bytes(4) + whole[at + 4 :]

    for data in (pictures.spoilt(whole), wrong):
        with pytest.raises(Refusal) as caught:
            inspect_picture(io.BytesIO(data))
        assert caught.value.code == "damaged_picture"


# --- In the gallery -----------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("media")
def test_the_owner_is_told_and_gets_the_very_bytes(alice: User, bob: User) -> None:
    data = pictures.truncated_jpeg()
    image = upload(alice, data, visibility="public")
    analyse()
    image.refresh_from_db()

    assert image.incomplete
    assert image.analyses.get(analyser="renditions").state == "done"
    with default_storage.open(image.file.name) as stored:
        assert stored.read() == data
    assert api(alice).get(f"/api/v1/images/{image.pk}/").json()["incomplete"] is True
    page = reverse("image", args=[image.pk])
    assert "This file is incomplete" in browser(alice).get(page).content.decode()
    assert "This file is incomplete" not in browser(bob).get(page).content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_what_the_machine_lacks_is_not_missing_from_the_file(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, really = pictures.jpeg(640, 480), ImageFile.ImageFile.load

    def fail_once(image: ImageFile.ImageFile) -> None:
        monkeypatch.setattr(ImageFile.ImageFile, "load", really)
        raise error

    monkeypatch.setattr(ImageFile.ImageFile, "load", fail_once)
    with pytest.raises(type(error)):
        decode(io.BytesIO(data[: len(data) // 2]))


def test_nothing_is_said_of_whole_pictures(alice: User) -> None:
    image = upload(alice, pictures.jpeg())

    assert api(alice).get(f"/api/v1/images/{image.pk}/").json()["incomplete"] is False
    page = browser(alice).get(reverse("image", args=[image.pk])).content.decode()
    assert "incomplete" not in page


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 80}], ids=["lossless", "lossy"]
)
def test_no_pixels_of_a_webp_are_made_up(options: dict[str, Any]) -> None:
    drawing = pictures.saved(PILImage.fromarray(photographs.astronaut()), "WEBP", **options)
    whole = np.asarray(decode(io.BytesIO(drawing))).astype(int)
    left = np.asarray(decode(io.BytesIO(drawing[: len(drawing) // 2]))).astype(int)
    is_there = np.abs(left - whole).max((1, 2)) < 32
    is_grey = (np.abs(left - 128) < 3).all((1, 2))

    assert is_there[:16].all()
    assert (is_there | is_grey).mean() > 0.98
