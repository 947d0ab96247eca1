"""Second factors of accounts."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled

from gallery import trail
from gallery.models import User
from gallery.trail import Event

_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
_TOLD = {
    Authenticator.Type.TOTP: "mfa/email/totp_deactivated",
    Authenticator.Type.WEBAUTHN: "mfa/email/webauthn_removed",
}


def is_needed(user: User) -> bool:
    """Whether this account needs a second factor to sign in. Recovery codes left over from a
    removed factor do not count."""
    return bool(is_mfa_enabled(user, _FACTORS))


def remove(factor: Authenticator) -> None:
    """Remove a factor whose owner has lost it, and notify the owner. With the last factor the
    recovery codes go, too. Works only during a request."""
    told = _TOLD.get(factor.type)
    factor.delete()
    delete_dangling_recovery_codes(factor.user)
    if told:
        get_adapter().send_notification_mail(told, factor.user)


def is_right(user: User, code: str) -> bool:
    """Whether `code` is a valid code of the authenticator app or a recovery code. This uses the
    code up. After some wrong codes allauth refuses further ones for a while."""
    form = AuthenticateForm(user=user, data={"code": code})
    is_right = bool(form.is_valid())
    if is_right and form.authenticator.type == Authenticator.Type.RECOVERY_CODES:
        trail.record(Event.RECOVERY_CODE_USED, user, by=user)
    return is_right
