"""Cursor pagination: a page continues where the last one ended, whatever was added since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from gallery import keyset
from gallery.errors import Refusal
from gallery.indexing import selectors
from gallery.search.filters import image_filter

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet
    from rest_framework.request import Request
    from rest_framework.views import APIView

    from gallery.models.image import ImageQuerySet

DEFAULT_PAGE = 50
MAX_PAGE = 200


class CursorPages(BasePagination):
    """Keyset pagination (gallery.keyset), the same as on the site's pages."""

    order = keyset.UPLOADED

    def paginate_queryset(  # type: ignore[override]  # the base says any iterable
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Model]:
        limit = _read_limit(request.query_params.get("limit"))
        cursor = request.query_params.get("cursor")
        rows, following = self.page(queryset, request, cursor, limit)
        here = request.build_absolute_uri()
        self.next_link = following and replace_query_param(here, "cursor", following)
        return rows

    def page(
        self, rows: QuerySet[Any], request: Request, after: str | None, size: int
    ) -> tuple[list[Any], str | None]:
        return keyset.page(rows, after, size, order=self.order)

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
                "description": "How many on a page.",
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
                "description": "Taken from `next` of the previous page.",
                "schema": {"type": "string"},
            },
        ]


class NewestFirst(CursorPages):
    """By creation time, newest first."""


class LastDeletedFirst(CursorPages):
    order = keyset.newest_first("deleted_at")


class ByName(CursorPages):
    order = keyset.BY_NAME


class AlbumOrder(CursorPages):
    order = keyset.IN_ALBUM


class AsAsked(CursorPages):
    """The pictures that the viewer sees and the filters match, with their display fields, in the
    order that the filters name (gallery.search.filters.image_filter)."""

    def page(
        self, rows: QuerySet[Any], request: Request, after: str | None, size: int
    ) -> tuple[list[Any], str | None]:
        if not image_filter.are_in(request.query_params):  # `rows` is all that the viewer sees
            return selectors.newest(request.user, after, size)
        order = image_filter.order_of(request.query_params)
        return selectors.page(cast("ImageQuerySet", rows), request.user, after, size, order)


def _read_limit(text: str | None) -> int:
    if not text:
        return DEFAULT_PAGE
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= limit <= MAX_PAGE:
        raise Refusal(
            "bad_limit",
            _("Ask for a whole number from 1 to %(most)d on a page.") % {"most": MAX_PAGE},
            "limit",
        )
    return limit
