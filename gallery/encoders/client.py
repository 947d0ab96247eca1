"""How the web process gets vectors: it asks the encoder worker and waits a little.

The web process never imports torch. Text vectors are kept in the cache, by
space and text; a picture's vector is asked for each time.
"""

from __future__ import annotations

import base64
import hashlib
import time
import unicodedata
import uuid
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from gallery import remembered
from gallery.encoders import reply
from gallery.encoders.base import Vectors
from gallery.errors import Unavailable

TEXT_CACHE_SECONDS = 30 * 24 * 3600
# Texts in one message: a worker answers between two of them at the latest.
TEXTS_PER_TASK = 256


# (architecture, pretrained, checksum), as it travels to the worker.
ModelName = tuple[str, str, str]


class Space(Protocol):
    """What the client needs to know of an embedding space."""

    pk: int
    architecture: str
    pretrained: str
    checksum: str
    dimensions: int | None


def normalise_text(text: str) -> str:
    """One spelling for texts that look the same: NFC, single spaces, nothing that
    cannot be seen (control characters, halves of surrogate pairs)."""
    visible = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
    )
    return " ".join(visible.split())


def encode_texts(space: Space, texts: Sequence[str]) -> Vectors:
    """(n, d) float32 unit vectors in the order of `texts`.

    Raises Unavailable if the broker or the worker is down or too slow.
    """
    normalised = [normalise_text(text) for text in texts]
    keys = {text: _cache_key(space, text) for text in normalised}
    known: dict[str, Vectors] = remembered.get_many(
        keys.values(), lambda data: remembered.unit_vectors(data, space.dimensions, count=1)[0]
    )
    missing = [text for text in keys if keys[text] not in known]
    deadline = time.monotonic() + settings.QUERY_TIMEOUT_SECONDS
    for start in range(0, len(missing), TEXTS_PER_TASK):
        chunk = missing[start : start + TEXTS_PER_TASK]
        vectors = _ask("gallery.tasks.encode_texts", space, chunk, deadline)
        fresh = dict(zip((keys[text] for text in chunk), vectors, strict=True))
        known.update(fresh)
        cache.set_many(
            {key: remembered.packed(vector) for key, vector in fresh.items()},
            TEXT_CACHE_SECONDS,
        )
    return np.stack([known[keys[text]] for text in normalised])


def encode_picture(space: Space, packed: bytes) -> Vectors:
    """(d,) float32 unit vector of a picture from `decode.pack`. Raises Unavailable."""
    payload = base64.b64encode(packed).decode("ascii")
    deadline = time.monotonic() + settings.QUERY_TIMEOUT_SECONDS
    return _ask("gallery.tasks.encode_picture", space, payload, deadline)[0]


def _cache_key(space: Space, text: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"text:{space.pk}:{space.checksum[:16]}:{digest}"


def _ask(task: str, space: Space, payload: str | list[str], deadline: float) -> Vectors:
    model: ModelName = (space.architecture, space.pretrained, space.checksum)
    reply_key = f"clipsite:reply:{uuid.uuid4()}"
    try:
        if reply.heartbeat() is None:
            raise worker_down()
        remaining = max(deadline - time.monotonic(), 0.1)
        current_app.send_task(task, args=(model, payload, reply_key), expires=remaining)
        vectors = reply.receive_vectors(reply_key, timeout=remaining)
    except (redis.RedisError, OperationalError) as error:
        raise broker_down() from error
    except reply.WorkerError as error:
        raise Unavailable("model_unavailable", str(error), retry_after=60) from error
    if vectors is None:
        raise Unavailable(
            "encoder_slow",
            _("The encoder is busy or still loading its model. Try again in a moment."),
            retry_after=5,
        )
    return vectors


def worker_down() -> Unavailable:
    return Unavailable(
        "encoder_down",
        _(
            "Search is not available right now: the encoder is not running. "
            "Your pictures are safe; try again in a minute."
        ),
        retry_after=15,
    )


def broker_down() -> Unavailable:
    return Unavailable(
        "broker_down",
        _(
            "Search is not available right now: the message broker does not answer. "
            "Your pictures are safe; try again in a minute."
        ),
        retry_after=15,
    )
