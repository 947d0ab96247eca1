"""Grey of more than 8 bits: NaN, infinite values and single outliers do not decide the look of a
picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gallery.pixels import decode as decoding
from gallery.pixels.decode import decode
from tests import bombs, pictures

RAMP = np.tile(np.linspace(0, 1, 160, dtype=np.float32), (120, 1))
AT = [16, 80, 144]  # of 160 columns


def shown(values: np.ndarray[Any, Any], **options: Any) -> list[int]:
    data = pictures.saved(Image.fromarray(values), "TIFF", **options)
    return [int(value) for value in np.asarray(decode(io.BytesIO(data)))[60, AT, 0]]


def with_outliers(values: np.ndarray[Any, Any], *outliers: float) -> np.ndarray[Any, Any]:
    spoilt = values.copy()
    for number, outlier in enumerate(outliers):
        spoilt[10 + number, (20 + 7 * number) % 160] = outlier
    return spoilt


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    "outliers",
    [
        (),
        (NAN,),
        (INF, -INF),
        (NAN, INF, -5.0),
        (1e30,),
        (-1e30,),
        (3.4e38, -3.4e38, NAN),
        (5.0,) * 40,
        (1e-30, 65504.0),
    ],
)
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_floats_from_0_to_1(outliers: tuple[float, ...], compression: str) -> None:
    values = with_outliers(RAMP, *outliers)

    assert shown(values, compression=compression) == pytest.approx([25, 128, 230], abs=2)


def test_a_value_that_signals_that_it_is_none(recwarn: pytest.WarningsRecorder) -> None:
    spoilt = RAMP.copy()
    spoilt.view(np.uint32)[10, 20] = 0x7FA00000
    assert shown(spoilt) == shown(RAMP)
    assert not recwarn.list


@pytest.mark.parametrize(("low", "high"), [(0, 255), (0, 4095), (-1, 1), (0, 1e-3), (0, 1e6)])
def test_other_ranges_are_shown_from_end_to_end(low: float, high: float) -> None:
    values = (RAMP * (high - low) + low).astype(np.float32)
    plain = shown(values)

    assert shown(with_outliers(values, INF, NAN, high * 1e6, -1e9 * high)) == plain
    if high >= 1:
        assert plain == pytest.approx([25, 128, 230], abs=2)
    else:
        assert max(plain) <= 1  # below 1, 1 is white


def test_bright_parts_are_no_outliers() -> None:
    """This guards against a correction that goes too far: the bright part is a twentieth of the
    picture."""
    values = np.zeros((120, 160), np.float32)
    values[:, :8] = 100
    values[:, 100:] = 50
    data = pictures.saved(Image.fromarray(values), "TIFF")

    row = np.asarray(decode(io.BytesIO(data)))[60, :, 0]
    assert (row[3], row[150], row[50]) == (255, 127, 0)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_nothing_but_what_is_no_number(value: float) -> None:
    values = np.full((48, 64), value, np.float32)

    data = pictures.saved(Image.fromarray(values), "TIFF")

    assert len(decode(io.BytesIO(data)).getcolors() or []) == 1


def test_one_far_value_of_32_bits() -> None:
    values = (RAMP * 40_000).astype(np.int32)

    assert shown(with_outliers(values, 2_000_000_000)) == shown(values)


def test_small_pictures() -> None:
    values = np.tile(np.linspace(0, 1, 8, dtype=np.float32), (8, 1))
    values[3, 3] = 1000.0
    data = pictures.saved(Image.fromarray(values), "TIFF")

    assert int(np.asarray(decode(io.BytesIO(data)))[0, 4, 0]) == pytest.approx(145, abs=2)


def test_tiles_agree_on_black_and_white(monkeypatch: pytest.MonkeyPatch) -> None:
    values = with_outliers(RAMP * 300, NAN, 1e9)
    whole = shown(values)
    monkeypatch.setattr(decoding, "_TILE_PIXELS", 700)

    assert shown(values) == pytest.approx(whole, abs=1)


def test_bombs_of_infinite_values_are_drawn() -> None:
    assert decode(io.BytesIO(bombs.BY_SIDE["tiff infinite values"](64))).size == (64, 48)
