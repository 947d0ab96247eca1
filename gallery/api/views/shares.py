"""Shares of albums with people and groups."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.sharing import (
    ContributionSerializer,
    LeftSerializer,
    NewShareSerializer,
    RoleSerializer,
    ShareSerializer,
    WithdrawnSerializer,
)
from gallery.api.views.base import ApiView
from gallery.errors import Refusal
from gallery.models import Album, AlbumShare
from gallery.models.album import AlbumQuerySet
from gallery.sharing import contributions, shares


class ManagedAlbumView(ApiView):
    """A view of an album that the user manages, `self.album`. Others get 404."""

    album: Album

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        managed = Album.objects.managed_by(request.user)
        self.album = album_or_404(managed.filter(pk=kwargs["album_id"]).first())


class AlbumSharesView(ManagedAlbumView):
    serializer_class = ShareSerializer
    pagination_class = NewestFirst
    queryset = AlbumShare.objects.none()

    @extend_schema(
        operation_id="album_shares_list",
        tags=["sharing"],
        responses={200: ShareSerializer(many=True)},
    )
    def get(self, request: Request, album_id: UUID) -> Response:
        """The people and groups that an album is shared with, the latest first. You must manage the
        album."""
        page = self.paginate_queryset(shares.shares_of(self.album))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="album_shares_add",
        tags=["sharing"],
        request=NewShareSerializer,
        responses={201: ShareSerializer, 200: ShareSerializer},
    )
    def post(self, request: Request, album_id: UUID) -> Response:
        """Share an album with a person or a group. If it is shared with them already, they get the
        new role and the answer is 200."""
        form = NewShareSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        share, created = self._share(**form.validated_data)
        return Response(self.get_serializer(share).data, status=201 if created else 200)

    def _share(
        self, role: str, user: str | None = None, group: UUID | None = None
    ) -> tuple[AlbumShare, bool]:
        if user is not None and group is None:
            return shares.share_with_person(self.album, user, role, self.account())
        if group is not None and user is None:
            return shares.share_with_group(self.album, group, role, self.account())
        raise Refusal("name_one", _("Name a user or a group, one of them."), "user")


class AlbumShareView(ManagedAlbumView):
    serializer_class = ShareSerializer

    @extend_schema(
        operation_id="album_shares_change",
        tags=["sharing"],
        request=RoleSerializer,
        responses={200: ShareSerializer},
    )
    def patch(self, request: Request, album_id: UUID, share_id: UUID) -> Response:
        """Change the role of a person or group in the album."""
        share = self._share(share_id)
        form = RoleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        shares.change_role(share, form.validated_data["role"])
        return Response(self.get_serializer(share).data)

    @extend_schema(operation_id="album_shares_remove", tags=["sharing"], responses={204: None})
    def delete(self, request: Request, album_id: UUID, share_id: UUID) -> Response:
        """Stop sharing with a person or group. Their own pictures stay until somebody takes them
        out."""
        shares.remove(self._share(share_id))
        return Response(status=204)

    def _share(self, share_id: UUID) -> AlbumShare:
        share = shares.shares_of(self.album).filter(pk=share_id).first()
        if share is None:
            raise NotFound(_("The album has no such share."))
        return share


class AlbumLeaveView(ApiView):
    album: Album

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        others = Album.objects.visible_to(request.user).exclude(owner_id=request.user.pk)
        self.album = album_or_404(others.filter(pk=kwargs["album_id"]).first())

    @extend_schema(
        operation_id="albums_leave",
        tags=["sharing"],
        request=None,
        responses={200: LeftSerializer},
    )
    def post(self, request: Request, album_id: UUID) -> Response:
        """Leave an album that is shared with you personally."""
        return Response({"still_through": shares.leave(self.album, self.account())})


class AlbumWithdrawView(ApiView):
    album: Album

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        shown_in = contributions.albums_with_pictures_of(request.user)
        self.album = album_or_404(shown_in.filter(pk=kwargs["album_id"]).first())

    @extend_schema(
        operation_id="albums_withdraw",
        tags=["sharing"],
        request=None,
        responses={200: WithdrawnSerializer},
    )
    def post(self, request: Request, album_id: UUID) -> Response:
        """Take all your pictures out of another user's album, even if it is no longer shared with
        you."""
        return Response({"withdrawn": contributions.withdraw(self.album, self.account())})


class ContributionsView(ApiView):
    permission_classes = [IsAuthenticated]
    serializer_class = ContributionSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> AlbumQuerySet:
        return contributions.contributions_of(self.account())

    @extend_schema(
        operation_id="contributions_list",
        tags=["sharing"],
        responses={200: ContributionSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The albums of others that contain pictures of yours, the newest album first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


def album_or_404(album: Album | None) -> Album:
    if album is None:
        raise NotFound(_("There is no such album, or it is not shared with you."))
    return album
