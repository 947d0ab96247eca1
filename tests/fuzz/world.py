"""The target of hostile requests: a separate database with two people and their things."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
from django.test import Client, override_settings
from django.test.utils import setup_test_environment, teardown_test_environment

from clipsite.handlers import ReadableWSGIRequest
from tests.belongings import Belongings

STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"


@dataclass
class World:
    """The world. `belongings` and `token` belong to alice."""

    clients: dict[str, Client]
    token: str
    belongings: Belongings

    def client(self, actor: str) -> Client:
        return self.clients[actor]


ACTORS = ("visitor", "alice", "token", "administrator")


@contextmanager
def world() -> Iterator[World]:
    """Build the world in a database of its own, next to the one of the environment, and remove it
    afterwards. Nothing is encoded, and nobody listens to the broker."""
    from django.conf import settings
    from django.db import connection

    with ExitStack() as stack:
        setup_test_environment()
        stack.callback(teardown_test_environment)
        former = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        stack.callback(lambda: connection.creation.destroy_test_db(former, verbosity=0))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="clipsite-fuzz-"))
        changes = {
            "MEDIA_ROOT": f"{folder}/media",
            "UPLOAD_DIR": f"{folder}/uploads",
            "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
            "STORAGES": {**settings.STORAGES, "staticfiles": {"BACKEND": STATIC}},
            "STATIC_ROOT": str(settings.BASE_DIR / "static"),
            "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
        }
        stack.enter_context(override_settings(**changes))
        nobody = SimpleNamespace(send_task=lambda *ring, **options: None)
        stack.enter_context(patch("gallery.dispatch.current_app", nobody))
        # These are for the server's requests. Django's client makes its own.
        stack.enter_context(patch("django.test.client.WSGIRequest", ReadableWSGIRequest))
        stack.enter_context(patch("gallery.encoders.client.encode_texts", _encode_texts))
        stack.enter_context(patch("gallery.encoders.client.encode_own_texts", _encode_texts))
        stack.enter_context(patch("gallery.encoders.client.encode_picture", _encode_picture))
        yield _filled()


def _filled() -> World:
    from knox.models import AuthToken

    from gallery.models import User
    from tests.conftest import draw, upload
    from tests.factories import make_space, set_vector

    space = make_space()
    alice = User.objects.create_user("alice", "alice@example.org", "alice-password")
    bob = User.objects.create_user("bob", "bob@example.org", "bob-password")
    root = User.objects.create_superuser("root", "root@example.org", "root-password")
    hers = Belongings(alice)
    for number in range(40):
        owner = (alice, bob)[number % 2]
        visibility = ("private", "public")[number % 4 // 2]
        image = upload(owner, draw(64 + number, 48, (number * 6, 90, 60)), visibility=visibility)
        set_vector(image, space, (1.0, number / 40, 0.3))
    _, token = AuthToken.objects.create(alice)
    clients = {actor: Client(raise_request_exception=False) for actor in ACTORS}
    clients["alice"].force_login(alice)
    clients["administrator"].force_login(root)
    return World(clients, token, hers)


def _vector(seed: bytes) -> np.ndarray[Any, Any]:
    number = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big")
    vector = np.random.default_rng(number).normal(size=3).astype(np.float32)
    return vector / np.linalg.norm(vector)


def _encode_texts(space: object, texts: Sequence[str], **_: object) -> np.ndarray[Any, Any]:
    return np.stack([_vector(text.encode("utf-8", "surrogatepass")) for text in texts])


def _encode_picture(space: object, packed: bytes) -> np.ndarray[Any, Any]:
    return _vector(packed)
