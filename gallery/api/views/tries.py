"""Views in which something may be tried only so often."""

from __future__ import annotations

from rest_framework.response import Response

from gallery.api.views.base import ApiView
from gallery.sharing.tries import TooManyTries


class TriesView(ApiView):
    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        if isinstance(exc, TooManyTries):
            response["Retry-After"] = str(exc.retry_after)
        return response
