"""Work continues without messages: workers look by themselves."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from gallery.accounts import deletion
from gallery.indexing import spaces
from gallery.models import Analysis, Image, ImportBatch, User
from gallery.organising import trash
from gallery.uploads import imports, partial
from tests import pictures
from tests.conftest import draw, stop, upload, wait_for
from tests.stack import Stack

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def stack(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Stack]:
    """Rings of the tests reach nobody, and there is no scheduler."""
    running = Stack(tmp_path / "stack")
    settings.MEDIA_ROOT = str(running.media)
    settings.UPLOAD_DIR = f"{running.media}-uploads"
    spaces.ensure_first_space()
    try:
        yield running
    finally:
        running.close()


def is_all_done() -> bool:
    return Analysis.objects.exists() and not Analysis.objects.exclude(state="done").exists()


def test_everything_is_done_without_a_broker(stack: Stack, alice: User, bob: User) -> None:
    """There never was a broker, and the workers start without it."""
    stack.start_media()
    stack.start_chores()
    stack.start_encoder(ready=False)
    for number in range(3):
        upload(alice, draw(colour=(number * 80, 9, 99)))
    upload(bob, draw(colour="white"))
    wait_for(is_all_done, 90, "all is encoded, rendered and compared")

    thrown = upload(alice, draw(colour="yellow"))
    Image.objects.filter(pk=thrown.pk).update(deleted_at=timezone.now())
    trash.condemn([thrown.pk])
    deletion.request_deletion(bob)
    batch = an_import_of_a_zip(alice)
    wait_for(lambda: ImportBatch.objects.get(pk=batch.pk).state == "done", 60, "the import")
    wait_for(lambda: not User.objects.filter(pk=bob.pk).exists(), 60, "the account is gone")
    wait_for(lambda: not Image.objects.filter(pk=thrown.pk).exists(), 60, "the trash is empty")
    wait_for(is_all_done, 60, "what was imported, too")
    assert Image.objects.filter(owner=alice).count() == 5


def an_import_of_a_zip(owner: User) -> ImportBatch:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(2):
            archive.writestr(f"{number}.png", pictures.png(90 + number, 60))
    upload_id = uuid.uuid4()
    path = partial.path_of(upload_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return imports.create_from_zip(
        upload_id, owner, name="a.zip", visibility="private", album_id=None
    )


def test_a_broker_that_is_emptied_and_one_that_goes_lose_nothing(stack: Stack, alice: User) -> None:
    broker = stack.start_broker()
    stack.start_media()
    stack.start_encoder()
    upload(alice, draw(colour="red"))
    wait_for(is_all_done, 60, "the first one, without a ring")
    stack.server().flushall()
    upload(alice, draw(colour="green"))
    wait_for(is_all_done, 60, "after the broker was emptied")
    stop(broker)
    upload(alice, draw(colour="blue"))
    wait_for(is_all_done, 60, "while the broker is away")


def test_a_row_that_a_dead_worker_held_is_taken_up(stack: Stack, alice: User) -> None:
    deletion.request_deletion(alice)
    User.objects.update(
        claim="00000000-0000-0000-0000-000000000001",
        claimed_until=timezone.now() + timedelta(seconds=4),
    )
    stack.start_chores()
    wait_for(lambda: not User.objects.filter(pk=alice.pk).exists(), 40, "the account is gone")
