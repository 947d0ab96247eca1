from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rest_framework.metadata import SimpleMetadata

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Metadata(SimpleMetadata):
    """What OPTIONS answers. What each method takes is said by the schema: REST framework
    would ask the view for an object and its serializer, which not every view has."""

    def determine_actions(self, request: Request, view: APIView) -> dict[str, Any]:
        return {}
