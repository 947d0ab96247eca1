"""Near-duplicates among a user's pictures: list, merge, dismiss."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.utils.urls import replace_query_param

from gallery.api.serializers.duplicates import (
    DismissedSerializer,
    DismissSerializer,
    DuplicateGroupsSerializer,
    DuplicatePageSerializer,
    MergedSerializer,
    MergeSerializer,
)
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.views.base import ApiView
from gallery.models import Image
from gallery.organising import duplicates, merging

_NOT_YOURS = OpenApiResponse(ErrorResponseSerializer, "One of the pictures is not yours.")


class DuplicateListView(ApiView):
    serializer_class = DuplicateGroupsSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = None

    @extend_schema(
        operation_id="duplicates_list",
        tags=["duplicates"],
        parameters=[DuplicatePageSerializer],
        responses={200: DuplicateGroupsSerializer},
    )
    def get(self, request: Request) -> Response:
        """Groups of your pictures that show the same, the most similar first."""
        asked = _valid(DuplicatePageSerializer(data=request.query_params))
        user = self.account()
        groups, following = duplicates.page(user, asked.get("cursor"), asked["limit"])
        here = request.build_absolute_uri()
        answer = {
            "next": following and replace_query_param(here, "cursor", following),
            "results": groups,
            "progress": duplicates.progress(user),
        }
        return Response(self.get_serializer(answer).data)


class DuplicateMergeView(ApiView):
    serializer_class = MergedSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="duplicates_merge",
        tags=["duplicates"],
        request=MergeSerializer,
        responses={200: MergedSerializer, 404: _NOT_YOURS, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep one of several of your pictures. It gets the albums, tags, favourite mark and
        missing facts of the others. The others go to the trash."""
        wanted = _valid(MergeSerializer(data=request.data))
        try:
            merged = merging.merge(self.account(), wanted["keep"], wanted["others"])
        except Image.DoesNotExist as error:
            raise _not_yours() from error
        answer = {"trashed": merged.trashed, "change": merged.undo}
        return Response(self.get_serializer(answer).data)


class DuplicateDismissView(ApiView):
    serializer_class = DismissedSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="duplicates_dismiss",
        tags=["duplicates"],
        request=DismissSerializer,
        responses={200: DismissedSerializer, 404: _NOT_YOURS},
    )
    def post(self, request: Request) -> Response:
        """Mark your pictures as different, so that they are never grouped or folded again."""
        wanted = _valid(DismissSerializer(data=request.data))
        try:
            pairs, change = duplicates.dismiss(self.account(), wanted["ids"], wanted.get("of"))
        except Image.DoesNotExist as error:
            raise _not_yours() from error
        return Response(self.get_serializer({"pairs": pairs, "change": change}).data)


def _valid(form: Serializer[Any]) -> dict[str, Any]:
    form.is_valid(raise_exception=True)
    return form.validated_data


def _not_yours() -> NotFound:
    return NotFound(_("One of these pictures is not there, or it is not yours."))
