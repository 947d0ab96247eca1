"""Authentication of API requests: a token in the header, or the session of the pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from knox import auth as knox
from knox.crypto import hash_token
from knox.models import AuthToken
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS

from gallery import prepared
from gallery.accounts import tokens
from gallery.models import ApiToken, TokenBinding, User

if TYPE_CHECKING:
    from rest_framework.request import Request

_TOKEN = re.compile(rb"[0-9a-f]{64}")


_FIND = """
    SELECT {columns},
           token.token_key, token.created AS token_created, token.expiry AS token_expiry,
           binding.credentials AS bound_to,
           described.id AS described, described.scope, described.last_used_at
    FROM knox_authtoken token
    JOIN gallery_user account ON account.id = token.user_id
    LEFT JOIN gallery_tokenbinding binding ON binding.token_id = token.digest
    LEFT JOIN gallery_apitoken described ON described.token_id = token.digest
    WHERE token.digest = %s
"""

# A read-only token may also POST to these: their queries are too long for an address.
_QUESTIONS = {
    *("api:search", "api:search-pictures", "api:search-parse"),
    *("api:classify", "api:image-classify"),
    *("api:label-set-preview", "api:label-set-evaluate", "api:label-sets-sort"),
}


class TokenAuthentication(knox.TokenAuthentication):
    """Authenticate by the header `Authorization: Token …`.

    Looks the token up by its digest, the primary key. This takes one query, independent of the
    number of tokens of the account. (knox reads all of them to delete expired ones; here this
    happens at sign-in.) A malformed token does not reach the database.
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
        auth_token = _token_with(hash_token(token.decode()))
        if auth_token is None:
            raise _invalid_token()
        is_over = auth_token.expiry is not None and auth_token.expiry <= timezone.now()
        if is_over or not auth_token.user.is_active or not tokens.is_bound(auth_token):
            raise _invalid_token()
        return auth_token.user, auth_token


def _token_with(digest: str) -> AuthToken | None:
    """Load the token with its account, binding and description. Every request runs this query,
    so it is a prepared statement."""
    statement = _FIND.format(columns=prepared.columns(User, "account"))
    found: list[Any] = prepared.instances(User, statement, [digest])
    if not found:
        return None
    user = found[0]
    token = _known(
        AuthToken,
        digest=digest,
        token_key=user.token_key,
        user_id=user.pk,
        created=user.token_created,
        expiry=user.token_expiry,
    )
    related = token._state.fields_cache
    related["user"] = user
    related["binding"] = related["description"] = None
    if user.bound_to:
        related["binding"] = _known(TokenBinding, token_id=digest, credentials=user.bound_to)
    if user.described:
        related["description"] = _known(
            ApiToken,
            id=user.described,
            token_id=digest,
            scope=user.scope,
            last_used_at=user.last_used_at,
        )
    return token


def _known(model: type[Model], **fields: Any) -> Any:
    """Build an instance from these fields, given in the model's order. Other fields are loaded
    on first access."""
    return model.from_db(connection.alias, list(fields), list(fields.values()))


def _description_of(token: AuthToken) -> ApiToken | None:
    """Return the named token's description, or None for a sign-in token, which may do
    everything."""
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
    """Authenticate by the session cookie of the pages. Requests that write need the CSRF
    token."""

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refusal:
            raise PermissionDenied(
                _("The form has expired: reload the page and try again."), code="csrf_failed"
            ) from refusal
