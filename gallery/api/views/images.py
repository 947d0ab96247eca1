"""Pictures: upload, list, read, change, delete, restore, retry."""

from __future__ import annotations

from uuid import UUID

from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.filters import ImageFilter
from gallery.api.pagination import AsAsked
from gallery.api.parsers import MultiPartParser
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.images import (
    EditedImageSerializer,
    ImageChangesSerializer,
    ImageSerializer,
    RecipeSerializer,
    UploadedImageSerializer,
    UploadSerializer,
)
from gallery.api.uploads import Answer, IdempotencyKey, read_upload
from gallery.api.views.base import ApiView, ImageView, load_image
from gallery.indexing import selectors
from gallery.library import service
from gallery.models import Image
from gallery.models.image import ImageQuerySet
from gallery.organising import details, looks
from gallery.pixels.recipe import WHOLE, Box
from gallery.search.filters import image_filter
from gallery.work import ledger


class ImageListView(ApiView):
    queryset = Image.objects.all()
    serializer_class = ImageSerializer
    permission_classes = [IsAuthenticatedOrReadOnly]
    parser_classes = [MultiPartParser]
    # For the schema; `filters.narrow` does the work.
    filter_backends = [DjangoFilterBackend]
    filterset_class = ImageFilter
    pagination_class = AsAsked
    throttle_scopes = {"POST": "upload"}

    @extend_schema(
        operation_id="images_list", tags=["images"], responses={200: ImageSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """Your own pictures, public pictures and those that are shared with you, newest first."""
        visible = selectors.visible_to(request.user)
        images = image_filter.narrow(visible, request.query_params, request.user)
        page = self.paginate_queryset(images)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="images_upload",
        tags=["images"],
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                location=OpenApiParameter.HEADER,
                description="For a day, a repeated request gets the same answer.",
            )
        ],
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: UploadedImageSerializer,
            200: UploadedImageSerializer,
            422: ErrorResponseSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Add a picture. If you have the same bytes already, the answer is 200 with the existing
        picture."""
        file = read_upload(request)
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        header = request.headers.get("Idempotency-Key")
        key = IdempotencyKey(self.account(), header) if header is not None else None

        answer = key.first_answer(file) if key else None
        if answer is None:
            fields = {**form.validated_data, "file": file, "name": file.name or ""}
            upload = service.add_image(owner=self.account(), **fields)
            answer = Answer.to(upload)
            if key:
                key.remember(answer)

        own = Image.objects.owned_by(request.user)
        image = load_image(own, answer.image_id, request.user)
        body = {
            **self.get_serializer(image).data,
            "duplicate": answer.duplicate,
            "restored": answer.restored,
        }
        return Response(body, status=answer.status)


class ImageDetailView(ImageView):
    serializer_class = ImageSerializer

    @extend_schema(operation_id="images_read", tags=["images"])
    def get(self, request: Request, pk: UUID) -> Response:
        """One picture: your own, a public one, or one whose link you were given."""
        return Response(self.get_serializer(self.image).data)

    @extend_schema(operation_id="images_change", tags=["images"], request=ImageChangesSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change the texts, the date, the tags or the visibility of a picture, or archive it."""
        form = ImageChangesSerializer(self.image, data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        details.change(self.image, **form.validated_data)
        return Response(self.get_serializer(self.load(self.nameable(), pk)).data)

    @extend_schema(operation_id="images_delete", tags=["images"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Move a picture to the trash. `restore/` takes it out again."""
        service.delete_image(self.image)
        return Response(status=204)


class ImageRecipeView(ImageView):
    """How a picture is turned and cropped."""

    serializer_class = EditedImageSerializer

    @extend_schema(
        operation_id="images_edit",
        tags=["images"],
        request=RecipeSerializer,
        responses={200: EditedImageSerializer},
    )
    def put(self, request: Request, pk: UUID) -> Response:
        """Turn and crop a picture, in place of what was done before. The file stays as it is;
        copies, colours and the vector are made anew."""
        form = RecipeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        return self._edited(wanted["turns"], looks.clean_crop(wanted["crop"]))

    @extend_schema(
        operation_id="images_edit_undo",
        tags=["images"],
        request=None,
        responses={200: EditedImageSerializer},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Back to the original."""
        return self._edited(0, WHOLE)

    def _edited(self, turns: int, crop: Box) -> Response:
        change = looks.edit(self.image, turns, crop, self.account())
        image = self.load(self.nameable(), self.image.pk)
        context = {**self.get_serializer_context(), "change": change}
        return Response(EditedImageSerializer(image, context=context).data)


class ImageRestoreView(ImageView):
    serializer_class = ImageSerializer

    def nameable(self) -> ImageQuerySet:
        return Image.objects.in_trash_of(self.request.user)

    @extend_schema(
        operation_id="images_restore",
        tags=["images"],
        request=None,
        responses={200: ImageSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Restore a picture from your trash."""
        service.restore_image(self.image)
        restored = self.load(Image.objects.owned_by(request.user), pk)
        return Response(self.get_serializer(restored).data)


class ImageRetryView(ImageView):
    serializer_class = ImageSerializer

    @extend_schema(
        operation_id="images_retry",
        tags=["images"],
        request=None,
        responses={200: ImageSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Retry the failed analyses of a picture, for example its encoding or its thumbnails.
        Analyses that did not fail stay as they are."""
        mine = Image.objects.owned_by(request.user)
        ledger.retry_failed(mine.filter(pk=pk))
        return Response(self.get_serializer(self.load(mine, pk)).data)
