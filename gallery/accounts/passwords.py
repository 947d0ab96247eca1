"""Refuses passwords that attackers try first: those made from the name of the site or of the
person."""

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

# Shorter names occur in many words by chance. They may occur if _ENOUGH other characters are
# left.
_LONG = 4
_ENOUGH = 8
_RESEMBLES = 0.75
# Characters that are compared, as the comparison is slow. Attackers do not try longer ones
# first.
_LOOKED_AT = 128
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")


class NamesValidator:
    """Refuses passwords that contain or resemble a name of the site or of the person: forwards
    or backwards, in any case, with digits instead of letters or added digits."""

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
    """The host names of the site, whole and in parts."""
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
    """Whether the password consists of the name for the most part, or resembles it."""
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
    """The letters only: digits are often put before, between and after them."""
    return "".join(filter(str.isalpha, _plain(text)))


def _as_read(text: str) -> str:
    """The text with digits and signs replaced by the letters that they stand for."""
    return _plain(unicodedata.normalize("NFKC", text).translate(_LOOKALIKES))


Spelling = Callable[[str], str]
_SPELLINGS: tuple[Spelling, ...] = (_plain, _letters, _as_read)
