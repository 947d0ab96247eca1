"""Albums: rights, order, and what they show."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from gallery.errors import Refusal
from gallery.models import Album, AlbumItem, AlbumShare, Group, Image, ShareLink
from gallery.organising import albums
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.search.test_filters import rows

pytestmark = pytest.mark.django_db

ALBUMS = "/api/v1/albums/"


@pytest.fixture
def trip(alice) -> Album:
    return albums.create(alice, "Trip")


def share(album: Album, user, role: str) -> None:
    AlbumShare.objects.create(album=album, user=user, role=role)


def pictures(owner, count: int, **fields) -> list[Image]:
    return [
        upload(owner, draw(colour=(number * 12, 99, owner.pk % 256)), **fields)
        for number in range(count)
    ]


def ids(images) -> list[str]:
    return [str(image.pk) for image in images]


def shown(album: Album, viewer) -> list[str]:
    answer = api(viewer).get(f"{ALBUMS}{album.pk}/images/")
    assert answer.status_code == 200
    return [image["id"] for image in answer.json()["results"]]


def test_an_album_is_made_filled_and_shown(alice):
    made = api(alice).post(ALBUMS, {"title": " Trip ", "description": "x"})
    assert made.status_code == 201, made.content
    album = made.json()
    assert (album["title"], album["role"], album["count"], album["cover"]) == (
        "Trip", "owner", 0, None,
    )  # fmt: skip
    images = pictures(alice, 3)
    added = api(alice).post(f"{ALBUMS}{album['id']}/images/", {"selection": {"ids": ids(images)}})
    assert added.status_code == 200, added.content
    assert {**added.json(), "undo": None} == {
        "matched": 3, "changed": 3, "skipped": 0, "undo": None, "days": None,
    }  # fmt: skip
    read = api(alice).get(f"{ALBUMS}{album['id']}/").json()
    assert (read["count"], read["cover"]["id"], read["shared"]) == (3, str(images[0].pk), False)
    assert shown(Album.objects.get(), alice) == ids(images)
    undone = api(alice).post(added.json()["undo"])
    assert undone.json() == {"restored": 3}
    assert shown(Album.objects.get(), alice) == []


# --- Who may do what ----------------------------------------------------------------

# The rights of each role, besides seeing the album: the status of each request.
ROLES = {
    #        read, change, add, arrange, delete
    "owner": (200, 200, 200, 200, 204),
    "manage": (200, 200, 200, 200, 404),
    "add": (200, 404, 200, 404, 404),
    "view": (200, 404, 404, 404, 404),
    None: (404, 404, 404, 404, 404),
}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_does_what_it_may_and_for_the_rest_there_is_no_album(role, alice, bob, trip):
    if role and role != "owner":
        share(trip, bob, role)
    viewer = alice if role == "owner" else bob
    address = f"{ALBUMS}{trip.pk}/"
    nothing = {"selection": {"ids": []}}
    assert (
        api(viewer).get(address).status_code,
        api(viewer).patch(address, {"title": "New"}).status_code,
        api(viewer).post(f"{address}images/", nothing).status_code,
        api(viewer).post(f"{address}move/", {"ids": []}).status_code,
        api(viewer).delete(address).status_code,
    ) == ROLES[role]
    assert albums.role_of(trip, viewer) == (role or "")


@pytest.mark.parametrize(
    "route", ["", "restore/", "images/", "images/remove/", "move/"], ids=lambda route: route or "-"
)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_the_albums_of_others_do_not_exist(route, method, alice, bob, trip):
    for client in (api(bob), APIClient()):
        there, nowhere = (
            getattr(client, method)(f"{ALBUMS}{pk}/{route}") for pk in (trip.pk, uuid.uuid4())
        )
        assert there.status_code == nowhere.status_code == 404
        assert there.content == nowhere.content


def test_a_share_through_a_group_counts_and_the_strongest_role_wins(alice, bob, trip):
    group = Group.objects.create(owner=alice, name="Friends")
    AlbumShare.objects.create(album=trip, group=group, role="manage")
    assert albums.role_of(trip, bob) == ""
    group.members.add(bob)
    share(trip, bob, "view")
    assert albums.role_of(trip, bob) == "manage"
    assert api(bob).get(f"{ALBUMS}{trip.pk}/").json()["role"] == "manage"


def test_whoever_sees_the_album_sees_its_pictures_and_nobody_else(alice, bob, trip):
    images = pictures(alice, 2)
    albums.add_images(trip, Image.objects.all(), alice)
    share(trip, bob, "view")
    assert shown(trip, bob) == ids(images)
    AlbumShare.objects.all().delete()
    assert api(bob).get(f"{ALBUMS}{trip.pk}/images/").status_code == 404


def test_hidden_and_deleted_pictures_are_not_shown(alice, bob, trip):
    images = pictures(alice, 4)
    albums.add_images(trip, Image.objects.all(), alice)
    share(trip, bob, "view")
    Image.objects.filter(pk=images[0].pk).update(hidden_at=timezone.now())
    Image.objects.filter(pk=images[1].pk).update(deleted_at=timezone.now())
    assert shown(trip, bob) == ids(images[2:])
    assert shown(trip, alice) == ids([images[0], *images[2:]])
    for viewer, count, cover in [(alice, 3, images[0]), (bob, 2, images[2])]:
        album = api(viewer).get(f"{ALBUMS}{trip.pk}/").json()
        assert (album["count"], album["cover"]["id"]) == (count, str(cover.pk))


def test_only_the_owner_of_a_picture_puts_it_into_an_album(alice, bob, trip):
    (public,) = pictures(bob, 1, visibility="public")
    answer = api(alice).post(f"{ALBUMS}{trip.pk}/images/", {"selection": {"ids": [str(public.pk)]}})
    assert (answer.json()["changed"], answer.json()["skipped"]) == (0, 1)
    assert albums.add_images(trip, Image.objects.all(), alice) == 0
    with pytest.raises(Refusal):
        albums.add_images(trip, Image.objects.all(), bob)
    share(trip, bob, "add")
    assert albums.add_images(trip, Image.objects.all(), bob) == 1
    assert albums.add_images(trip, Image.objects.all(), bob) == 0
    assert albums.remove_images(trip, Image.objects.all(), alice) == 1


# --- Lists ---------------------------------------------------------------------------


def titles(user, **query) -> list[str]:
    answer = api(user).get(ALBUMS, query)
    assert answer.status_code == 200
    return [album["title"] for album in answer.json()["results"]]


def test_albums_are_listed_by_what_one_may_do(alice, bob, trip):
    share(trip, bob, "add")
    looked = albums.create(alice, "Look")
    share(looked, bob, "view")
    albums.create(bob, "Own")
    albums.trash(albums.create(bob, "Gone"))
    assert titles(bob) == ["Own", "Look", "Trip"]
    assert titles(bob, show="own") == ["Own"]
    assert titles(bob, show="shared") == ["Look", "Trip"]
    assert titles(bob, show="open") == ["Own", "Trip"]
    assert titles(bob, show="trash") == ["Gone"]
    assert titles(alice) == ["Look", "Trip"]
    assert api(bob).get(ALBUMS, {"show": "all of them"}).status_code == 400
    assert APIClient().get(ALBUMS).status_code == 401


def test_a_list_of_albums_costs_as_many_queries_as_one(
    alice, django_assert_num_queries, django_assert_max_num_queries
):
    pictures(alice, 3)
    for number in range(4):
        album = albums.create(alice, f"Album {number}")
        albums.add_images(album, Image.objects.all(), alice)
    client = api(alice)
    with django_assert_max_num_queries(7) as few:
        client.get(f"{ALBUMS}?limit=1")
    with django_assert_num_queries(len(few)):
        client.get(f"{ALBUMS}?limit=4")


def test_an_album_tells_when_its_pictures_were_taken_and_whether_it_is_shared(alice, bob, trip):
    images = pictures(alice, 2)
    moments = [datetime(2024, 5, day, tzinfo=UTC) for day in (2, 1)]
    for image, moment in zip(images, moments, strict=True):
        Image.objects.filter(pk=image.pk).update(captured_at=moment)
    albums.add_images(trip, Image.objects.all(), alice)
    address = f"{ALBUMS}{trip.pk}/"
    album = api(alice).get(address).json()
    assert (album["first_taken_at"], album["last_taken_at"], album["shared"]) == (
        "2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z", False,
    )  # fmt: skip
    assert shown(trip, alice) == ids(reversed(images))
    link = ShareLink.objects.create(album=trip, created_by=alice)
    assert api(alice).get(address).json()["shared"] is True
    link.delete()
    share(trip, bob, "view")
    assert api(alice).get(address).json()["shared"] is True
    assert api(bob).get(address).json()["shared"] is None


def test_the_albums_of_a_picture_are_those_that_one_sees(alice, bob, trip):
    (image,) = pictures(alice, 1, visibility="public")
    private = albums.create(alice, "Private")
    for album in (trip, private):
        albums.add_images(album, Image.objects.all(), alice)
    share(trip, bob, "view")
    address = f"/api/v1/images/{image.pk}/albums/"
    listed = [album["title"] for album in api(alice).get(address).json()["results"]]
    assert listed == ["Private", "Trip"]
    assert [album["title"] for album in api(bob).get(address).json()["results"]] == ["Trip"]
    assert APIClient().get(address).json()["results"] == []


# --- Change, delete, restore ------------------------------------------------------------


def test_texts_and_cover_are_changed(alice, trip):
    images = pictures(alice, 2)
    albums.add_images(trip, Image.objects.all(), alice)
    address = f"{ALBUMS}{trip.pk}/"
    changed = api(alice).patch(address, {"title": "海边", "cover": str(images[1].pk)}).json()
    assert (changed["title"], changed["cover"]["id"]) == ("海边", str(images[1].pk))
    albums.remove_images(trip, Image.objects.filter(pk=images[1].pk), alice)
    assert api(alice).get(address).json()["cover"]["id"] == str(images[0].pk)
    assert api(alice).patch(address, {"cover": None}).json()["cover"]["id"] == str(images[0].pk)


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"title": ""}, "title"),
        ({"title": "\u2028"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": None}, "title"),
        ({"description": "x" * 5001}, "description"),
        ({"cover": "x"}, "cover"),
        ({"cover": str(uuid.UUID(int=1))}, "cover"),
    ],
)
def test_a_bad_change_is_refused(body, attr, alice, trip):
    answer = api(alice).patch(f"{ALBUMS}{trip.pk}/", body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr
    trip.refresh_from_db()
    assert trip.title == "Trip"


def test_the_cover_is_a_picture_of_the_album(alice, trip):
    (other,) = pictures(alice, 1)
    answer = api(alice).patch(f"{ALBUMS}{trip.pk}/", {"cover": str(other.pk)})
    assert (answer.status_code, code_of(answer)) == (400, "bad_cover")


def test_a_deleted_album_comes_back_as_it_was(alice, bob, trip):
    images = pictures(alice, 2)
    albums.add_images(trip, Image.objects.all(), alice)
    share(trip, bob, "view")
    address = f"{ALBUMS}{trip.pk}/"
    assert api(alice).delete(address).status_code == 204
    assert api(bob).get(address).status_code == 404
    assert Image.objects.visible_to(bob).count() == 0
    assert Image.objects.visible_to(alice).count() == 2
    assert api(bob).post(f"{address}restore/").status_code == 404
    restored = api(alice).post(f"{address}restore/")
    assert (restored.status_code, restored.json()["count"]) == (200, 2)
    assert shown(trip, bob) == ids(images)


# --- Order -------------------------------------------------------------------------------


def move(user, album, images, before=None):
    body = {"ids": ids(images), "before": before and str(before.pk)}
    return api(user).post(f"{ALBUMS}{album.pk}/move/", body)


def test_pictures_are_moved_before_another_or_to_the_end(alice, trip):
    a, b, c, d = pictures(alice, 4)
    albums.add_images(trip, Image.objects.all(), alice)
    moved = move(alice, trip, [d, b], before=a)
    assert (moved.status_code, moved.json()["moved"]) == (200, 2)
    assert shown(trip, alice) == ids([d, b, a, c])
    assert move(alice, trip, [d]).json()["moved"] == 1
    assert shown(trip, alice) == ids([b, a, c, d])
    undone = api(alice).post(moved.json()["undo"]).json()
    # d has moved again since: only b returns to its old place.
    assert undone == {"restored": 1}
    assert shown(trip, alice) == ids([a, b, c, d])


def test_what_is_not_in_the_album_does_not_move_and_is_no_place(alice, trip):
    a, b, other = pictures(alice, 3)
    albums.add_images(trip, Image.objects.exclude(pk=other.pk), alice)
    assert move(alice, trip, [other, b], before=a).json()["moved"] == 1
    assert shown(trip, alice) == ids([b, a])
    for before in (other, b):
        answer = move(alice, trip, [b], before=before)
        assert (answer.status_code, code_of(answer)) == (400, "bad_before")
    assert shown(trip, alice) == ids([b, a])


def test_places_do_not_run_out(alice, trip):
    """Each move halves the gap. Before floats run out, all get new positions."""
    a, b, c = pictures(alice, 3)
    albums.add_images(trip, Image.objects.all(), alice)
    order = [a, b, c]
    for _number in range(60):
        last = order.pop()
        order.insert(1, last)
        albums.move(trip, [last.pk], order[2].pk, alice)
        positions = AlbumItem.objects.order_by("position").values_list("image_id", "position")
        assert [pk for pk, _position in positions] == [image.pk for image in order]
        assert len({position for _pk, position in positions}) == 3


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(moves=st.lists(st.tuples(st.permutations(range(6)), st.integers(0, 6)), max_size=6))
def test_moves_do_what_a_list_does(moves, alice):
    Image.objects.all().delete()
    album = albums.create(alice, "Trip")
    order = [image.pk for image in rows(alice, list(range(6)))]
    albums.add_images(album, Image.objects.all(), alice)
    for permutation, place in moves:
        moving = [order[number] for number in permutation[: 1 + place % 5]]
        others = [pk for pk in order if pk not in moving]
        before = others[place] if place < len(others) else None
        at = others.index(before) if before else len(others)
        order = others[:at] + moving + others[at:]
        albums.move(album, moving, before, alice)
        entries = AlbumItem.objects.filter(album=album).order_by("position")
        assert list(entries.values_list("image_id", flat=True)) == order


@pytest.mark.django_db(transaction=True)
def test_two_who_fill_an_album_at_once_get_places_of_their_own(alice, bob, trip):
    share(trip, bob, "add")
    owners = [alice, bob]
    for owner in owners:
        pictures(owner, 4)
    errors: list[Exception] = []

    def fill(owner) -> None:
        try:
            for image in Image.objects.filter(owner=owner):
                albums.add_images(trip, Image.objects.filter(pk=image.pk), owner)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=fill, args=(owner,)) for owner in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert AlbumItem.objects.values("position").distinct().count() == 8


def test_an_album_in_the_trash_tells_nothing_of_the_pictures_of_others(alice, bob) -> None:
    own, theirs = upload(alice), upload(bob, draw(colour="blue"))
    Image.objects.filter(pk=theirs.pk).update(captured_at=datetime(2001, 1, 1, tzinfo=UTC))
    album = Album.objects.create(owner=alice, title="Coast")
    for place, image in enumerate([theirs, own]):
        AlbumItem.objects.create(album=album, image=image, position=place)
    address = "/api/v1/albums/"
    (shown,) = api(alice).get(address).json()["results"]
    assert (shown["count"], shown["first_taken_at"][:4]) == (2, "2001")
    assert api(alice).delete(f"{address}{album.pk}/").status_code == 204
    (deleted,) = api(alice).get(address, {"show": "trash"}).json()["results"]
    assert (deleted["count"], deleted["cover"]["id"]) == (1, str(own.pk))
    assert deleted["first_taken_at"] == deleted["last_taken_at"] != shown["first_taken_at"]
    assert api(alice).post(f"{address}{album.pk}/restore/").status_code == 200
    assert api(alice).get(address).json()["results"][0]["count"] == 2
