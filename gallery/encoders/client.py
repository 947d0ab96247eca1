"""Gets vectors for the web process from the encoder worker, and waits a little for them.

The web process never imports torch. Text vectors are cached by space and text, separately for
each requester: otherwise the speed of an answer would tell what others have asked for. Picture
vectors are not cached.
"""

from __future__ import annotations

import base64
import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
import redis
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _
from kombu.exceptions import OperationalError

from gallery import checked_cache, requester, task_names
from gallery.encoders import places, reply
from gallery.encoders.base import Vectors
from gallery.errors import Unavailable
from gallery.spelling import normalise_text

TEXT_CACHE_SECONDS = 30 * 24 * 3600
# The most texts in one message. A request with more is a large one (gallery.encoders.places);
# a small request waits for one such message at most.
TEXTS_PER_TASK = 16
# The cache scope of the product's own texts, which all requesters share.
_EVERYBODYS = "product"


# (architecture, pretrained, checksum), as messages to the worker hold it.
ModelName = tuple[str, str, str]


class Space(Protocol):
    """The fields of an embedding space that the client needs."""

    pk: int
    architecture: str
    pretrained: str
    checksum: str
    dimensions: int | None


def encode_texts(
    space: Space, texts: Sequence[str], *, charge: Callable[[int], None] | None = None
) -> Vectors:
    """Return (n, d) float32 unit vectors in the order of `texts`.

    Texts whose vectors are cached for this requester are not encoded again. `charge` is called
    with the number of the others before they are encoded; its exceptions propagate. Raises
    Unavailable if the broker or the worker is down or too slow.
    """
    return _encode_texts(space, texts, requester.cache_scope(), charge)


def encode_own_texts(space: Space, texts: Sequence[str]) -> Vectors:
    """Do the same for the product's own texts, which contain nothing that a user wrote."""
    return _encode_texts(space, texts, _EVERYBODYS, None)


def encode_picture(space: Space, packed: bytes) -> Vectors:
    """Return the (d,) float32 unit vector of a picture from `decode.pack`. Raises Unavailable."""
    payload = base64.b64encode(packed).decode("ascii")
    deadline = time.monotonic() + settings.QUERY_TIMEOUT_SECONDS
    with _reaching_broker(), places.for_task(deadline):
        return _ask(task_names.ENCODE_PICTURE, space, payload, deadline)[0]


def _encode_texts(
    space: Space, texts: Sequence[str], memory: str, charge: Callable[[int], None] | None
) -> Vectors:
    normalised = [normalise_text(text) for text in texts]
    known = _kept(space, set(normalised), memory)
    missing = list(dict.fromkeys(text for text in normalised if text not in known))
    if charge is not None:
        charge(len(missing))
    deadline = time.monotonic() + settings.QUERY_TIMEOUT_SECONDS
    with _reaching_broker():
        for chunk, vectors in _asked_in_parts(space, missing, deadline):
            fresh = dict(zip(chunk, vectors, strict=True))
            known |= fresh
            _keep(space, fresh, memory)
    return np.stack([known[text] for text in normalised])


def _asked_in_parts(
    space: Space, texts: list[str], deadline: float
) -> Iterator[tuple[list[str], Vectors]]:
    """Yield parts of `texts` with their vectors."""
    task = task_names.ENCODE_TEXTS
    if len(texts) <= TEXTS_PER_TASK:
        if texts:
            with places.for_task(deadline):
                yield texts, _ask(task, space, texts, deadline)
        return
    with places.for_large_request(deadline):
        for start in range(0, len(texts), TEXTS_PER_TASK):
            chunk = texts[start : start + TEXTS_PER_TASK]
            with places.for_large_task(deadline):
                vectors = _ask(task, space, chunk, deadline)
            yield chunk, vectors


def _kept(space: Space, texts: Iterable[str], memory: str) -> dict[str, Vectors]:
    if not memory:
        return {}
    keys = {_cache_key(space, text, memory): text for text in texts}
    found = checked_cache.get_many(
        keys, lambda data: checked_cache.unpack_unit_vectors(data, space.dimensions, count=1)[0]
    )
    return {keys[key]: vector for key, vector in found.items()}


def _keep(space: Space, vectors: Mapping[str, Vectors], memory: str) -> None:
    if not memory:
        return
    kept = {
        _cache_key(space, text, memory): checked_cache.pack_vectors(vector)
        for text, vector in vectors.items()
    }
    cache.set_many(kept, TEXT_CACHE_SECONDS)


def _cache_key(space: Space, text: str, memory: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return f"text:{memory}:{space.pk}:{space.checksum[:16]}:{digest}"


@contextmanager
def _reaching_broker() -> Iterator[None]:
    """Raise Unavailable if the broker does not answer."""
    try:
        yield
    except (redis.RedisError, OperationalError) as error:
        raise broker_down() from error


def _ask(task: str, space: Space, payload: str | list[str], deadline: float) -> Vectors:
    """Send the task and wait for its vectors. Raises Unavailable, redis.RedisError and kombu's
    OperationalError."""
    model: ModelName = (space.architecture, space.pretrained, space.checksum)
    reply_key = f"clipsite:reply:{uuid.uuid4()}"
    if reply.heartbeat() is None:
        raise worker_down()
    remaining = max(deadline - time.monotonic(), 0.1)
    current_app.send_task(task, args=(model, payload, reply_key), expires=remaining)
    try:
        vectors = reply.receive_vectors(reply_key, timeout=remaining)
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
