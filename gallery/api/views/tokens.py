"""Named API tokens: list, create, revoke."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.accounts import tokens
from gallery.api.serializers.accounts import (
    ApiTokenSerializer,
    IssuedTokenSerializer,
    NewTokenSerializer,
    OwnPasswordSerializer,
)
from gallery.api.views.confirmed import ConfirmedView


class TokenListView(ConfirmedView):
    pagination_class = None
    throttle_scopes = {"POST": "login"}

    @extend_schema(
        operation_id="account_tokens_list",
        tags=["account"],
        responses={200: ApiTokenSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """Your named tokens, at most 100. Tokens from signing in are not listed."""
        return Response(ApiTokenSerializer(tokens.tokens_of(self.account()), many=True).data)

    @extend_schema(
        operation_id="account_tokens_create",
        tags=["account"],
        request=NewTokenSerializer,
        responses={201: IssuedTokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Create a token. Only this answer contains its secret."""
        form = NewTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        self.confirm(request)
        asked = form.validated_data
        described, secret = tokens.issue(
            self.account(), asked["name"], asked["scope"], asked["expires_in_days"]
        )
        answer = {**ApiTokenSerializer(described).data, "token": secret}
        return Response(answer, status=201)


class TokenView(ConfirmedView):
    permission_classes = [AllowAny]  # nobody else's tokens are found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not request.user.is_authenticated or not tokens.has(self.account(), kwargs["pk"]):
            raise NotFound(_("There is no such token."))

    @extend_schema(
        operation_id="account_tokens_revoke",
        tags=["account"],
        request=OwnPasswordSerializer,
        responses={204: None},
    )
    def delete(self, request: Request, pk: UUID) -> Response:
        """Revoke a token immediately."""
        self.confirm(request)
        tokens.revoke(self.account(), pk)
        return Response(status=204)
