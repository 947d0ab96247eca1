"""The one error body of everything that answers in JSON:
`{"type", "errors": [{"code", "detail", "attr"}]}`.

The API's exception handler makes it inside a view; this is for the places that
answer outside one (unknown addresses, Django's own error handlers).
"""

from __future__ import annotations

from django.http import JsonResponse

from gallery.errors import Sentence


def error_response(
    status: int, code: str, message: Sentence, retry_after: int | None = None
) -> JsonResponse:
    """`retry_after` is in seconds and becomes the header of that name."""
    kind = "server_error" if status >= 500 else "client_error"
    body = {"type": kind, "errors": [{"code": code, "detail": str(message), "attr": None}]}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JsonResponse(body, status=status, headers=headers)
