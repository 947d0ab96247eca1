"""Passwords that anybody would try first: made of the name of the site or of the person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from difflib import SequenceMatcher

from django.conf import settings
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from gallery.models import User

# Shorter ones are in many words by chance: enough has to be left without them.
_LONG = 4
_ENOUGH = 8
_RESEMBLES = 0.75
# Nobody tries longer ones first, and what compares names is slow.
_LOOKED_AT = 128
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")


class NamesValidator:
    """Refuses what contains, or nearly is, a name of the site or of the person: forwards or
    backwards, in any case, with digits for letters or added."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = list(names)

    def validate(self, password: str, user: object = None) -> None:
        names = {*self._names, *_hosts(), *_names_of(user)}
        spelled = [(spelling, spelling(password[:_LOOKED_AT])) for spelling in _SPELLINGS]
        if any(_is_in(name[:_LOOKED_AT], spelled) for name in names):
            raise ValidationError(self.get_help_text(), code="password_has_a_name")

    def get_help_text(self) -> str:
        return _(
            "Your password cannot contain or resemble the name of this site, your name or "
            "your address."
        )


def _hosts() -> Iterator[str]:
    """The names that browsers know the site by, whole and in parts."""
    for host in settings.ALLOWED_HOSTS:
        is_number = host.startswith("[") or not re.search("[a-z]", host, re.IGNORECASE)
        if not is_number:
            yield host
            yield from host.split(".")[:-1]


def _names_of(user: object) -> Iterator[str]:
    if isinstance(user, User):
        yield user.email
        for name in (user.username, user.display_name, user.email.partition("@")[0]):
            yield name
            yield from re.split(r"[\W_]+", name)


def _is_in(name: str, password: Iterable[tuple[Spelling, str]]) -> bool:
    return any(
        _holds(spelled, direction)
        for spelling, spelled in password
        for direction in (spelling(name), spelling(name)[::-1])
    )


def _holds(password: str, name: str) -> bool:
    """Whether too much of the password is the name."""
    if len(name) >= _LONG:
        return name in password or _resembles(password, name)
    if len(name) < 2 or name not in password:
        return False
    left = password.replace(name, "")
    return len(left) < _ENOUGH or left.isdigit() or _is_common(left)


def _resembles(password: str, name: str) -> bool:
    is_near = 0.5 < len(password) / len(name) < 2
    return is_near and SequenceMatcher(None, password, name).ratio() >= _RESEMBLES


def _is_common(password: str) -> bool:
    try:
        CommonPasswordValidator().validate(password)
    except ValidationError:
        return True
    return False


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(filter(str.isalnum, folded))


def _letters(text: str) -> str:
    """Without digits, which are often put before, between and after."""
    return "".join(filter(str.isalpha, _plain(text)))


def _as_read(text: str) -> str:
    """Digits and signs as the letters that they stand for."""
    return _plain(unicodedata.normalize("NFKC", text).translate(_LOOKALIKES))


Spelling = Callable[[str], str]
_SPELLINGS: tuple[Spelling, ...] = (_plain, _letters, _as_read)
