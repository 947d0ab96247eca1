"""Sharing many pictures at once."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.sharing import SharedSelectionSerializer, ShareSelectionSerializer
from gallery.api.views.base import ApiView
from gallery.sharing import selections


class ShareView(ApiView):
    serializer_class = SharedSelectionSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="selection_share",
        tags=["sharing"],
        request=ShareSelectionSerializer,
        responses={
            200: SharedSelectionSerializer,
            201: SharedSelectionSerializer,
            410: ErrorResponseSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Share your own pictures of a selection with people, groups, or by a link, all or
        nothing. The pictures are fixed: nothing is added later by itself. 200 instead of 201:
        exactly these were shared with them before, so nothing has changed."""
        form = ShareSelectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = dict(form.validated_data)
        shared = selections.share(wanted.pop("selection"), self.account(), **wanted)
        return Response(self.get_serializer(shared).data, status=201 if shared.is_new else 200)
