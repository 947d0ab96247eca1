"""Adapters that customise allauth: who may register, how wrong passwords count, who gets
notifications, and the names of passkeys."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils import translation
from django.utils.translation import gettext as _

from gallery import trail
from gallery.accounts import attempts, invitations, profile, registration, roles, sessions
from gallery.models import User
from gallery.requester import address_of
from gallery.trail import Event

logger = logging.getLogger(__name__)


def invitation_code(request: HttpRequest) -> str:
    """Return the invitation code from the sign-up form or from the address of its page."""
    code = request.POST.get("invitation") or request.GET.get("invitation") or ""
    return str(code)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return registration.admits(invitation_code(request))

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """Save the account and mark its invitation as used, in one transaction.

        Raises Refusal (see `invitations.redeem`) if another person has used it meanwhile.
        """
        if registration.is_open():
            return super().save_user(request, user, form, commit)
        with transaction.atomic():
            email = form.cleaned_data.get("email", "")
            invitation = invitations.redeem(invitation_code(request), email)
            saved = super().save_user(request, user, form, commit)
            invitations.mark_used(invitation, saved)
        return saved

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm the address and notify the former one. allauth notifies it only if it has a row
        for it, and accounts that were not made by allauth have none."""
        former = User.objects.get(pk=email_address.user_id).email
        is_told = EmailAddress.objects.filter(user_id=email_address.user_id, email__iexact=former)
        untold = former and former.lower() != email_address.email and not is_told.exists()
        confirmed = bool(super().confirm_email(request, email_address))
        if confirmed and untold:
            profile.tell_former(email_address.user, former)
        return confirmed

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt for the account, whichever of its names was typed. Raises
        ValidationError (too_many_login_attempts)."""
        logins = [credentials.get("username", ""), credentials.get("email", "")]
        # allauth reads this attribute to take back the count of a correct attempt.
        self._login_failed_rl_usage = attempts.count(request, logins)
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Normalise the Unicode of the name as Django's own forms do, then clean it."""
        return str(super().clean_username(User.normalize_username(username), shallow))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        if name := credentials.get("username"):
            credentials["username"] = User.normalize_username(name)
        user: User | None = super().authenticate(request, **credentials)
        if user is not None:
            attempts.remember(request, user)
        return user

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Send a notification, also to an address that was never verified, in the language of the
        account. An error of the mail server is only logged: it must not stop the user from
        protecting the account."""
        by = self.request.user
        told = {
            **(context or {}),
            "name": user.get_username(),
            "browser": sessions.describe(self.get_http_user_agent(self.request)),
            "by_administrator": roles.is_administrator(by) and by != user,
            "security_url": self.request.build_absolute_uri(resolve_url("mfa_index")),
        }
        with translation.override(user.language or translation.get_language()):
            try:
                super().send_notification_mail(template_prefix, user, told, email or user.email)
            except OSError as error:  # the base class of SMTP errors, too
                logger.warning("%s was not told of %s: %s", user.pk, template_prefix, error)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that rate limits use, the same as for the API (PROXY_COUNT)."""
        return address_of(request) or "unknown"  # for example behind a Unix socket

    def validation_error(self, code: str, *args: Any) -> Exception:
        """Also record in the trail that there were too many attempts, for a password or a code."""
        if code == "too_many_login_attempts":
            trail.failed(Event.SIGN_IN_LOCKED, trail.actor())
        return super().validation_error(code, *args)

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        super().send_password_reset_mail(user, email, context)
        trail.record(Event.PASSWORD_RESET_ASKED, user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url("mfa_index")

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """Add a message, except those after signing in and out: the page shows the state."""
        if message_template not in _UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)


_UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class SecondFactorAdapter(DefaultMFAAdapter):
    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}
