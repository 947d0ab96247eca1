"""The pages of albums: what they show to whom, and who may change them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from gallery.models import Album, AlbumItem, AlbumShare, Image, User
from gallery.organising import albums
from tests.conftest import draw, upload
from tests.web_tools import HTMX, attributes, browser, tiles

pytestmark = pytest.mark.django_db


@pytest.fixture
def album(alice: User) -> Album:
    """Three pictures of alice: Red, Green, Blue."""
    made = albums.create(alice, "Colours", "All of them")
    for colour in ("red", "green", "blue"):
        image = upload(alice, draw(colour=colour), title=colour.title())
        albums.add_images(made, Image.objects.filter(pk=image.pk), alice)
    return made


def order_of(album: Album) -> list[str]:
    items = AlbumItem.objects.filter(album=album).order_by("position")
    return list(items.values_list("image__title", flat=True))


def page_of(album: Album, user: User, name: str = "album") -> str:
    return browser(user).get(reverse(name, args=[album.pk])).content.decode()


def share(album: Album, user: User, role: str) -> None:
    AlbumShare.objects.create(album=album, user=user, role=role)


def test_a_new_user_is_led_to_the_first_album(alice: User) -> None:
    page = browser(alice).get(reverse("albums")).content.decode()
    assert "No albums yet" in page
    assert reverse("album_create") in page


def test_create(alice: User) -> None:
    client = browser(alice)
    response = client.post(reverse("album_create"), {"title": "  Trips ", "description": "Far"})
    made = Album.objects.get(owner=alice)
    assert response.url == reverse("album", args=[made.pk])
    assert (made.title, made.description) == ("Trips", "Far")
    assert "This album is empty" in client.get(response.url).content.decode()


def test_what_is_wrong_with_a_new_album_is_said_and_nothing_is_lost(alice: User) -> None:
    long = "t" * 201
    response = browser(alice).post(
        reverse("album_create"), {"title": long, "description": "Kept text"}
    )
    page = response.content.decode()
    assert response.status_code == 400
    assert "at most 200 characters" in page
    assert long in page
    assert "Kept text" in page
    assert not Album.objects.exists()


def test_the_list_tells_whose_how_many_and_who_sees_it(
    alice: User, bob: User, album: Album
) -> None:
    assert "3 pictures" in browser(alice).get(reverse("albums")).content.decode()
    assert "Colours" not in browser(bob).get(reverse("albums")).content.decode()
    share(album, bob, "view")
    assert "shared with you by alice" in browser(bob).get(reverse("albums")).content.decode()
    own = browser(alice).get(reverse("albums")).content.decode()
    assert "shared with you" not in own
    assert "shared</span>" in own


def test_the_list_can_be_searched(alice: User, album: Album) -> None:
    albums.create(alice, "Something else")
    page = browser(alice).get(reverse("albums"), {"q": "colo"}).content.decode()
    assert "Colours" in page
    assert "Something else" not in page
    assert "No album is called" in (
        browser(alice).get(reverse("albums"), {"q": "nothing"}).content.decode()
    )


def test_pictures_come_in_the_order_of_the_album(alice: User, album: Album) -> None:
    ids = [str(Image.objects.get(title=title).pk) for title in ("Red", "Green", "Blue")]
    assert tiles(browser(alice).get(reverse("album", args=[album.pk]))) == ids


PAGES = ["album", "album_add", "album_arrange", "album_edit", "album_head"]
CHANGES = ["album_edit", "album_delete", "album_restore", "album_sort"]


@pytest.mark.parametrize("name", PAGES)
def test_strangers_get_404_as_for_what_never_was(bob: User, album: Album, name: str) -> None:
    assert browser(bob).get(reverse(name, args=[album.pk])).status_code == 404


@pytest.mark.parametrize("name", CHANGES)
def test_strangers_change_nothing(bob: User, album: Album, name: str) -> None:
    response = browser(bob).post(reverse(name, args=[album.pk]), {"title": "Mine"})
    assert response.status_code == 404
    album.refresh_from_db()
    assert (album.title, album.deleted_at) == ("Colours", None)
    assert order_of(album) == ["Red", "Green", "Blue"]


@pytest.mark.parametrize("name", PAGES)
def test_visitors_are_asked_to_sign_in(album: Album, name: str) -> None:
    assert browser().get(reverse(name, args=[album.pk])).status_code == 302


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("view", {"album", "album_head"}),
        ("add", {"album", "album_head", "album_add"}),
        ("manage", {"album", "album_head", "album_add", "album_arrange", "album_edit"}),
    ],
)
def test_a_role_opens_its_pages_and_no_others(
    bob: User, album: Album, role: str, allowed: set[str]
) -> None:
    share(album, bob, role)
    client = browser(bob)
    opened = {n for n in PAGES if client.get(reverse(n, args=[album.pk])).status_code == 200}
    assert opened == allowed
    page = page_of(album, bob)
    assert (reverse("album_add", args=[album.pk]) in page) == (role != "view")
    assert (reverse("album_edit", args=[album.pk]) in page) == (role == "manage")
    # Only its owner deletes it.
    assert reverse("album_delete", args=[album.pk]) not in page
    assert client.post(reverse("album_delete", args=[album.pk])).status_code == 404


def test_edit_in_place(alice: User, album: Album) -> None:
    client = browser(alice)
    address = reverse("album_edit", args=[album.pk])
    form = client.get(address, headers=HTMX)
    assert "Colours" in attributes(form, "value")
    assert b"<html" not in form.content
    refused = client.post(address, {"title": " ", "description": "New"}, headers=HTMX)
    assert "Give the album a title" in refused.content.decode()
    assert "New" in refused.content.decode()
    saved = client.post(address, {"title": "Paint", "description": ""}, headers=HTMX)
    assert "<h1>Paint</h1>" in saved.content.decode()
    album.refresh_from_db()
    assert (album.title, album.description) == ("Paint", "")


def test_edit_without_scripts(alice: User, album: Album) -> None:
    address = reverse("album_edit", args=[album.pk])
    response = browser(alice).post(address, {"title": "Paint"})
    assert response.url == reverse("album", args=[album.pk])


def test_delete_and_undo(alice: User, album: Album) -> None:
    client = browser(alice)
    page = client.post(reverse("album_delete", args=[album.pk]), follow=True)
    undo = reverse("album_restore", args=[album.pk])
    assert undo in attributes(page, "action")
    assert client.get(reverse("album", args=[album.pk])).status_code == 404
    assert Image.objects.owned_by(alice).count() == 3
    assert "Colours" in client.post(undo, follow=True).content.decode()
    assert order_of(album) == ["Red", "Green", "Blue"]


def test_a_deleted_album_lies_in_the_trash(alice: User, bob: User, album: Album) -> None:
    albums.trash(album)
    assert "Colours" in browser(alice).get(reverse("trash")).content.decode()
    assert "Colours" not in browser(bob).get(reverse("trash")).content.decode()


def test_pictures_to_add_are_own_ones_that_are_not_in_it(
    alice: User, bob: User, album: Album
) -> None:
    outside = upload(alice, draw(colour="black"))
    upload(bob, draw(colour="white"), visibility="public")
    response = browser(alice).get(reverse("album_add", args=[album.pk]))
    assert tiles(response) == [str(outside.pk)]


def test_sort_by_date_and_undo(alice: User, album: Album) -> None:
    for day, title in enumerate(("Blue", "Red", "Green"), start=1):
        Image.objects.filter(title=title).update(captured_at=f"2024-05-0{day}T10:00Z")
    client = browser(alice)
    page = client.post(reverse("album_sort", args=[album.pk]), follow=True)
    assert order_of(album) == ["Blue", "Red", "Green"]
    (undo,) = [a for a in attributes(page, "action") if a.startswith("/changes/")]
    client.post(undo)
    assert order_of(album) == ["Red", "Green", "Blue"]


def test_sort_by_date_beyond_what_moves_at_once(
    alice: User, album: Album, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(albums, "MAX_MOVED", 2)
    for day, title in enumerate(("Blue", "Green", "Red"), start=1):
        Image.objects.filter(title=title).update(captured_at=f"2024-05-0{day}T10:00Z")
    browser(alice).post(reverse("album_sort", args=[album.pk]))
    assert order_of(album) == ["Blue", "Green", "Red"]


def test_the_dialog_offers_albums_that_one_may_add_to(alice: User, bob: User, album: Album) -> None:
    mine = albums.create(bob, "Bob's colours")
    client = browser(bob)

    def offered(words: str = "") -> list[str]:
        return attributes(client.get(reverse("albums_pick"), {"q": words}), "data-pick")

    assert offered() == [str(mine.pk)]
    share(album, bob, "view")
    assert offered() == [str(mine.pk)]
    AlbumShare.objects.update(role="add")
    assert set(offered("colours")) == {str(mine.pk), str(album.pk)}
    assert offered("bob") == [str(mine.pk)]


def test_the_dialog_offers_a_new_album_of_the_name_that_was_typed(alice: User) -> None:
    client = browser(alice)

    def new(words: str) -> list[str]:
        return attributes(client.get(reverse("albums_pick"), {"q": words}), "data-create")

    assert new("Trips") == ["Trips"]
    albums.create(alice, "Trips")
    assert new("Trips") == []
    assert new("") == []


def test_texts_of_users_are_escaped(alice: User) -> None:
    made = albums.create(alice, "<script>alert(1)</script>", "<img src=x>")
    for address in (reverse("albums"), reverse("album", args=[made.pk]), reverse("albums_pick")):
        page = browser(alice).get(address).content.decode()
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


def test_a_cover_made_of_the_first_pictures(alice: User, album: Album) -> None:
    first = Image.objects.get(title="Red")
    sources = attributes(browser(alice).get(reverse("albums")), "src")
    covers = [source for source in sources if "/thumbnails/" in source]
    assert len(covers) == 3
    assert str(first.pk) in covers[0]


def test_the_list_asks_as_often_for_many_albums_as_for_one(
    alice: User, album: Album, django_assert_max_num_queries: Any
) -> None:
    client = browser(alice)
    with CaptureQueriesContext(connection) as alone:
        client.get(reverse("albums"))
    for number in range(5):
        made = albums.create(alice, f"Album {number}")
        albums.add_images(made, Image.objects.all(), alice)
    with django_assert_max_num_queries(len(alone)):
        client.get(reverse("albums"))
