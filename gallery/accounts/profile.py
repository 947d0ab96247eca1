"""The profile of an account: display name, language, email address."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from gallery import trail
from gallery.errors import Refusal
from gallery.library import texts
from gallery.models import User
from gallery.trail import Event

_MAX_NAME = 100
_MAX_EMAIL = 254


def update(
    user: User,
    *,
    display_name: str | None = None,
    language: str | None = None,
    keep_history: bool | None = None,
    mail_notices: bool | None = None,
) -> None:
    """Change the given fields. An empty name means the username, an empty language that of
    the browser. Raises Refusal (name_too_long, bad_language)."""
    changed = []
    if display_name is not None:
        user.display_name = _clean_name(display_name)
        changed.append("display_name")
    if language is not None:
        if language and language not in dict(settings.LANGUAGES):
            raise Refusal("bad_language", _("Choose one of the languages offered."), "language")
        user.language = language
        changed.append("language")
    if keep_history is not None:
        user.keep_history = keep_history
        changed.append("keep_history")
    if mail_notices is not None:
        user.mail_notices = mail_notices
        changed.append("mail_notices")
    user.save(update_fields=changed)


def applies_at_once() -> bool:
    """Whether a new email address is valid without confirmation by mail, as at sign-up."""
    return bool(settings.ACCOUNT_EMAIL_VERIFICATION == "none")


@transaction.atomic
def replace_email(user: User, email: str) -> EmailAddress:
    """Make `email` the account's only address, and notify the former one. Works only during a
    request. Raises Refusal (bad_email, email_taken)."""
    email = clean_email(email, user)
    former = User.objects.select_for_update(no_key=True).get(pk=user.pk).email
    EmailAddress.objects.filter(user=user).exclude(email__iexact=email).delete()
    address, _created = EmailAddress.objects.get_or_create(user=user, email=email)
    address.set_as_primary()
    user.email = email
    if former and former.lower() != email:
        transaction.on_commit(lambda: tell_former(user, former))
    trail.record(Event.EMAIL_CHANGED, user, email=trail.masked(email))
    return address


def change_email(request: HttpRequest, user: User, email: str) -> EmailAddress:
    """Change the address, at once or after its confirmation by mail. Return the new address.
    Raises Refusal (bad_email, email_taken)."""
    if applies_at_once():
        return replace_email(user, email)
    address: EmailAddress = EmailAddress.objects.add_new_email(request, user, _well_formed(email))
    return address


def tell_former(user: User, former: str) -> None:
    """Notify the former address that the account has another one now. Works only during a
    request."""
    changed = {"from_email": former, "to_email": user.email}
    get_adapter().send_notification_mail("account/email/email_changed", user, changed, former)


def clean_email(email: str, user: User) -> str:
    """Return a valid address that no other account has. Raises Refusal (bad_email,
    email_taken)."""
    email = _well_formed(email)
    others = User.objects.exclude(pk=user.pk).filter(email__iexact=email)
    addresses = EmailAddress.objects.exclude(user=user).filter(email__iexact=email)
    if others.exists() or addresses.exists():
        raise Refusal("email_taken", _("Another account has this email address."), "email")
    return email


def _well_formed(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise Refusal("bad_email", _("This is no email address."), "email") from error
    if len(email) > _MAX_EMAIL:
        raise Refusal("bad_email", _("This email address is too long."), "email")
    return email


def _clean_name(name: str) -> str:
    name = " ".join(name.split())
    if len(name) > _MAX_NAME:
        raise Refusal(
            "name_too_long",
            _("Shorten the name to at most %(most)d characters.") % {"most": _MAX_NAME},
            "display_name",
        )
    return texts.clean_title(name)
