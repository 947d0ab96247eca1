"""Files whose folder or which themselves are removed at the same moment, by an edit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from gallery.errors import Unavailable
from gallery.library.storage import DurableFileSystemStorage, read_stored, replace_stored

pytestmark = pytest.mark.django_db

NAME = "renditions/ab/picture/edition-320.webp"


def written() -> bytes:
    replace_stored(NAME, ContentFile(b"pixels"))
    return read_stored(NAME).read()


@pytest.mark.parametrize("times", [1, 2])
def test_a_folder_that_is_removed_before_the_file_comes_is_made_again(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    make = DurableFileSystemStorage._make_folder
    removed: list[Path] = []

    def make_and_lose(storage: DurableFileSystemStorage, folder: Path) -> None:
        make(storage, folder)
        if folder.name == "picture" and len(removed) < times:
            folder.rmdir()
            removed.append(folder)

    monkeypatch.setattr(DurableFileSystemStorage, "_make_folder", make_and_lose)

    assert written() == b"pixels"
    assert len(removed) == times


def test_a_file_that_is_removed_as_soon_as_it_is_there_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replace = Path.replace

    def replace_and_lose(incoming: Path, target: Path) -> Path:
        placed = replace(incoming, target)
        target.unlink()
        target.parent.rmdir()
        return placed

    monkeypatch.setattr(Path, "replace", replace_and_lose)

    replace_stored(NAME, ContentFile(b"pixels"))

    assert not default_storage.exists(NAME)


def test_a_disk_that_refuses_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(incoming: Path, target: Path) -> Path:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "replace", refused)

    with pytest.raises(OSError, match="No space"):
        replace_stored(NAME, ContentFile(b"pixels"))

    assert list(Path(default_storage.path("incoming")).iterdir()) == []


def test_a_rendition_that_an_edit_removed_is_no_missing_file(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(Unavailable) as told:
        read_stored(NAME)

    assert told.value.code == "changed_meanwhile"
    assert caplog.text == ""
