"""Security events from signals of Django and allauth: sign-ins and failed ones, passwords,
second factors, addresses, new accounts, tokens.

If a change shows in rows, this listens to the rows, so that it covers allauth's pages, our API,
the admin and commands. It only records and decides nothing.
"""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account_signals
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa_signals
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth_signals
from django.db.models import Q, QuerySet
from django.db.models.signals import post_delete, post_save, pre_delete
from django.http import HttpRequest
from django.utils import timezone
from knox.models import AuthToken

from gallery import trail
from gallery.models import ApiToken, User
from gallery.trail import Event


def connect() -> None:
    for signal, receiver, sender in (
        (auth_signals.user_logged_in, _signed_in, None),
        (auth_signals.user_logged_out, _signed_out, None),
        (auth_signals.user_login_failed, _sign_in_failed, None),
        (account_signals.password_reset, _password_reset, None),
        (account_signals.email_confirmed, _email_confirmed, None),
        (account_signals.email_changed, _email_changed, None),
        (mfa_signals.authentication_failed, _second_factor_failed, None),
        (mfa_signals.authenticator_reset, _recovery_codes_made, None),
        (mfa_signals.authenticator_used, _second_factor_used, None),
        (post_save, _account_saved, User),
        (post_save, _factor_added, Authenticator),
        (post_delete, _factor_removed, Authenticator),
        (post_save, _email_added, EmailAddress),
        (post_delete, _email_removed, EmailAddress),
        (post_save, _token_issued, ApiToken),
        (pre_delete, _token_ended, AuthToken),
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"trail.{receiver.__name__}")


# --- Signing in -------------------------------------------------------------------------


def _signed_in(sender: Any, request: HttpRequest | None, user: User, **_kwargs: Any) -> None:
    steps = getattr(request, "session", {}).get("account_authentication_methods", [])
    methods = [step.get("type") or step.get("method") for step in steps]
    trail.record(Event.SIGNED_IN, user, by=user, methods=methods or ["password"])


def _signed_out(sender: Any, user: User | None, **_kwargs: Any) -> None:
    if user is not None:
        trail.record(Event.SIGNED_OUT, user, by=user)


def _sign_in_failed(sender: Any, credentials: dict[str, Any], **_kwargs: Any) -> None:
    """Record a failed sign-in, or a failed confirmation by a signed-in account."""
    confirming = trail.actor()
    if confirming is not None:
        trail.failed(Event.CONFIRMATION_FAILED, confirming)
        return
    named = [credentials.get("username"), credentials.get("email"), credentials.get("login")]
    trail.failed(Event.SIGN_IN_FAILED, _account_called(named))


def _account_called(names: list[Any]) -> User | None:
    """The account that has one of these names or addresses. Unknown names are not recorded."""
    typed = [name for name in names if isinstance(name, str) and name and "\x00" not in name]
    matches = Q(pk__in=[])
    for name in typed:
        matches |= Q(username__iexact=name) | Q(email__iexact=name)
    return User.objects.filter(matches).order_by("pk").first() if typed else None


def _password_reset(sender: Any, user: User, **_kwargs: Any) -> None:
    trail.record(Event.PASSWORD_RESET, user)


# --- Second factors ---------------------------------------------------------------------


def _second_factor_failed(sender: Any, user: User, **_kwargs: Any) -> None:
    trail.failed(Event.SECOND_FACTOR_FAILED, user)


def _second_factor_used(sender: Any, user: User, authenticator: Authenticator, **_k: Any) -> None:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        trail.record(Event.RECOVERY_CODE_USED, user, by=user)


def _recovery_codes_made(sender: Any, user: User, **_kwargs: Any) -> None:
    trail.record(Event.RECOVERY_CODES_MADE, user)


def _factor_added(sender: Any, instance: Authenticator, created: bool, **_kwargs: Any) -> None:
    if not created:
        return
    if instance.type == Authenticator.Type.RECOVERY_CODES:
        trail.record(Event.RECOVERY_CODES_MADE, instance.user)
    else:
        trail.record(Event.SECOND_FACTOR_ADDED, instance.user, type=instance.type)


def _factor_removed(sender: Any, instance: Authenticator, origin: Any, **_kwargs: Any) -> None:
    if not _goes_with_account(origin):
        trail.record(Event.SECOND_FACTOR_REMOVED, instance.user, type=instance.type)


# --- Accounts, addresses, tokens --------------------------------------------------------


def _account_saved(
    sender: Any, instance: User, created: bool, update_fields: Any, **_kwargs: Any
) -> None:
    if created:
        trail.record(Event.ACCOUNT_MADE, instance, role=instance.role)
    elif _has_new_password(instance) and (update_fields is None or "password" in update_fields):
        trail.record(Event.PASSWORD_CHANGED, instance)


def _has_new_password(user: User) -> bool:
    """Whether this save sets a new password. Django keeps the new password on the instance for
    its validators until the save, but not if it only upgrades a hash."""
    return getattr(user, "_password", None) is not None


def _email_added(sender: Any, instance: EmailAddress, created: bool, **_kwargs: Any) -> None:
    if created:
        trail.record(Event.EMAIL_ADDED, instance.user, email=trail.masked(instance.email))


def _email_removed(sender: Any, instance: EmailAddress, origin: Any, **_kwargs: Any) -> None:
    if not _goes_with_account(origin):
        trail.record(Event.EMAIL_REMOVED, instance.user, email=trail.masked(instance.email))


def _email_confirmed(sender: Any, email_address: EmailAddress, **_kwargs: Any) -> None:
    masked = trail.masked(email_address.email)
    trail.record(Event.EMAIL_CONFIRMED, email_address.user, email=masked)


def _email_changed(sender: Any, user: User, to_email_address: EmailAddress, **_k: Any) -> None:
    trail.record(Event.EMAIL_CHANGED, user, email=trail.masked(to_email_address.email))


def _token_issued(sender: Any, instance: ApiToken, created: bool, **_kwargs: Any) -> None:
    if created:
        user = instance.token.user
        trail.record(Event.TOKEN_ISSUED, user, instance, name=instance.name, scope=instance.scope)


def _token_ended(sender: Any, instance: AuthToken, origin: Any, **_kwargs: Any) -> None:
    """Record the end of a token before its row and its name are deleted. A token from a sign-in
    has no name. An expired token is not recorded: it had ended before."""
    had_expired = instance.expiry is not None and instance.expiry <= timezone.now()
    if had_expired or _goes_with_account(origin):
        return
    described = ApiToken.objects.filter(token=instance).first()
    if described is not None:
        trail.record(Event.TOKEN_ENDED, instance.user, described, name=described.name)
    else:
        trail.record(Event.SIGN_IN_TOKEN_ENDED, instance.user)


def _goes_with_account(origin: Any) -> bool:
    """Whether the row is deleted together with its account."""
    model = origin.model if isinstance(origin, QuerySet) else type(origin)
    return bool(model is User)
