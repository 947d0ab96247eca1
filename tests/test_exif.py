"""What is read from EXIF, and what is better left out."""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from gallery.library.exif import ExifFacts, read_exif
from tests import pictures

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")


def read(**blocks: Any) -> ExifFacts:
    return read_exif(io.BytesIO(pictures.jpeg(exif=pictures.exif_block(**blocks))))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "MPO"])
def test_everything_a_camera_writes(format_: str) -> None:
    facts = read_exif(io.BytesIO(pictures.with_gps(format_)))

    assert facts.captured_at == datetime(2024, 5, 1, 4, 30, tzinfo=UTC)
    assert facts.camera == "NIKON D850"
    assert facts.latitude == pytest.approx(31.2293333)
    assert facts.longitude == pytest.approx(121.47)
    assert facts.settings == {
        "exposure_time": 0.004,
        "f_number": 2.8,
        "iso": 200,
        "focal_length": 50,
        "lens": "50mm F1.8",
        "flash": True,
    }
    json.dumps(facts.settings, allow_nan=False)


def test_a_picture_without_exif() -> None:
    assert read_exif(io.BytesIO(pictures.jpeg())) == ExifFacts()
    assert read_exif(io.BytesIO(pictures.animated_gif())) == ExifFacts()


@pytest.mark.parametrize(
    "draw",
    [
        pictures.broken_exif,
        pictures.exif_pointing_nowhere,
        pictures.png_with_broken_exif,
        pictures.text,
        pictures.empty,
        pictures.truncated_jpeg,
    ],
)
def test_broken_files_give_empty_facts(draw: Any) -> None:
    assert read_exif(io.BytesIO(draw())) == ExifFacts()


def test_random_damage_never_raises_and_stays_storable() -> None:
    """Bytes of a good block are changed at random, many times over."""
    chance = random.Random(20_240_501)
    whole = pictures.with_gps()
    start = whole.index(b"Exif\x00\x00") + 6
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[start + chance.randrange(400)] = chance.choice([0, 255, chance.randrange(256)])

        facts = read_exif(io.BytesIO(bytes(data)))

        stored = json.dumps([facts.camera, facts.settings], allow_nan=False)
        assert "\\u0000" not in stored
        stored.encode()
        assert (facts.latitude is None) == (facts.longitude is None)


# --- Time -----------------------------------------------------------------------


def test_time_without_an_offset_is_that_of_the_installation(settings) -> None:
    settings.TIME_ZONE = "Asia/Shanghai"

    facts = read(photo={Base.DateTimeOriginal: "2024:05:01 12:30:00"})

    assert facts.captured_at == datetime(2024, 5, 1, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize("offset", ["   :  ", "nonsense", "", "+99:99"])
def test_an_unusable_offset_does_not_lose_the_time(offset: str) -> None:
    facts = read(
        photo={Base.DateTimeOriginal: "2024:05:01 12:30:00", Base.OffsetTimeOriginal: offset}
    )

    assert facts.captured_at == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "when",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2023:02:30 10:00:00",
        "2024:13:01 10:00:00",
        "2024:05:01 25:00:00",
        "1000:01:01 00:00:00",
        "0001:01:01 00:00:00",
        "9999:12:31 23:59:59",
        "yesterday",
        "",
    ],
)
def test_impossible_times_are_left_out(when: str) -> None:
    facts = read(photo={Base.DateTimeOriginal: when, Base.OffsetTimeOriginal: "-12:00"})

    assert facts.captured_at is None


def test_a_time_in_the_future_is_left_out() -> None:
    future = timezone.now() + timedelta(days=3)

    facts = read(photo={Base.DateTimeOriginal: future.strftime("%Y:%m:%d %H:%M:%S")})

    assert facts.captured_at is None


def test_the_time_of_scanning_stands_in() -> None:
    facts = read(photo={Base.DateTimeDigitized: "2001:02:03 04:05:06"})

    assert facts.captured_at == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)


# --- Camera ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("Canon", "Canon EOS R5", "Canon EOS R5"),
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("FUJIFILM\x00\x00\x00", "X-T4\x00junk", "FUJIFILM X-T4"),
        ("  SONY  ", "", "SONY"),
        ("", "Unknown 1", "Unknown 1"),
        ("a\x1bb\nc", "d\te", "a b c d e"),
        ("M" * 300, "N" * 300, ("M" * 200)),
    ],
)
def test_camera_names(make: str, model: str, camera: str) -> None:
    main = {tag: text for tag, text in ((Base.Make, make), (Base.Model, model)) if text}

    assert read(main=main).camera == camera


# --- Numbers --------------------------------------------------------------------


def test_numbers_that_are_none_are_left_out() -> None:
    facts = read(
        photo={
            Base.ExposureTime: IFDRational(1, 0),
            Base.FNumber: IFDRational(0, 0),
            Base.FocalLength: IFDRational(0, 1),
            Base.ISOSpeedRatings: 0,
            Base.LensModel: "\x00\x00",
        }
    )

    assert facts.settings == {}


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (("S", (33.0, 51.0, 54.5)), ("E", (151.0, 12.0, 36.0)), (-33.8651389, 151.21)),
        (("N", (40.0, 30.0, 0.0)), ("W", (74.0, 0.0, 36.0)), (40.5, -74.01)),
        (("N", (91.0, 0.0, 0.0)), ("E", (10.0, 0.0, 0.0)), (None, None)),
        (("N", (10.0, 0.0, 0.0)), ("E", (181.0, 0.0, 0.0)), (None, None)),
        (("N", (10.0, 0.0, 0.0)), None, (None, None)),
        (
            ("N", (IFDRational(10, 0), 0.0, 0.0)),
            ("E", (10.0, 0.0, 0.0)),
            (None, None),
        ),
    ],
)
def test_positions(latitude: Any, longitude: Any, expected: Any) -> None:
    gps: dict[int, Any] = {GPS.GPSLatitudeRef: latitude[0], GPS.GPSLatitude: latitude[1]}
    if longitude:
        gps |= {GPS.GPSLongitudeRef: longitude[0], GPS.GPSLongitude: longitude[1]}

    facts = read(gps=gps)

    if expected[0] is None:
        assert (facts.latitude, facts.longitude) == (None, None)
    else:
        assert (facts.latitude, facts.longitude) == (
            pytest.approx(expected[0]),
            pytest.approx(expected[1]),
        )
