"""Small files that ask for much cost what their pixels need, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import bombs
from tests.measured import Meter


@pytest.fixture(scope="module")
def meter() -> Iterator[Meter]:
    with Meter() as meter:
        yield meter


@pytest.mark.parametrize("name", bombs.BY_SIDE)
def test_what_a_small_file_costs(name: str, meter: Meter, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(bombs.BY_SIDE[name](bombs.MEASURED))
    assert [fault for cost in meter.costs(path) for fault in cost.faults] == []
