"""Limits how often somebody may enter a wrong password. Pages and API, sign-in and confirmation
share one count, whichever name of the account is used.

A wrong password counts for the address, for the account at that address, and for the account
at all addresses from which it has not signed in lately (ACCOUNT_RATE_LIMITS). The last limit
stops distributed guessing, and cannot lock the owner out at a usual address. allauth's adapter
calls this module (gallery.web.accounts.adapters).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.http import HttpRequest

from gallery.models import User

_APP = "allauth.account"
_HERE = "login_failed"
_ELSEWHERE = "login_failed_elsewhere"
_KNOWN_SECONDS = 30 * 24 * 3600


def count(request: HttpRequest, logins: Iterable[str]) -> ratelimit.RateLimitUsage | None:
    """Count an attempt to sign in as `logins`, before the password is checked. Return None if
    there were too many; else an object that takes the attempt back if the password is right."""
    usage = ratelimit.RateLimitUsage(usage=[])
    for action, key in _counters(request, _named(logins)):
        counted = ratelimit.consume(request, app=_APP, action=action, key=key)
        if counted is None:
            usage.rollback()
            return None
        usage.usage += counted.usage
    return usage


def remember(request: HttpRequest, user: User) -> None:
    """Record that the account signed in from this address, so that attempts from elsewhere do
    not lock it here."""
    cache.set(_known_key(request, _key(user)), True, _KNOWN_SECONDS)


def forget(request: HttpRequest, user: User) -> None:
    """Reset the counts for an owner who has proved their identity in another way."""
    for action, key in _counters(request, [_key(user)]):
        ratelimit.clear(request, app=_APP, action=action, key=key)


def _counters(request: HttpRequest, accounts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for account in accounts:
        yield _HERE, f"{account}:{ratelimit.get_ip(request)}"
        if not cache.get(_known_key(request, account)):
            yield _ELSEWHERE, account


def _named(logins: Iterable[str]) -> list[str]:
    """The keys of the accounts that `logins` may mean, found in the same way as by sign-in.
    Unknown names count as well, so that a lock does not tell whether an account exists."""
    # All names are normalised, known or not, for the same reason.
    names = {unicodedata.normalize("NFKC", login).strip() for login in logins if login}
    found = {user for name in names for user in _users(name)}
    return sorted({_key(user) for user in found} or {f"name:{name.casefold()}" for name in names})


def _users(login: str) -> Iterator[User]:
    by_name = get_user_by_username(login)
    if isinstance(by_name, User):
        yield by_name
    yield from filter_users_by_email(login, prefer_verified=True, for_login=True)


def _key(user: User) -> str:
    return f"account:{user.pk}"


def _known_key(request: HttpRequest, account: str) -> str:
    return f"signed-in:{account}:{ratelimit.get_ip(request)}"
