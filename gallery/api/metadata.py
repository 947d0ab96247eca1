from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import SimpleMetadata

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Metadata(SimpleMetadata):
    """The answer to OPTIONS. It does not describe the input of each method: REST framework
    would ask the view for an object and its serializer, and not every view has these. The
    OpenAPI schema describes the input."""

    def determine_actions(self, request: Request, view: APIView) -> dict[str, Any]:
        return {}
