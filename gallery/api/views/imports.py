"""Imports: a worker adds many pictures from addresses or from a ZIP file."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import NewestFirst
from gallery.api.serializers.uploads import (
    ImportDetailSerializer,
    ImportSerializer,
    NewImportSerializer,
)
from gallery.api.views.base import ApiView
from gallery.models import ImportBatch
from gallery.uploads import imports


class ImportListView(ApiView):
    queryset = ImportBatch.objects.all()
    serializer_class = ImportSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = NewestFirst
    throttle_scopes = {"POST": "upload"}

    def get_queryset(self) -> QuerySet[ImportBatch]:
        return imports.with_counts(imports.owned_by(self.account()))

    @extend_schema(
        operation_id="imports_list", tags=["uploads"], responses={200: ImportSerializer(many=True)}
    )
    def get(self, request: Request) -> Response:
        """Your imports of the last 30 days, newest first."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="imports_create",
        tags=["uploads"],
        request=NewImportSerializer,
        responses={201: ImportDetailSerializer},
    )
    def post(self, request: Request) -> Response:
        """Import pictures from addresses, which the server fetches. To import a ZIP file, upload it
        to `uploads/` with `kind` `zip` in its metadata."""
        form = NewImportSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        batch = imports.create_from_urls(
            self.account(),
            form.validated_data["urls"],
            visibility=form.validated_data["visibility"],
            album_id=form.validated_data["album"],
        )
        shown = self.get_queryset().get(pk=batch.pk)
        return Response(ImportDetailSerializer(shown).data, status=201)


class ImportView(ApiView):
    """A view of one import, `self.batch`. Imports of others answer 404."""

    serializer_class = ImportDetailSerializer
    batch: ImportBatch

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.batch = self.load(kwargs["pk"])

    def load(self, pk: UUID) -> ImportBatch:
        mine = imports.with_counts(imports.owned_by(self.request.user))
        batch = mine.filter(pk=pk).first()
        if batch is None:
            raise NotFound(_("There is no such import."))
        return batch


class ImportDetailView(ImportView):
    @extend_schema(operation_id="imports_read", tags=["uploads"])
    def get(self, request: Request, pk: UUID) -> Response:
        """The progress of an import, and the pictures that could not be added."""
        return Response(self.get_serializer(self.batch).data)


class ImportCancelView(ImportView):
    @extend_schema(
        operation_id="imports_cancel",
        tags=["uploads"],
        request=None,
        responses={200: ImportDetailSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Stop an import. The pictures that it has added stay."""
        imports.cancel(pk)
        return Response(self.get_serializer(self.load(pk)).data)


class ImportRetryView(ImportView):
    @extend_schema(
        operation_id="imports_retry",
        tags=["uploads"],
        request=None,
        responses={200: ImportDetailSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Retry the pictures that failed or were not tried."""
        imports.retry(pk)
        return Response(self.get_serializer(self.load(pk)).data)
