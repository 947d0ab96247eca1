"""`manage.py import_images`: a folder of pictures, with what was refused and why."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from gallery.models import Image, User
from tests.conftest import draw

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures, one of them twice, two files that are none, and litter."""
    root = tmp_path / "photos"
    (root / "2024" / "五月").mkdir(parents=True)
    (root / ".trash").mkdir()
    (root / "red.jpg").write_bytes(draw(colour="red"))
    (root / "2024" / "red again.jpg").write_bytes(draw(colour="red"))
    (root / "2024" / "五月" / "蓝.png").write_bytes(draw(colour="blue", format="PNG"))
    (root / "notes.txt").write_text("not a picture")
    (root / "2024" / "gone.jpg").symlink_to(root / "no such file")
    (root / "Thumbs.db").write_bytes(b"litter")
    (root / ".trash" / "old.jpg").write_bytes(draw(colour="green"))
    os.mkfifo(root / "pipe")
    return root


def run(folder: Path, owner: str = "alice", **options: str) -> tuple[str, str]:
    """The last line of the output, and what was said about refused files."""
    out, err = StringIO(), StringIO()
    call_command("import_images", str(folder), owner=owner, stdout=out, stderr=err, **options)
    return out.getvalue().strip(), err.getvalue()


def test_every_picture_is_imported_and_every_refusal_has_a_reason(
    folder: Path, alice: User
) -> None:
    summary, refusals = run(folder)
    assert summary == "Added 2, already there 1, not imported 2."
    assert "notes.txt: " in refusals
    assert "gone.jpg: No such file or directory" in refusals
    images = Image.objects.owned_by(alice)
    assert {image.original_name for image in images} <= {"red.jpg", "red again.jpg", "蓝.png"}
    assert {image.visibility for image in images} == {"private"}


def test_an_import_can_be_repeated(folder: Path, alice: User) -> None:
    run(folder)
    (folder / "new.jpg").write_bytes(draw(colour="yellow"))
    summary, _ = run(folder, visibility="public")
    assert summary == "Added 1, already there 3, not imported 2."
    assert Image.objects.owned_by(alice).get(original_name="new.jpg").visibility == "public"


def test_wrong_arguments_are_one_sentence(folder: Path, alice: User) -> None:
    with pytest.raises(CommandError, match="There is no account zoe"):
        run(folder, owner="zoe")
    with pytest.raises(CommandError, match="There is no folder"):
        run(folder / "red.jpg")
