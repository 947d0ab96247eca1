"""What is in the cache and nowhere else: a search that is scrolled, a picture that was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import redis
from django.core.cache import caches

from gallery import checked_cache
from gallery.encoders import client

Value = TypeVar("Value")


def get(key: str, read: Callable[[Any], Value]) -> Value | None:
    """None of what is not there, or no longer, or cannot be read. Raises Unavailable where
    that cannot be known: what is called gone is given up."""
    try:
        return checked_cache.get(key, read, caches["strict"])
    except redis.RedisError as error:
        raise client.broker_down() from error


def put(key: str, value: Any, seconds: int) -> None:
    """Raises Unavailable where it cannot be kept."""
    try:
        caches["strict"].set(key, value, seconds)
    except redis.RedisError as error:
        raise client.broker_down() from error


def exchange(
    key: str, values: Mapping[str, tuple[Any, int]], is_known: Callable[[Any], bool] | None
) -> bool:
    """Write `values` by their keys, each with its seconds: all at once, or none where
    somebody has put another value under `key` than one that `is_known`. Without that nobody
    else knows the key yet, and nothing is asked. Whether it was done. Raises RedisError."""
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
