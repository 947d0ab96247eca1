"""Tokens: sign in, sign out, and show the account of a token."""

from __future__ import annotations

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from gallery.accounts import second_factor, sign_in, tokens
from gallery.api.authentication import TokenAuthentication
from gallery.api.serializers.accounts import OwnPasswordSerializer
from gallery.api.serializers.auth import LoginSerializer, MeSerializer, TokenSerializer
from gallery.api.views.base import ApiView
from gallery.api.views.confirmed import ConfirmedView
from gallery.models import User


class LoginView(ApiView):
    authentication_classes = []
    throttle_scopes = {"POST": "login"}

    @extend_schema(
        operation_id="login",
        tags=["auth"],
        request=LoginSerializer,
        responses={200: TokenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Exchange a username and a password for a token.

        For an account with a second factor, the answer is 401 `mfa_required` without `otp`, and
        401 `wrong_otp` if the code is wrong or was tried too often. After too many wrong
        passwords, here or on the page, it is 429 `too_many_tries`.
        """
        form = LoginSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        otp = form.validated_data.pop("otp", "")
        user = sign_in.check_password(request._request, **form.validated_data)
        if user is None:  # unknown, inactive or a wrong password: the answer does not tell which
            raise AuthenticationFailed(
                _("The username or the password is wrong."), code="wrong_credentials"
            )
        _check_second_factor(user, otp)
        stored, token = tokens.sign_in(user)
        user_logged_in.send(sender=type(user), request=request._request, user=user)
        return Response(TokenSerializer({"token": token, "expiry": stored.expiry}).data)

    def get_authenticate_header(self, request: Request) -> str:
        """Without this header REST framework would answer 403, because the view has no
        authentication classes."""
        return TokenAuthentication().authenticate_header(request)


def _check_second_factor(user: User, otp: str) -> None:
    """Check the code of the second factor. The password was right, so the answer may tell that a
    code is needed."""
    if not second_factor.is_needed(user):
        return
    if not otp:
        raise AuthenticationFailed(
            _(
                "This account has a second factor: send a code of your authenticator app, "
                "or a recovery code, as `otp`."
            ),
            code="mfa_required",
        )
    if not second_factor.is_right(user, otp):
        raise AuthenticationFailed(
            _("The code is wrong or was used before. Wait for the next one."), code="wrong_otp"
        )


class LogoutView(ApiView):
    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="logout", tags=["auth"], request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        """Revoke the token of this request."""
        request.auth.delete()
        user_logged_out.send(type(request.user), request=request._request, user=request.user)
        return Response(status=204)


class LogoutAllView(ConfirmedView):
    authentication_classes = [TokenAuthentication]

    @extend_schema(
        operation_id="logout_all",
        tags=["auth"],
        request=OwnPasswordSerializer,
        responses={204: None},
    )
    def post(self, request: Request) -> Response:
        """Revoke every token of the account. A request with a named token needs the password."""
        if tokens.is_named(request.auth):
            self.confirm(request)
        tokens.end_all(self.account())
        user_logged_out.send(type(request.user), request=request._request, user=request.user)
        return Response(status=204)


class MeView(ApiView):
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="me", tags=["auth"], responses={200: MeSerializer})
    def get(self, request: Request) -> Response:
        """The account that this token or session belongs to."""
        return Response(MeSerializer(request.user).data)
