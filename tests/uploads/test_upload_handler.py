"""Requests that are too large, and pictures that are not stored."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from gallery.errors import Refusal, TooLarge
from gallery.library.query_picture import read_query_picture
from gallery.library.validation import inspect_picture
from gallery.models import Image
from gallery.pixels.decode import unpack
from tests import pictures
from tests.library_tools import stored_files

pytestmark = pytest.mark.django_db


def multipart(data: bytes, size_limit: int, settings: Any) -> Any:
    settings.MAX_UPLOAD_BYTES = size_limit
    settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1000  # the rest goes through a file
    upload = SimpleUploadedFile("a.jpg", data, "image/jpeg")
    return RequestFactory().post("/", {"file": upload, "title": "after the file"})


@pytest.mark.parametrize("size", [999, 500_000])
def test_an_upload_past_the_limit_is_drained_and_refused(settings, size: int) -> None:
    request = multipart(b"x" * size, 998, settings)

    upload = request.FILES["file"]

    assert request.META["clipsite.upload_too_large"] is True
    assert request.POST["title"] == "after the file"
    assert request.read() == b""
    assert upload.size == size
    assert upload.read() == b""
    with pytest.raises(TooLarge) as caught:
        inspect_picture(upload, upload.name)
    assert caught.value.code == "too_large"


def test_an_upload_at_the_limit_passes(settings) -> None:
    data = pictures.jpeg(640, 480)
    request = multipart(data, len(data), settings)

    upload = request.FILES["file"]

    assert "clipsite.upload_too_large" not in request.META
    assert upload.read() == data
    assert inspect_picture(upload, upload.name).width == 640


def test_the_limit_holds_for_the_api_too(settings) -> None:
    request = Request(multipart(b"x" * 50_000, 10_000, settings), parsers=[MultiPartParser()])

    upload = request.data["file"]

    assert request.META["clipsite.upload_too_large"] is True
    assert upload.size == 50_000
    with pytest.raises(TooLarge):
        inspect_picture(upload, upload.name)


def test_one_large_file_does_not_spoil_the_next(settings) -> None:
    data = pictures.jpeg()
    settings.MAX_UPLOAD_BYTES = len(data)
    files = [SimpleUploadedFile("large.jpg", data * 3), SimpleUploadedFile("good.jpg", data)]
    request = RequestFactory().post("/", {"file": files})

    large, good = request.FILES.getlist("file")

    assert large.size == len(data) * 3
    assert good.read() == data


def test_a_query_picture_is_packed_and_not_kept(media: Path) -> None:
    data = pictures.oriented(6)

    query = read_query_picture(io.BytesIO(data), "q.jpg", AnonymousUser())

    assert query.sha256 == hashlib.sha256(data).hexdigest()
    picture = unpack(query.packed)
    assert (picture.mode, picture.size) == ("RGB", (64, 48))
    assert pictures.corner_names(picture) == ["red", "green", "blue", "white"]
    assert not Image.objects.exists()
    assert stored_files(media) == []


def test_a_query_picture_is_refused_like_an_upload() -> None:
    with pytest.raises(Refusal) as caught:
        read_query_picture(io.BytesIO(pictures.text()), "q.jpg", AnonymousUser())

    assert caught.value.code == "not_a_picture"
