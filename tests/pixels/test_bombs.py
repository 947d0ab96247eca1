"""Decompression bombs: small files that need much memory are refused, or cost no more than their
pixels need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import bombs
from tests.measured import Meter

Faults = Callable[[bytes, tuple[str, ...]], list[str]]

# One function for each way to reduce pixels. The other functions use these.
FUNCTIONS = (
    "inspect_picture",
    "pixels_for_encoder",
    "thumbnails",
    "read_small_picture",
    "read_square",
)
# The ceiling of the process limits them, whatever the number of pixels.
LARGEST = (
    "webp lossless",
    "gif small frame",
    "jpeg progressive, cmyk",
    "tiff float",
    "heic canvas",
)


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as meter:
        yield meter


@pytest.fixture
def faults(meter: Meter, tmp_path: Path) -> Faults:
    def faults_of(data: bytes, functions: tuple[str, ...]) -> list[str]:
        path = tmp_path / "picture"
        path.write_bytes(data)
        return [fault for cost in meter.costs(path, functions) for fault in cost.faults]

    return faults_of


@pytest.mark.parametrize("name", bombs.BY_SIDE)
def test_what_a_small_file_costs(name: str, faults: Faults) -> None:
    data = bombs.BY_SIDE[name](bombs.MEASURED_SIDE)
    assert len(data) < 400_000
    assert faults(data, FUNCTIONS) == []


@pytest.mark.parametrize("name", LARGEST)
def test_what_a_small_file_of_as_many_pixels_as_are_accepted_costs(
    name: str, faults: Faults
) -> None:
    assert faults(bombs.BY_SIDE[name](bombs.SIDE), FUNCTIONS[:2]) == []
