"""Signing in by name and password, for the API. The page is allauth's: both ask the same
adapter, so they count wrong passwords together."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from gallery.models import User
from gallery.sharing.attempt_limits import TooManyAttempts

_WAIT_SECONDS = 300


def check_password(request: HttpRequest, username: str, password: str) -> User | None:
    """The account of this name or e-mail address, if that is its password and it may be
    used. Raises TooManyTries, whether or not the password is right."""
    try:
        user = get_adapter().authenticate(request, username=username, password=password)
    except ValidationError as error:
        raise TooManyAttempts(_WAIT_SECONDS) from error
    return user if user is not None and user.is_active else None
