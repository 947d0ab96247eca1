"""Favourites: any visible picture can be one, and nobody else sees it."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from gallery.models import Favourite, Image
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"


def favourites_of(user) -> list[str]:
    answer = api(user).get(IMAGES, {"favourite": "true"})
    assert answer.status_code == 200
    return [image["id"] for image in answer.json()["results"]]


def test_a_favourite_is_marked_and_unmarked_any_number_of_times(alice):
    image = upload(alice)
    address = f"{IMAGES}{image.pk}/"
    for method, marked in [("put", True), ("put", True), ("delete", False), ("delete", False)]:
        answer = getattr(api(alice), method)(f"{address}favourite/")
        assert (answer.status_code, answer.content) == (204, b"")
        assert api(alice).get(address).json()["favourite"] is marked
        assert Favourite.objects.filter(user=alice, image=image).exists() is marked


def test_a_favourite_is_private_to_who_marked_it(alice, bob):
    image = upload(alice, visibility="public")
    api(bob).put(f"{IMAGES}{image.pk}/favourite/")
    assert favourites_of(bob) == [str(image.pk)]
    assert favourites_of(alice) == []
    assert api(alice).get(f"{IMAGES}{image.pk}/").json()["favourite"] is False
    assert APIClient().get(f"{IMAGES}{image.pk}/").json()["favourite"] is False
    assert APIClient().get(IMAGES, {"favourite": "true"}).json()["results"] == []


def test_what_is_no_longer_visible_is_no_longer_among_the_favourites(alice, bob):
    image = upload(alice, visibility="public")
    api(bob).put(f"{IMAGES}{image.pk}/favourite/")
    Image.objects.update(visibility="private")
    assert favourites_of(bob) == []
    Image.objects.update(visibility="public")
    assert favourites_of(bob) == [str(image.pk)]


@pytest.mark.parametrize("method", ["put", "delete"])
def test_a_picture_that_one_does_not_see_cannot_be_marked(method, alice, bob):
    image = upload(alice)
    for client in (api(bob), APIClient()):
        assert getattr(client, method)(f"{IMAGES}{image.pk}/favourite/").status_code == 404
    assert not Favourite.objects.exists()


def test_the_anonymous_have_no_favourites(alice):
    image = upload(alice, visibility="public")
    assert APIClient().put(f"{IMAGES}{image.pk}/favourite/").status_code == 404


def test_not_favourite_is_a_filter_too(alice):
    marked, other = upload(alice), upload(alice, draw(colour="blue"))
    api(alice).put(f"{IMAGES}{marked.pk}/favourite/")
    found = api(alice).get(IMAGES, {"favourite": "false"}).json()["results"]
    assert [image["id"] for image in found] == [str(other.pk)]
