"""Where allauth asks us: who may register, and what things are called."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from gallery import trail
from gallery.accounts import invitations, registration
from gallery.models import User
from gallery.trail import Event


def invitation_code(request: HttpRequest) -> str:
    """The code of the address that somebody follows to sign up, or of the form there."""
    code = request.POST.get("invitation") or request.GET.get("invitation") or ""
    return str(code)


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return registration.admits(invitation_code(request))

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """The account and the use of its invitation, or neither of them.

        Raises Refusal (see `invitations.redeem`): somebody else was quicker.
        """
        if registration.is_open():
            return super().save_user(request, user, form, commit)
        with transaction.atomic():
            email = form.cleaned_data.get("email", "")
            invitation = invitations.redeem(invitation_code(request), email)
            saved = super().save_user(request, user, form, commit)
            invitations.mark_used(invitation, saved)
        return saved

    def get_client_ip(self, request: HttpRequest) -> str:
        """The address that limits count by, as the API's do (PROXY_COUNT)."""
        return BaseThrottle().get_ident(Request(request)) or "unknown"  # as behind a socket

    def validation_error(self, code: str, *args: Any) -> Exception:
        """Where allauth says that something has been tried too often, password or code."""
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
        """allauth's, without the greeting at every sign-in: the page shows who it is."""
        if message_template not in _UNSAID:
            super().add_message(request, level, message_template, *args, **kwargs)


_UNSAID = {"account/messages/logged_in.txt", "account/messages/logged_out.txt"}


class SecondFactorAdapter(DefaultMFAAdapter):
    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)d") % {"number": number}
