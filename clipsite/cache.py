"""The default cache: it may be gone."""

from __future__ import annotations

from typing import Any

from django_redis.cache import RedisCache, omit_exception


class ForgivingCache(RedisCache):
    """Where the server is down nothing is kept, and `add` says yes, as Django's own dummy
    cache does: locks and counts, for which it is used, then let everybody through. A no
    would mean that somebody else was there before: allauth would let nobody sign in."""

    @omit_exception(return_value=True)
    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self.client.add(*args, **kwargs))
