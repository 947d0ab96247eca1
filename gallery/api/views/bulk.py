"""Actions on many pictures, and undoing them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.api.serializers.bulk import BulkSerializer, OutcomeSerializer, UndoneSerializer
from gallery.api.serializers.errors import ErrorResponseSerializer
from gallery.api.serializers.selection import SelectionCountSerializer, SelectionSerializer
from gallery.api.views.base import ApiView
from gallery.organising import bulk, changes, selection


class BulkView(ApiView):
    serializer_class = OutcomeSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(
        operation_id="images_bulk",
        tags=["selections"],
        request=BulkSerializer,
        responses={200: OutcomeSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        """Run one action on many pictures, all or nothing. Pictures of others are skipped if only
        their owner may do this."""
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = dict(form.validated_data)
        outcome = bulk.run(wanted.pop("action"), wanted.pop("selection"), self.account(), **wanted)
        return Response(self.get_serializer(outcome).data)


class ChangeUndoView(ApiView):
    serializer_class = UndoneSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not changes.undoable_by(request.user).filter(pk=kwargs["pk"]).exists():
            raise NotFound(_("There is nothing to be undone here."))

    @extend_schema(
        operation_id="changes_undo",
        tags=["selections"],
        request=None,
        responses={200: UndoneSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """Undo an action on many pictures, except where a newer change replaced it."""
        return Response({"restored": changes.undo(pk, self.account())})


class SelectionCountView(ApiView):
    serializer_class = SelectionCountSerializer

    @extend_schema(
        operation_id="selection_count",
        tags=["selections"],
        request=SelectionSerializer,
        responses={200: SelectionCountSerializer, 410: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        """Count the pictures of a selection, before you act on them."""
        form = SelectionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        meant = selection.resolve(form.validated_data["selection"], request.user, trash=None)
        return Response(selection.measure(meant, request.user))
