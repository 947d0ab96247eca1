"""Facts read from a file, mainly from EXIF, and values that are left out."""

from __future__ import annotations

import io
import json
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PIL.ExifTags import GPS, Base
from PIL.TiffImagePlugin import IFDRational

from gallery.library.clocks import Clock
from gallery.library.facts import Facts, read_facts
from tests import pictures

pytestmark = pytest.mark.filterwarnings("ignore:.*:UserWarning:PIL")


def read(**blocks: Any) -> Facts:
    return read_facts(io.BytesIO(pictures.jpeg(exif=pictures.exif_block(**blocks))))


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "MPO"])
def test_everything_a_camera_writes(format_: str) -> None:
    facts = read_facts(io.BytesIO(pictures.with_gps(format_)))

    assert facts.taken == Clock(datetime(2024, 5, 1, 12, 30), timedelta(hours=8))
    assert facts.taken.moment == datetime(2024, 5, 1, 4, 30, tzinfo=UTC)
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
    assert read_facts(io.BytesIO(pictures.jpeg())) == Facts()
    assert read_facts(io.BytesIO(pictures.png())) == Facts()


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
    assert read_facts(io.BytesIO(draw())) == Facts()


def test_random_damage_never_raises_and_stays_storable() -> None:
    """Bytes of a good block are changed at random, many times."""
    chance = random.Random(20_240_501)
    whole = pictures.with_gps()
    start = whole.index(b"Exif\x00\x00") + 6
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[start + chance.randrange(400)] = chance.choice([0, 255, chance.randrange(256)])

        facts = read_facts(io.BytesIO(bytes(data)))

        stored = json.dumps([facts.camera, facts.settings], allow_nan=False)
        assert "\\u0000" not in stored
        stored.encode()
        assert (facts.latitude is None) == (facts.longitude is None)


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


NONE = (IFDRational(0, 0),) * 3
ZERO = (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        (("S", (33.0, 51.0, 54.5)), ("E", (151.0, 12.0, 36.0)), (-33.8651389, 151.21)),
        (("N", (40.0, 30.0, 0.0)), ("W", (74.0, 0.0, 36.0)), (40.5, -74.01)),
        ((None, (40.0, 30.0, 0.0)), (None, (74.0, 0.0, 36.0)), (40.5, 74.01)),
        # Seconds, or minutes as well, are missing in one way or another.
        (
            ("N", (48.0, 52.0, IFDRational(0, 0))),
            ("E", (16.0, 26.0, IFDRational(0, 0))),
            (48.8666667, 16.4333333),
        ),
        (("N", (48.5, IFDRational(0, 0), IFDRational(0, 0))), ("E", (16.25,)), (48.5, 16.25)),
        (("N", (48.0, 52.0)), ("E", (16.0, 26.0)), (48.8666667, 16.4333333)),
        # Zero is a valid coordinate if the other one is not zero.
        (("N", (51.0, 28.0, 38.0)), ("W", ZERO), (51.4772222, 0.0)),
        (("S", ZERO), ("E", (6.0, 36.0, 0.0)), (0.0, 6.6)),
        (("N", (0.0, 0.0, 1.0)), ("E", ZERO), (0.0002778, 0.0)),
        # In any notation, these are no place.
        (("N", ZERO), ("E", ZERO), (None, None)),
        (("S", ZERO), ("W", ZERO), (None, None)),
        ((None, ZERO), (None, ZERO), (None, None)),
        (("N", (0.0,)), ("E", (0.0, 0.0)), (None, None)),
        (("N", NONE), ("E", NONE), (None, None)),
        (("N", (0.0, *NONE[:2])), ("E", (0.0, *NONE[:2])), (None, None)),
        (("N", (0.0, 0.0, 0.003)), ("E", (IFDRational(1, 1_000_000), 0.0, 0.0)), (None, None)),
        # No place on Earth, or only half of one.
        (("N", (91.0, 0.0, 0.0)), ("E", (10.0, 0.0, 0.0)), (None, None)),
        (("N", (90.0, 0.0, 1.0)), ("E", (10.0, 0.0, 0.0)), (None, None)),
        (("N", (10.0, 0.0, 0.0)), ("E", (181.0, 0.0, 0.0)), (None, None)),
        (("N", (10.0, 99.0, 0.0)), ("E", (10.0, 0.0, 0.0)), (None, None)),
        (("N", (10.0, 0.0, 0.0)), None, (None, None)),
        (("N", (10.0, 0.0, 0.0)), ("E", NONE), (None, None)),
        (("N", (IFDRational(10, 0), 0.0, 0.0)), ("E", (10.0, 0.0, 0.0)), (None, None)),
    ],
)
def test_positions(latitude: Any, longitude: Any, expected: Any) -> None:
    gps: dict[int, Any] = {}
    for given, reference, degrees in (
        (latitude, GPS.GPSLatitudeRef, GPS.GPSLatitude),
        (longitude, GPS.GPSLongitudeRef, GPS.GPSLongitude),
    ):
        if given:
            gps |= {degrees: given[1], **({reference: given[0]} if given[0] else {})}

    facts = read(gps=gps)

    if expected[0] is None:
        assert (facts.latitude, facts.longitude) == (None, None)
    else:
        assert (facts.latitude, facts.longitude) == (
            pytest.approx(expected[0]),
            pytest.approx(expected[1]),
        )
        assert math.copysign(1, facts.latitude) == 1 or facts.latitude < 0, "no -0"
