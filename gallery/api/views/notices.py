"""Notices of what others have shared with you."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.sharing import NoticeSerializer, NoticesSeenSerializer
from gallery.api.views.base import ApiView
from gallery.models import Notice
from gallery.sharing import notices


class NoticeListView(ApiView):
    queryset = Notice.objects.none()
    serializer_class = NoticeSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="notices_list",
        tags=["sharing"],
        responses={200: NoticeSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """What others have shared with you and you still see, newest first. Reading them here does
        not mark them as seen."""
        page = self.paginate_queryset(notices.notices_of(self.account()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class NoticesSeenView(ApiView):
    serializer_class = NoticesSeenSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="notices_seen",
        tags=["sharing"],
        request=None,
        responses={200: NoticesSeenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Mark all notices as seen."""
        return Response({"seen": notices.mark_seen(self.account())})
