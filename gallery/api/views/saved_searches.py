"""Saved searches: list, save, change, delete, run, fill an album."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.pagination import ByName
from gallery.api.serializers.albums import AlbumSerializer
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.saved_searches import (
    NewSavedSearchSerializer,
    SavedSearchChangesSerializer,
    SavedSearchSerializer,
    UndoSerializer,
)
from gallery.api.serializers.search import ResultsSerializer
from gallery.api.views.base import ApiView
from gallery.api.views.search import CURSOR, LIMIT, answer, read_limit
from gallery.models import Album, SavedSearch
from gallery.organising import album_summaries, saved_searches, smart_albums
from gallery.search import service


class SavedSearchListView(ApiView):
    queryset = SavedSearch.objects.all()
    serializer_class = SavedSearchSerializer
    permission_classes = [IsAuthenticated]
    pagination_class = ByName

    @extend_schema(
        operation_id="searches_list",
        tags=["saved searches"],
        responses={200: SavedSearchSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your saved searches, by name. Nobody else sees them."""
        page = self.paginate_queryset(saved_searches.saved_searches_of(request.user))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="searches_create",
        tags=["saved searches"],
        request=NewSavedSearchSerializer,
        responses={201: SavedSearchSerializer},
    )
    def post(self, request: Request) -> Response:
        """Save a search under a name that you have not used yet."""
        form = NewSavedSearchSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        saved = saved_searches.save(self.account(), **form.validated_data)
        return Response(self.get_serializer(saved).data, status=201)


class SavedSearchView(ApiView):
    """A view of one saved search, `self.saved`, only for its owner."""

    saved: SavedSearch

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        saved = saved_searches.saved_searches_of(request.user).filter(pk=kwargs["pk"]).first()
        if saved is None:
            raise NotFound(_("You have no such saved search."))
        self.saved = saved


class SavedSearchDetailView(SavedSearchView):
    serializer_class = SavedSearchSerializer

    @extend_schema(operation_id="searches_read", tags=["saved searches"])
    def get(self, request: Request, pk: UUID) -> Response:
        """One saved search."""
        return Response(self.get_serializer(self.saved).data)

    @extend_schema(
        operation_id="searches_change",
        tags=["saved searches"],
        request=SavedSearchChangesSerializer,
    )
    def patch(self, request: Request, pk: UUID) -> Response:
        """Change the name or the query. An album that it fills is updated."""
        form = SavedSearchChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if saved_searches.update(self.saved, **form.validated_data):
            smart_albums.ask_for_filling(self.saved)
        return Response(self.get_serializer(self.saved).data)

    @extend_schema(
        operation_id="searches_delete", tags=["saved searches"], responses={200: UndoSerializer}
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Delete a saved search. An album that it fills stays as it is."""
        change = saved_searches.delete(self.saved)
        return Response(
            UndoSerializer({"change": change}, context=self.get_serializer_context()).data
        )


class SavedSearchResultsView(SavedSearchView):
    serializer_class = ResultsSerializer

    @extend_schema(
        operation_id="searches_results",
        tags=["saved searches"],
        parameters=[LIMIT, CURSOR],
        responses={200: ResultsSerializer, 410: ErrorResponseSerializer},
    )
    def get(self, request: Request, pk: UUID) -> Response:
        """Run the saved search. `notes` name the parts of it that no longer exist."""
        limit = read_limit(request)
        if cursor := request.query_params.get("cursor"):
            results = service.continue_search(cursor, request.user, limit=limit)
        else:
            query = saved_searches.query_of(self.saved)
            results = service.search(query, request.user, limit=limit)
        return answer(request, results, limit)


class SavedSearchAlbumView(SavedSearchView):
    serializer_class = AlbumSerializer

    @extend_schema(
        operation_id="searches_make_album",
        tags=["saved searches"],
        request=None,
        responses={200: AlbumSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Create an album that fills itself with those of your own pictures that the search finds,
        now and later. If the album exists already, the answer is that album."""
        album = smart_albums.make(self.saved)
        found = album_summaries.with_summary_fields(Album.objects.filter(pk=album.pk), request.user)
        (summary,) = album_summaries.summarise(list(found), request.user)
        return Response(self.get_serializer(summary).data)

    @extend_schema(
        operation_id="searches_stop_filling",
        tags=["saved searches"],
        responses={200: UndoSerializer},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Stop filling the album. It keeps its pictures and becomes an ordinary album."""
        change = smart_albums.stop(self.saved)
        return Response(
            UndoSerializer({"change": change}, context=self.get_serializer_context()).data
        )
