"""Your own account: profile, usage, sessions, export, deletion."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.accounts import (
    confirmation,
    deletion,
    portraits,
    profile,
    second_factor,
    sessions,
)
from gallery.accounts.export import export_response
from gallery.api.parsers import JSONParser, MultiPartParser
from gallery.api.serializers.accounts import (
    AccountChangesSerializer,
    AccountSerializer,
    DeletionSerializer,
    OwnPasswordSerializer,
    PortraitSerializer,
    SessionSerializer,
    UsageSerializer,
)
from gallery.api.uploads import read_upload
from gallery.api.views.base import ApiView
from gallery.api.views.confirmed import ConfirmedView
from gallery.library import quota


class AccountView(ConfirmedView):
    throttle_scopes = {"DELETE": "login", "PATCH": "login"}

    @extend_schema(
        operation_id="account_read", tags=["account"], responses={200: AccountSerializer}
    )
    def get(self, request: Request) -> Response:
        """Your account."""
        return self._shown()

    @extend_schema(
        operation_id="account_change",
        tags=["account"],
        request=AccountChangesSerializer,
        responses={200: AccountSerializer},
    )
    def patch(self, request: Request) -> Response:
        """Change the shown name, the language, the email address, whether searches are
        remembered, or whether notices come by mail."""
        form = AccountChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        changes = form.validated_data
        if "email" in changes:
            self.confirm(request)
            profile.change_email(request._request, self.account(), changes["email"])
        profile.update(
            self.account(),
            display_name=changes.get("display_name"),
            language=changes.get("language"),
            keep_history=changes.get("keep_history"),
            mail_notices=changes.get("mail_notices"),
        )
        return self._shown()

    @extend_schema(
        operation_id="account_delete",
        tags=["account"],
        request=DeletionSerializer,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Delete the account with all its pictures. This cannot be undone."""
        form = DeletionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        confirmation.confirm_password(self.account(), form.validated_data["password"])
        deletion.request_deletion(self.account())
        return Response(status=204)

    def _shown(self) -> Response:
        user = self.account()
        context = {"second_factor": second_factor.is_needed(user), "request": self.request}
        return Response(AccountSerializer(user, context=context).data)


class PortraitView(ApiView):
    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser, JSONParser]

    @extend_schema(
        operation_id="account_portrait_set",
        tags=["account"],
        request={
            "multipart/form-data": PortraitSerializer,
            "application/json": PortraitSerializer,
        },
        responses={204: None},
    )
    def put(self, request: Request) -> Response:
        """Set the picture of your account: a file, or one of your pictures. Its middle is kept,
        small and without metadata. Those see it who see your account, as in a shared album."""
        form = PortraitSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        if "image" in form.validated_data:
            portraits.choose(self.account(), form.validated_data["image"])
        else:
            file = read_upload(request)
            portraits.upload(self.account(), file, file.name or "")
        return Response(status=204)

    @extend_schema(operation_id="account_portrait_remove", tags=["account"], responses={204: None})
    def delete(self, request: Request) -> Response:
        """Remove the picture of your account. Its first letter is shown instead."""
        portraits.remove(self.account())
        return Response(status=204)


class UsageView(ApiView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="account_usage", tags=["account"], responses={200: UsageSerializer})
    def get(self, request: Request) -> Response:
        """Your storage use and your quota."""
        return Response(UsageSerializer(quota.usage(self.account())).data)


class ExportView(ConfirmedView):
    @extend_schema(
        operation_id="account_export",
        tags=["account"],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        """Download a ZIP file of all your originals and, as JSON, what you wrote about them. Its
        `Content-Length` is known."""
        if not self.is_by_token(request):  # a token may read all of it anyway
            self.confirm(request)
        return export_response(self.account())


class SessionListView(ConfirmedView):
    pagination_class = None

    @extend_schema(
        operation_id="account_sessions_list",
        tags=["account"],
        responses={200: SessionSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        """The browsers in which you are signed in, newest first."""
        context = {"session_key": request.session.session_key}
        found = sessions.sessions_of(self.account())
        return Response(SessionSerializer(found, many=True, context=context).data)

    @extend_schema(
        operation_id="account_sessions_end_others",
        tags=["account"],
        request=OwnPasswordSerializer,
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Sign out every browser except the one that sends this request."""
        self.confirm(request)
        sessions.end_all(self.account(), besides=request.session.session_key)
        return Response(status=204)


class SessionView(ConfirmedView):
    permission_classes = [AllowAny]  # nobody else's sessions are found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not request.user.is_authenticated or not sessions.has(self.account(), kwargs["pk"]):
            raise NotFound(_("There is no such session."))

    @extend_schema(
        operation_id="account_sessions_end",
        tags=["account"],
        request=OwnPasswordSerializer,
        responses={204: None},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Sign out one browser."""
        self.confirm(request)
        sessions.end(self.account(), pk)
        return Response(status=204)
