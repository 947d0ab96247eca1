"""The trash through the API, and removal for good."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from gallery.library.storage import original_of
from gallery.models import Album, Change, Image
from gallery.models.image import GIVEN_UP
from gallery.organising import albums, trash
from gallery.tasks import purge_trash
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.library_tools import stored_files

pytestmark = pytest.mark.django_db

TRASH = "/api/v1/trash/"
IMAGES = "/api/v1/images/"
BULK = "/api/v1/images/bulk/"


def deleted(owner, count: int = 3) -> list[Image]:
    """Deleted pictures. The last one was deleted last."""
    made = [upload(owner, draw(colour=(20 * number, owner.pk % 256, 9))) for number in range(count)]
    for number, image in enumerate(made):
        moment = timezone.now() - timedelta(hours=count - number)
        Image.objects.filter(pk=image.pk).update(deleted_at=moment)
    return made


def lying(user) -> list[str]:
    answer = api(user).get(TRASH)
    assert answer.status_code == 200
    return [image["id"] for image in answer.json()["results"]]


def ids(images) -> list[str]:
    return [str(image.pk) for image in images]


def test_the_trash_is_ones_own_the_last_deleted_first(alice, bob):
    mine = deleted(alice)
    deleted(bob)
    assert lying(alice) == ids(reversed(mine))
    first = api(alice).get(f"{TRASH}?limit=2").json()
    assert [image["deleted_at"] is not None for image in first["results"]] == [True, True]
    second = api(alice).get(first["next"]).json()
    assert [image["id"] for image in second["results"]] == [str(mine[0].pk)]
    assert APIClient().get(TRASH).status_code == 401


def test_a_deleted_picture_is_known_by_sight_to_its_owner_alone(alice, bob):
    (image,) = deleted(alice, 1)
    (shown,) = api(alice).get(TRASH).json()["results"]
    thumbnail = shown["urls"]["thumbnail"]
    assert api(alice).get(thumbnail).headers["Content-Type"] == "image/webp"
    for client in (api(bob), APIClient()):
        assert client.get(thumbnail).status_code == 404
    assert api(alice).delete(thumbnail).status_code == 405
    api(alice).post(f"{IMAGES}{image.pk}/restore/")
    assert api(alice).get(thumbnail).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_one_picture_is_removed_with_its_files(alice, media, dispatched):
    kept, gone = deleted(alice, 2)
    assert api(alice).delete(f"{TRASH}{gone.pk}/").status_code == 204
    assert not Image.objects.filter(pk=gone.pk).exists()
    assert stored_files(media) == [original_of(kept)]


@pytest.mark.parametrize("method", ["get", "delete", "put", "post", "patch"])
def test_the_trash_of_others_does_not_exist(method, alice, bob):
    (image,) = deleted(alice, 1)
    for client in (api(bob), APIClient()):
        there, nowhere = (
            getattr(client, method)(f"{TRASH}{pk}/") for pk in (image.pk, uuid.uuid4())
        )
        assert there.status_code == nowhere.status_code == 404
        assert there.content == nowhere.content
    assert Image.objects.filter(pk=image.pk).exists()


def test_what_is_not_in_the_trash_is_not_removed(alice):
    image = upload(alice)
    assert api(alice).delete(f"{TRASH}{image.pk}/").status_code == 404
    body = {"action": "purge", "selection": {"ids": [str(image.pk)]}}
    assert api(alice).post(BULK, body).json()["matched"] == 0
    refused = api(alice).post(BULK, {**body, "selection": {"all": True}})
    assert (refused.status_code, code_of(refused)) == (400, "not_in_trash")
    assert Image.objects.visible_to(alice).count() == 1


@pytest.mark.django_db(transaction=True)
def test_emptying_hides_everything_at_once_and_a_worker_removes_it(alice, bob, media, dispatched):
    mine, theirs, kept = deleted(alice), deleted(bob, 1), upload(alice)
    album = albums.create(alice, "Old")
    albums.trash(album)
    answer = api(alice).delete(TRASH)
    assert (answer.status_code, answer.json()) == (200, {"purged": 3})
    assert ("gallery.tasks.purge_trash",) in dispatched
    assert lying(alice) == []
    assert not Album.objects.exists()
    assert api(alice).post(f"{IMAGES}{mine[0].pk}/restore/").status_code == 404
    assert api(alice).delete(TRASH).json() == {"purged": 0}

    purge_trash()
    assert set(Image.objects.values_list("pk", flat=True)) == {theirs[0].pk, kept.pk}
    assert stored_files(media) == sorted(original_of(one) for one in (theirs[0], kept))


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_while_emptying_goes_on_with_the_rest(
    alice, media, dispatched, monkeypatch
):
    deleted(alice, 4)
    trash.empty(alice)
    from gallery.library import service

    purge_image, done = service.purge_image, []

    def dies_at_the_third(image):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(image.pk)
        purge_image(image)

    monkeypatch.setattr(service, "purge_image", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        purge_trash()
    assert Image.objects.count() == 2
    monkeypatch.setattr(service, "purge_image", purge_image)
    purge_trash()
    assert not Image.objects.exists()
    assert stored_files(media) == []


def test_bytes_that_are_uploaded_again_before_the_worker_comes_are_kept(alice, dispatched):
    (image,) = deleted(alice, 1)
    trash.empty(alice)
    again = upload(alice, draw(colour=(0, alice.pk % 256, 9)))
    assert again.pk == image.pk
    purge_trash()
    assert Image.objects.visible_to(alice).get().pk == image.pk


def test_purging_a_selection_cannot_be_undone(alice, dispatched):
    images = deleted(alice)
    body = {
        "action": "purge",
        "selection": {
            "all": True, "filters": {"trash": True}, "except": [str(images[0].pk)],
        },
    }  # fmt: skip
    assert api(alice).post(BULK, body).json() == {
        "matched": 2, "changed": 2, "skipped": 0, "undo": None, "days": None,
    }  # fmt: skip
    assert lying(alice) == [str(images[0].pk)]


def test_undo_of_a_deletion_brings_back_nothing_that_was_given_up(alice, dispatched):
    image = upload(alice)
    body = {"action": "trash", "selection": {"ids": [str(image.pk)]}}
    outcome = api(alice).post(BULK, body).json()
    trash.empty(alice)
    assert api(alice).post(outcome["undo"]).json() == {"restored": 0}
    assert Image.objects.get().deleted_at == GIVEN_UP


def test_the_task_removes_what_is_old_and_nothing_else(alice, settings, dispatched):
    settings.TRASH_DAYS = 7
    old, young = deleted(alice, 2)
    long_ago = timezone.now() - timedelta(days=8)
    Image.objects.filter(pk=old.pk).update(deleted_at=long_ago)
    for title, moment in [("old", long_ago), ("young", timezone.now()), ("kept", None)]:
        Album.objects.create(owner=alice, title=title, deleted_at=moment)
    for days in (31, 29):
        change = Change.objects.create(user=alice, action="archive")
        moment = timezone.now() - timedelta(days=days)
        Change.objects.filter(pk=change.pk).update(created_at=moment)
    purge_trash()
    assert Image.objects.get().pk == young.pk
    assert set(Album.objects.values_list("title", flat=True)) == {"young", "kept"}
    assert Change.objects.count() == 1
