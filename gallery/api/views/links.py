"""Share links, for the people who manage them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.sharing import (
    LinkChangesSerializer,
    LinkSerializer,
    NewLinkSerializer,
)
from gallery.api.views.base import ApiView
from gallery.errors import Refusal
from gallery.models import Album, Image, ShareLink
from gallery.models.share import ShareLinkQuerySet
from gallery.sharing import links


class LinkListView(ApiView):
    permission_classes = [IsAuthenticated]
    serializer_class = LinkSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> ShareLinkQuerySet:
        found = links.links_of(self.account())
        for name in ("album", "image"):
            if name in self.request.query_params:
                found = found.filter(**{name: _uuid(self.request.query_params[name], name)})
        return found

    @extend_schema(
        operation_id="links_list",
        tags=["sharing"],
        parameters=[
            OpenApiParameter("album", OpenApiTypes.UUID, description="Only links to this album."),
            OpenApiParameter("image", OpenApiTypes.UUID, description="Only links to this picture."),
        ],
        responses={200: LinkSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The links that you made and those to albums that you manage, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="links_create",
        tags=["sharing"],
        request=NewLinkSerializer,
        responses={201: LinkSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a link to an album that you manage or to a picture of yours."""
        form = NewLinkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        target = self._target(values.pop("album", None), values.pop("image", None))
        values["password"] = values.get("password") or ""
        link = links.create_link(by=self.account(), **target, **values)
        return Response(self.get_serializer(self.get_queryset().get(pk=link.pk)).data, status=201)

    def _target(self, album: UUID | None, image: UUID | None) -> dict[str, Any]:
        """Find the album or picture to share. Raises Refusal (unknown_album, unknown_image,
        name_one). A target that the user may not share gets the same error as a missing one."""
        if album is not None and image is None:
            managed = Album.objects.managed_by(self.request.user).filter(pk=album).first()
            if managed is None:
                raise Refusal("unknown_album", _("Name an album that you manage."), "album")
            return {"album": managed}
        if image is None or album is not None:
            raise Refusal("name_one", _("Name an album or a picture, one of them."), "album")
        own = Image.objects.owned_by(self.request.user).filter(pk=image).first()
        if own is None:
            raise Refusal("unknown_image", _("Name a picture of yours."), "image")
        return {"image": own}


class LinkDetailView(ApiView):
    """A view of one link, `self.link`. Users who may not change it get 404."""

    link: ShareLink
    serializer_class = LinkSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.link = self._load(kwargs["link_id"])

    def _load(self, pk: UUID) -> ShareLink:
        user = self.request.user
        link = links.links_of(user).filter(pk=pk).first() if user.is_authenticated else None
        if link is None:
            raise NotFound(_("There is no such link, or it is not yours."))
        return link

    @extend_schema(operation_id="links_read", tags=["sharing"])
    def get(self, request: Request, link_id: UUID) -> Response:
        """One link, with its state and its number of visits."""
        return Response(self.get_serializer(self.link).data)

    @extend_schema(operation_id="links_change", tags=["sharing"], request=LinkChangesSerializer)
    def patch(self, request: Request, link_id: UUID) -> Response:
        """Change the settings of a link. Its address stays the same."""
        form = LinkChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        links.change_link(self.link, form.validated_data)
        return Response(self.get_serializer(self.link).data)

    @extend_schema(operation_id="links_revoke", tags=["sharing"], responses={204: None})
    def delete(self, request: Request, link_id: UUID) -> Response:
        """Revoke a link permanently. It stays in the list but opens nothing any more."""
        links.revoke_link(self.link)
        return Response(status=204)


def _uuid(text: str, name: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Refusal("bad_id", _("This is no id."), name) from error
