"""What all views share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from gallery.api.parsers import JSONParser
from gallery.indexing.selectors import with_display_fields
from gallery.models import Image, User
from gallery.models.image import ImageQuerySet


class IgnoreAccept(DefaultContentNegotiation):
    """The answer is JSON, or the picture itself, whatever `Accept` says: an
    `<img>` that accepts `image/*` alone gets its picture, and a readable error."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type


class ApiView(GenericAPIView):
    """Open to everybody unless a view says otherwise: what changes nothing is
    for anonymous visitors too, within what they may see."""

    permission_classes = [AllowAny]
    parser_classes = [JSONParser]
    content_negotiation_class = IgnoreAccept
    # Method to the scope that each of its requests counts in (gallery.rate_limits).
    throttle_scopes: ClassVar[Mapping[str, str]] = {}
    # Files of pictures, of which a page asks for many, are not counted.
    sends_files = False

    def account(self) -> User:
        """Who is signed in, in a view that is for nobody else."""
        if not isinstance(self.request.user, User):
            raise NotAuthenticated
        return self.request.user


class ImageView(ApiView):
    """A view of one picture, which is `self.image`.

    It is looked up before anything else happens, for every method: whoever may
    not name the picture gets 404, the same as for a picture that never was.
    """

    image: Image

    def nameable(self) -> ImageQuerySet:
        """The pictures that this request may name: those it may see, and to
        change one those it owns."""
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


def load_image(images: ImageQuerySet, pk: UUID | str, viewer: User | AnonymousUser) -> Image:
    """The picture with all that its serializer needs, or 404."""
    image = with_display_fields(images, viewer).filter(pk=pk).first()
    return image_or_404(image)


def image_or_404(image: Image | None) -> Image:
    if image is None:
        raise NotFound(_("There is no such picture, or it is not shared with you."))
    return image
