"""The search history: read and erase. The setting in `account/` turns it off."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import keyset
from gallery.api.pagination import CursorPages
from gallery.api.serializers.saved_searches import SearchRecordSerializer
from gallery.api.views.base import ApiView
from gallery.models import SearchRecord
from gallery.organising import search_history


class LatestFirst(CursorPages):
    order = keyset.Order("searched_at", read_key=int)


class SearchHistoryView(ApiView):
    queryset = SearchRecord.objects.all()
    serializer_class = SearchRecordSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = LatestFirst

    @extend_schema(
        operation_id="search_history_list",
        tags=["search history"],
        responses={200: SearchRecordSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your latest searches, each once, the most recent first. Nobody else sees them."""
        page = self.paginate_queryset(search_history.history_of(request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="search_history_erase",
        tags=["search history"],
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Delete your search history. This cannot be undone."""
        search_history.erase_all(self.account())
        return Response(status=204)


class SearchRecordView(ApiView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not search_history.history_of(request.user).filter(pk=kwargs["pk"]).exists():
            raise NotFound(_("There is no such search in your history."))

    @extend_schema(
        operation_id="search_history_erase_one",
        tags=["search history"],
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Delete one search from your history."""
        search_history.erase(request.user, pk)
        return Response(status=204)
