from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from allauth.account import forms as account_forms
from allauth.account.models import EmailAddress
from allauth.core import context
from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from gallery.accounts import attempts, confirmation, credentials, invitations, profile, registration
from gallery.errors import Refusal
from gallery.models import ApiToken, User
from gallery.web.accounts.adapters import invitation_code


@contextmanager
def as_field_error() -> Iterator[None]:
    """Turn a Refusal into a validation error of the field that is being cleaned."""
    try:
        yield
    except Refusal as refusal:
        raise forms.ValidationError(str(refusal.message), refusal.code) from refusal


class LoginForm(account_forms.LoginForm):
    """allauth's form, with a label that says what to type."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("Username or email address")
        self.fields["login"].widget.attrs["autofocus"] = True
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class SignupForm(account_forms.SignupForm):
    """allauth's form, with the invitation in a hidden field."""

    invitation = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
        invitation = registration.needed_invitation(invitation_code(context.request))
        if invitation is not None:
            self.fields["invitation"].initial = invitation.code
            self.fields["email"].initial = invitation.email

    def clean_email(self) -> str:
        email = super().clean_email()
        invitation = registration.needed_invitation(self.data.get("invitation", ""))
        if invitation is not None:
            with as_field_error():
                invitations.refuse_other_address(invitation, email)
        return str(email)


class ChangeEmailForm(account_forms.AddEmailForm):
    """allauth's form. If addresses are not verified, the new one applies immediately."""

    def clean_email(self) -> str:
        if not profile.applies_at_once():
            return str(super().clean_email())
        with as_field_error():
            return profile.clean_email(self.cleaned_data["email"], self.user)

    def save(self, request: HttpRequest) -> Any:
        return profile.change_email(request, self.user, self.cleaned_data["email"])


class ChangePasswordForm(account_forms.ChangePasswordForm):
    """allauth's form, which also counts wrong passwords here."""

    def clean_oldpassword(self) -> str:
        password = str(self.cleaned_data["oldpassword"])
        with as_field_error():
            confirmation.confirm_password(self.user, password)
        return password


class ResetPasswordForm(account_forms.ResetPasswordForm):
    """allauth's form. An address that was added but never confirmed cannot reset a password."""

    users: list[User]

    def clean_email(self) -> str:
        email: str = super().clean_email()
        self.users = [user for user in self.users if self._is_theirs(user, email)]
        return email

    @staticmethod
    def _is_theirs(user: User, email: str) -> bool:
        confirmed = EmailAddress.objects.filter(user=user, email__iexact=email, verified=True)
        return user.email.lower() == email.lower() or confirmed.exists()


class ResetPasswordKeyForm(account_forms.ResetPasswordKeyForm):
    """allauth's form. A person who has the mail is the owner, so wrong passwords no longer block
    the sign-in."""

    def save(self) -> None:
        super().save()
        attempts.forget(context.request, self.user)
        credentials.forget_unconfirmed(self.user)


class ProfileForm(forms.ModelForm):
    """The profile. gallery.accounts.profile saves it."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("Same as my browser")), *settings.LANGUAGES],
    )

    class Meta:
        model = User
        fields = ["display_name", "language", "mail_notices"]
        help_texts = {"mail_notices": _("To your email address, once it is confirmed.")}


class TokenForm(forms.Form):
    """The fields of a new token. gallery.accounts.tokens validates them."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("So that you know it again later.")
    )
    scope = forms.ChoiceField(
        label=_("May"),
        choices=ApiToken.Scope.choices,
        initial=ApiToken.Scope.READ,
        widget=forms.RadioSelect,
    )
    days = forms.TypedChoiceField(
        label=_("Expires"),
        coerce=int,
        empty_value=None,
        required=False,
        initial=90,
        choices=[
            (7, _("after a week")),
            (30, _("after 30 days")),
            (90, _("after 90 days")),
            (365, _("after a year")),
            ("", _("never")),
        ],
    )


class TokenReviewForm(forms.Form):
    """Tokens of `named` to revoke, or the button that keeps all of them."""

    tokens = forms.ModelMultipleChoiceField(ApiToken.objects.none(), required=False)
    keep = forms.CharField(required=False)

    def __init__(self, *args: Any, named: QuerySet[ApiToken], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ModelMultipleChoiceField, self.fields["tokens"]).queryset = named

    def chosen(self) -> list[UUID]:
        if self.cleaned_data["keep"]:
            return []
        return [described.pk for described in self.cleaned_data["tokens"]]


class InvitationForm(forms.Form):
    """A new invitation. gallery.accounts.invitations validates it."""

    email = forms.EmailField(
        label=_("Email address"),
        required=False,
        help_text=_("Optional: then nobody else can use it, and it is sent there."),
    )
    days = forms.TypedChoiceField(
        label=_("Works for"),
        coerce=int,
        initial=invitations.DEFAULT_DAYS,
        choices=[(1, _("a day")), (7, _("a week")), (30, _("30 days"))],
    )


class DeleteAccountForm(forms.Form):
    """The confirmation of a deletion. gallery.web.accounts.account checks both fields."""

    username = forms.CharField(max_length=150)
    password = forms.CharField(
        label=_("Your password"),
        max_length=1000,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
