"""Confirmation for actions that open or close an account. Only the owner may do them, and a
session or token alone does not prove who that is. This module decides what pages and API ask
for."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery.errors import Refusal
from gallery.models import User


def is_recent(request: HttpRequest) -> bool:
    """Whether this session was reauthenticated with a password, code or passkey within
    ACCOUNT_REAUTHENTICATION_TIMEOUT."""
    return bool(did_recently_reauthenticate(request))


def require_recent(request: HttpRequest) -> None:
    """Require a recent confirmation of a page's request: allauth asks for it and then repeats
    the request. Raises ReauthenticationRequired."""
    if not is_recent(request):
        raise ReauthenticationRequired


def confirm(request: HttpRequest, user: User, password: str, *, by_token: bool) -> None:
    """Require the password for an action. A token needs it each time, a session unless its
    confirmation is recent. Raises Refusal (password_required, wrong_password, too_many_tries).
    """
    if not by_token and is_recent(request):
        return
    if not password:
        raise Refusal(
            "password_required",
            _("This also needs the password of the account."),
            "password",
        )
    confirm_password(user, password)


def confirm_password(user: User, password: str, field: str = "password") -> None:
    """Check the password and count the attempt (gallery.accounts.attempts). Works only during
    a request. Raises Refusal (wrong_password, too_many_tries)."""
    try:
        is_right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise Refusal("too_many_tries", str(error.messages[0]), field) from error
    if not is_right:
        raise Refusal("wrong_password", _("This is not your password."), field)
    user.refresh_from_db(fields=["password"])  # its hash may have been upgraded
