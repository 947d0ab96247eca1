"""What is in the cache and nowhere else: a search that is scrolled, a picture that was sent."""

from __future__ import annotations

from typing import Any

import redis
from django.core.cache import caches

from gallery.encoders import client


def get(key: str) -> Any:
    """None of what is not there, or no longer. Raises Unavailable where that cannot be
    known: what is called gone is given up."""
    try:
        return caches["strict"].get(key)
    except redis.RedisError as error:
        raise client.broker_down() from error


def put(key: str, value: Any, seconds: int) -> None:
    """Raises Unavailable where it cannot be kept."""
    try:
        caches["strict"].set(key, value, seconds)
    except redis.RedisError as error:
        raise client.broker_down() from error
