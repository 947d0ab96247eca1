"""The cache holds only plain values: numbers, texts, bytes, and lists of these. Reading a value
never runs code, whoever wrote it (docs/decisions/0025)."""

from __future__ import annotations

from typing import Any

import msgpack
from django_redis.cache import RedisCache, omit_exception
from django_redis.client import DefaultClient

# Distinguishes an unreadable value from a stored None.
_UNREADABLE = object()


class ForgivingCache(RedisCache):
    """A cache that works without its server. Then it stores nothing and `add` returns True, like
    Django's dummy cache, so that locks and counters let everybody through. False would mean
    that the key exists, and allauth would let nobody sign in."""

    @omit_exception(return_value=True)
    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self.client.add(*args, **kwargs))


class PlainClient(DefaultClient):
    """Treats unreadable values (an older release's pickle, foreign bytes) as missing, and also
    values of another type than the default, on which callers may rely. A list must hold
    numbers: allauth stores times in lists."""

    def decode(self, value: bytes | int | str) -> Any:
        try:
            return super().decode(value)
        except (ValueError, msgpack.UnpackException):
            return _UNREADABLE

    def get(self, key: str, default: Any = None, *args: Any, **kwargs: Any) -> Any:
        found = super().get(key, default, *args, **kwargs)
        return found if _is_of_kind(found, default) else default

    def get_many(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found = super().get_many(*args, **kwargs)
        return {key: value for key, value in found.items() if value is not _UNREADABLE}

    def _incr(self, key: str, *args: Any, **kwargs: Any) -> int:
        """Increment a number. Delete a value that is no number, and raise ValueError."""
        try:
            number: Any = super()._incr(key, *args, **kwargs)
        except TypeError:  # the value is no number
            number = None
        if type(number) is not int:
            self.delete(key, version=kwargs.get("version"))
            raise ValueError(f"Key {key!r} is no number")
        return number


def _is_of_kind(found: Any, default: Any) -> bool:
    if found is _UNREADABLE or (default is not None and type(found) is not type(default)):
        return False
    return default != [] or all(type(each) in (int, float) for each in found)
