"""The credentials of an account, and the sessions and tokens that end when they change.

Sessions and tokens are bound to `User.credentials_digest`, which depends on the password and on
a number that `renew` increments. So each way to change the password ends all of them, also
those in Django and on the command line. Only `changed_by_owner` lets some continue.
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

# The session key that marks owners who have not yet decided which named tokens may continue.
_REVIEW = "tokens_to_review"


def forget_unconfirmed(user: User) -> None:
    """Delete unconfirmed addresses. They came from somebody with the former credentials, and
    the links sent to them must not open the account."""
    waiting = EmailAddress.objects.filter(user=user, verified=False)
    waiting.exclude(email__iexact=user.email).delete()


def renew(user: User) -> None:
    """End all sessions and tokens of the account without changing its password."""
    forget_unconfirmed(user)
    User.objects.filter(pk=user.pk).update(credentials_version=F("credentials_version") + 1)
    user.refresh_from_db(fields=["credentials_version"])


@contextmanager
def changed_by_owner(request: HttpRequest) -> Iterator[None]:
    """Allow the owner to change credentials inside the block. This browser stays signed in, and
    named tokens stay valid until the owner has been asked. All others end."""
    with transaction.atomic():
        before = User.objects.select_for_update(no_key=True).get(pk=cast(User, request.user).pk)
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
    """Keep only this browser signed in. The sessions of the others are invalid; delete their
    rows."""
    update_session_auth_hash(request, user)
    UserSession.objects.create_from_request(request)
    sessions.end_all(user, besides=request.session.session_key)


def _factor_changed(
    sender: type[Authenticator], instance: Authenticator, created: bool = True, **kwargs: Any
) -> None:
    if created and instance.type != Authenticator.Type.RECOVERY_CODES:
        renew(instance.user)


def watch_second_factors() -> None:
    """Renew the credentials whenever a second factor is added or removed. allauth and the admin
    do that in many places, so this listens to changes of the rows."""
    for signal in (post_save, post_delete):
        signal.connect(_factor_changed, sender=Authenticator, dispatch_uid="credentials")
