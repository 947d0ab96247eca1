"""Tags on a user's own pictures, favourite marks on any picture, and cameras."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import ByName
from gallery.api.serializers.images import ImageSerializer
from gallery.api.serializers.tags import (
    CameraSerializer,
    ImageTagsSerializer,
    TagChangesSerializer,
    TagDeletedSerializer,
    TagSerializer,
)
from gallery.api.views.base import ApiView, ImageView
from gallery.models import Image, Tag
from gallery.models.image import ImageQuerySet
from gallery.organising import cameras, favourites, tags


class TagListView(ApiView):
    queryset = Tag.objects.all()
    serializer_class = TagSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = ByName

    @extend_schema(
        operation_id="tags_list", tags=["tags"], responses={200: TagSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """Your tags, by name. A tag exists as long as a picture has it."""
        page = self.paginate_queryset(tags.in_use(self.account()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class TagDetailView(ApiView):
    serializer_class = TagSerializer
    tag: Tag

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        tag = Tag.objects.filter(owner_id=request.user.pk, pk=kwargs["pk"]).first()
        if tag is None:
            raise NotFound(_("You have no such tag."))
        self.tag = tag

    @extend_schema(operation_id="tags_rename", tags=["tags"], request=TagChangesSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Rename a tag. If another tag has that name already, both are merged."""
        form = TagChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        kept = tags.rename(self.tag, form.validated_data["name"])
        return Response(self.get_serializer(tags.counted(kept)).data)

    @extend_schema(operation_id="tags_delete", tags=["tags"], responses={200: TagDeletedSerializer})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a tag, which removes it from all your pictures."""
        change = tags.delete(self.tag, self.account())
        context = self.get_serializer_context()
        return Response(TagDeletedSerializer(change, context=context).data)


class ImageTagsView(ImageView):
    serializer_class = ImageSerializer

    @extend_schema(
        operation_id="images_set_tags",
        tags=["tags"],
        request=ImageTagsSerializer,
        responses={200: ImageSerializer},
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Set the tags of your picture to exactly these."""
        form = ImageTagsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        tags.set_tags(self.image, form.validated_data["tags"])
        return Response(self.get_serializer(self.load(self.nameable(), pk)).data)


class FavouriteView(ImageView):
    """The favourite mark on a picture that the user sees in lists. Nobody else sees it."""

    def nameable(self) -> ImageQuerySet:
        if not self.request.user.is_authenticated:
            return Image.objects.none()
        return Image.objects.visible_to(self.request.user)

    @extend_schema(
        operation_id="images_favourite", tags=["favourites"], request=None, responses={204: None}
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Mark a picture as your favourite."""
        favourites.mark(self.account(), [self.image.pk])
        return Response(status=204)

    @extend_schema(operation_id="images_unfavourite", tags=["favourites"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove your favourite mark from a picture."""
        favourites.unmark(self.account(), [self.image.pk])
        return Response(status=204)


class CameraListView(ApiView):
    serializer_class = CameraSerializer
    pagination_class = None

    @extend_schema(
        operation_id="images_cameras", tags=["images"], responses={200: CameraSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """The cameras of the pictures that you may see, the most used first."""
        return Response(cameras.cameras_of(Image.objects.visible_to(request.user)))
