"""Tokens of the API: those that signing in gives, and named ones that an account gives to
programs. Only their hashes are kept.

Each is bound to what signed in when it was made (gallery.accounts.credentials): rows of
tokens that have ended so are nothing, and go when the next one is made.
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
# How exactly "last used" is known: not every request should write.
_USE_NOTED_EVERY = timedelta(minutes=1)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """What the account page lists, by name; expired ones too, until removed."""
    bound = ApiToken.objects.filter(
        token__user=user, token__binding__credentials=user.credentials_digest
    )
    return bound.select_related("token")


@transaction.atomic
def sign_in(user: User) -> tuple[AuthToken, str]:
    """A token for whoever just signed in as `user`, and its secret. It lives for TOKEN_DAYS."""
    _remove_ended(User.objects.get(pk=user.pk))
    sign_ins_of(user, alive=False).delete()
    made = _make(user, knox_settings.TOKEN_TTL)
    caps.keep_latest(sign_ins_of(user), MAX_TOKENS, by="-created")
    return made


def is_bound(token: AuthToken) -> bool:
    """Whether what gave this token still signs in to the account."""
    binding: TokenBinding | None = getattr(token, "binding", None)
    return binding is not None and constant_time_compare(
        binding.credentials, token.user.credentials_digest
    )


def is_named(token: AuthToken) -> bool:
    """Whether it was made for a program; others came from signing in."""
    return hasattr(token, "description")


def carry_over(before: User, after: User) -> bool:
    """The owner changed what signs in: tokens that signing in gave are gone, named ones go
    on. Whether there are any."""
    AuthToken.objects.filter(user=after, description__isnull=True).delete()
    TokenBinding.rebind(after.pk, before.credentials_digest, after.credentials_digest)
    _remove_ended(after)
    return tokens_of(after).exists()


@transaction.atomic
def issue(user: User, name: str, scope: str, days: int | None) -> tuple[ApiToken, str]:
    """A new token and its secret, which nobody can read again. It lives for `days`
    days, or until it is revoked.

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
    _remove_ended(User.objects.select_for_update().get(pk=user.pk))
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
    """End the token at once; False if the account has no such token."""
    described = tokens_of(user).filter(pk=pk).first()
    if described is None:
        return False
    described.token.delete()
    return True


def revoke_some(user: User, chosen: Collection[UUID]) -> int:
    """End these tokens at once, as far as they are the account's; how many."""
    found = list(tokens_of(user).filter(pk__in=chosen))
    for described in found:
        described.token.delete()
    return len(found)


def sign_ins_of(user: User, alive: bool = True) -> QuerySet[AuthToken]:
    """Tokens that came from signing in through the API with the password."""
    living = Q(expiry__isnull=True) | Q(expiry__gt=timezone.now())
    bound = AuthToken.objects.filter(
        user=user, description__isnull=True, binding__credentials=user.credentials_digest
    )
    return bound.filter(living if alive else ~living)


def end_all(user: User) -> None:
    AuthToken.objects.filter(user=user).delete()


def note_use(described: ApiToken) -> None:
    """Keep the time, unless it was noted a moment ago."""
    now = timezone.now()
    if described.last_used_at is None or described.last_used_at <= now - _USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=described.pk).update(last_used_at=now)


def has_expired(described: ApiToken) -> bool:
    expiry = described.token.expiry
    return expiry is not None and expiry <= timezone.now()


def _make(user: User, lifetime: timedelta | None) -> tuple[AuthToken, str]:
    """Bound to what `user` was when it signed in, not to what the row says by now."""
    token, secret = AuthToken.objects.create(user, expiry=lifetime)
    TokenBinding.objects.create(token=token, credentials=user.credentials_digest)
    return token, secret


def _remove_ended(user: User) -> None:
    """`user` as the row says now."""
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
