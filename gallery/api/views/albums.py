"""Albums: list, create, change, add pictures, arrange, delete, restore."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import AlbumOrder, NewestFirst
from gallery.api.serializers.albums import (
    AlbumChangesSerializer,
    AlbumListQuerySerializer,
    AlbumSerializer,
    MovedSerializer,
    MoveSerializer,
    NewAlbumSerializer,
)
from gallery.api.serializers.bulk import OutcomeSerializer
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.images import ImageSerializer
from gallery.api.serializers.selection import SelectionSerializer
from gallery.api.views.base import ApiView, ImageView
from gallery.indexing import selectors
from gallery.models import Album, Image
from gallery.models.album import AlbumQuerySet
from gallery.models.image import ImageQuerySet
from gallery.organising import album_summaries, albums, bulk


class AlbumView(ApiView):
    """A view of one album, `self.album`. It is looked up first, so that every method answers 404
    to a viewer who may not use it."""

    album: Album

    def nameable(self) -> AlbumQuerySet:
        """Return the albums that this request may use."""
        return Album.objects.visible_to(self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        found = album_summaries.with_summary_fields(self.nameable(), request.user)
        album = found.filter(pk=kwargs["pk"]).first()
        if album is None:
            raise NotFound(_("There is no such album, or it is not shared with you."))
        self.album = album

    def shown(self) -> Response:
        """Respond with the current state of the album."""
        found = Album.objects.filter(pk=self.album.pk)
        rows = list(album_summaries.with_summary_fields(found, self.request.user))
        (summary,) = album_summaries.summarise(rows, self.request.user)
        return Response(AlbumSerializer(summary, context=self.get_serializer_context()).data)


class AlbumListView(ApiView):
    queryset = Album.objects.all()
    serializer_class = AlbumSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = NewestFirst

    @extend_schema(
        operation_id="albums_list",
        tags=["albums"],
        parameters=[AlbumListQuerySerializer],
        responses={200: AlbumSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your albums and those that are shared with you, newest first."""
        query = AlbumListQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted = self._shown(query.validated_data["show"])
        found = album_summaries.with_summary_fields(wanted, request.user)
        page = self.paginate_queryset(found)
        summaries = album_summaries.summarise(page or [], request.user)
        return self.get_paginated_response(self.get_serializer(summaries, many=True).data)

    def _shown(self, show: str) -> AlbumQuerySet:
        account, rows = self.account(), Album.objects
        match show:
            case "own":
                return rows.owned_by(account)
            case "shared":
                return rows.visible_to(account).exclude(owner=account)
            case "open":
                return rows.open_to(account).filter(smart=None)
            case "trash":
                return rows.in_trash_of(account)
        return rows.visible_to(account)

    @extend_schema(
        operation_id="albums_create",
        tags=["albums"],
        request=NewAlbumSerializer,
        responses={201: AlbumSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create an album."""
        form = NewAlbumSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        album = albums.create(self.account(), **form.validated_data)
        (summary,) = album_summaries.summarise([album], request.user)
        return Response(self.get_serializer(summary).data, status=201)


class AlbumDetailView(AlbumView):
    serializer_class = AlbumSerializer

    def nameable(self) -> AlbumQuerySet:
        viewer = self.request.user
        if self.request.method in SAFE_METHODS:
            return Album.objects.visible_to(viewer)
        if self.request.method == "PATCH":
            return Album.objects.managed_by(viewer)
        return Album.objects.owned_by(viewer)

    @extend_schema(operation_id="albums_read", tags=["albums"])
    def get(self, request: Request, pk: UUID) -> Response:
        """One album."""
        return self.shown()

    @extend_schema(operation_id="albums_change", tags=["albums"], request=AlbumChangesSerializer)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change the title, the description or the cover of an album that you manage."""
        form = AlbumChangesSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        albums.update(self.album, **form.validated_data)
        return self.shown()

    @extend_schema(operation_id="albums_delete", tags=["albums"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Move your album to the trash. Its pictures stay. `restore/` takes it out again."""
        albums.trash(self.album)
        return Response(status=204)


class AlbumRestoreView(AlbumView):
    serializer_class = AlbumSerializer

    def nameable(self) -> AlbumQuerySet:
        return Album.objects.in_trash_of(self.request.user)

    @extend_schema(
        operation_id="albums_restore",
        tags=["albums"],
        request=None,
        responses={200: AlbumSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Restore an album from your trash, as it was."""
        albums.restore(self.album)
        return self.shown()


class AlbumImagesView(AlbumView):
    queryset = Image.objects.all()
    serializer_class = ImageSerializer
    pagination_class = AlbumOrder

    def nameable(self) -> AlbumQuerySet:
        viewer = self.request.user
        if self.request.method in SAFE_METHODS:
            return Album.objects.visible_to(viewer)
        return Album.objects.open_to(viewer)

    @extend_schema(
        operation_id="albums_images",
        tags=["albums"],
        responses={200: ImageSerializer(many=True)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The pictures of an album, in its order."""
        images = albums.images_of(self.album, request.user)
        page = self.paginate_queryset(selectors.with_display_fields(images, request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="albums_add_images",
        tags=["albums"],
        request=SelectionSerializer,
        responses={200: OutcomeSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Add your own pictures to an album. Everybody who sees the album then sees them."""
        return change_content(self, "add_to_album")


class AlbumRemoveView(AlbumView):
    serializer_class = OutcomeSerializer

    @extend_schema(
        operation_id="albums_remove_images",
        tags=["albums"],
        request=SelectionSerializer,
        responses={200: OutcomeSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Take pictures out of an album: your own, or any picture if you manage the album."""
        return change_content(self, "remove_from_album")


class AlbumMoveView(AlbumView):
    serializer_class = MovedSerializer

    def nameable(self) -> AlbumQuerySet:
        return Album.objects.managed_by(self.request.user)

    @extend_schema(
        operation_id="albums_move_images",
        tags=["albums"],
        request=MoveSerializer,
        responses={200: MovedSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Move pictures before another picture, in an album that you manage."""
        form = MoveSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data
        moved, change = bulk.move(self.album, wanted["ids"], wanted["before"], self.account())
        return Response(self.get_serializer({"moved": moved, "undo": change}).data)


class ImageAlbumsView(ImageView):
    queryset = Album.objects.all()
    serializer_class = AlbumSerializer
    pagination_class = NewestFirst

    def nameable(self) -> ImageQuerySet:
        return Image.objects.reachable_by(self.request.user)

    @extend_schema(
        operation_id="images_albums",
        tags=["albums"],
        responses={200: AlbumSerializer(many=True)},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """The albums that contain this picture and that you may see."""
        holding = Album.objects.visible_to(request.user).filter(items__image=self.image)
        page = self.paginate_queryset(album_summaries.with_summary_fields(holding, request.user))
        summaries = album_summaries.summarise(page or [], request.user)
        return self.get_paginated_response(self.get_serializer(summaries, many=True).data)


def change_content(view: AlbumView, action: str) -> Response:
    form = SelectionSerializer(data=view.request.data)
    form.is_valid(raise_exception=True)
    selection = form.validated_data["selection"]
    outcome = bulk.run(action, selection, view.account(), album=view.album.pk)
    context = view.get_serializer_context()
    return Response(OutcomeSerializer(outcome, context=context).data)
