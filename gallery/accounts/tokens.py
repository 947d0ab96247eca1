"""API tokens: those from a sign-in, and named ones for programs. Only their hashes are stored.

Each token is bound to the credentials at its creation (gallery.accounts.credentials). A token
with former credentials is invalid; the creation of the next one deletes its row.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from knox.models import AuthToken
from knox.settings import knox_settings

from gallery.errors import Refusal
from gallery.library import caps, texts
from gallery.models import ApiToken, TokenBinding, User

MAX_DAYS = 3650
MAX_TOKENS = caps.TOKENS
_MAX_NAME = 100
# The precision of "last used": not every request should write.
_USE_NOTED_EVERY = timedelta(minutes=1)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The named tokens that the account page lists, including expired ones until their
    removal."""
    bound = ApiToken.objects.filter(
        token__user=user, token__binding__credentials=user.credentials_digest
    )
    return bound.select_related("token")


@transaction.atomic
def sign_in(user: User) -> tuple[AuthToken, str]:
    """Create a token for a sign-in as `user`, valid for TOKEN_DAYS. Return it and its secret."""
    _remove_ended(User.objects.get(pk=user.pk))
    sign_ins_of(user, alive=False).delete()
    made = _make(user, knox_settings.TOKEN_TTL)
    caps.keep_latest(sign_ins_of(user), MAX_TOKENS, by="-created")
    return made


def is_bound(token: AuthToken) -> bool:
    """Whether the account still has the credentials to which this token is bound."""
    binding: TokenBinding | None = getattr(token, "binding", None)
    return binding is not None and constant_time_compare(
        binding.credentials, token.user.credentials_digest
    )


def is_named(token: AuthToken) -> bool:
    """Whether the token was created for a program; the others come from a sign-in."""
    return hasattr(token, "description")


def carry_over(before: User, after: User) -> bool:
    """Carry named tokens over to new credentials and delete tokens of sign-ins, after the owner
    changed the credentials. Return whether there are any named tokens."""
    AuthToken.objects.filter(user=after, description__isnull=True).delete()
    TokenBinding.rebind(after.pk, before.credentials_digest, after.credentials_digest)
    _remove_ended(after)
    return tokens_of(after).exists()


@transaction.atomic
def issue(user: User, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """Create a named token, valid for `days` days or until it is revoked. Return it and its
    secret, which nobody can read again.

    Raises Refusal (no_name, name_too_long, bad_scope, bad_days, too_many_tokens).
    """
    name = _clean_name(name)
    if scope not in ApiToken.Scope.values:
        raise Refusal("bad_scope", _("Choose what the token may do: read or write."), "scope")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise Refusal(
            "bad_days",
            _("Give a number of days from 1 to %(most)d, or none.") % {"most": MAX_DAYS},
            "expires_in_days",
        )
    _remove_ended(User.objects.select_for_update(no_key=True).get(pk=user.pk))
    if tokens_of(user).count() >= MAX_TOKENS:
        raise Refusal(
            "too_many_tokens",
            _("You have %(most)d tokens: revoke one first.") % {"most": MAX_TOKENS},
        )
    token, secret = _make(user, None if days is None else timedelta(days=days))
    return ApiToken.objects.create(token=token, name=name, scope=scope), secret


def has(user: User, pk: UUID) -> bool:
    return tokens_of(user).filter(pk=pk).exists()


def revoke(user: User, pk: UUID) -> bool:
    """Revoke a token at once. Return False if the account has no such token."""
    described = tokens_of(user).filter(pk=pk).first()
    if described is None:
        return False
    described.token.delete()
    return True


def revoke_some(user: User, chosen: Collection[UUID]) -> int:
    """Revoke those of these tokens that belong to the account, at once. Return their number."""
    found = list(tokens_of(user).filter(pk__in=chosen))
    for described in found:
        described.token.delete()
    return len(found)


def sign_ins_of(user: User, alive: bool = True) -> QuerySet[AuthToken]:
    """The tokens from sign-ins through the API: the valid ones, or with `alive=False` the
    expired ones."""
    living = Q(expiry__isnull=True) | Q(expiry__gt=timezone.now())
    bound = AuthToken.objects.filter(
        user=user, description__isnull=True, binding__credentials=user.credentials_digest
    )
    return bound.filter(living if alive else ~living)


def end_all(user: User) -> None:
    AuthToken.objects.filter(user=user).delete()


def note_use(described: ApiToken) -> None:
    """Record the time of use, unless the last one was recorded a moment ago."""
    now = timezone.now()
    if described.last_used_at is None or described.last_used_at <= now - _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=described.pk).update(last_used_at=now)


def has_expired(described: ApiToken) -> bool:
    expiry = described.token.expiry
    return expiry is not None and expiry <= timezone.now()


def _make(user: User, lifetime: timedelta | None) -> tuple[AuthToken, str]:
    """Create a token bound to the credentials of the given `user` object, as they were at the
    sign-in, and not to those in the row now."""
    token, secret = AuthToken.objects.create(user, expiry=lifetime)
    TokenBinding.objects.create(token=token, credentials=user.credentials_digest)
    return token, secret


def _remove_ended(user: User) -> None:
    """Delete tokens with former credentials. `user` must be fresh from the database."""
    bound = {"binding__credentials": user.credentials_digest}
    AuthToken.objects.filter(user=user).exclude(**bound).delete()


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise Refusal("no_name", _("Give the token a name, so that you know it again."), "name")
    if len(name) > _MAX_NAME:
        raise Refusal(
            "name_too_long",
            _("Shorten the name to at most %(most)d characters.") % {"most": _MAX_NAME},
            "name",
        )
    return texts.clean_title(name)
