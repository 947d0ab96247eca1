"""An outage of the database or the storage counts no try of a picture, and loses none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError

from gallery.errors import Unavailable
from gallery.library import renditions
from gallery.library.storage import DurableFileSystemStorage
from gallery.models import Analysis, Image, User
from gallery.work import analyser, breakers, drain, ledger
from gallery.work.analyser import Analyser, Entry, Resource
from tests.conftest import api, draw, upload

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("dispatched")]


def error_of(kind: type[psycopg.Error]) -> OperationalError:
    """Return the error as Django raises it."""
    error = OperationalError("made up")
    error.__cause__ = kind("made up")
    return error


STOPPED = error_of(psycopg.errors.AdminShutdown)
LOST = error_of(psycopg.OperationalError)  # a broken connection has no code


class Measuring(Analyser):
    """An analyser that raises each error in `fails` once."""

    name = "measuring"
    things = ()
    batch_size = 2

    def __init__(self) -> None:
        self.fails: list[Exception] = []
        self.seen: list[Any] = []

    def run(self, prepared: Sequence[Entry]) -> Sequence[Entry]:
        if self.fails:
            raise self.fails.pop()
        return prepared

    def store(self, entries: Sequence[Entry], results: Sequence[Entry]) -> None:
        self.seen += [entry.image_id for entry in results]


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Measuring:
    only = Measuring()
    monkeypatch.setattr(analyser, "_providers", [lambda: [only]])
    monkeypatch.setattr(drain, "_DATABASE_PAUSE", 0.01)
    return only


def attempts() -> set[tuple[str, int]]:
    return set(Analysis.objects.filter(analyser="measuring").values_list("state", "attempts"))


@pytest.mark.parametrize("error", [STOPPED, LOST], ids=["stopped", "lost"])
def test_what_is_in_hand_outlasts_a_database_that_is_away(
    measuring: Measuring, alice: User, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Once the claim of the next batch failed, and the finished batch waited for the end of its
    lease."""
    images = [upload(alice, draw(colour=(number * 40, 9, 9))) for number in range(6)]
    claim, asked = ledger.claim, []

    def failing(*arguments: Any) -> Any:
        asked.append(arguments)
        if len(asked) in (2, 3):
            raise error
        return claim(*arguments)

    monkeypatch.setattr(ledger, "claim", failing)
    assert drain.work_off(Resource.PROCESSOR) == 6
    assert set(measuring.seen) == {image.pk for image in images}
    assert attempts() == {("done", 1)}


def test_a_run_that_met_no_database_is_done_again_untried(
    measuring: Measuring, alice: User
) -> None:
    upload(alice)
    measuring.fails = [STOPPED, LOST] * 4
    assert drain.work_off(Resource.PROCESSOR) == 1
    assert attempts() == {("done", 1)}


def test_a_statement_that_cannot_succeed_is_not_asked_for_ever(
    measuring: Measuring, alice: User
) -> None:
    upload(alice)
    measuring.fails = [error_of(psycopg.errors.ProgramLimitExceeded)]
    assert drain.work_off(Resource.PROCESSOR) == 0
    row = Analysis.objects.get(analyser="measuring")
    assert (row.state, row.attempts, row.reason_code) == ("waiting", 1, "unknown")


# --- Storage ----------------------------------------------------------------------


@pytest.fixture
def unmounted(alice: User, media: Path) -> Path:
    """The folder exists and is empty, though there is a picture."""
    upload(alice, draw(colour="navy"))
    media.rename(media.with_name("aside"))
    media.mkdir()
    return media


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_nothing_is_written_under_a_disk_that_is_not_mounted(unmounted: Path, alice: User) -> None:
    with pytest.raises(Unavailable) as refused:
        upload(alice)
    assert refused.value.code == "storage_unavailable"
    assert files_in(unmounted) == []
    assert Image.objects.count() == 1

    (unmounted / "originals").mkdir()  # the administrator says that they are lost
    assert upload(alice).pk


def test_no_rendition_is_written_there_either(unmounted: Path) -> None:
    from gallery.library.storage import replace_stored

    name = renditions.rendition_path(Image.objects.get(), 320)
    with pytest.raises(OSError, match="not mounted"):
        replace_stored(name, Image.objects.get().file)
    assert files_in(unmounted) == []


def test_an_upload_is_told_that_the_storage_is_away(unmounted: Path, alice: User) -> None:
    """Once the answer was 500."""
    file = SimpleUploadedFile("a.jpg", draw(), "image/jpeg")
    answer = api(alice).post("/api/v1/images/", {"file": file}, format="multipart")
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "storage_unavailable"
    assert answer["Retry-After"]


def test_a_picture_that_is_there_already_is_not_asked_for_in_vain(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A storage that could not say whether it has a file was answered with 500."""
    known = upload(alice, draw())

    def broken(self: object, name: str) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(DurableFileSystemStorage, "exists", broken)
    again = SimpleUploadedFile("again.jpg", draw(), "image/jpeg")
    answer = api(alice).post("/api/v1/images/", {"file": again}, format="multipart")
    assert (answer.status_code, bool(answer["Retry-After"])) == (503, True)
    assert answer.json()["errors"][0]["code"] == "storage_unavailable"
    assert list(Image.objects.all()) == [known]


def test_what_is_back_is_said_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    breakers.trip("a thing", "It does not answer.")
    breakers.close(["a thing"])
    assert "a thing is back" in caplog.text
    assert not breakers.is_away("a thing")
