"""How often an account, or an anonymous address, may ask."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from rest_framework import throttling

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

# Where somebody signs in nobody is signed in: the scope counts by address.
_SCOPES_BY_ADDRESS = {"login"}


class ScopedRateThrottle(throttling.ScopedRateThrottle):
    """Counts requests in fixed windows, by the view's `throttle_scopes`.

    `throttle_scopes` maps a method to a scope, which is counted by account.
    Anonymous requests to any method count as "anonymous", by address. One
    counter per window costs the same at any rate, whereas REST framework's list
    of timestamps grows with it. Where the cache is down requests go through.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.scope = self._scope(request, view)
        limit, period = self.parse_rate((self.scope and self.get_rate()) or None)
        if limit is None or period is None:
            return True
        now = self.timer()
        self.window_ends_in = period - now % period
        key = f"{self.get_cache_key(request, view)}_{int(now // period)}"
        count = self._count(key, period)
        return count is None or count <= limit

    def wait(self) -> float:
        """Seconds until the next window, at least one for a whole Retry-After."""
        return max(1.0, self.window_ends_in)

    @staticmethod
    def _scope(request: Request, view: APIView) -> str | None:
        scope: str | None = getattr(view, "throttle_scopes", {}).get(request.method)
        if request.user.is_authenticated or scope in _SCOPES_BY_ADDRESS:
            return scope
        return "anonymous"

    def _count(self, key: str, period: int) -> int | None:
        """This request's number in its window; None where the cache is down."""
        with suppress(ValueError):  # the first one of this window, or it has just ended
            return self.cache.incr(key)
        return 1 if self.cache.add(key, 1, timeout=period) else self.cache.incr(key)
