"""The error body of all JSON answers: `{"type", "errors": [{"code", "detail", "attr"}]}`.

Inside a view the API's exception handler makes it. This module is for answers outside of a
view (unknown addresses, Django's own error handlers).
"""

from __future__ import annotations

from django.http import JsonResponse

from gallery.errors import Sentence


def error_response(
    status: int, code: str, message: Sentence, retry_after: int | None = None
) -> JsonResponse:
    """Return the error response. `retry_after` is in seconds and becomes the Retry-After
    header."""
    kind = "server_error" if status >= 500 else "client_error"
    body = {"type": kind, "errors": [{"code": code, "detail": str(message), "attr": None}]}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JsonResponse(body, status=status, headers=headers)
