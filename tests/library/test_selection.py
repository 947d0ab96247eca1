"""Selections by id, by filters and by a search contain only pictures that the viewer may see."""

from __future__ import annotations

import uuid

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.test import APIClient

from gallery.errors import Expired, Refusal
from gallery.models import Image
from gallery.organising import selection, tags
from gallery.search import window
from gallery.search.filters.narrowed import Narrowed
from gallery.search.plan import Plan
from gallery.search.window import Window
from tests.api_tools import code_of
from tests.conftest import api, draw, upload
from tests.factories import make_space, set_vector

pytestmark = pytest.mark.django_db

COUNT = "/api/v1/selection/count/"


@pytest.fixture
def images(alice) -> list[Image]:
    return [upload(alice, draw(colour=(20 * number, 9, 9))) for number in range(5)]


def resolved(spec, viewer, **options) -> set:
    return set(selection.resolve(spec, viewer, **options).values_list("pk", flat=True))


def keys(images) -> set:
    return {image.pk for image in images}


def test_by_id_whatever_one_sees(alice, bob, images):
    public = upload(bob, visibility="public")
    private = upload(bob, draw(colour="blue"))
    wanted = [images[0], public, private]
    spec = {"ids": [*(str(image.pk) for image in wanted), str(uuid.uuid4())]}
    assert resolved(spec, alice) == keys([images[0], public])
    assert resolved(spec, bob) == keys([public, private])
    assert resolved(spec, AnonymousUser()) == keys([public])
    assert resolved({"ids": []}, alice) == set()


def test_all_is_what_the_filters_leave_but_for_the_exceptions(alice, bob, images):
    tags.set_tags(images[0], ["sea"])
    tags.set_tags(images[1], ["sea"])
    public = upload(bob, visibility="public")
    assert resolved({"all": True}, alice) == keys([*images, public])
    assert resolved({"all": True, "filters": {"owner": "me"}}, alice) == keys(images)
    tagged = {"all": True, "filters": {"tag": ["sea"], "archived": False, "order": "taken"}}
    assert resolved(tagged, alice) == keys(images[:2])
    assert resolved({**tagged, "except": [str(images[0].pk)]}, alice) == keys(images[1:2])


def test_the_trash_is_ones_own_and_apart(alice, bob, images):
    theirs = upload(bob, visibility="public")
    Image.objects.filter(pk__in=[images[0].pk, theirs.pk]).update(deleted_at=timezone.now())
    in_trash = {"all": True, "filters": {"trash": True}}
    either = resolved(in_trash, alice, trash=None)
    assert either == resolved(in_trash, alice, trash=True) == keys(images[:1])
    assert resolved({"all": True}, alice) == keys(images[1:])
    by_id = {"ids": [str(image.pk) for image in [*images, theirs]]}
    assert resolved(by_id, alice) == keys(images[1:])
    assert resolved(by_id, alice, trash=True) == keys(images[:1])
    assert resolved(in_trash, AnonymousUser(), trash=None) == set()


def test_what_lies_in_the_trash_is_not_changed_there(alice, images):
    Image.objects.filter(pk=images[0].pk).update(deleted_at=timezone.now())
    in_trash = {"all": True, "filters": {"trash": True}}
    with pytest.raises(Refusal) as refused:
        selection.resolve(in_trash, alice)
    assert refused.value.code == "in_trash"


def test_what_is_meant_for_the_trash_never_means_the_rest(alice, images):
    with pytest.raises(Refusal) as refused:
        selection.resolve({"all": True, "filters": {}}, alice, trash=True)
    assert refused.value.code == "not_in_trash"


@pytest.fixture
def searched(alice, images) -> str:
    """The cursor of a search with two results so far."""
    space = make_space()
    for number, image in enumerate(images):
        set_vector(image, space, [1, number / 10, 0])
    vector = np.array([1, 0, 0], dtype=np.float32)
    found = Window(Plan(Narrowed(alice), space, vector=vector))
    found.append([image.pk for image in images[:2]], [1.0, 0.9])
    window.save(found)
    return found.cursor(1)


def by_search(cursor: str, count: object, **more) -> dict:
    return {"search": {"cursor": cursor, "count": count}, **more}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_search_selects_the_best_results_from_its_start(count, alice, images, searched):
    """The cursor may be of any page, and the selection may go beyond the pages that were read."""
    assert resolved(by_search(searched, count), alice) == keys(images[:count])
    assert resolved(by_search(searched, 1000), alice) == keys(images)


def test_exceptions_and_deleted_results_do_not_count(alice, images, searched):
    Image.objects.filter(pk=images[0].pk).update(deleted_at=timezone.now())
    assert resolved(by_search(searched, 2), alice) == keys(images[1:3])
    assert resolved(by_search(searched, 2, **{"except": [str(images[1].pk)]}), alice) == keys(
        images[2:3]
    )


def test_the_search_of_another_is_not_known(bob, searched):
    with pytest.raises(Expired):
        selection.resolve(by_search(searched, 1), bob)


ID = str(uuid.uuid4())


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (None, "bad_selection"),
        ([], "bad_selection"),
        ({}, "bad_selection"),
        ({"ids": [ID], "all": True}, "bad_selection"),
        ({"ids": [ID], "except": []}, "bad_selection"),
        ({"ids": ID}, "bad_selection"),
        ({"ids": [5]}, "bad_selection"),
        ({"ids": ["x"]}, "bad_id"),
        ({"ids": [ID] * 1001}, "too_many_ids"),
        ({"all": False}, "bad_selection"),
        ({"all": 1}, "bad_selection"),
        ({"all": True, "filters": []}, "bad_selection"),
        ({"all": True, "filters": {"tga": "sea"}}, "unknown_filter"),
        ({"all": True, "filters": {"limit": 5}}, "unknown_filter"),
        ({"all": True, "filters": {"trash": "yes"}}, "invalid"),
        ({"all": True, "filters": {"favourite": "maybe"}}, "invalid"),
        ({"all": True, "except": [ID] * 10_001}, "too_many_ids"),
        ({"all": True, "except": None}, "bad_selection"),
        (by_search("x.0", 0), "bad_count"),
        (by_search("x.0", 1001), "bad_count"),
        (by_search("x.0", True), "bad_count"),
        (by_search("x.0", "5"), "bad_selection"),
        ({"search": {"cursor": "x.0"}}, "bad_selection"),
        ({"search": "x.0"}, "bad_selection"),
    ],
)
def test_what_is_no_selection_is_refused(spec, code, alice):
    with pytest.raises(Refusal) as refused:
        selection.resolve(spec, alice)
    assert refused.value.code == code


def test_a_selection_is_counted_before_anything_is_done(alice, bob, images):
    public = upload(bob, visibility="public")
    answer = api(alice).post(COUNT, {"selection": {"all": True}})
    assert (answer.status_code, answer.json()) == (
        200,
        {"count": 6, "owned": 5, "bytes": sum(one.byte_size for one in [*images, public])},
    )
    empty = api(alice).post(COUNT, {"selection": {"ids": []}})
    assert empty.json() == {"count": 0, "owned": 0, "bytes": 0}
    assert APIClient().post(COUNT, {"selection": {"all": True}}).json()["count"] == 1


def test_an_expired_search_is_told(alice):
    answer = api(alice).post(COUNT, {"selection": by_search("nothing.0", 5)})
    assert (answer.status_code, code_of(answer)) == (410, "search_expired")
