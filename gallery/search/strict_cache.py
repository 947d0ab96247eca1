"""Values that exist only in the cache, such as windows of results and query pictures. A cache
that is down is an error here, not a missing value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis
from django.core.cache import caches

from gallery import checked_cache
from gallery.encoders import client

Value = TypeVar("Value")


def get(key: str, read: Callable[[Any], Value]) -> Value | None:
    """Return `read` of the value; None if it is missing, expired or malformed. Raises Unavailable
    if the cache is down: callers give up a value that is gone."""
    try:
        return checked_cache.get(key, read, caches["strict"])
    except redis.RedisError as error:
        raise client.broker_down() from error


def put(key: str, value: Any, seconds: int) -> None:
    """Store a value. Raises Unavailable if the cache is down."""
    try:
        caches["strict"].set(key, value, seconds)
    except redis.RedisError as error:
        raise client.broker_down() from error


def exchange(
    key: str, values: Mapping[str, tuple[Any, int]], is_known: Callable[[Any], bool] | None
) -> bool:
    """Write `values`, {key: (value, seconds)}, in one transaction. Returns False, and writes
    nothing, if `key` holds a value that is not `is_known` or changes meanwhile. Without `is_known`
    the key is new, and its value is not read. Raises RedisError."""
    cache: Any = caches["strict"]
    store = cache.client
    with store.get_client(write=True).pipeline() as pipe:
        if is_known is not None:
            pipe.watch(store.make_key(key))
            there = pipe.get(store.make_key(key))
            if there is not None and not is_known(store.decode(there)):
                return False
            pipe.multi()
        for name, (value, seconds) in values.items():
            pipe.set(store.make_key(name), store.encode(value), ex=seconds)
        try:
            pipe.execute()
        except redis.WatchError:
            return False
    return True
