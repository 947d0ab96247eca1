"""Things of other people are 404 everywhere, like things that do not exist."""

from __future__ import annotations

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from gallery.api.urls import v1
from gallery.models import Image
from tests import belongings, pictures
from tests.api.test_api_schema import DOCUMENT
from tests.belongings import Belongings, count_of_everything, filled, of_nobody
from tests.conftest import api, draw, upload

pytestmark = pytest.mark.django_db

METHODS = ["get", "head", "options", "post", "put", "patch", "delete"]
ADDRESSES = belongings.addresses(v1)
OF_ONE_PICTURE = [address for address in ADDRESSES if address.startswith("/api/v1/images/")]


@pytest.fixture
def stranger(request, bob):
    return {"bob": api(bob), "anonymous": APIClient()}[request.param]


both_strangers = pytest.mark.parametrize("stranger", ["bob", "anonymous"], indirect=True)


def test_the_walk_covers_every_object_of_the_schema():
    documented = [path for path in DOCUMENT["paths"] if "{" in path]
    assert len(ADDRESSES) == len(documented) > 40


@both_strangers
@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_not_shared_is_as_absent_as_what_never_was(stranger, address, alice):
    hers = Belongings(alice, revoked=True)
    before = count_of_everything()
    there_at = filled(address, hers.of(address))
    nowhere_at = filled(address, of_nobody(address))
    for method in METHODS:
        call = getattr(stranger, method)
        there, nowhere = call(there_at), call(nowhere_at)
        assert there.status_code == nowhere.status_code == 404, method
        assert there.content == nowhere.content
        assert_same_headers(there, nowhere)
        if method != "head":
            assert there.json()["errors"][0]["code"] in {"not_found", "link_gone"}
    assert count_of_everything() == before


def assert_same_headers(there, nowhere) -> None:
    assert dict(there.headers) == dict(nowhere.headers)


@both_strangers
@pytest.mark.parametrize("visibility", ["public", "unlisted"])
@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("patch", ""),
        ("delete", ""),
        ("put", ""),
        ("post", "restore/"),
        ("post", "retry/"),
        ("put", "recipe/"),
        ("delete", "recipe/"),
    ],
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
    for address in OF_ONE_PICTURE:
        for method in METHODS:
            at = filled(address, {"pk": image.pk, "category": uuid.uuid4()})
            assert getattr(stranger, method)(at).status_code == 404


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
    """Superusers use the admin for that."""
    root = django_user_model.objects.create_superuser("root")
    image = upload(alice, pictures.jpeg())
    assert api(root).get(f"/api/v1/images/{image.pk}/").status_code == 404


def test_options_is_answered_wherever_something_is(alice):
    hers = Belongings(alice)
    for route in v1:
        address = "/api/v1/" + str(route.pattern)
        answer = api(alice).options(filled(address, hers.of(address)))
        assert answer.status_code in {200, 204, 403, 404}, address


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_head_and_options_work_where_get_does(method, alice):
    image = upload(alice)
    for address in ("/api/v1/images/", f"/api/v1/images/{image.pk}/", "/api/v1/health/"):
        answer = getattr(api(alice), method)(address)
        assert answer.status_code == 200
        if method == "head":
            assert answer.content == b""
