"""The storage quota of an account, for every kind of upload and for two uploads at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import translation

from gallery.errors import TooLarge
from gallery.library import quota, service
from gallery.library.quota import Usage
from gallery.models import Image, User
from tests import pictures
from tests.api_tools import code_of
from tests.conftest import api, draw
from tests.library_tools import add, stored_files
from tests.tus_tools import TUS, Client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def upload_dir(tmp_path: Path, settings: Any) -> None:
    settings.UPLOAD_DIR = str(tmp_path / "uploads")


def limit(user: User, **fields: int | None) -> User:
    User.objects.filter(pk=user.pk).update(**fields)
    user.refresh_from_db()
    return user


def test_without_a_quota_there_is_no_limit(alice: User) -> None:
    data = draw()
    add(alice, data)
    assert quota.usage(alice) == Usage(len(data), 1, None, None)
    quota.check(alice, 2**60, 1_000_000)


def test_the_account_comes_before_the_installation(alice: User, bob: User, settings: Any) -> None:
    settings.QUOTA_BYTES, settings.QUOTA_IMAGES = 1000, 10
    assert quota.usage(alice) == Usage(0, 0, 1000, 10)
    limit(alice, quota_bytes=5, quota_images=0)
    assert quota.usage(alice) == Usage(0, 0, 5, None)
    assert quota.usage(bob) == Usage(0, 0, 1000, 10)


def test_what_does_not_fit_is_refused_with_what_is_used(
    alice: User, bob: User, media: Path
) -> None:
    data = draw(400, 300)
    limit(alice, quota_bytes=len(data) + 100)
    add(alice, data)
    with pytest.raises(TooLarge) as caught:
        add(alice, draw(400, 300, colour="blue"))
    assert (caught.value.code, caught.value.status) == ("quota_exceeded", 413)
    assert "KB" in str(caught.value)
    assert len(stored_files(media)) == 1, "nothing is stored for nothing"
    add(bob, draw(400, 300, colour="blue"))
    assert Image.objects.filter(owner=alice).count() == 1


def test_the_sentence_is_translated_and_names_pictures(alice: User) -> None:
    limit(alice, quota_images=1)
    add(alice, draw())
    with pytest.raises(TooLarge, match="1 of 1 pictures"):
        quota.check(alice, 1)


def test_exactly_full_is_allowed(alice: User) -> None:
    first, second = draw(colour="red"), draw(colour="blue")
    limit(alice, quota_bytes=len(first) + len(second), quota_images=2)
    add(alice, first)
    add(alice, second)
    with pytest.raises(TooLarge):
        add(alice, draw(colour="green"))


def test_the_trash_counts_until_it_is_emptied(alice: User) -> None:
    limit(alice, quota_images=1)
    image = add(alice, draw(colour="red")).image
    service.delete_image(image)
    with pytest.raises(TooLarge):
        add(alice, draw(colour="blue"))
    service.purge_image(image)
    assert add(alice, draw(colour="blue")).image.pk


def test_what_is_there_takes_no_more_room(alice: User) -> None:
    data = draw()
    image = add(alice, data).image
    limit(alice, quota_images=1, quota_bytes=1)
    assert add(alice, data).duplicate
    service.delete_image(image)
    assert add(alice, data).restored


def test_a_quota_that_was_lowered_keeps_what_is_there(alice: User) -> None:
    add(alice, draw(colour="red"))
    add(alice, draw(colour="blue"))
    limit(alice, quota_images=1)
    assert Image.objects.owned_by(alice).count() == 2
    with pytest.raises(TooLarge):
        add(alice, draw(colour="green"))


def test_a_change_of_the_quota_counts_at_once(alice: User) -> None:
    """A process that read the account before counts it, too."""
    add(alice, draw(colour="red"))
    User.objects.filter(pk=alice.pk).update(quota_images=1)
    with pytest.raises(TooLarge):
        add(alice, draw(colour="blue"))


def test_both_ways_of_uploading_are_refused(alice: User, bob: User) -> None:
    limit(alice, quota_images=1, quota_bytes=10_000_000)
    assert Client(alice).upload(draw(colour="red"))["state"] == "accepted"

    file = SimpleUploadedFile("a.jpg", draw(colour="blue"))
    simple = api(alice).post("/api/v1/images/", {"file": file}, format="multipart")
    assert (simple.status_code, code_of(simple)) == (413, "quota_exceeded")
    created = Client(alice).create(1000)
    assert (created.status_code, code_of(created)) == (413, "quota_exceeded")
    assert Client(bob).create(1000).status_code == 201


def test_what_is_on_its_way_takes_room(alice: User) -> None:
    """Otherwise parts of thousands of files could fill the disk, whatever the quota."""
    limit(alice, quota_bytes=10_000)
    client = Client(alice)
    first = client.begin(6_000)
    assert code_of(client.create(6_000)) == "quota_exceeded"
    assert client.create(4_000).status_code == 201
    client.api.delete(first, headers=TUS)
    assert client.create(6_000).status_code == 201


def test_room_that_was_taken_meanwhile_is_told_in_the_end(alice: User) -> None:
    limit(alice, quota_images=1)
    client, data = Client(alice), draw(colour="blue")
    url = client.begin(len(data))
    add(alice, draw(colour="red"))
    assert client.send(url, 0, data).status_code == 204
    state = client.state(url)
    assert (state["state"], state["error"]["code"]) == ("refused", "quota_exceeded")
    with translation.override("zh-hans"):
        assert state["error"]["detail"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("dispatched")
def test_uploads_at_once_never_share_the_last_room(alice: User, media: Path) -> None:
    limit(alice, quota_images=3)
    barrier = threading.Barrier(8, timeout=20)

    def race(number: int) -> str:
        try:
            data = pictures.jpeg(64 + number, 64)
            barrier.wait()
            add(User.objects.get(pk=alice.pk), data)
        except TooLarge as refusal:
            return refusal.code
        finally:
            connections.close_all()
        return "added"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(race, range(8)))
    assert outcomes.count("added") == 3
    assert outcomes.count("quota_exceeded") == 5
    assert Image.objects.count() == 3
    assert len(stored_files(media)) == 3
