"""allauth's pages that change the credentials of an account, with additions: other sessions and
sign-in tokens end, this browser stays signed in, and the owner reviews the named tokens.
"""

from __future__ import annotations

from allauth.account import views as account_views
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import reauthenticate_by_password
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as webauthn_views
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator

from gallery.accounts import credentials


class ChangedByOwner:
    """Redirects to the review of tokens after a change. If there are new recovery codes, their
    page comes first and links to the review."""

    request: HttpRequest
    did_generate_recovery_codes = False

    def form_valid(self, form: BaseForm) -> HttpResponse:
        with credentials.changed_by_owner(self.request):
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]
        if credentials.has_tokens_to_review(self.request) and not self.did_generate_recovery_codes:
            response["Location"] = resolve_url("account_tokens_review")
        return response


class PasswordChangeView(ChangedByOwner, account_views.PasswordChangeView):
    def form_valid(self, form: BaseForm) -> HttpResponse:
        response = super().form_valid(form)
        reauthenticate_by_password(self.request)  # the form contained the password
        return response


@method_decorator(reauthentication_required(app="allauth.account"), name="dispatch")
class PasswordSetView(ChangedByOwner, account_views.PasswordSetView):
    """Also requires a recent confirmation from a user who has only a passkey and adds a
    password."""


class ActivateTOTPView(ChangedByOwner, totp_views.ActivateTOTPView):
    pass


class DeactivateTOTPView(ChangedByOwner, totp_views.DeactivateTOTPView):
    pass


class AddWebAuthnView(ChangedByOwner, webauthn_views.AddWebAuthnView):
    pass


class RemoveWebAuthnView(ChangedByOwner, webauthn_views.RemoveWebAuthnView):
    pass


# These have allauth's names and addresses, and must come before allauth's routes.
routes: list[URLPattern] = [
    path("password/change/", PasswordChangeView.as_view(), name="account_change_password"),
    path("password/set/", PasswordSetView.as_view(), name="account_set_password"),
    path("2fa/totp/activate/", ActivateTOTPView.as_view(), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", DeactivateTOTPView.as_view(), name="mfa_deactivate_totp"),
    path("2fa/webauthn/add/", AddWebAuthnView.as_view(), name="mfa_add_webauthn"),
    path(
        "2fa/webauthn/keys/<int:pk>/remove/",
        RemoveWebAuthnView.as_view(),
        name="mfa_remove_webauthn",
    ),
]
