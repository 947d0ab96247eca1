"""Sending a picture: the bytes, the receivers, the name and the headers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.storage import default_storage
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.test import RequestFactory
from django.utils import timezone
from PIL import Image as Pillow

from gallery.errors import Unavailable
from gallery.library import delivery, service
from gallery.library.delivery import picture_response, thumbnail_response
from gallery.library.renditions import NoPreview, ensure_clean_copy, ensure_rendition
from gallery.library.storage import DurableFileSystemStorage
from gallery.models import Image, User
from tests import pictures
from tests.conftest import upload

pytestmark = pytest.mark.django_db

ORIGINAL = pictures.with_gps()


@pytest.fixture(autouse=True)
def _connection_outlives_responses() -> Iterator[None]:
    """Keep the connection, as Django's own test client does: closing a response ends a request,
    which would close the connection of the test's transaction."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


@pytest.fixture
def image(alice: User) -> Image:
    return upload(alice, ORIGINAL, "Urlaub am See – 照片.jpg", visibility="public")


def body(response: HttpResponseBase) -> bytes:
    content = b"".join(response) if response.streaming else response.content
    response.close()
    return content


def asking(etag: str = "") -> Any:
    return RequestFactory().get("/", HTTP_IF_NONE_MATCH=etag)


# --- Who gets what --------------------------------------------------------------


def test_a_picture_is_found_for_whom_it_is_shown_to(alice: User, bob: User, image: Image) -> None:
    nobody = AnonymousUser()
    viewers = [alice, bob, nobody]
    assert [delivery.find(image.pk, viewer) for viewer in viewers] == [image] * 3
    Image.objects.update(visibility="private")
    assert [delivery.find(image.pk, viewer) for viewer in viewers] == [image, None, None]
    Image.objects.update(visibility="unlisted")
    assert [delivery.find(image.pk, viewer) for viewer in viewers] == [image] * 3
    Image.objects.update(hidden_at=timezone.now())
    assert [delivery.find(image.pk, viewer) for viewer in viewers] == [image, None, None]
    # The same person, with the role and without it.
    for role, found in [("moderator", image), ("user", None)]:
        bob.role = role
        assert delivery.find(image.pk, bob) == found
    service.delete_image(image)
    assert [delivery.find(image.pk, viewer) for viewer in viewers] == [None] * 3


def test_sending_a_picture_reads_only_what_it_needs(
    alice: User, bob: User, image: Image, django_assert_num_queries: Any
) -> None:
    for viewer in (alice, bob):
        with django_assert_num_queries(1):
            found = delivery.find(image.pk, viewer)
            assert found is not None
            assert {"description", "exif", "placeholder"} <= found.get_deferred_fields()
        body(thumbnail_response(found, 320))  # made now, and this asks whether it still exists
        with django_assert_num_queries(0):
            body(thumbnail_response(found, 320))
        body(picture_response(found, viewer))
        with django_assert_num_queries(0):
            body(picture_response(found, viewer, download=True))


def test_the_owner_gets_the_original_under_its_own_name(alice: User, image: Image) -> None:
    response = picture_response(image, alice)

    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Length"] == str(len(ORIGINAL))
    assert response["Content-Disposition"].startswith("inline; filename*=utf-8''Urlaub%20am%20See")
    assert body(response) == ORIGINAL


def test_others_get_a_clean_copy_under_a_name_that_tells_nothing(bob: User, image: Image) -> None:
    for viewer in (bob, AnonymousUser()):
        response = picture_response(image, viewer)

        assert response["Content-Type"] == "image/webp"
        assert response["Content-Disposition"] == f'inline; filename="{image.pk}.webp"'
        content = body(response)
        copy = Pillow.open(io.BytesIO(content))
        assert copy.size == (64, 48)
        assert dict(copy.getexif()) == {}
        assert b"NIKON" not in content
        assert image.sha256 not in str(response.headers)


def test_a_download_is_offered_as_an_attachment(alice: User, bob: User, image: Image) -> None:
    for viewer in (alice, bob):
        response = picture_response(image, viewer, download=True)

        assert response["Content-Disposition"].startswith("attachment; ")
        response.close()


def test_a_picture_without_a_name_is_sent_under_its_id(alice: User) -> None:
    image = upload(alice, pictures.heic(), "..")

    response = picture_response(image, alice)

    assert response["Content-Disposition"] == f'inline; filename="{image.pk}.heic"'
    response.close()


@pytest.mark.parametrize("name", [*pictures.NASTY_NAMES, 'a"b\r\nSet-Cookie: x=1.jpg', "a;b.jpg"])
def test_names_cannot_break_the_header(alice: User, name: str) -> None:
    image = upload(alice, pictures.jpeg(), name)

    response = picture_response(image, alice)

    header = response["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    assert "Set-Cookie" not in response
    response.close()


def test_thumbnails_are_the_same_for_all(image: Image) -> None:
    response = thumbnail_response(image, 300)

    assert response["Content-Type"] == "image/webp"
    assert response["Content-Disposition"] == f'inline; filename="{image.pk}-320.webp"'
    assert Pillow.open(io.BytesIO(body(response))).size == (64, 48)


# --- Headers --------------------------------------------------------------------


@pytest.mark.parametrize("what", ["original", "clean copy", "thumbnail", "not modified"])
def test_every_answer_is_guarded(alice: User, bob: User, image: Image, what: str) -> None:
    response = {
        "original": lambda: picture_response(image, alice),
        "clean copy": lambda: picture_response(image, bob),
        "thumbnail": lambda: thumbnail_response(image, 320),
        "not modified": lambda: thumbnail_response(image, 320, request=asking("*")),
    }[what]()

    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"]
    response.close()


def test_a_browser_that_has_it_is_told_so(alice: User, bob: User, image: Image) -> None:
    for viewer in (alice, bob):
        first = picture_response(image, viewer, request=asking())
        assert first.status_code == 200
        first.close()

        again = picture_response(image, viewer, request=asking(first["ETag"]))
        assert again.status_code == 304
        assert body(again) == b""

        other = picture_response(image, viewer, request=asking('"something else"'))
        assert other.status_code == 200
        other.close()


def test_the_original_and_the_copies_are_told_apart(alice: User, bob: User, image: Image) -> None:
    responses = [
        picture_response(image, alice),
        picture_response(image, bob),
        thumbnail_response(image, 320),
    ]

    assert len({response["ETag"] for response in responses}) == 3
    for response in responses:
        response.close()


# --- Through the proxy ----------------------------------------------------------


def test_the_proxy_sends_the_file_where_there_is_one(
    alice: User, bob: User, image: Image, settings
) -> None:
    settings.ACCEL_REDIRECT_PREFIX = "/protected/"

    for response, name in (
        (picture_response(image, alice, download=True), image.file.name),
        (picture_response(image, bob), ensure_clean_copy(image)),
        (thumbnail_response(image, 320), ensure_rendition(image, 320)),
    ):
        assert response["X-Accel-Redirect"] == f"/protected/{name}"
        assert body(response) == b""
        assert response["Content-Disposition"]
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["ETag"]


def test_another_storage_is_streamed_past_the_proxy(alice: User, settings) -> None:
    settings.ACCEL_REDIRECT_PREFIX = "/protected/"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    image = upload(alice, ORIGINAL)

    response = picture_response(image, alice)

    assert "X-Accel-Redirect" not in response
    assert body(response) == ORIGINAL
    assert Pillow.open(io.BytesIO(body(thumbnail_response(image, 320)))).size == (64, 48)


# --- Trouble --------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/protected/"])
def test_a_missing_file_is_told_and_logged(
    alice: User,
    bob: User,
    image: Image,
    settings,
    caplog: pytest.LogCaptureFixture,
    prefix: str,
) -> None:
    settings.ACCEL_REDIRECT_PREFIX = prefix
    Path(default_storage.path(image.file.name)).unlink()

    for send in (
        lambda: picture_response(image, alice),
        lambda: picture_response(image, bob),
        lambda: thumbnail_response(image, 320),
    ):
        caplog.clear()
        with pytest.raises(Unavailable) as caught:
            send()
        assert caught.value.code == "file_missing"
        assert image.file.name in caplog.text


def test_a_storage_that_fails_is_told(
    alice: User, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(storage: DurableFileSystemStorage, name: str, mode: str) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(DurableFileSystemStorage, "_open", broken)

    with pytest.raises(Unavailable) as caught:
        picture_response(image, alice)

    assert caught.value.code == "storage_unavailable"


@pytest.mark.django_db(transaction=True)
def test_a_purged_picture_leaves_nothing_to_send(alice: User) -> None:
    image = upload(alice, ORIGINAL)
    service.purge_image(image)

    with pytest.raises(NoPreview):
        thumbnail_response(image, 320)

    assert list(Path(default_storage.path("")).rglob("*.webp")) == []
