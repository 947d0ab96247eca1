"""Base classes of the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from gallery.api.parsers import JSONParser
from gallery.indexing.selectors import with_display_fields
from gallery.models import Image, User, Viewer
from gallery.models.image import ImageQuerySet


class IgnoreAccept(DefaultContentNegotiation):
    """Ignores the header `Accept`: the response is always JSON or the picture. So an `<img>`,
    which accepts only `image/*`, gets its picture or a readable error."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(GenericAPIView):
    """The base of all views. By default everybody may use it: anonymous visitors may read what
    they may see."""

    permission_classes = [AllowAny]
    parser_classes = [JSONParser]
    content_negotiation_class = IgnoreAccept
    # Maps a method to the rate limit that its requests count against (gallery.rate_limits).
    throttle_scopes: ClassVar[Mapping[str, str]] = {}
    # Requests for picture files are not counted, because a page sends many of them.
    sends_files = False

    def account(self) -> User:
        """Return the signed-in account. Raises NotAuthenticated for a visitor."""
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user


class ImageView(ApiView):
    """A view of one picture, `self.image`.

    It is looked up first, for every method. A viewer who may not use the picture gets 404, the
    same as for a picture that does not exist.
    """

    image: Image

    def nameable(self) -> ImageQuerySet:
        """Return the pictures that this request may use: to read, those that the viewer may see;
        to write, those that the viewer owns."""
        if self.request.method in SAFE_METHODS:
            return Image.objects.reachable_by(self.request.user)
        return Image.objects.owned_by(self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.image = self.find(kwargs["pk"])

    def find(self, pk: UUID) -> Image:
        return self.load(self.nameable(), pk)

    def load(self, images: ImageQuerySet, pk: UUID | str) -> Image:
        return load_image(images, pk, self.request.user)


def load_image(images: ImageQuerySet, pk: UUID | str, viewer: Viewer) -> Image:
    """Load the picture with all fields that its serializer needs. Raises NotFound."""
    image = with_display_fields(images, viewer).filter(pk=pk).first()
    return image_or_404(image)


def image_or_404(image: Image | None) -> Image:
    if image is None:
        raise NotFound(_("There is no such picture, or it is not shared with you."))
    return image
