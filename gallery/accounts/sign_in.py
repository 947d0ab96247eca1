"""Sign-in with name and password for the API. allauth has the sign-in page. Both use the same
adapter, so they share the count of wrong passwords."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from gallery.models import User
from gallery.sharing.attempt_limits import TooManyAttempts

_WAIT_SECONDS = 300


def check_password(request: HttpRequest, username: str, password: str) -> User | None:
    """Return the account with this name or email address, if the password is right and the
    account is active. Raises TooManyAttempts, whether or not the password is right."""
    try:
        user = get_adapter().authenticate(request, username=username, password=password)
    except ValidationError as error:
        raise TooManyAttempts(_WAIT_SECONDS) from error
    return user if user is not None and user.is_active else None
