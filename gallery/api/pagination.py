"""Pages of a list that is ordered by time of upload, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from gallery.errors import Refusal
from gallery.library import keyset

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from gallery.models import Image

DEFAULT_PAGE = 50
MAX_PAGE = 200


class NewestFirst(BasePagination):
    """Keyset pages (gallery.library.keyset), as the pages of the site have them."""

    def paginate_queryset(  # type: ignore[override]  # of pictures alone
        self, queryset: QuerySet[Image], request: Request, view: APIView | None = None
    ) -> list[Image]:
        limit = _read_limit(request.query_params.get("limit"))
        images, cursor = keyset.page(queryset, request.query_params.get("cursor"), limit)
        here = request.build_absolute_uri()
        self.next_link = cursor and replace_query_param(here, "cursor", cursor)
        return images

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next_link, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {
                "next": {
                    "type": "string",
                    "nullable": True,
                    "format": "uri",
                    "description": "The next page; null on the last one.",
                },
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            {
                "name": "limit",
                "in": "query",
                "description": "Pictures on a page.",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_PAGE,
                    "default": DEFAULT_PAGE,
                },
            },
            {
                "name": "cursor",
                "in": "query",
                "description": "Taken from `next` of the page before.",
                "schema": {"type": "string"},
            },
        ]


def _read_limit(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= limit <= MAX_PAGE:
        raise Refusal(
            "bad_limit",
            _("Ask for a whole number of pictures from 1 to %(most)d.") % {"most": MAX_PAGE},
            "limit",
        )
    return limit
