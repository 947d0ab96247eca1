"""Tags: owners give them to their own pictures, and nobody else sees them."""

from __future__ import annotations

import uuid

import pytest
from rest_framework.test import APIClient

from gallery.models import AlbumShare, Tag
from gallery.organising import albums
from tests.api_tools import code_of
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

IMAGES = "/api/v1/images/"
TAGS = "/api/v1/tags/"


def tag(owner, image, *names: str):
    answer = api(owner).put(f"{IMAGES}{image.pk}/tags/", {"tags": list(names)})
    assert answer.status_code == 200, answer.content
    return answer.json()["tags"]


def listed(owner) -> dict[str, int]:
    answer = api(owner).get(TAGS)
    assert answer.status_code == 200
    return {entry["name"]: entry["count"] for entry in answer.json()["results"]}


@pytest.fixture
def images(alice):
    return [upload(alice, draw(colour=colour)) for colour in ("red", "green", "blue")]


def test_a_picture_carries_exactly_the_tags_that_are_put(alice, images):
    assert tag(alice, images[0], "Sea", "sun") == ["Sea", "sun"]
    assert tag(alice, images[0], "sun", "风景") == ["sun", "风景"]
    assert listed(alice) == {"sun": 1, "风景": 1}
    assert tag(alice, images[0]) == []
    assert listed(alice) == {}


def test_tags_are_one_whatever_their_case_and_spaces(alice, images):
    assert tag(alice, images[0], " Sea ", "sea", "SEA", "") == ["SEA"]
    assert tag(alice, images[1], "sea\u3000 side ", "sEa") == ["SEA", "sea side"]
    assert listed(alice) == {"SEA": 2, "sea side": 1}


def test_tags_of_two_people_have_nothing_to_do_with_each_other(alice, bob, images):
    theirs = upload(bob)
    tag(alice, images[0], "sea")
    tag(bob, theirs, "sea")
    assert (listed(alice), listed(bob)) == ({"sea": 1}, {"sea": 1})
    assert Tag.objects.count() == 2


def test_only_the_owner_sees_and_searches_tags(alice, bob, images):
    image = images[0]
    tag(alice, image, "secret")
    album = albums.create(alice, "Shared")
    AlbumShare.objects.create(album=album, user=bob, role="manage")
    albums.add_images(album, type(image).objects.filter(pk=image.pk), alice)
    assert api(bob).get(f"{IMAGES}{image.pk}/").json()["tags"] is None
    assert api(bob).get(IMAGES, {"tag": "secret"}).json()["results"] == []
    assert api(bob).put(f"{IMAGES}{image.pk}/tags/", {"tags": ["x"]}).status_code == 404
    assert listed(bob) == {}
    assert api(alice).get(f"{IMAGES}{image.pk}/").json()["tags"] == ["secret"]


def test_the_trash_does_not_count(alice, images):
    tag(alice, images[0], "sea")
    api(alice).delete(f"{IMAGES}{images[0].pk}/")
    assert listed(alice) == {}
    api(alice).post(f"{IMAGES}{images[0].pk}/restore/")
    assert listed(alice) == {"sea": 1}


def test_a_tag_is_renamed(alice, images):
    tag(alice, images[0], "see")
    pk = Tag.objects.get().pk
    answer = api(alice).patch(f"{TAGS}{pk}/", {"name": "Sea"})
    assert (answer.status_code, answer.json()) == (
        200, {"id": str(pk), "name": "Sea", "count": 1},
    )  # fmt: skip
    assert api(alice).patch(f"{TAGS}{pk}/", {"name": "sEA"}).json()["name"] == "sEA"


def test_renaming_to_a_name_that_exists_merges_two_tags(alice, images):
    tag(alice, images[0], "sea", "ocean")
    tag(alice, images[1], "ocean")
    tag(alice, images[2], "sea")
    ocean, sea = Tag.objects.get(name="ocean"), Tag.objects.get(name="sea")
    answer = api(alice).patch(f"{TAGS}{ocean.pk}/", {"name": "SEA"})
    assert answer.json() == {"id": str(sea.pk), "name": "sea", "count": 3}
    assert listed(alice) == {"sea": 3}


def test_a_deleted_tag_comes_back_with_its_pictures(alice, images):
    tag(alice, images[0], "sea")
    tag(alice, images[1], "sea", "sun")
    sea = Tag.objects.get(name="sea")
    deleted = api(alice).delete(f"{TAGS}{sea.pk}/")
    assert deleted.status_code == 200
    assert listed(alice) == {"sun": 1}
    assert api(alice).post(deleted.json()["undo"]).json() == {"restored": 2}
    assert listed(alice) == {"sea": 2, "sun": 1}
    assert Tag.objects.get(name="sea").pk == sea.pk


def test_a_deleted_tag_joins_the_one_that_took_its_name(alice, images):
    tag(alice, images[0], "sea")
    deleted = api(alice).delete(f"{TAGS}{Tag.objects.get().pk}/").json()
    tag(alice, images[1], "Sea")
    assert api(alice).post(deleted["undo"]).json() == {"restored": 1}
    assert listed(alice) == {"Sea": 2}


@pytest.mark.parametrize("method", ["get", "patch", "delete", "put", "post"])
def test_the_tags_of_others_do_not_exist(method, alice, bob, images):
    tag(alice, images[0], "sea")
    pk = Tag.objects.get().pk
    for client in (api(bob), APIClient()):
        there, nowhere = (
            getattr(client, method)(f"{TAGS}{one}/", {"name": "x"}) for one in (pk, uuid.uuid4())
        )
        assert there.status_code == nowhere.status_code == 404
        assert there.content == nowhere.content
    assert listed(alice) == {"sea": 1}


@pytest.mark.parametrize(
    ("names", "attr"),
    [
        (["x" * 51], "tags.0"),
        (["x"] * 51, "tags"),
        ("sea", "tags"),
        ([["sea"]], "tags.0"),
        (["a\x00"], "tags.0"),
        (None, "tags"),
    ],
)
def test_bad_tags_are_refused_whole(alice, images, names, attr):
    tag(alice, images[0], "sea")
    answer = api(alice).put(f"{IMAGES}{images[0].pk}/tags/", {"tags": names})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == attr
    assert listed(alice) == {"sea": 1}


def test_a_tag_needs_a_name(alice, images):
    tag(alice, images[0], "sea")
    answer = api(alice).patch(f"{TAGS}{Tag.objects.get().pk}/", {"name": "  "})
    assert (answer.status_code, code_of(answer)) == (400, "blank")


def test_pages_of_tags_are_the_whole_list(alice, images):
    names = ["b", "A", "c", "~", "é", "Z~z", "中"]
    tag(alice, images[0], *names)
    whole = list(listed(alice))
    assert len(whole) == len(names)
    address, paged = f"{TAGS}?limit=2", []
    while address:
        page = api(alice).get(address).json()
        paged += [entry["name"] for entry in page["results"]]
        address = page["next"]
    assert paged == whole


def test_a_list_of_tagged_pictures_costs_no_more_queries(
    alice, images, django_assert_num_queries, django_assert_max_num_queries
):
    for number, image in enumerate(images):
        tag(alice, image, "all", f"only {number}")
    client = api(alice)
    with django_assert_max_num_queries(5) as few:
        client.get(f"{IMAGES}?limit=1")
    with django_assert_num_queries(len(few)):
        client.get(f"{IMAGES}?limit=3")
