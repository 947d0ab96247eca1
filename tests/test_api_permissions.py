"""Other people's pictures: 404 everywhere, as if they were not there."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern
from rest_framework.test import APIClient

from gallery.api.urls import v1
from gallery.models import Image
from tests import pictures
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

METHODS = ["get", "head", "options", "post", "put", "patch", "delete"]
OBJECT_ROUTES = [route for route in v1 if "<uuid:pk>" in str(route.pattern)]


def address_of(route: URLPattern, pk: object) -> str:
    return "/api/v1/" + str(route.pattern).replace("<uuid:pk>", str(pk))


def name_of(route: URLPattern) -> str:
    return str(route.name)


@pytest.fixture
def stranger(request, bob):
    return {"bob": api(bob), "anonymous": APIClient()}[request.param]


both_strangers = pytest.mark.parametrize("stranger", ["bob", "anonymous"], indirect=True)


def test_every_route_with_an_id_is_walked():
    assert {name_of(route) for route in OBJECT_ROUTES} == {
        "image",
        "image-file",
        "image-thumbnail",
        "image-restore",
        "image-retry",
        "image-similar",
        "image-classify",
    }


@both_strangers
@pytest.mark.parametrize("route", OBJECT_ROUTES, ids=name_of)
@pytest.mark.parametrize("method", METHODS)
def test_a_private_picture_is_as_absent_as_one_that_never_was(stranger, route, method, alice):
    image = upload(alice)
    call = getattr(stranger, method)
    there, nowhere = (call(address_of(route, pk)) for pk in (image.pk, uuid.uuid4()))
    assert there.status_code == nowhere.status_code == 404
    assert there.content == nowhere.content
    assert_same_headers(there, nowhere)
    if method != "head":
        assert there.json()["errors"][0]["code"] == "not_found"


def assert_same_headers(there, nowhere) -> None:
    assert dict(there.headers) == dict(nowhere.headers)


@both_strangers
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
@pytest.mark.parametrize(
    ("method", "route"),
    [("patch", ""), ("delete", ""), ("put", ""), ("post", "restore/"), ("post", "retry/")],
)
def test_who_may_see_may_not_change(stranger, visibility, method, route, alice):
    image = upload(alice, visibility=visibility)
    answer = getattr(stranger, method)(f"/api/v1/images/{image.pk}/{route}", {"title": "Mine"})
    assert answer.status_code == 404
    image.refresh_from_db()
    assert (image.title, image.deleted_at) == ("", None)


@both_strangers
def test_an_unlisted_picture_is_read_by_its_id_and_never_listed(stranger, alice):
    image = upload(alice, visibility="unlisted")
    for route in ("", "file/", "thumbnail/"):
        assert stranger.get(f"/api/v1/images/{image.pk}/{route}").status_code == 200
    for query in ("", f"?id={image.pk}", "?owner=alice", "?visibility=unlisted"):
        assert stranger.get(f"/api/v1/images/{query}").json()["results"] == []


@both_strangers
def test_a_deleted_picture_is_gone_whatever_it_was(stranger, alice):
    image = upload(alice, visibility="public")
    api(alice).delete(f"/api/v1/images/{image.pk}/")
    for route in OBJECT_ROUTES:
        for method in METHODS:
            assert getattr(stranger, method)(address_of(route, image.pk)).status_code == 404


def test_making_a_picture_private_takes_it_away_at_once(alice, bob):
    image = upload(alice, visibility="public")
    address = f"/api/v1/images/{image.pk}/"
    assert api(bob).get(f"{address}file/").status_code == 200
    api(alice).patch(address, {"visibility": "private"})
    assert api(bob).get(f"{address}file/").status_code == 404
    assert api(bob).get("/api/v1/images/").json()["results"] == []


def test_uploading_the_bytes_of_another_reveals_nothing(alice, bob):
    picture = draw()
    upload(alice, picture)
    answer = api(bob).post(
        "/api/v1/images/", {"file": SimpleUploadedFile("x.jpg", picture)}, format="multipart"
    )
    assert (answer.status_code, answer.json()["duplicate"]) == (201, False)
    assert Image.objects.count() == 2


def test_a_superuser_has_no_more_rights_here(django_user_model, alice):
    """The admin is the place for that."""
    root = django_user_model.objects.create_superuser("root")
    image = upload(alice, pictures.jpeg())
    assert api(root).get(f"/api/v1/images/{image.pk}/").status_code == 404


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_head_and_options_work_where_get_does(method, alice):
    image = upload(alice)
    for address in ("/api/v1/images/", f"/api/v1/images/{image.pk}/", "/api/v1/health/"):
        answer = getattr(api(alice), method)(address)
        assert answer.status_code == 200
        if method == "head":
            assert answer.content == b""
