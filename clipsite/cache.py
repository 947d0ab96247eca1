"""The cache holds plain values alone: numbers, texts, bytes, lists of these. Reading one
never runs code, whoever has written it (docs/decisions/0025)."""

from __future__ import annotations

from typing import Any

import msgpack
from django_redis.cache import RedisCache, omit_exception
from django_redis.client import DefaultClient

# How what cannot be read is told apart from what is kept as None.
_UNREADABLE = object()


class ForgivingCache(RedisCache):
    """Where the server is down nothing is kept, and `add` says yes, as Django's own dummy
    cache does: locks and counts, for which it is used, then let everybody through. A no
    would mean that somebody else was there before: allauth would let nobody sign in."""

    @omit_exception(return_value=True)
    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self.client.add(*args, **kwargs))


class PlainClient(DefaultClient):
    """What cannot be read (an older release's pickle, somebody else's bytes) is not there.
    Neither is what has another type than the default, which a caller may rely on; a list
    is one of numbers, the times that allauth counts by."""

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
        """Of what is no number it makes room for one."""
        try:
            number: Any = super()._incr(key, *args, **kwargs)
        except TypeError:  # what stands there cannot be added to
            number = None
        if type(number) is not int:
            self.delete(key, version=kwargs.get("version"))
            raise ValueError(f"Key {key!r} is no number")
        return number


def _is_of_kind(found: Any, default: Any) -> bool:
    if found is _UNREADABLE or (default is not None and type(found) is not type(default)):
        return False
    return default != [] or all(type(each) in (int, float) for each in found)
