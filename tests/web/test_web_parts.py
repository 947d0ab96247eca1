"""Small parts of the pages, each on its own."""

from __future__ import annotations

import pytest

from gallery.models import Image, User
from gallery.web.pictures.classify import percent
from gallery.web.pictures.exif_lines import exif_lines
from gallery.web.pictures.tiles import srcset, tiles_of


@pytest.mark.parametrize(
    ("exif", "line"),
    [
        ({"exposure_time": 0.004}, ("Exposure", "1/250 s")),
        ({"exposure_time": 1 / 3000}, ("Exposure", "1/3000 s")),
        ({"exposure_time": 2.5}, ("Exposure", "2.5 s")),
        ({"exposure_time": 30.0}, ("Exposure", "30 s")),
        ({"f_number": 2.8}, ("Aperture", "f/2.8")),
        ({"f_number": 8.0}, ("Aperture", "f/8")),
        ({"focal_length": 35}, ("Focal length", "35 mm")),
        ({"iso": 400.0}, ("ISO", "400")),
        ({"exposure_bias": -0.67}, ("Compensation", "-0.7 EV")),
        ({"flash": False}, ("Flash", "off")),
        ({"lens": "XF 23mm"}, ("Lens", "XF 23mm")),
    ],
)
def test_camera_settings_read_as_usual(exif: dict[str, object], line: tuple[str, str]) -> None:
    assert exif_lines(exif) == [line]


def test_settings_come_in_one_order_and_unknown_ones_are_left_out() -> None:
    names = [name for name, _ in exif_lines({"iso": 100, "lens": "A", "other": 1})]
    assert names == ["Lens", "ISO"]


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (1.0, "100.0 %"),
        (0.98769, "98.8 %"),
        (0.0005, "0.1 %"),
        (0.0001, "under 0.1 %"),
        (0, "0.0 %"),
    ],
)
def test_percentages(probability: float, text: str) -> None:
    assert percent(probability) == text


@pytest.mark.parametrize(
    ("width", "height", "ratio"), [(1500, 1000, 1.5), (10_000, 500, 3.0), (100, 4000, 0.5)]
)
def test_extreme_shapes_are_cropped_in_the_grid(width: int, height: int, ratio: float) -> None:
    image = Image(owner=User(username="alice"), width=width, height=height)
    assert tiles_of([image], User())[0].ratio == ratio


def test_srcset_names_true_widths() -> None:
    small = srcset(Image(width=500, height=400)).split(", ")
    assert [part.split(" ")[1] for part in small] == ["320w", "480w", "500w"]
    large = srcset(Image(width=5000, height=4000)).split(", ")
    assert [part.split(" ")[1] for part in large] == ["320w", "480w", "640w", "1280w", "2048w"]
