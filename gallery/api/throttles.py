"""What is counted of each request to the API (gallery.rate_limits); what it costs beyond that
is counted where it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.throttling import BaseThrottle

from gallery import rate_limits

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class RequestThrottle(BaseThrottle):
    """Counts visitors' requests, but for the files of pictures, of which a page has a
    hundred; and what the view's `throttle_scopes` name for the method."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Raises TooMany, which says when to come back."""
        if not getattr(view, "sends_files", False):
            rate_limits.charge_visit()
        scope = getattr(view, "throttle_scopes", {}).get(request.method)
        if scope:
            rate_limits.charge(scope)
        return True
