"""Many pictures as one ZIP file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.serializers.downloads import DownloadRequestSerializer, DownloadSerializer
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.views.base import ApiView
from gallery.errors import Refusal
from gallery.models import Album, Download
from gallery.organising import downloads, selection


class DownloadListView(ApiView):
    serializer_class = DownloadSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="downloads_prepare",
        tags=["downloads"],
        request=DownloadRequestSerializer,
        responses={201: DownloadSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        """Prepare a ZIP file of pictures: your originals, and copies of other people's pictures
        without metadata."""
        form = DownloadRequestSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        return Response(self.get_serializer(self._prepare(form.validated_data)).data, status=201)

    def _prepare(self, wanted: dict[str, Any]) -> downloads.Prepared:
        user = self.account()
        if "selection" in wanted:
            return downloads.of_selection(selection.resolve(wanted["selection"], user), user)
        album = Album.objects.visible_to(user).filter(pk=wanted["album"]).first()
        if album is None:
            raise Refusal("unknown_album", _("Choose an album that you may see."), "album")
        return downloads.of_album(album, user)


class DownloadView(ApiView):
    note: Download

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        note = downloads.noted_by(request.user).filter(pk=kwargs["pk"]).first()
        if note is None:
            raise NotFound(_("There is no such download."))
        self.note = note

    @extend_schema(
        operation_id="downloads_fetch",
        tags=["downloads"],
        responses={
            (200, "application/zip"): OpenApiTypes.BINARY,
            (410, "application/json"): ErrorResponseSerializer,
        },
    )
    def get(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Download the ZIP file. It has a `Content-Length` if all pictures are your own."""
        return downloads.response(self.note, self.account())
