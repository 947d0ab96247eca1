"""Acts that open or close an account are for whoever is its owner beyond doubt: who holds a
session or a token may not be. What is asked for is decided here, for pages and API."""

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
    """Whether password, code or passkey were given in this session a moment ago, for the
    purpose (ACCOUNT_REAUTHENTICATION_TIMEOUT)."""
    return bool(did_recently_reauthenticate(request))


def require_recent(request: HttpRequest) -> None:
    """For pages: allauth asks, and then goes on with what was sent. Raises
    ReauthenticationRequired."""
    if not is_recent(request):
        raise ReauthenticationRequired


def confirm(request: HttpRequest, user: User, password: str, *, by_token: bool) -> None:
    """A token is never recent: it needs the password with each act. A session needs it
    unless it is recent. Raises Refusal (password_required, wrong_password, too_many_tries).
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
    """Raises Refusal (wrong_password, too_many_tries). Only while a request is answered:
    tries are counted (gallery.accounts.attempts)."""
    try:
        is_right = get_adapter().reauthenticate(user, password)
    except ValidationError as error:
        raise Refusal("too_many_tries", str(error.messages[0]), field) from error
    if not is_right:
        raise Refusal("wrong_password", _("This is not your password."), field)
    user.refresh_from_db(fields=["password"])  # it may have been hashed anew
