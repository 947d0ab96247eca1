"""Pages and JSON are compressed, and nothing else that Clipsite sends itself."""

from __future__ import annotations

import gzip
import json

import pytest
from django.test import Client
from django.urls import reverse

from gallery.models import User
from tests import pictures
from tests.conftest import upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: User) -> Client:
    for number in range(3):
        upload(alice, pictures.jpeg(64 + number, 48), visibility="public")
    client = Client(headers={"Accept-Encoding": "gzip, br"})
    client.force_login(alice)
    return client


@pytest.mark.parametrize("path", ["/", "/api/v1/images/", "/api/docs/", "/no-such-page/"])
def test_texts_are_compressed_for_who_takes_them_so(browser: Client, path: str) -> None:
    answer = browser.get(path)
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    text = gzip.decompress(answer.content).decode()
    assert len(answer.content) < len(text)
    if path.endswith("images/"):
        assert len(json.loads(text)["results"]) == 3
    plain = browser.get(path, headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain


def test_lengths_do_not_tell_what_is_compressed(browser: Client) -> None:
    lengths = {len(browser.get("/api/v1/images/").content) for _ in range(20)}
    assert len(lengths) > 1


def test_pictures_and_archives_are_sent_as_they_are(browser: Client) -> None:
    (first, *_others) = browser.get(
        "/api/v1/images/", headers={"Accept-Encoding": "identity"}
    ).json()["results"]
    for path in (first["urls"]["file"], first["urls"]["thumbnail"]):
        answer = browser.get(path)
        assert "Content-Encoding" not in answer, path
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    address = reverse("api:downloads")
    wanted = {"selection": {"ids": [first["id"]]}}
    identity = {"Accept-Encoding": "identity"}
    made = browser.post(address, wanted, content_type="application/json", headers=identity).json()
    archive = browser.get(f"{address}{made['id']}/")
    assert archive.status_code == 200
    assert archive["Content-Type"] == "application/zip"
    assert "Content-Encoding" not in archive
    b"".join(archive.streaming_content)  # type: ignore[attr-defined]
