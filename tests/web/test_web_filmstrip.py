"""The row of small pictures below a picture, and the random order of a slideshow."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from gallery.models import Image, User
from gallery.web.lists import filmstrip
from gallery.web.pictures.names import name_of
from tests.web.test_web_timeline import at, browser, taken

pytestmark = pytest.mark.django_db


def asked(user: User | None, pk: str, **query: str) -> dict[str, Any]:
    response = browser(user).get(reverse("image_filmstrip", args=[pk]), query)
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    return found


def strip(user: User | None, pk: str, **query: str) -> list[str]:
    return [one["path"].split("/")[2] for one in asked(user, pk, **query)["pictures"]]


def test_it_is_a_window_of_the_timeline(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filmstrip, "AROUND", 2)
    same = at(2024, 5, 1)
    ids = taken(alice, at(2024, 6, 2), at(2024, 6, 1), same, same, same, at(2023, 1, 1))
    ordered = [*ids[:2], *sorted(ids[2:5], reverse=True), ids[5]]
    for number, pk in enumerate(ordered):
        assert strip(alice, pk) == ordered[max(0, number - 2) : number + 3]
        assert strip(alice, pk, list="owner") == strip(alice, pk)
    assert asked(alice, ordered[0])["around"] == 2


def test_it_follows_scope_filters_and_archive(alice: User, bob: User) -> None:
    mine, archived = taken(alice, at(2024, 5, 3), at(2024, 5, 2))
    (theirs,) = taken(bob, at(2024, 5, 1))
    Image.objects.filter(pk=theirs).update(visibility="public")
    Image.objects.filter(pk=archived).update(archived_at=at(2024, 6, 1))
    assert strip(alice, mine) == [mine, theirs]
    assert strip(alice, mine, scope="mine") == [mine]
    assert strip(alice, mine, list="owner") == [mine]
    # The picture itself is always there.
    assert strip(alice, archived, list="owner") == [mine, archived]


def test_it_shows_only_what_one_may_see(alice: User, bob: User) -> None:
    first, secret, last = taken(alice, at(2024, 5, 3), at(2024, 5, 2), at(2024, 5, 1))
    Image.objects.filter(pk__in=[first, last]).update(
        visibility="public", title="", original_name="secret-place.jpg"
    )
    everything = ",".join([first, secret, last])
    for query in ({}, {"list": "owner"}, {"ids": everything}):
        assert strip(alice, first, **query) == [first, secret, last]
        assert strip(bob, first, **query) == [first, last]
        assert strip(None, first, **query) == [first, last]
    assert {one["name"] for one in asked(alice, first)["pictures"][::2]} == {"secret-place.jpg"}
    assert "secret-place.jpg" not in str(asked(bob, first))
    for name in ("image_filmstrip", "image_shuffled"):
        address = reverse(name, args=[secret])
        assert browser(alice).get(address).status_code == 200
        assert browser(bob).get(address).status_code == 404
        assert browser().get(address).status_code == 404


def test_named_pictures_keep_their_order(alice: User) -> None:
    ids = taken(alice, at(2024, 5, 3), at(2024, 5, 2), at(2024, 5, 1))
    order = [ids[1], ids[2], ids[0]]
    assert strip(alice, ids[0], ids=",".join(order)) == order


@pytest.mark.parametrize("ids", ["x", "1,2", ",".join([str(Image().pk)] * 61)])
def test_bad_ids_are_refused(alice: User, ids: str) -> None:
    (pk,) = taken(alice, at(2024, 5, 3))
    response = browser(alice).get(reverse("image_filmstrip", args=[pk]), {"ids": ids})
    assert response.status_code == 400


def test_a_random_order_has_each_other_picture_once(alice: User, bob: User) -> None:
    ids = taken(alice, *(at(2024, 5, day) for day in range(1, 9)))
    Image.objects.filter(pk__in=ids[:3]).update(visibility="public")

    def drawn(user: User, **query: str) -> list[str]:
        answer = browser(user).get(reverse("image_shuffled", args=[ids[0]]), query).json()
        return [path.split("/")[2] for path in answer["paths"]]

    assert sorted(drawn(alice)) == sorted(ids[1:])
    assert sorted(drawn(bob, list="owner")) == sorted(ids[1:3])
    assert {tuple(drawn(alice)) for _ in range(20)} != {tuple(drawn(alice))}


def test_only_the_name_of_a_file_is_cut_in_the_middle(alice: User, bob: User) -> None:
    long = "IMG_20240501_123456_the_longest_name_that_a_camera_gave_0001.jpg"
    image = Image(owner=alice, original_name=long)
    assert name_of(image, alice) == (long[:-12], long[-12:])
    assert name_of(image, alice).short == "IMG_20240501_123456_the_lon…ave_0001.jpg"
    assert len(name_of(image, alice).short) == 40
    assert name_of(image, bob) == ("Untitled", "")
    assert name_of(Image(owner=alice, original_name="a.jpg"), alice) == ("a.jpg", "")
    titled = Image(owner=alice, original_name=long, title="A title " * 9)
    assert name_of(titled, alice).short == titled.title
