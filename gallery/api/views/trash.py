"""The trash: list and purge deleted pictures."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import LastDeletedFirst
from gallery.api.serializers.trash import DeletedImageSerializer, PurgedSerializer
from gallery.api.views.base import ApiView, ImageView
from gallery.api.views.files import WIDTH, read_width
from gallery.indexing.selectors import with_display_fields
from gallery.library import delivery, service
from gallery.models import Image
from gallery.models.image import ImageQuerySet
from gallery.organising import trash


class TrashView(ApiView):
    queryset = Image.objects.all()
    serializer_class = DeletedImageSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = LastDeletedFirst

    @extend_schema(
        operation_id="trash_list",
        tags=["trash"],
        responses={200: DeletedImageSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your deleted pictures, the last deleted first."""
        deleted = Image.objects.in_trash_of(request.user)
        page = self.paginate_queryset(with_display_fields(deleted, request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="trash_empty", tags=["trash"], responses={200: PurgedSerializer})
    def delete(self, request: Request) -> Response:
        """Delete everything in your trash permanently, albums too."""
        return Response({"purged": trash.empty(self.account())})


class DeletedView(ImageView):
    """A view of one picture in the user's own trash."""

    serializer_class = DeletedImageSerializer

    def nameable(self) -> ImageQuerySet:
        return Image.objects.in_trash_of(self.request.user)


class DeletedImageView(DeletedView):
    @extend_schema(operation_id="trash_purge", tags=["trash"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete one picture in the trash permanently."""
        service.purge_image(self.image)
        return Response(status=204)


class DeletedThumbnailView(DeletedView):
    @extend_schema(
        operation_id="trash_thumbnail",
        tags=["trash"],
        parameters=[WIDTH],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A smaller version of a deleted picture, so that you can recognise it."""
        width = read_width(request.query_params.get("w"))
        return delivery.thumbnail_response(self.image, width, request=request._request)
