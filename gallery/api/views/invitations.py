"""Invitations to register, for moderators and administrators."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.accounts import invitation_mail, invitations
from gallery.api.pagination import NewestFirst
from gallery.api.serializers.accounts import (
    InvitationSerializer,
    NewInvitationSerializer,
    SentInvitationSerializer,
)
from gallery.api.views.restricted import ModeratorView
from gallery.models import Invitation


class InvitationListView(ModeratorView):
    queryset = Invitation.objects.none()
    serializer_class = InvitationSerializer
    pagination_class = NewestFirst

    def get_queryset(self) -> QuerySet[Invitation]:
        return invitations.given_by(self.account())

    @extend_schema(
        operation_id="invitations_list",
        tags=["invitations"],
        responses={200: InvitationSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your invitations, newest first. Administrators see all invitations."""
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="invitations_create",
        tags=["invitations"],
        request=NewInvitationSerializer,
        responses={201: SentInvitationSerializer},
    )
    def post(self, request: Request) -> Response:
        """Invite a person to register. `url` is only for that person."""
        form = NewInvitationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        invitation = invitations.invite(self.account(), **form.validated_data)
        shown = self.get_serializer(invitation).data
        mailed = invitation_mail.send(invitation, shown["url"])
        return Response({**shown, "mailed": mailed}, status=201)


class InvitationView(ModeratorView):
    @extend_schema(operation_id="invitations_revoke", tags=["invitations"], responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Revoke an invitation. Nobody can register with it any more."""
        invitation = invitations.given_by(self.account()).filter(pk=pk).first()
        if invitation is None:
            raise NotFound(_("There is no such invitation."))
        invitations.revoke(invitation)
        return Response(status=204)
