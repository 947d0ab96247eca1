"""`manage.py import_images` imports a folder and reports which files were refused and why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from gallery.library import service
from gallery.models import Album, AlbumRole, AlbumShare, Image, User
from tests import pictures
from tests.conftest import ROOT, draw, wait_for, worker_environment

# The command works in threads. Each has its own connection.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("dispatched")]

SOME_FAILED = "Some files were not imported"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two pictures, one of them twice, two other files, and litter."""
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


@pytest.fixture
def clean_folder(folder: Path) -> Path:
    """The same folder without files that fail."""
    (folder / "notes.txt").unlink()
    (folder / "2024" / "gone.jpg").unlink()
    return folder


def run(folder: Path, owner: str = "alice", **options: Any) -> tuple[str, str]:
    """Run the command. Return the summary, and the messages about failed files."""
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command("import_images", str(folder), owner=owner, stdout=out, stderr=err, **options)
    except CommandError as error:
        if not str(error).startswith(SOME_FAILED):
            raise
        status = error.returncode
    assert status == (0 if "not imported 0" in out.getvalue() else 1)
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


@pytest.mark.parametrize("jobs", [1, 7])
def test_any_number_of_jobs_does_the_same(folder: Path, alice: User, jobs: int) -> None:
    summary, _refusals = run(folder, jobs=jobs)
    assert summary == "Added 2, already there 1, not imported 2."


def test_an_import_can_be_repeated(
    clean_folder: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(clean_folder)
    (clean_folder / "new.jpg").write_bytes(draw(colour="yellow"))
    sent = []
    add_image = service.add_image

    def note(**fields: Any) -> Any:
        sent.append(fields["name"])
        return add_image(**fields)

    monkeypatch.setattr(service, "add_image", note)
    summary, _refusals = run(clean_folder, visibility="public")
    assert summary == "Added 1, already there 3, not imported 0."
    assert sent == ["new.jpg"], "the hash is asked for first"
    assert Image.objects.owned_by(alice).get(original_name="new.jpg").visibility == "public"


def test_what_is_broken_is_mended(clean_folder: Path, alice: User, media: Path) -> None:
    run(clean_folder)
    trashed = Image.objects.get(original_name="蓝.png")
    service.delete_image(trashed)
    fileless = Image.objects.exclude(pk=trashed.pk).get()
    (media / fileless.file.name).unlink()
    summary, _refusals = run(clean_folder)
    assert summary == "Added 1, already there 2, not imported 0."
    assert Image.objects.owned_by(alice).count() == 2
    assert (media / fileless.file.name).exists()


def test_an_album_is_made_once_and_filled(clean_folder: Path, alice: User) -> None:
    run(clean_folder)
    run(clean_folder, album="五月 in the mountains")
    run(clean_folder, album="五月 in the mountains")
    album = Album.objects.owned_by(alice).get()
    assert album.items.count() == 2
    (clean_folder / "new.jpg").write_bytes(draw(colour="yellow"))
    run(clean_folder, album=str(album.pk))
    assert album.items.count() == 3


def test_an_album_of_another_is_filled_by_whom_it_is_open_to(
    clean_folder: Path, alice: User, bob: User
) -> None:
    album = Album.objects.create(owner=bob, title="Ours")
    with pytest.raises(CommandError, match="--album: There is no such album"):
        run(clean_folder, album=str(album.pk))
    AlbumShare.objects.create(album=album, user=alice, role=AlbumRole.ADD)
    run(clean_folder, album=str(album.pk))
    assert album.items.count() == 2
    run(clean_folder, album="Ours")
    assert Album.objects.owned_by(alice).get().title == "Ours", "by title it is an own one"
    Album.objects.create(owner=alice, title="Ours")
    with pytest.raises(CommandError, match="Several albums are called so"):
        run(clean_folder, album="Ours")


def test_a_quota_stops_no_file_that_fits(clean_folder: Path, alice: User) -> None:
    alice.quota_images = 1
    alice.save()
    summary, refusals = run(clean_folder, jobs=1)
    assert summary == "Added 1, already there 1, not imported 1."
    assert "1 of 1 pictures" in refusals


def test_what_concerns_all_stops_all(
    clean_folder: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str, content: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(service, "replace_stored", fail)
    with pytest.raises(CommandError, match="cannot be stored just now"):
        run(clean_folder)


def test_wrong_arguments_are_one_sentence(folder: Path, alice: User) -> None:
    with pytest.raises(CommandError, match="There is no account zoe"):
        run(folder, owner="zoe")
    with pytest.raises(CommandError, match="There is no folder"):
        run(folder / "red.jpg")
    with pytest.raises(CommandError, match="a number from 1 to 32"):
        call_command("import_images", str(folder), "--owner", "alice", "--jobs", "0")


def test_a_killed_import_goes_on(tmp_path: Path, alice: User, media: Path) -> None:
    """It is killed in the middle (kill -9) and started again: everything is imported once, and the
    status is right."""
    root = tmp_path / "many"
    root.mkdir()
    for number in range(40):
        (root / f"{number}.png").write_bytes(pictures.png(700 + number, 500))
    (root / "notes.txt").write_text("not a picture")
    command = [sys.executable, "manage.py", "import_images", str(root), "--owner", "alice"]
    environment = worker_environment(media)
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: Image.objects.count() >= 5, what="some pictures")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    before = Image.objects.count()
    assert before < 40
    again = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert again.returncode == 1
    assert "not imported 1." in again.stdout
    assert "notes.txt: This file is not a picture" in again.stderr
    assert "41/41" in again.stderr, "a progress bar"
    assert Image.objects.count() == 40
