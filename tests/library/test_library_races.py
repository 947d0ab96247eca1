"""Uploads and purges that fail, are killed or collide: a row never lacks its file."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from gallery.library import service
from gallery.library.originals import lock_original, remove_original_if_unnamed
from gallery.library.service import Upload
from gallery.library.storage import original_path
from gallery.models import Image, User
from tests import pictures
from tests.conftest import ROOT, wait_for, worker_environment
from tests.library_tools import add, stored_files

pytestmark = pytest.mark.django_db


@pytest.fixture
def together() -> Callable[..., list[Any]]:
    """Call a function in many threads at the same moment. Return the results."""

    def run(function: Callable[[int], Any], count: int) -> list[Any]:
        barrier = threading.Barrier(count, timeout=20)

        def one(number: int) -> Any:
            try:
                barrier.wait()
                return function(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    return run


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_identical_uploads_at_once_all_succeed(
    alice: User, media: Path, together: Callable[..., list[Any]]
) -> None:
    data = pictures.jpeg(320, 240)

    uploads: list[Upload] = together(lambda number: add(alice, data, f"{number}.jpg"), 8)

    assert len({upload.image.pk for upload in uploads}) == 1
    assert [upload.duplicate for upload in uploads].count(False) == 1
    image = Image.objects.get()
    assert stored_files(media) == [image.file.name]
    assert (media / image.file.name).read_bytes() == data


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_uploads_and_purges_at_once_never_leave_a_row_without_its_file(
    alice: User, media: Path, together: Callable[..., list[Any]]
) -> None:
    data = pictures.jpeg()

    def upload_or_purge(number: int) -> None:
        if number % 2:
            for image in Image.objects.filter(owner=alice):
                service.purge_image(image)
        else:
            add(alice, data)

    for _ in range(6):
        together(upload_or_purge, 6)
        for image in Image.objects.all():
            assert (media / image.file.name).read_bytes() == data
    add(alice, data)
    assert stored_files(media) == [Image.objects.get().file.name]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_a_file_removed_before_the_row_is_written_again(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other upload of the same bytes fails, and cleans up at the worst moment."""
    data = pictures.jpeg()
    sha256 = hashlib.sha256(data).hexdigest()
    path = original_path(alice.pk, sha256, "jpg")
    lock = service.lock_original

    def clean_up_just_before(owner_id: int, digest: str) -> None:
        remove_original_if_unnamed(owner_id, digest, path)
        lock(owner_id, digest)

    monkeypatch.setattr(service, "lock_original", clean_up_just_before)

    image = add(alice, data).image

    assert (media / image.file.name).read_bytes() == data


@pytest.mark.django_db(transaction=True)
def test_a_failed_transaction_takes_its_file_with_it(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(image_ids: list[UUID]) -> None:
        raise IntegrityError("the ledger is broken")

    monkeypatch.setattr("gallery.work.ledger.enqueue", fail)

    with pytest.raises(IntegrityError, match="the ledger is broken"):
        add(alice, pictures.jpeg())

    assert not Image.objects.exists()
    assert stored_files(media) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_a_failed_upload_keeps_a_file_that_a_committed_row_names(
    alice: User, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two uploads have the same bytes. While one fails, the other commits."""
    data = pictures.jpeg()

    lock = service.lock_original

    def other_upload() -> None:
        try:
            add(alice, data)
        finally:
            connections.close_all()

    def fail_after_the_other(owner_id: int, sha256: str) -> None:
        monkeypatch.setattr(service, "lock_original", lock)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(other_upload).result(20)
        raise ConnectionError("gone")

    monkeypatch.setattr(service, "lock_original", fail_after_the_other)

    with pytest.raises(ConnectionError):
        add(alice, data)

    assert (media / Image.objects.get().file.name).read_bytes() == data


def test_a_kill_while_writing_leaves_no_half_file_under_a_real_name(
    alice: User, media: Path
) -> None:
    class Killed(BaseException):
        pass

    class DyingFile(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size: int | None = None) -> Iterator[bytes]:
            yield b"half"
            raise Killed

    with pytest.raises(Killed):
        default_storage.save("originals/1/aa/aa.jpg", DyingFile(b"whole"))

    assert stored_files(media) == []


def test_what_a_killed_process_left_is_swept_with_the_trash(media: Path) -> None:
    default_storage.save("x/y.bin", ContentFile(b"whole"))
    old, fresh = media / "incoming" / "old", media / "incoming" / "fresh"
    old.write_bytes(b"ha")
    fresh.write_bytes(b"ha")
    long_ago = timezone.now().timestamp() - 3 * 86_400
    os.utime(old, (long_ago, long_ago))

    service.purge_trash(timedelta(days=30))

    assert stored_files(media) == ["incoming/fresh", "x/y.bin"]


@pytest.mark.django_db(transaction=True)
def test_originals_of_others_are_not_waited_for(alice: User, bob: User) -> None:
    """The lock belongs to one owner and hash: bob's upload continues while alice's lock is held."""

    def lock_his() -> bool:
        try:
            with transaction.atomic():
                lock_original(bob.pk, "aa")
            return True
        finally:
            connections.close_all()

    with transaction.atomic():
        lock_original(alice.pk, "aa")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lock_his).result(20)


UPLOADS_UNTIL_KILLED = """
import io, itertools
import django
django.setup()
from gallery.library.service import add_image
from gallery.models import User
from tests import pictures
owner = User.objects.get(username="alice")
for number in itertools.count(64):
    picture = io.BytesIO(pictures.png(number, 600))
    add_image(owner=owner, file=picture, name="a.png")
"""


@pytest.mark.django_db(transaction=True)
def test_kill_9_amid_uploads_leaves_no_row_without_its_whole_file(alice: User, media: Path) -> None:
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", UPLOADS_UNTIL_KILLED], cwd=ROOT, env=worker_environment(media)
        )
        try:
            wait_for(lambda: Image.objects.count() >= 5, what="some uploads")
        finally:
            process.kill()
            process.wait(10)

        for image in Image.objects.all():
            content = (media / image.file.name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == image.sha256
        Image.objects.all().delete()
