"""The OpenAPI schema."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class SchemaView(SpectacularAPIView):
    """The schema, the same for everybody. It takes seconds to generate, so it is cached for each
    language."""

    def _get_schema_response(self, request: Request) -> Response:
        return Response(
            _schema(get_language()),
            headers={
                "Content-Disposition": f'inline; filename="{self._get_filename(request, None)}"'
            },
        )


@lru_cache(maxsize=2)
def _schema(_language: str | None) -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return schema
