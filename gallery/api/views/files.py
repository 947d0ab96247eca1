"""The files of a picture: full size and thumbnails."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from gallery import rate_limits
from gallery.api.schema import PICTURE
from gallery.api.views.base import ImageView, image_or_404
from gallery.errors import Refusal
from gallery.library import delivery
from gallery.library.renditions import WIDTHS
from gallery.models import Image

MAX_WIDTH = 10_000
WIDTH = OpenApiParameter(
    "w",
    {"type": "integer", "minimum": 1, "maximum": MAX_WIDTH, "default": delivery.DEFAULT_WIDTH},
    description=f"Width in pixels; the next of {', '.join(map(str, WIDTHS))} is sent.",
)
THUMBNAIL_KEY = OpenApiParameter(
    "key",
    location=OpenApiParameter.PATH,
    description="The end of its validity without a session, with a signature.",
)


class _SentView(ImageView):
    sends_files = True

    def find(self, pk: UUID) -> Image:
        return image_or_404(delivery.find(pk, self.request.user))


class ImageFileView(_SentView):
    @extend_schema(
        operation_id="images_file",
        tags=["images"],
        parameters=[
            OpenApiParameter("download", bool, description="Offer it as a download, with a name."),
            OpenApiParameter(
                "original", bool, description="Your file as you uploaded it, without your edits."
            ),
        ],
        responses=PICTURE,
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """The picture in full size. The owner gets the unchanged original, others get a copy
        without metadata. Of a picture that is turned or cropped the owner gets a copy, too: as a
        download a JPEG, unless `original` is asked for."""
        asked = request.query_params
        return delivery.picture_response(
            self.image,
            request.user,
            download=asked.get("download", "") in ("1", "true"),
            original=asked.get("original", "") in ("1", "true"),
            request=request._request,
        )


class ImageThumbnailView(_SentView):
    @extend_schema(
        operation_id="images_thumbnail",
        tags=["images"],
        parameters=[
            WIDTH,
            OpenApiParameter("original", bool, description="Your picture without your edits."),
        ],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """A smaller version of the picture, without metadata."""
        asks_for_original = request.query_params.get("original", "") in ("1", "true")
        if asks_for_original and self.image.is_edited and self.image.is_owned_by(request.user):
            width = read_width(request.query_params.get("w"))
            rate_limits.charge_pixels(self.image.width * self.image.height)
            return delivery.unedited_response(self.image, width)
        return thumbnail(request, self.image)


class SignedThumbnailView(_SentView):
    """Handles a signed address that has expired, or whose thumbnail is not made yet. Valid ones
    are served by ThumbnailMiddleware."""

    @extend_schema(
        operation_id="images_signed_thumbnail",
        tags=["images"],
        parameters=[WIDTH, THUMBNAIL_KEY],
        responses={(200, "image/webp"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID, key: str) -> HttpResponseBase:
        """The thumbnail, under the address that lists of pictures give. For some minutes it opens
        without a token, also for programs that cannot send one."""
        return thumbnail(request, self.image)


def thumbnail(request: Request, image: Image) -> HttpResponseBase:
    width = read_width(request.query_params.get("w"))
    return delivery.thumbnail_response(image, width, request=request._request)


def read_width(text: str | None) -> int:
    if text is None:
        return delivery.DEFAULT_WIDTH
    width = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= width <= MAX_WIDTH:
        raise Refusal(
            "bad_width",
            _("Ask for a width from 1 to %(most)d pixels.") % {"most": MAX_WIDTH},
            "w",
        )
    return width
