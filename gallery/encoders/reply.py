"""Answers of the encoder worker, over Redis lists.

Expiring lists replace Celery's result backend: the requester blocks on one key with one
timeout, a lost answer frees its thread on time, and no thread needs a subscription
(docs/decisions/0002).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import redis
from django.conf import settings

from gallery.encoders.base import Vectors

# An answer that nobody fetches expires after this time.
REPLY_TTL_SECONDS = 60
HEARTBEAT_KEY = "clipsite:encoder:heartbeat"
RUNNING_KEY = "clipsite:encoder:running"
HEARTBEAT_TTL_SECONDS = 10

_pool: redis.ConnectionPool | None = None


def connection() -> redis.Redis:
    """Return a client on the process's shared pool. This does not connect yet."""
    global _pool
    if _pool is None:
        _pool = redis.ConnectionPool.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=1,
            # Longer than the longest BLPOP; the client's own default is five seconds.
            socket_timeout=settings.QUERY_TIMEOUT_SECONDS + 2,
            health_check_interval=30,
        )
    return redis.Redis(connection_pool=_pool)


def send_vectors(key: str, vectors: Vectors) -> None:
    """Answer with (n, d) float32 vectors."""
    header = json.dumps({"shape": vectors.shape}).encode()
    _push(key, header + b"\n" + np.ascontiguousarray(vectors, dtype="<f4").tobytes())


def send_error(key: str, message: str) -> None:
    """Answer with one sentence that gives the reason for a failure."""
    _push(key, json.dumps({"error": message}).encode() + b"\n")


def _push(key: str, payload: bytes) -> None:
    with connection().pipeline(transaction=True) as pipe:
        pipe.rpush(key, payload)
        pipe.expire(key, REPLY_TTL_SECONDS)
        pipe.execute()


class WorkerError(Exception):
    """The worker could not encode. The message is its reason."""


def receive_vectors(key: str, timeout: float) -> Vectors | None:
    """Wait up to `timeout` seconds for the answer; None if there was none.

    Raises WorkerError, redis.RedisError.
    """
    answer = cast("tuple[bytes, bytes] | None", connection().blpop([key], timeout=timeout))
    if answer is None:
        return None
    header_line, _, body = answer[1].partition(b"\n")
    header: dict[str, Any] = json.loads(header_line)
    if "error" in header:
        raise WorkerError(header["error"])
    return np.frombuffer(body, dtype="<f4").reshape(header["shape"]).astype(np.float32)


def beat(state: str, running: Mapping[str, Any]) -> None:
    """Send the worker's heartbeat: `state` is "starting" or "ready", `running` how each loaded
    model encodes pictures (Encoder.running)."""
    both = connection().pipeline()
    both.set(HEARTBEAT_KEY, state, ex=HEARTBEAT_TTL_SECONDS)
    both.set(RUNNING_KEY, json.dumps(running), ex=HEARTBEAT_TTL_SECONDS)
    both.execute()


def heartbeat() -> str | None:
    """The worker's state; None without a heartbeat in the last HEARTBEAT_TTL_SECONDS. Raises
    redis.RedisError."""
    value = cast("bytes | None", connection().get(HEARTBEAT_KEY))
    return value.decode() if value else None


def running() -> dict[str, dict[str, Any]]:
    """How each loaded model of the worker encodes pictures. Raises redis.RedisError."""
    value = cast("bytes | None", connection().get(RUNNING_KEY))
    return json.loads(value) if value else {}
