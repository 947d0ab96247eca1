"""Hiding pictures, for moderators."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import keyset
from gallery.accounts import moderation, roles
from gallery.api.pagination import CursorPages
from gallery.api.serializers.accounts import ReasonSerializer
from gallery.api.serializers.images import ImageSerializer
from gallery.api.views.base import ImageView
from gallery.api.views.restricted import ModeratorView
from gallery.indexing.selectors import with_display_fields
from gallery.models import Image
from gallery.models.image import ImageQuerySet


class LastHiddenFirst(CursorPages):
    order = keyset.newest_first("hidden_at")


class HiddenImagesView(ModeratorView):
    queryset = Image.objects.none()
    serializer_class = ImageSerializer
    pagination_class = LastHiddenFirst

    def get_queryset(self) -> QuerySet[Image]:
        return with_display_fields(moderation.hidden_images(), self.request.user)

    @extend_schema(
        operation_id="moderation_images",
        tags=["moderation"],
        responses={200: ImageSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The pictures that moderators have hidden, the last hidden first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ImageHideView(ImageView):
    serializer_class = ImageSerializer

    def nameable(self) -> ImageQuerySet:
        if not roles.is_moderator(self.request.user):
            return Image.objects.none()
        return moderation.judgeable_by(self.account())

    @extend_schema(
        operation_id="images_hide",
        tags=["moderation"],
        request=ReasonSerializer,
        responses={200: ImageSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Hide a picture from everybody except its owner. The owner sees the reason."""
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        moderation.hide(self.image, self.account(), form.validated_data["reason"])
        return Response(self.get_serializer(self.image).data)

    @extend_schema(
        operation_id="images_unhide", tags=["moderation"], responses={200: ImageSerializer}
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Show a hidden picture again."""
        moderation.unhide(self.image, self.account())
        return Response(self.get_serializer(self.image).data)
