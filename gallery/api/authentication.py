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
from rest_framework.permissions import SAFE_METHODS

from gallery.accounts import tokens
from gallery.models import ApiToken

if TYPE_CHECKING:
    from rest_framework.request import Request

    from gallery.models import User

_TOKEN = re.compile(rb"[0-9a-f]{64}")


# What a token that may only read may also ask for: questions too long for an address.
_QUESTIONS = {
    *("api:search", "api:search-pictures", "api:search-parse"),
    *("api:classify", "api:image-classify"),
}


class TokenAuthentication(knox.TokenAuthentication):
    """`Authorization: Token …`.

    Finds the token by its digest, its primary key: one query however many
    tokens the account has (knox reads them all to drop the expired ones, which
    is done at sign-in here), and nothing malformed reaches the database.
    """

    def authenticate(self, request: Request) -> tuple[User, AuthToken] | None:
        found: tuple[User, AuthToken] | None = super().authenticate(request)
        if found is not None:
            described = _description_of(found[1])
            if described is not None:
                _check_scope(described, request)
                tokens.note_use(described)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, AuthToken]:
        if not _TOKEN.fullmatch(token):
            raise _invalid_token()
        known = AuthToken.objects.select_related("user", "description", "binding")
        try:
            auth_token = known.get(digest=hash_token(token.decode()))
        except AuthToken.DoesNotExist:
            raise _invalid_token() from None
        is_over = auth_token.expiry is not None and auth_token.expiry <= timezone.now()
        if is_over or not auth_token.user.is_active or not tokens.is_bound(auth_token):
            raise _invalid_token()
        return auth_token.user, auth_token


def _description_of(token: AuthToken) -> ApiToken | None:
    """None for a token that came from signing in: it may do everything."""
    described: ApiToken | None = getattr(token, "description", None)
    return described


def _check_scope(described: ApiToken, request: Request) -> None:
    if described.scope == ApiToken.Scope.WRITE or request.method in SAFE_METHODS:
        return
    match = request.resolver_match
    if not (request.method == "POST" and match and match.view_name in _QUESTIONS):
        raise PermissionDenied(
            _("This token may only read. Use one that may write."), code="read_only_token"
        )


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
