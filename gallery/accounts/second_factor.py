"""Signing in with more than a password, and saying again who one is."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.models import User
from gallery.trail import Event

_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def is_needed(user: User) -> bool:
    """Whether the password alone does not sign this account in. Recovery codes that
    are left over from a removed factor do not count."""
    return bool(is_mfa_enabled(user, _FACTORS))


def is_right(user: User, code: str) -> bool:
    """Whether `code` is one of the authenticator app's, or a recovery code; it is used
    up. After some wrong ones no more are taken for a while (allauth counts them)."""
    form = AuthenticateForm(user=user, data={"code": code})
    is_right = bool(form.is_valid())
    if is_right and form.authenticator.type == Authenticator.Type.RECOVERY_CODES:
        trail.record(Event.RECOVERY_CODE_USED, user, by=user)
    return is_right


def confirm_password(user: User, password: str, field: str = "password") -> None:
    """Raises Refusal (wrong_password, too_many_tries): whoever holds a session or a
    token may not be its owner. Only while a request is answered: tries are counted
    by account and address."""
    try:
        right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise Refusal("too_many_tries", str(error.messages[0]), field) from error
    if not right:
        raise Refusal("wrong_password", _("This is not your password."), field)
