"""Count each API request against the rate limits (gallery.rate_limits). Code that knows further
costs of a request counts them itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import BaseThrottle

from gallery import rate_limits

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class RequestThrottle(BaseThrottle):
    """Counts the requests of visitors, except for picture files, because one page loads a hundred
    of them. Also counts the scope that the view's `throttle_scopes` name for the method."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request. Raises TooMany, which says when to try again."""
        if not getattr(view, "sends_files", False):
            rate_limits.charge_visit()
        scope = getattr(view, "throttle_scopes", {}).get(request.method)
        if scope:
            rate_limits.charge(scope)
        return True
