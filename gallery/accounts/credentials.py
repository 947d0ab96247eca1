"""What signs in to an account, and what ends when that changes.

Sessions and tokens are bound to `User.credentials_digest`, which is made of the password
and of a number that `renew` raises. So each way to change the password ends all of them,
those of Django and of the command line too. Only `changed_by_owner` lets something go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest

from gallery.accounts import sessions, tokens
from gallery.models import User

# In the session of who has not yet said which named tokens may go on.
_REVIEW = "tokens_to_review"


def forget_unconfirmed(user: User) -> None:
    """Addresses that wait for their confirmation came from who knew the former credentials,
    and the links that were sent to them must not open the account."""
    waiting = EmailAddress.objects.filter(user=user, verified=False)
    waiting.exclude(email__iexact=user.email).delete()


def renew(user: User) -> None:
    """End every session and token of the account, though its password stays."""
    forget_unconfirmed(user)
    User.objects.filter(pk=user.pk).update(credentials_version=F("credentials_version") + 1)
    user.refresh_from_db(fields=["credentials_version"])


@contextmanager
def changed_by_owner(request: HttpRequest) -> Iterator[None]:
    """What signs in may change within, by the hand of its owner: this browser stays signed
    in, and so do named tokens until the owner has been asked. All else ends."""
    with transaction.atomic():
        before = User.objects.select_for_update().get(pk=cast(User, request.user).pk)
        yield
        after = User.objects.get(pk=before.pk)
        if after.credentials_digest != before.credentials_digest:
            forget_unconfirmed(after)
            has_tokens = tokens.carry_over(before, after)
            _stay_signed_in(request, after)
            if has_tokens:
                request.session[_REVIEW] = True


def has_tokens_to_review(request: HttpRequest) -> bool:
    return bool(request.session.get(_REVIEW))


def reviewed(request: HttpRequest) -> None:
    request.session.pop(_REVIEW, None)


def _stay_signed_in(request: HttpRequest, user: User) -> None:
    """In this browser and no other: their sessions would be refused, and their rows go."""
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    sessions.end_all(user, besides=request.session.session_key)


def _factor_changed(
    sender: type[Authenticator], instance: Authenticator, created: bool = True, **kwargs: Any
) -> None:
    if created and instance.type != Authenticator.Type.RECOVERY_CODES:
        renew(instance.user)


def watch_second_factors() -> None:
    """allauth makes and removes second factors in many places, the admin does too: what
    they have in common are the rows."""
    for signal in (post_save, post_delete):
        signal.connect(_factor_changed, sender=Authenticator, dispatch_uid="credentials")
