"""Who is asking: a token in the header or the session of the pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox import auth as knox
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied

if TYPE_CHECKING:
    from rest_framework.request import Request

    from gallery.models import User

_TOKEN = re.compile(rb"[0-9a-f]{64}")


class TokenAuthentication(knox.TokenAuthentication):
    """`Authorization: Token …`.

    Finds the token by its digest, its primary key: one query however many
    tokens the account has (knox reads them all to drop the expired ones, which
    is done at sign-in here), and nothing malformed reaches the database.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        if not _TOKEN.fullmatch(token):
            raise _invalid_token()
        live = AuthToken.objects.select_related("user").filter(expiry__gt=timezone.now())
        auth_token = live.filter(digest=hash_token(token.decode())).first()
        if auth_token is None or not auth_token.user.is_active:
            raise _invalid_token()
        return auth_token.user, auth_token


def _invalid_token() -> AuthenticationFailed:
    return AuthenticationFailed(
        _("The token is not valid or has expired: sign in again."), code="invalid_token"
    )


class SessionAuthentication(authentication.SessionAuthentication):
    """The cookie of the pages; what changes something needs the CSRF token."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refusal:
            raise PermissionDenied(
                _("The form has expired: reload the page and try again."), code="csrf_failed"
            ) from refusal
