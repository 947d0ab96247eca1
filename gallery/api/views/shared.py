"""The content of a share link, for everybody who has its address."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import AlbumOrder
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.sharing import (
    KeySerializer,
    PasswordSerializer,
    SharedImageSerializer,
    SharedSerializer,
)
from gallery.api.views.base import ApiView
from gallery.api.views.files import THUMBNAIL_KEY, WIDTH, thumbnail
from gallery.library import delivery
from gallery.models import Image, ShareLink
from gallery.models.image import ImageQuerySet
from gallery.requester import network_of
from gallery.sharing import downloads, link_access, link_contents, link_keys

KEY = OpenApiParameter(
    link_keys.HEADER,
    location=OpenApiParameter.HEADER,
    description="The key of the visit, for links with a password or a limit of visits.",
)


class LinkView(ApiView):
    """A view of the content of one link, `self.link`. A link that does not work answers 404, for
    any reason."""

    link: ShareLink

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.link = link_access.find_link(kwargs["token"])

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        return link_keys.guard(super().finalize_response(request, response, *args, **kwargs))

    def check_visit(self) -> None:
        link_access.check_visit(self.link, link_keys.key_of(self.request._request, self.link))


class LinkContentView(LinkView):
    """A view of content that is shown only after the link was opened."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.check_visit()

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "link": getattr(self, "link", None)}

    def picture(self, image_id: UUID) -> Image:
        image = link_contents.pictures_of(self.link).filter(pk=image_id).first()
        if image is None:
            raise NotFound(_("This picture is not shown by this link."))
        return image


class SharedView(LinkView):
    @extend_schema(
        operation_id="shared_read",
        tags=["shared"],
        parameters=[KEY],
        responses={200: SharedSerializer},
    )
    def get(self, request: Request, token: str) -> Response:
        """The content of a link. This opens the link, unless it must be unlocked first."""
        key = link_keys.key_of(request._request, self.link)
        begun = None
        if not link_access.is_visiting(self.link, key):
            if link_access.asks_first(self.link):
                link_access.check_open(self.link)
                return Response(SharedSerializer(_locked(self.link)).data)
            begun = link_access.begin(self.link)
            link_keys.remember(request._request, self.link, begun)
        return Response(SharedSerializer(_opened(self.link, begun)).data)


class SharedUnlockView(LinkView):
    @extend_schema(
        operation_id="shared_unlock",
        tags=["shared"],
        request=PasswordSerializer,
        responses={200: KeySerializer},
    )
    def post(self, request: Request, token: str) -> Response:
        """Open a link, with its password if it has one. Counts as one visit."""
        form = PasswordSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        address = network_of(request._request)
        key = link_access.begin(self.link, form.validated_data["password"], address)
        return Response({"key": key})


class SharedImagesView(LinkContentView):
    serializer_class = SharedImageSerializer
    pagination_class = AlbumOrder

    def get_queryset(self) -> ImageQuerySet:
        return link_contents.pictures_of(self.link)

    @extend_schema(
        operation_id="shared_images",
        tags=["shared"],
        parameters=[KEY],
        responses={200: SharedImageSerializer(many=True), 403: ErrorResponseSerializer},
    )
    def get(self, request: Request, token: str) -> Response:
        """The pictures of a link, in the order of the album."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class SharedFileView(LinkContentView):
    sends_files = True

    @extend_schema(
        operation_id="shared_file",
        tags=["shared"],
        parameters=[
            KEY,
            OpenApiParameter("download", bool, description="Offer it as a download, if allowed."),
        ],
        responses={
            (200, "image/webp"): OpenApiTypes.BINARY,
            (403, "application/json"): ErrorResponseSerializer,
        },
    )
    def get(self, request: Request, token: str, image_id: UUID) -> HttpResponseBase:
        """A picture in full size, without metadata."""
        image = self.picture(image_id)
        download = request.query_params.get("download", "") in ("1", "true")
        if download:
            downloads.check_allowed(self.link)
        return delivery.clean_response(image, download=download, request=request._request)


class SharedThumbnailView(LinkContentView):
    sends_files = True

    @extend_schema(
        operation_id="shared_thumbnail",
        tags=["shared"],
        parameters=[KEY, WIDTH],
        responses={
            (200, "image/webp"): OpenApiTypes.BINARY,
            (403, "application/json"): ErrorResponseSerializer,
        },
    )
    def get(self, request: Request, token: str, image_id: UUID) -> HttpResponseBase:
        """A smaller version of a picture, without metadata."""
        return thumbnail(request, self.picture(image_id))


class SignedSharedThumbnailView(LinkContentView):
    """Handles a signed address that has expired, or whose thumbnail is not made yet. Valid ones
    are served by ThumbnailMiddleware."""

    sends_files = True

    @extend_schema(
        operation_id="shared_signed_thumbnail",
        tags=["shared"],
        parameters=[KEY, WIDTH, THUMBNAIL_KEY],
        responses={
            (200, "image/webp"): OpenApiTypes.BINARY,
            (403, "application/json"): ErrorResponseSerializer,
        },
    )
    def get(self, request: Request, token: str, image_id: UUID, key: str) -> HttpResponseBase:
        """The thumbnail, under the address that lists of pictures give. For some minutes it opens
        without the key of the visit."""
        return thumbnail(request, self.picture(image_id))


class SharedDownloadView(LinkContentView):
    @extend_schema(
        operation_id="shared_download",
        tags=["shared"],
        parameters=[KEY],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (403, "application/json"): ErrorResponseSerializer,
        },
    )
    def get(self, request: Request, token: str) -> HttpResponseBase:
        """Download all pictures of a link as one ZIP file, if the link allows it."""
        return downloads.zip_response(self.link)


def _locked(link: ShareLink) -> dict[str, Any]:
    fields = dict.fromkeys(SharedSerializer().fields)
    return {**fields, "locked": True, "needs_password": bool(link.password)}


def _opened(link: ShareLink, key: str | None) -> dict[str, Any]:
    return {
        **asdict(link_contents.about(link)),
        "locked": False,
        "needs_password": bool(link.password),
        "count": link_contents.pictures_of(link).count(),
        "allow_download": link.allow_download,
        "key": key,
    }
