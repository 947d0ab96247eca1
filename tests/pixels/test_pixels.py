"""The cost of decoding, which is known before; places; and the separate process for large pictures.
The tests use small pictures and even smaller limits."""

from __future__ import annotations

import io
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from PIL import Image

from gallery.errors import Refusal
from gallery.library import rendition_pixels
from gallery.library.query_picture import read_query_picture, read_small_picture
from gallery.library.validation import inspect_picture
from gallery.models import User
from gallery.pixels import boxes, decode, isolation, jobs, places, structure
from gallery.pixels.header import Cost, Header, read_header
from tests import isolated_jobs, pictures

ROOT = Path(__file__).resolve().parents[2]
MB = 1024**2

# 16-bit, palette with transparency, float, and other modes that were once converted whole.
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "grey": ("L", "PNG", {}),
    "one bit": ("1", "PNG", {}),
    "16-bit grey": ("I;16", "PNG", {}),
    "palette": ("P", "PNG", {"transparency": bytes([0, 128]) + b"\xff" * 254}),
    "grey and alpha": ("LA", "PNG", {}),
    "colour and alpha": ("RGBA", "PNG", {}),
    "float": ("F", "TIFF", {"compression": "tiff_deflate"}),
    "32-bit": ("I", "TIFF", {"compression": "tiff_lzw"}),
    "tiff ink": ("CMYK", "TIFF", {"compression": "tiff_deflate"}),
    "ink": ("CMYK", "JPEG", {}),
    "jpeg": ("RGB", "JPEG", {}),
    "progressive": ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    "gif": ("P", "GIF", {}),
    "bmp": ("RGB", "BMP", {}),
    "webp": ("RGB", "WEBP", {"method": 0}),
    "lossless webp": ("RGBA", "WEBP", {"lossless": True, "method": 0, "quality": 0}),
    "avif": ("RGB", "AVIF", {"speed": 10}),
    "avif with alpha": ("RGBA", "AVIF", {"speed": 10, "subsampling": "4:4:4"}),
    "heif": ("RGB", "HEIF", {"quality": 10}),
}


def drawn(kind: str, width: int = 3200, height: int = 2400) -> bytes:
    mode, format_, options = KINDS[kind]
    picture = Image.linear_gradient("L").resize((width, height))
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture, np.uint16) * 257)
    else:
        picture = picture.convert("RGB" if mode in ("P", "CMYK") else mode).convert(mode)
    return pictures.saved(picture, format_, **options)


# --- What decoding costs ------------------------------------------------------------

_PEAK = """
import io, sys
from gallery.pixels import decode
shrink, data = float(sys.argv[1]), open(sys.argv[2], "rb").read()
decode.decode(io.BytesIO(open(sys.argv[3], "rb").read()))  # what is loaded once
def peak():
    status = open("/proc/self/status").read()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
open("/proc/self/clear_refs", "w").write("5")
before = peak()
decode.decode(io.BytesIO(data), shrink)
print((peak() - before) * 1024)
"""


def peak(tmp_path: Path, data: bytes, warm_up: bytes, shrink: float) -> int:
    """Return the peak of decoding in bytes, in a process that has done so before."""
    big, small = tmp_path / "big", tmp_path / "small"
    big.write_bytes(data)
    small.write_bytes(warm_up)
    command = [sys.executable, "-c", _PEAK, str(shrink), str(big), str(small)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("kind", KINDS)
def test_no_picture_takes_more_than_its_header_says(tmp_path: Path, kind: str) -> None:
    data = drawn(kind)
    header = read_header(io.BytesIO(data))
    for shrink in (1.0, 4.0):
        taken = peak(tmp_path, data, drawn(kind, 64, 48), shrink)

        # Tiles, and what the heap keeps.
        assert taken <= header.cost(shrink).bytes + 24 * MB


@pytest.mark.parametrize("kind", [kind for kind in KINDS if "avif" not in kind])
def test_a_smaller_copy_takes_at_most_eight_bytes_a_pixel(kind: str) -> None:
    header = read_header(io.BytesIO(drawn(kind, 640, 480)))

    assert header.cost(4).bytes <= 8 * header.pixels + 4096


def test_a_jpeg_of_several_scans_is_counted_with_its_coefficients() -> None:
    baseline = read_header(io.BytesIO(pictures.jpeg(640, 480)))
    progressive = read_header(io.BytesIO(pictures.jpeg(640, 480, progressive=True)))

    assert (baseline.held, baseline.scans) == (0, 1)
    assert progressive.held == 2 * 1.5  # 4:2:0
    assert progressive.scans > 1


def test_items_that_overlap_are_not_read() -> None:
    """Once a metadata block of 900 entries that all point to the same bytes took 430 MB."""
    count, length = 900, 250_000
    location = b"\x01\0\0\0\x44\0" + count.to_bytes(2, "big")
    for item in range(count):
        location += item.to_bytes(2, "big") + bytes(4) + b"\0\x01" + bytes(4)
        location += length.to_bytes(4, "big")
    iloc = (len(location) + 8).to_bytes(4, "big") + b"iloc" + location
    meta = (len(iloc) + 12).to_bytes(4, "big") + b"meta" + bytes(4) + iloc
    data = b"\0\0\0\x10ftypheic" + bytes(4) + meta + bytes(length)

    with pytest.raises(SyntaxError, match="225000000 bytes of items"):
        boxes.check(io.BytesIO(data))
    boxes.check(io.BytesIO(pictures.heic()))
    boxes.check(io.BytesIO(pictures.avif()))


def spoilt_tiff(*entries: tuple[int, int, int, int]) -> bytes:
    """Return an uncompressed TIFF of 8 × 8 with more entries in its directory."""
    plain = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    rows = [*((tag, 4, 1, value) for tag, value in plain.items()), *entries]
    directory = b"".join(struct.pack("<HHLL", *row) for row in sorted(rows))
    head = b"II*\0" + struct.pack("<L", 72) + bytes(64)
    return head + struct.pack("<H", len(rows)) + directory + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        # Pillow skips unknown entries, and libtiff reads them: a tile of a gigabyte.
        spoilt_tiff((322, 17, 1, 32_768), (322, 4, 1, 8)),
        spoilt_tiff((324, 1, 6_000_000, 0)),
        b"\xff\xd8" + b"\xff\xe1\0\x08Exif\0\0" * 3_000 + pictures.jpeg()[2:],
        pictures.png()[:33] + (bytes(4) + b"abCd" + bytes(4)) * 100_001 + pictures.png()[33:],
    ],
    ids=["two tiles", "offsets", "segments", "chunks"],
)
def test_what_no_program_writes_is_not_read(data: bytes) -> None:
    with pytest.raises(SyntaxError):
        read_header(io.BytesIO(data))
    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(data))
    assert caught.value.code == "damaged_picture"


@pytest.mark.parametrize("kind", KINDS)
def test_what_programs_write_is_read(kind: str) -> None:
    structure.check(io.BytesIO(drawn(kind, 64, 48)))


def test_the_size_within_an_avif_is_not_believed() -> None:
    """Once 986 bytes took 2 GB of the web process: AV1 states a size of its own."""
    assert read_header(io.BytesIO(pictures.avif())).cost().apart
    assert not read_header(io.BytesIO(pictures.heic())).cost().apart


# --- A tile at a time ---------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shrink", [1.0, 3.0])
def test_tiles_make_the_same_picture(
    kind: str, shrink: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = drawn(kind, 301, 202)
    whole = np.asarray(decode.decode(io.BytesIO(data), shrink), int)
    monkeypatch.setattr(decode, "_TILE_PIXELS", 500)

    in_tiles = np.asarray(decode.decode(io.BytesIO(data), shrink), int)

    assert in_tiles.shape == whole.shape
    assert np.abs(in_tiles - whole).max() <= 1


@pytest.mark.parametrize(("width", "height"), [(1, 20_000), (20_000, 1), (3, 1_000)])
def test_an_encoder_gets_the_middle_of_a_long_picture(width: int, height: int) -> None:
    """It scales the short side up to 224. The whole picture would have 4.5 million pixels."""
    long = decode.decode_rgb(io.BytesIO(pictures.png(width, height)))
    part = decode.decode_part(io.BytesIO(pictures.png(width, height)), (0, 0, 1, 1))

    for picture in (long, part):
        assert max(picture.size) <= 20 * min(picture.size)


def test_exif_behind_the_pixels_turns_a_png() -> None:
    data = pictures.oriented(6, "PNG")
    at = data.index(b"eXIf") - 4
    length = 12 + int.from_bytes(data[at : at + 4], "big")
    end = data.index(b"IEND") - 4
    late = data[:at] + data[at + length : end] + data[at : at + length] + data[end:]
    assert late != data

    assert inspect_picture(io.BytesIO(late)).width == 64
    assert pictures.corner_names(decode.decode(io.BytesIO(late)))[0] == "red"


# --- Places -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _places_of_this_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this test its own places: other tests at the same time use those of the machine."""
    monkeypatch.setattr(places, "locks", tmp_path / "locks")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The picture is decoded as in a web process."""
    monkeypatch.setattr(places, "patience_seconds", 0.2)


def held_elsewhere(hold: Callable[[], Any], entered: threading.Event) -> Iterator[None]:
    """A place that another thread holds until the test ends."""
    leave = threading.Event()

    def stay() -> None:
        with hold():
            entered.set()
            leave.wait(20)

    thread = threading.Thread(target=stay)
    thread.start()
    assert entered.wait(20)
    yield
    leave.set()
    thread.join(20)


@pytest.fixture
def memory_full(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from held_elsewhere(lambda: places.small(places.SHARED_BYTES), threading.Event())


@pytest.mark.usefixtures("quick", "memory_full")
def test_who_waits_too_long_for_memory_is_told_to_come_back() -> None:
    with pytest.raises(places.Busy) as caught, places.small(1):
        pass
    assert caught.value.status == 503
    assert caught.value.retry_after > 0


@pytest.mark.usefixtures("quick")
def test_large_pictures_have_two_places() -> None:
    with places.large(), places.large(), pytest.raises(places.Busy), places.large():
        pass
    with places.large():
        pass


def test_the_last_place_is_for_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker never takes it: a user of a web process finds a free one."""
    monkeypatch.setattr(places, "patience_seconds", None)
    with places.large():
        monkeypatch.setattr(places, "patience_seconds", 0.2)
        with places.large():
            pass


@pytest.mark.usefixtures("quick")
def test_a_place_is_not_lost_where_its_lock_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is an example."""
    with monkeypatch.context() as patch:
        patch.setattr(places, "locks", tmp_path / "no folder" / "locks")
        with pytest.raises(FileNotFoundError), places.large():
            pass
    with places.large(), places.large():
        pass


def test_a_place_is_held_against_other_processes_and_free_when_they_die(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        "import pathlib, time\nfrom gallery.pixels import places\nplaces.be_quick(9)\n"
        f"places.locks = pathlib.Path({str(places.locks)!r})\n"
        "with places.large(), places.large():\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        monkeypatch.setattr(places, "patience_seconds", 0.2)
        with pytest.raises(places.Busy), places.large():
            pass
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait(20)
    with places.large():
        pass


# --- A process of its own -----------------------------------------------------------


LARGE = Cost(places.SMALL_BYTES + 1, 1)
SMALL = Cost(1, 1)


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SMALL_BYTES", -1)


def test_a_decoder_that_cannot_begin_says_nothing_of_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # This folder has no gallery.
    monkeypatch.setattr(isolation, "_ROOT", isolation._ROOT / "tests")
    with pytest.raises(places.Busy):
        isolation.run(isolated_jobs.measures, io.BytesIO(b"some bytes"), LARGE)


def test_the_process_has_a_ceiling() -> None:
    ceiling, read = isolation.run(isolated_jobs.measures, io.BytesIO(b"some bytes"), LARGE)

    assert isolation.MAX_BYTES < int(ceiling) < 2 * isolation.MAX_BYTES
    assert read == b"some"


def test_a_file_that_takes_more_memory_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        isolation.run(isolated_jobs.takes_too_much, io.BytesIO(b"x"), LARGE)
    assert caught.value.code == "too_costly"


def test_a_file_that_takes_too_long_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        isolation.run(isolated_jobs.turns_for_ever, io.BytesIO(b"x"), LARGE)
    assert caught.value.code == "too_costly"


def test_nobody_waits_long_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "patience_seconds", 1.0)
    monkeypatch.setattr(isolation, "_WEB_SECONDS", 0.5)

    with pytest.raises(places.Busy):
        isolation.run(isolated_jobs.waits, io.BytesIO(b"x"), LARGE)


def test_a_decoder_that_crashes_takes_nothing_with_it() -> None:
    with pytest.raises(isolation.Undecodable, match="signal"):
        isolation.run(isolated_jobs.crashes, io.BytesIO(b"x"), LARGE)


@pytest.mark.parametrize("cost", [SMALL, LARGE])
def test_what_decoders_raise_is_told_alike(cost: Cost) -> None:
    with pytest.raises(isolation.Undecodable, match="ValueError: broken"):
        isolation.run(isolated_jobs.fails, io.BytesIO(b"x"), cost, reason="broken")


@pytest.mark.usefixtures("everything_is_large")
@pytest.mark.parametrize("kind", ["jpeg", "palette", "lossless webp", "avif"])
def test_large_pictures_go_the_same_way(kind: str) -> None:
    file = io.BytesIO(drawn(kind, 500, 1000))
    header = jobs.header_of(file)

    assert inspect_picture(file).height == 1000
    apart = jobs.pixels_for_encoder(file, header)
    assert np.array_equal(np.asarray(apart), np.asarray(decode.decode_rgb(file)))
    webp = rendition_pixels.draw(file, (500, 1000), [500, 320])
    assert [Image.open(io.BytesIO(one)).size for one in webp] == [(500, 1000), (320, 640)]


@pytest.mark.usefixtures("everything_is_large")
def test_damage_is_seen_in_large_pictures() -> None:
    with pytest.raises(Refusal) as caught:
        inspect_picture(io.BytesIO(pictures.spoilt(pictures.png(640, 480))))
    assert caught.value.code == "damaged_picture"


def test_what_would_not_fit_is_drawn_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "MAX_BYTES", 2 * MB)

    (full,) = rendition_pixels.draw(io.BytesIO(pictures.jpeg(800, 600)), (800, 600), [None])

    assert Image.open(io.BytesIO(full)).size == (400, 300)


# --- Limits -------------------------------------------------------------------------


def header_of(**fields: Any) -> Header:
    given = {"width": 1000, "height": 1000, "held": 0, "decoded": 4, "is_rgb": True}
    return Header(**{"format": "PNG", **given, **fields})


def test_what_is_too_much_is_refused_by_its_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolation, "_here", None)
    monkeypatch.setattr(isolation, "_apart", None)
    for cost in (header_of(held=2000).cost(), header_of(scans=30_000).cost()):
        with pytest.raises(Refusal) as caught:
            isolation.run(isolated_jobs.measures, io.BytesIO(b"x"), cost)
        assert caught.value.code == "too_costly"


@pytest.mark.parametrize("read", [read_query_picture, read_small_picture])
def test_visitors_may_ask_less_of_a_query_picture(
    monkeypatch: pytest.MonkeyPatch, read: Callable[..., Any]
) -> None:
    data = pictures.png(3000, 2000)
    monkeypatch.setattr(places, "SMALL_BYTES", 8 * MB)

    with pytest.raises(Refusal) as caught:
        read(io.BytesIO(data), "q.png", AnonymousUser())
    assert caught.value.code == "too_costly"
    assert read(io.BytesIO(data), "q.png", User(pk=1)).sha256
