"""Acts on many pictures: their effects, their limits to own pictures, and their undo."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection
from django.utils import timezone
from rest_framework.test import APIClient

from gallery.indexing import encoding
from gallery.models import AlbumItem, AlbumShare, Analysis, Change, Embedding, Image, Tag, User
from gallery.organising import albums, bulk, changes
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_vector

pytestmark = pytest.mark.django_db

BULK = "/api/v1/images/bulk/"
IMAGES = "/api/v1/images/"


def pictures(owner, count: int = 3, **fields) -> list[Image]:
    return [
        upload(owner, draw(colour=(number * 12, 200, owner.pk % 256)), **fields)
        for number in range(count)
    ]


def ids(images) -> list[str]:
    return [str(image.pk) for image in images]


def do(user, action: str, images, status: int = 200, **params):
    body = {"action": action, "selection": {"ids": ids(images)}, **params}
    answer = api(user).post(BULK, body)
    assert answer.status_code == status, answer.content
    return answer.json()


def counts(outcome) -> tuple[int, int, int]:
    return outcome["matched"], outcome["changed"], outcome["skipped"]


def undo(user, outcome) -> int:
    answer = api(user).post(outcome["undo"])
    assert answer.status_code == 200, answer.content
    return answer.json()["restored"]


def field(name: str, images) -> list:
    by_id = dict(Image.objects.values_list("pk", name))
    return [by_id[image.pk] for image in images]


# --- What each action does ----------------------------------------------------------


def test_visibility_is_set_and_taken_back_exactly(alice):
    images = pictures(alice)
    Image.objects.filter(pk=images[0].pk).update(visibility="public")
    Image.objects.filter(pk=images[1].pk).update(visibility="unlisted")
    outcome = do(alice, "set_visibility", images, visibility="public")
    assert counts(outcome) == (3, 2, 0)
    assert field("visibility", images) == ["public"] * 3
    assert undo(alice, outcome) == 2
    assert field("visibility", images) == ["public", "unlisted", "private"]


def test_archive_and_unarchive(alice):
    images = pictures(alice)
    first = do(alice, "archive", images[:2])
    moments = field("archived_at", images)
    assert counts(first) == (2, 2, 0)
    assert counts(do(alice, "archive", images)) == (3, 1, 0)
    away = do(alice, "unarchive", images)
    assert counts(away) == (3, 3, 0)
    assert undo(alice, away) == 3
    assert field("archived_at", images)[:2] == moments[:2]
    assert undo(alice, first) == 2
    assert [moment is None for moment in field("archived_at", images)] == [True, True, False]


def test_favourites_are_for_any_visible_picture(alice, bob):
    mine, theirs = pictures(alice, 2), pictures(bob, 2, visibility="public")
    outcome = do(alice, "favourite", [*mine, *theirs])
    assert counts(outcome) == (4, 4, 0)
    assert counts(do(alice, "favourite", mine)) == (2, 0, 0)
    away = do(alice, "unfavourite", theirs)
    assert counts(away) == (2, 2, 0)
    assert undo(alice, away) == 2
    assert undo(alice, outcome) == 4
    assert not alice.favourites.exists()


def test_a_favourite_that_is_hidden_meanwhile_does_not_come_back(alice, bob):
    theirs = pictures(bob, 2, visibility="public")
    do(alice, "favourite", theirs)
    away = do(alice, "unfavourite", theirs)
    Image.objects.filter(pk=theirs[0].pk).update(visibility="private")
    assert undo(alice, away) == 1


def test_tags_are_added_and_removed(alice):
    images = pictures(alice)
    do(alice, "add_tags", images[:1], tags=["sea"])
    outcome = do(alice, "add_tags", images, tags=["Sea", "sun"])
    assert counts(outcome) == (3, 3, 0)

    def tags_of():
        return [sorted(image.tags.values_list("name", flat=True)) for image in images]

    assert tags_of() == [["sea", "sun"]] * 3
    assert undo(alice, outcome) == 3
    assert tags_of() == [["sea"], [], []]
    away = do(alice, "remove_tags", images, tags=["SEA", "never given"])
    assert counts(away) == (3, 1, 0)
    assert undo(alice, away) == 1
    assert tags_of() == [["sea"], [], []]


def test_pictures_go_into_an_album_and_out_again_to_their_old_places(alice):
    images = pictures(alice, 5)
    album = albums.create(alice, "Trip")
    outcome = do(alice, "add_to_album", images, album=str(album.pk))
    assert counts(outcome) == (5, 5, 0)
    before = list(AlbumItem.objects.order_by("position").values())
    away = do(alice, "remove_from_album", images[1:4], album=str(album.pk))
    assert counts(away) == (3, 3, 0)
    assert undo(alice, away) == 3
    assert list(AlbumItem.objects.order_by("position").values()) == before
    assert undo(alice, outcome) == 5
    assert not AlbumItem.objects.exists()


def test_what_was_taken_out_and_put_in_again_stays_in(alice):
    images = pictures(alice)
    album = albums.create(alice, "Trip")
    outcome = do(alice, "add_to_album", images, album=str(album.pk))
    do(alice, "remove_from_album", images[:1], album=str(album.pk))
    do(alice, "add_to_album", images[:1], album=str(album.pk))
    assert undo(alice, outcome) == 2
    assert AlbumItem.objects.get().image_id == images[0].pk


def test_the_trash_and_back(alice):
    space = make_space()
    images = pictures(alice)
    outcome = do(alice, "trash", images)
    assert counts(outcome) == (3, 3, 0)
    assert api(alice).get(IMAGES).json()["results"] == []
    rows = Analysis.objects.filter(analyser=encoding.name_of(space))
    rows.filter(image=images[0]).delete()  # the model was changed
    back = do(alice, "restore", images[:2])
    assert counts(back) == (2, 2, 0)
    assert rows.filter(image=images[0]).exists()
    assert undo(alice, back) == 2
    assert len(api(alice).get("/api/v1/trash/").json()["results"]) == 3
    assert undo(alice, outcome) == 3
    assert len(api(alice).get(IMAGES).json()["results"]) == 3


def test_reencoding_cannot_be_undone_and_keeps_pictures_findable(alice):
    space = make_space()
    images = pictures(alice, 2)
    for image in images:
        set_vector(image, space, [1, 0, 0])
    outcome = do(alice, "reencode", images)
    assert (counts(outcome), outcome["undo"]) == ((2, 2, 0), None)
    rows = Analysis.objects.filter(analyser=encoding.name_of(space))
    assert [row.state for row in rows] == ["waiting", "waiting"]
    assert Embedding.objects.count() == 2


def test_what_changes_nothing_leaves_nothing_to_undo(alice):
    outcome = do(alice, "unarchive", pictures(alice))
    assert (counts(outcome), outcome["undo"]) == ((3, 0, 0), None)
    assert not Change.objects.exists()


# --- Whose pictures ------------------------------------------------------------------

OWNERS_ONLY = {
    "set_visibility": {"visibility": "unlisted"},
    "archive": {},
    "unarchive": {},
    "trash": {},
    "add_tags": {"tags": ["x"]},
    "remove_tags": {"tags": ["x"]},
    "reencode": {},
}


@pytest.mark.parametrize("action", OWNERS_ONLY)
def test_pictures_of_others_are_skipped_and_stay_as_they_are(action, alice, bob):
    theirs = pictures(bob, 2, visibility="public")
    mine = pictures(alice, 1)
    before = list(Image.objects.filter(owner=bob).order_by("pk").values())
    outcome = do(alice, action, [*mine, *theirs], **OWNERS_ONLY[action])
    assert (outcome["matched"], outcome["skipped"]) == (3, 2)
    assert list(Image.objects.filter(owner=bob).order_by("pk").values()) == before
    assert not Tag.objects.filter(images__owner=bob).exists()


def test_invisible_pictures_do_not_count(alice, bob):
    outcome = do(alice, "favourite", [*pictures(bob), *pictures(alice, 1)])
    assert counts(outcome) == (1, 1, 0)


@pytest.mark.parametrize("action", ["restore", "purge"])
def test_the_trash_of_others_is_out_of_reach(action, alice, bob):
    theirs = pictures(bob)
    Image.objects.update(deleted_at=timezone.now())
    assert counts(do(alice, action, theirs)) == (0, 0, 0)
    assert Image.objects.in_trash_of(bob).count() == 3


@pytest.mark.parametrize(
    ("role", "mine_added", "mine_removed", "all_removed"),
    [(None, 400, 400, 0), ("view", 400, 200, 1), ("add", 200, 200, 1), ("manage", 200, 200, 2)],
)
def test_albums_of_others_by_role(role, mine_added, mine_removed, all_removed, alice, bob):
    album = albums.create(alice, "Trip")
    (hers,), (his,) = pictures(alice, 1), pictures(bob, 1)
    albums.add_images(album, Image.objects.filter(pk=hers.pk), alice)
    if role:
        AlbumShare.objects.create(album=album, user=bob, role=role)
    do(bob, "add_to_album", [his, hers], status=mine_added, album=str(album.pk))
    # Its owner may remove it, whoever added it.
    AlbumItem.objects.get_or_create(album=album, image=his, defaults={"position": 9})
    outcome = do(bob, "remove_from_album", [his, hers], status=mine_removed, album=str(album.pk))
    assert AlbumItem.objects.count() == 2 - all_removed
    if role == "manage":
        assert undo(bob, outcome) == 2


def test_pictures_of_others_do_not_come_back_where_their_owner_left_the_album(alice, bob):
    album = albums.create(alice, "Trip")
    share = AlbumShare.objects.create(album=album, user=bob, role="add")
    images = [*pictures(alice, 1), *pictures(bob, 1)]
    for image in images:
        albums.add_images(album, Image.objects.filter(pk=image.pk), image.owner)
    outcome = do(alice, "remove_from_album", images, album=str(album.pk))
    share.delete()
    assert undo(alice, outcome) == 1
    assert AlbumItem.objects.get().image_id == images[0].pk


# --- Undo ------------------------------------------------------------------------------


def test_undo_works_once(alice):
    outcome = do(alice, "archive", pictures(alice))
    assert undo(alice, outcome) == 3
    again = api(alice).post(outcome["undo"])
    assert (again.status_code, code_of(again)) == (410, "already_undone")


def test_undo_is_ones_own(alice, bob):
    outcome = do(alice, "archive", pictures(alice))
    for client in (api(bob), APIClient()):
        for method in ("post", "get", "delete", "put", "patch"):
            there = getattr(client, method)(outcome["undo"])
            nowhere = getattr(client, method)(f"/api/v1/changes/{uuid.uuid4()}/undo/")
            assert there.status_code == nowhere.status_code == 404
            assert there.content == nowhere.content
    assert undo(alice, outcome) == 3


def test_undo_is_for_thirty_days(alice):
    outcome = do(alice, "archive", pictures(alice))
    Change.objects.update(created_at=timezone.now() - timedelta(days=30, seconds=1))
    answer = api(alice).post(outcome["undo"])
    assert (answer.status_code, code_of(answer)) == (410, "undo_expired")
    assert changes.forget_old() == 1
    assert api(alice).post(outcome["undo"]).status_code == 404


def test_undo_leaves_alone_what_has_changed_since(alice):
    images = pictures(alice)
    outcome = do(alice, "set_visibility", images, visibility="public")
    do(alice, "set_visibility", images[:1], visibility="unlisted")
    assert undo(alice, outcome) == 2
    assert field("visibility", images) == ["unlisted", "private", "private"]


def test_undo_of_a_deletion_leaves_a_later_one_alone(alice):
    images = pictures(alice)
    outcome = do(alice, "trash", images)
    do(alice, "restore", images[:1])
    do(alice, "trash", images[:1])
    assert undo(alice, outcome) == 2
    assert [moment is None for moment in field("deleted_at", images)] == [False, True, True]


def test_undo_passes_over_what_is_gone_for_good(alice):
    images = pictures(alice)
    do(alice, "add_tags", images, tags=["sea"])
    album = albums.create(alice, "Trip")
    do(alice, "add_to_album", images, album=str(album.pk))
    do(alice, "favourite", images)
    outcomes = [
        do(alice, "remove_tags", images, tags=["sea"]),
        do(alice, "remove_from_album", images, album=str(album.pk)),
        do(alice, "unfavourite", images),
    ]
    Image.objects.filter(pk=images[0].pk).delete()
    assert [undo(alice, outcome) for outcome in outcomes] == [2, 2, 2]


def test_undo_in_an_album_that_is_gone_restores_nothing(alice):
    images = pictures(alice)
    album = albums.create(alice, "Trip")
    do(alice, "add_to_album", images, album=str(album.pk))
    outcome = do(alice, "remove_from_album", images, album=str(album.pk))
    albums.trash(album)
    assert undo(alice, outcome) == 0


# --- What is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "required", "selection"),
        ({"action": "explode"}, "invalid_choice", "action"),
        ({"action": "archive", "selection": None}, "null", "selection"),
        ({"action": "archive", "selection": 5}, "bad_selection", "selection"),
        ({"action": "archive", "selection": {"ids": ["x"]}}, "bad_id", "selection"),
        ({"action": "set_visibility"}, "bad_visibility", "visibility"),
        ({"action": "set_visibility", "visibility": "x"}, "invalid_choice", "visibility"),
        ({"action": "add_tags"}, "no_tags", "tags"),
        ({"action": "add_tags", "tags": [" "]}, "no_tags", "tags"),
        ({"action": "add_to_album"}, "unknown_album", "album"),
        ({"action": "add_to_album", "album": str(uuid.UUID(int=1))}, "unknown_album", "album"),
        ({"action": "add_to_album", "album": "trip"}, "invalid", "album"),
    ],
)
def test_what_is_not_understood_changes_nothing(body, code, attr, alice):
    (image,) = pictures(alice, 1)
    if "action" in body:
        body = {"selection": {"ids": [str(image.pk)]}, **body}
    answer = api(alice).post(BULK, body)
    errors = {(error["attr"], error["code"]) for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert (attr, code) in errors
    assert not Change.objects.exists()


def test_the_anonymous_do_nothing(alice):
    image = upload(alice, visibility="public")
    body = {"action": "favourite", "selection": {"ids": [str(image.pk)]}}
    assert APIClient().post(BULK, body).status_code == 401


def test_an_act_that_fails_leaves_nothing_half_done(alice, monkeypatch):
    images = pictures(alice)
    monkeypatch.setattr(changes, "record", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bulk.run("archive", {"ids": ids(images)}, alice)
    assert field("archived_at", images) == [None] * 3


# --- At once ---------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_acts_on_the_same_pictures_at_once_do_not_block_each_other(alice):
    """They run in opposite orders, again and again: no deadlock happens, and each undo is exact."""
    images = pictures(alice, 8)
    album = albums.create(alice, "Trip")
    errors: list[Exception] = []

    def work(order: list[str], acts: list[tuple[str, dict]]) -> None:
        close_old_connections()
        user = User.objects.get(pk=alice.pk)
        try:
            for action, params in acts * 4:
                outcome = bulk.run(action, {"ids": order}, user, **params)
                if outcome.undo:
                    changes.undo(outcome.undo.pk, user)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    acts = [
        ("set_visibility", {"visibility": "public"}),
        ("add_tags", {"tags": ["a", "b"]}),
        ("favourite", {}),
        ("archive", {}),
        ("add_to_album", {"album": album.pk}),
    ]
    threads = [
        threading.Thread(target=work, args=(ids(images), acts)),
        threading.Thread(target=work, args=(ids(reversed(images)), acts[::-1])),
        threading.Thread(target=work, args=(ids(images), acts[2:] + acts[:2])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert field("archived_at", images) == [None] * 8
    assert not AlbumItem.objects.exists()
    assert not alice.favourites.exists()
    assert not Tag.images.through.objects.exists()
