"""Schema parts that drf-spectacular cannot derive from the code: authentication and the errors
of each operation."""

from __future__ import annotations

from typing import Any

from drf_spectacular import openapi
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import Direction, OpenApiResponse
from rest_framework.permissions import SAFE_METHODS

from gallery.api.serializers.errors import ErrorResponseSerializer

PICTURE_TYPES = [
    "image/jpeg",
    "image/png",
    "image/webp",
    "image/avif",
    "image/heic",
    "image/gif",
    "image/tiff",
    "image/bmp",
]
# The response schema of a picture file, in any of its content types.
PICTURE = {(200, content_type): OpenApiTypes.BINARY for content_type in PICTURE_TYPES}


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "gallery.api.authentication.TokenAuthentication"
    name = "Token"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …`, with the token that auth/login/ gave.",
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = "gallery.api.authentication.SessionAuthentication"
    name = "Session"

    def get_security_definition(self, auto_schema: openapi.AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The session of the pages; with the header `X-CSRFToken` to write.",
        }


_ERRORS = {
    "400": "The input cannot be accepted: each error names what is wrong with which field.",
    "401": "No token, or one that is wrong or has expired.",
    "403": "The token may only read, or a request with the session's cookie lacks its CSRF token.",
    "404": "There is nothing of this name, or it is not shared with you.",
    "413": "The request is too large.",
    "415": "The body has another content type than this operation takes.",
    "429": "Too many requests: wait for as long as `Retry-After` says.",
    "503": "A part that this needs is down: try again after `Retry-After`.",
}


class AutoSchema(openapi.AutoSchema):
    """Adds the standard error body for each error status of an operation."""

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        responses = super()._get_response_bodies(direction=direction)
        if direction == "response":
            for status in self._error_statuses():
                error = OpenApiResponse(ErrorResponseSerializer, _ERRORS[status])
                responses.setdefault(status, self._get_response_for_code(error, status))
        return dict(sorted(responses.items()))

    def _get_request_body(self, direction: Direction = "request") -> dict[str, Any] | None:
        """Also describe the body of a DELETE where the view takes one: drf-spectacular leaves it
        out because of the method."""
        if self.method != "DELETE" or not getattr(self.view, "body_on_delete", False):
            return super()._get_request_body(direction)
        self.method = "POST"
        try:
            return super()._get_request_body(direction)
        finally:
            self.method = "DELETE"

    def _error_statuses(self) -> list[str]:
        """List the error statuses that the operation may return. A view without throttles has no
        429 and 503; a view without authentication has no 401 (except sign-in) and no 403."""
        parameters = {parameter["in"] for parameter in self._get_parameters()}
        body = self._get_request_body()
        throttled = bool(self.view.throttle_classes)
        by_account = bool(self.view.authentication_classes)
        applies = {
            "400": bool(body or "query" in parameters),
            "401": by_account or "login" in self._throttle_scopes(),
            "403": by_account and self.method not in SAFE_METHODS,
            "404": "path" in parameters or getattr(self.view, "is_restricted", False),
            "413": bool(body),
            "415": bool(body),
            "429": throttled,
            "503": throttled,
        }
        return [status for status, may_happen in applies.items() if may_happen]

    def _throttle_scopes(self) -> set[str]:
        return set(getattr(self.view, "throttle_scopes", {}).values())
