"""TIFF files whose samples decoders cannot read, or misread, are refused as an unsupported kind and
never as damaged. If small values mean white, they are shown as white."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import tifffile

from gallery.errors import Refusal
from gallery.library.validation import inspect_picture
from gallery.pixels.decode import decode

RAMP = np.tile(np.linspace(0, 1, 64, dtype=np.float64), (48, 1))


def tiff(pixels: np.ndarray, **options: Any) -> io.BytesIO:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file


@pytest.mark.parametrize(
    ("pixels", "options"),
    [
        (RAMP, {}),
        (RAMP.astype(np.float16), {}),
        (np.dstack([RAMP.astype(np.float32)] * 3), {"photometric": "rgb"}),
        ((RAMP * 127).astype(np.int8), {}),
        ((RAMP * 2**31).astype(np.uint32), {}),
        ((RAMP * 2**40).astype(np.uint64), {}),
        (
            np.stack([(RAMP * 65535).astype(np.uint16)] * 3),
            {"photometric": "rgb", "planarconfig": "separate"},
        ),
    ],
    ids=["float 64", "float 16", "float RGB", "int 8", "uint 32", "uint 64", "planes of 16"],
)
def test_what_is_not_read_is_not_damaged(pixels: np.ndarray, options: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as caught:
        inspect_picture(tiff(pixels, **options))
    assert caught.value.code == "unsupported_format"


@pytest.mark.parametrize(
    "pixels",
    [(RAMP * 255).astype(np.uint8), (RAMP * 65535).astype(np.uint16), RAMP.astype(np.float32)],
    ids=["8", "16", "float"],
)
@pytest.mark.parametrize("zero", ["minisblack", "miniswhite"])
def test_zero_is_what_the_file_says(pixels: np.ndarray, zero: str) -> None:
    shown = np.asarray(decode(tiff(pixels, photometric=zero)))[24, :, 0].astype(int)

    assert abs(shown[0] - (0 if zero == "minisblack" else 255)) <= 2
    assert abs(shown[-1] - (255 if zero == "minisblack" else 0)) <= 2
