from __future__ import annotations

from typing import Any

from allauth.mfa.webauthn.forms import AddWebAuthnForm

from gallery.library import caps
from gallery.web.forms import as_field_error


class AddPasskeyForm(AddWebAuthnForm):
    """allauth's form, which limits the number of passkeys of an account."""

    def clean(self) -> dict[str, Any]:
        with as_field_error():
            caps.refuse_if_full(caps.PASSKEYS, self.user)
        cleaned: dict[str, Any] = super().clean()
        return cleaned
