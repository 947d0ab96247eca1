"""What is in the cache and nowhere else: a search that is scrolled, a picture that was sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import redis
from django.core.cache import caches

from gallery import remembered
from gallery.encoders import client

Value = TypeVar("Value")


def get(key: str, read: Callable[[Any], Value]) -> Value | None:
    """None of what is not there, or no longer, or cannot be read. Raises Unavailable where
    that cannot be known: what is called gone is given up."""
    try:
        return remembered.get(key, read, caches["strict"])
    except redis.RedisError as error:
        raise client.broker_down() from error
