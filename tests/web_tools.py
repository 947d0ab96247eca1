"""Helpers that the tests of the pages share."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from gallery.encoders import client as encoder_client
from gallery.encoders.base import Vectors, l2_normalise
from gallery.models import EmbeddingSpace, User
from tests.factories import make_space

HTMX = {"HX-Request": "true"}

# The words below are encoded to these directions. The pictures have vectors near one of them.
WORDS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0)}


def browser(user: User | None = None, language: str = "en") -> Client:
    """Return a client signed in as `user`. It shows error pages instead of raising."""
    client = Client(raise_request_exception=False, headers={"Accept-Language": language})
    if user is not None:
        client.force_login(user)
    return client


def confirmed(user: User) -> Client:
    """Return a browser of `user` right after the password was confirmed. The password is that of
    alice."""
    client = browser(user)
    password = {"password": f"{user.username}-password"}
    assert client.post(reverse("account_reauthenticate"), password).status_code == 302
    return client


def fake_encoder(monkeypatch: pytest.MonkeyPatch) -> EmbeddingSpace:
    """An active space of three dimensions. Its encoder knows WORDS and takes every picture for
    "red". Drawn pictures are not folded, even if a worker of an earlier test still looks for
    near-duplicates."""

    def encode_texts(space: Any, texts: list[str], **_: Any) -> Vectors:
        return l2_normalise(np.array([WORDS[text] for text in texts], dtype=np.float32))

    def encode_picture(space: Any, packed: bytes) -> Vectors:
        return np.array(WORDS["red"], dtype=np.float32)

    monkeypatch.setattr(encoder_client, "encode_texts", encode_texts)
    monkeypatch.setattr(encoder_client, "encode_picture", encode_picture)
    monkeypatch.setattr("gallery.search.folding.fold", lambda ids: {})
    return make_space()


class _Attributes(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name == self.name]


def attributes(response: Any, name: str) -> list[str]:
    """Return the values of one attribute of all elements of a page, unescaped, in order."""
    parser = _Attributes(name)
    parser.feed(response.content.decode())
    return parser.found


def tiles(response: Any) -> list[str]:
    """Return the ids of the pictures in the grid, in order."""
    parser = _Tiles()
    parser.feed(response.content.decode())
    return parser.found


class _Tiles(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "data-tile" in given:
            self.found.append(str(given["href"]).split("/")[2])


def next_page(response: Any) -> str | None:
    """Return the address that the foot of the grid loads, or None."""
    addresses = [a for a in attributes(response, "hx-get") if "after=" in a or "c=" in a]
    return addresses[0] if addresses else None
