"""Bad input and broken services have one error body."""

from __future__ import annotations

import itertools
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import InterfaceError, OperationalError, connection
from rest_framework.test import APIClient

from gallery.models import Image
from tests import pictures
from tests.conftest import api, upload

pytestmark = pytest.mark.django_db

V1 = "/api/v1/"


def error_of(response, status: int) -> dict[str, str | None]:
    """Return the only error of a response, after a check of the whole body."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert body["type"] in {"validation_error", "client_error", "server_error"}
    (error,) = body["errors"]
    assert set(error) == {"code", "detail", "attr"}
    assert error["detail"]
    return error


def picture(content: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/jpeg")


# --- Files ----------------------------------------------------------------------

BAD_FILES = {
    "empty": (pictures.empty, "photo.jpg", "empty_file"),
    "text renamed": (pictures.text, "photo.jpg", "not_a_picture"),
    "spoilt": (lambda: pictures.spoilt(pictures.png(640, 480)), "photo.png", "damaged_picture"),
    "header alone": (pictures.jpeg_header_only, "photo.jpg", "damaged_picture"),
    "bomb": (pictures.png_bomb, "photo.png", "too_many_pixels"),
    "SVG": (pictures.svg, "drawing.svg", "unsupported_format"),
    "SVG renamed": (pictures.svg, "photo.png", "unsupported_format"),
    "PDF": (pictures.pdf, "paper.pdf", "unsupported_format"),
    "film": (pictures.film, "film.mp4", "unsupported_format"),
}


@pytest.mark.parametrize("address", ["images/", "search/", "classify/"])
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_picture_is_refused(address, case, alice):
    make, name, code = BAD_FILES[case]
    answer = api(alice).post(
        V1 + address, {"file": picture(make(), name), "classnames": "cat"}, format="multipart"
    )
    error = error_of(answer, 400)
    assert (error["code"], error["attr"]) == (code, "file")
    assert not Image.objects.exists()


@pytest.mark.parametrize("address", ["images/", "search/", "classify/"])
def test_a_file_that_is_too_large_is_413(address, alice, settings):
    settings.MAX_UPLOAD_BYTES = 10_000
    answer = api(alice).post(
        V1 + address,
        {"file": picture(bytes(3_000_000)), "classnames": "cat"},
        format="multipart",
    )
    assert error_of(answer, 413)["code"] == "too_large"


@pytest.mark.parametrize("address", ["images/", "search/", "classify/"])
@pytest.mark.parametrize("fields", [{}, {"file": "text"}, {"file": ""}, {"photo": "x"}])
def test_a_missing_file_is_named(address, fields, alice):
    answer = api(alice).post(V1 + address, fields, format="multipart")
    error = error_of(answer, 400)
    assert (error["code"], error["attr"]) == ("no_file", "file")


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", "a\x00b"), ("title", "x" * 201), ("visibility", "all"), ("description", "x" * 5001)],
)
def test_a_bad_field_beside_a_good_file_is_refused(field, value, alice):
    answer = api(alice).post(
        V1 + "images/", {"file": picture(pictures.jpeg()), field: value}, format="multipart"
    )
    assert error_of(answer, 400)["attr"] == field
    assert not Image.objects.exists()


# --- Encodings ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "content_type"),
    [
        *itertools.product(
            ["images/", "search/", "search/pictures/", "classify/"],
            ["text/plain", "image/jpeg", "x"],
        ),
        # A search accepts JSON, too.
        *itertools.product(["images/", "search/pictures/", "classify/"], ["application/json"]),
    ],
)
def test_the_wrong_content_type_is_415(address, content_type, alice):
    answer = api(alice).post(V1 + address, b"{}", content_type=content_type)
    assert error_of(answer, 415)["code"] == "unsupported_media_type"


@pytest.mark.parametrize("address", ["images/", "search/", "classify/"])
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"\x00\xff\xfe"),
        ("multipart/form-data; boundary=x; charset=bz2_codec", b"--x--"),
        ("multipart/form-data; boundary=é", b"--x--"),
    ],
)
def test_a_broken_multipart_body_is_400(address, content_type, body, alice):
    answer = api(alice).post(V1 + address, body, content_type=content_type)
    assert error_of(answer, 400)["code"] in {"parse_error", "no_file"}


def test_an_upload_that_ends_early_is_400(alice):
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
    body = head + pictures.jpeg()[:200]
    answer = api(alice).post(V1 + "images/", body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 400
    assert not Image.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b'{"username": NaN}',
        b"[" * 100_000,
        b'{"username": ' + b"9" * 5000 + b"}",
    ],
)
def test_broken_json_is_400(body):
    answer = APIClient().post(V1 + "auth/login/", body, content_type="application/json")
    assert error_of(answer, 400)["code"] == "parse_error"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null"])
def test_json_that_is_no_object_is_400(body):
    answer = APIClient().post(V1 + "auth/login/", body, content_type="application/json")
    assert answer.status_code == 400


def test_a_json_body_of_megabytes_is_413(alice):
    image = upload(alice)
    body = json.dumps({"classnames": ["x" * 1000] * 5000})
    answer = api(alice).post(
        f"{V1}images/{image.pk}/classify/", body, content_type="application/json"
    )
    assert error_of(answer, 413)["code"] == "request_too_large"


def test_a_form_of_thousands_of_fields_is_400(alice):
    fields = {"file": picture(pictures.jpeg()), "classnames": ["cat"] * 7000}
    answer = api(alice).post(V1 + "classify/", fields, format="multipart")
    assert error_of(answer, 400)["code"] == "parse_error"


# --- Addresses and methods ------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
@pytest.mark.parametrize(
    "address",
    [
        "/api/",
        "/api/v2/",
        "/api/v2/images/",
        "/api/v1/nothing/",
        "/api/v1/images",
        "/api/v1/images/abc/",
        "/api/v1/images/123/file/",
        "/api/v1/images/00000000-0000-0000-0000-00000000000/",
        "/api/v1/images/%00/",
        "/api/v1/images/%ff/",
    ],
)
def test_an_unknown_address_is_404_in_json(method, address):
    assert error_of(getattr(APIClient(), method)(address), 404)["code"] == "not_found"


def test_an_unknown_method_is_405(alice):
    answer = api(alice).put(V1 + "images/")
    assert error_of(answer, 405)["code"] == "method_not_allowed"
    assert "POST" in answer.headers["Allow"]


def test_errors_speak_the_language_of_the_client(alice):
    answer = api(alice).post(V1 + "images/", {}, format="multipart", HTTP_ACCEPT_LANGUAGE="zh-hans")
    assert error_of(answer, 400)["code"] == "no_file"
    assert answer.headers["Content-Language"] == "zh-hans"


# --- The database is down -------------------------------------------------------


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize(
    ("signed_in", "address"),
    [
        (True, "auth/me/"),
        (True, "images/"),
        (False, "images/"),
        (False, "images/00000000-0000-4000-8000-000000000000/"),
        (False, "search/?q=cat"),
    ],
)
def test_a_database_that_is_down_is_503(error, signed_in, address, alice, monkeypatch):
    client = api(alice) if signed_in else APIClient()

    def refuse(*args, **kwargs):
        raise error("connection refused")

    # Statements planned once have their own cursor (gallery.prepared).
    for name in ("cursor", "make_cursor"):
        monkeypatch.setattr(connection, name, refuse)
    answer = client.get(V1 + address)
    assert error_of(answer, 503)["code"] == "database_down"
    assert int(answer.headers["Retry-After"]) > 0


def test_a_bug_is_a_500_without_details(alice, monkeypatch):
    def break_down(*args, **kwargs):
        raise RuntimeError("a secret")

    monkeypatch.setattr("gallery.indexing.selectors.newest", break_down)
    client = api(alice)
    client.raise_request_exception = False
    answer = client.get(V1 + "images/")
    assert error_of(answer, 500)["code"] == "error"
    assert b"secret" not in answer.content


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("images/bulk/", {"selection": {"all": True}, "action": "\ud800"}),
        ("account/tokens/", {"name": "a", "scope": "\udfff\ud800", "password": "x"}),
    ],
)
def test_half_of_a_surrogate_pair_goes_back_as_it_came(address, body, alice):
    answer = api(alice).post(V1 + address, json.dumps(body), content_type="application/json")
    assert "\\ud800" in answer.content.decode()
    assert "\ud800" in error_of(answer, 400)["detail"]
