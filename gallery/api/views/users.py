"""Accounts of others, for administrators."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from gallery import keyset
from gallery.accounts import roles
from gallery.api.pagination import CursorPages
from gallery.api.serializers.accounts import UserChangesSerializer, UserSerializer
from gallery.api.views.confirmed import ConfirmedView
from gallery.api.views.restricted import AdministratorView
from gallery.models import User


class LastJoinedFirst(CursorPages):
    order = keyset.Order("date_joined", read_key=int)


_SEARCH = OpenApiParameter("q", str, description="Part of the username or the email address.")


class UserListView(AdministratorView):
    queryset = User.objects.all()
    serializer_class = UserSerializer
    pagination_class = LastJoinedFirst

    @extend_schema(
        operation_id="users_list",
        tags=["users"],
        parameters=[_SEARCH],
        responses={200: UserSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """All accounts, newest first."""
        found: QuerySet[User] = roles.search_accounts(request.query_params.get("q", ""))
        page = self.paginate_queryset(found)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class UserView(ConfirmedView, AdministratorView):
    permission_classes = [AllowAny]  # everybody but administrators gets 404
    serializer_class = UserSerializer

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        found = roles.find_account(kwargs["username"])
        if found is None:
            raise NotFound(_("There is no such account."))
        self.subject = found

    @extend_schema(operation_id="users_read", tags=["users"])
    def get(self, request: Request, username: str) -> Response:
        """One account."""
        return Response(self.get_serializer(self.subject).data)

    @extend_schema(operation_id="users_change", tags=["users"], request=UserChangesSerializer)
    def patch(self, request: Request, username: str) -> Response:
        """Change the role or the quotas of an account, or turn the account on or off. All changes
        except quotas need your own password."""
        form = UserChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if roles.opens_or_closes(self.subject, form.validated_data):
            self.confirm(request)
        changed = roles.change_account(self.subject, form.validated_data)
        return Response(self.get_serializer(changed).data)
