"""The parts of `make faults`. The long run is no part of the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.files.base import ContentFile

from tests.faults import counting, trouble
from tests.faults.storage import FaultyStorage, Ill, flag
from tests.faults.uploads import drawn


def test_the_same_number_draws_the_same_faults_and_pictures() -> None:
    first, second = Random(7), Random(7)
    faults = [trouble.draw(first, 1, 20) for _ in range(400)]
    assert faults == [trouble.draw(second, 1, 20) for _ in range(400)]
    assert {fault.kind for fault in faults} == set(trouble.TROUBLE)
    assert all(1 <= fault.seconds <= 20 for fault in faults)
    pictures = [drawn(Random(f"1/{number}")) for number in range(20)]
    assert pictures == [drawn(Random(f"1/{number}")) for number in range(20)]
    assert len({hashlib.sha256(data).digest() for data in pictures}) == 20


@pytest.fixture
def storage(tmp_path: Path, settings: Any) -> Iterator[FaultyStorage]:
    settings.FAULTS_DIR = tmp_path
    (tmp_path / "media" / "originals").mkdir(parents=True)
    well = FaultyStorage(location=str(tmp_path / "media"))
    well.save("originals/kept", ContentFile(b"kept"))
    yield well
    flag(tmp_path).unlink(missing_ok=True)


@pytest.mark.parametrize("ill", [Ill.FULL, Ill.READ_ONLY])
def test_a_full_disk_keeps_what_it_has_and_nothing_half(
    storage: FaultyStorage, tmp_path: Path, ill: Ill
) -> None:
    flag(tmp_path).write_text(ill)
    with pytest.raises(OSError, match=r"No space left|Read-only"):
        storage.save("originals/more", ContentFile(b"more of it"))
    with storage.open("originals/kept") as file:
        assert file.read() == b"kept"
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["storage", "kept"]


def test_a_broken_disk_neither_gives_nor_takes(storage: FaultyStorage, tmp_path: Path) -> None:
    flag(tmp_path).write_text(Ill.BROKEN)
    for use in (
        lambda: storage.open("originals/kept"),
        lambda: storage.exists("originals/kept"),
        lambda: storage.save("originals/more", ContentFile(b"more")),
        lambda: storage.delete("originals/kept"),
    ):
        with pytest.raises(OSError, match="Input/output"):
            use()


def test_encodings_are_counted_by_picture(tmp_path: Path, settings: Any) -> None:
    settings.FAULTS_DIR = tmp_path
    counting._append(counting.DONE, ["space a", "space b"])
    counting._append(counting.DONE, ["space a"])
    assert counting.counted(tmp_path, counting.DONE) == {"space a": 2, "space b": 1}
    assert not counting.counted(tmp_path, counting.BEGUN)
