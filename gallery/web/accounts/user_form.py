from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.errors import Refusal
from gallery.models import User

_MEGABYTE = 1_000_000


class UserForm(forms.Form):
    """The fields of an account that an administrator may change. gallery.accounts.roles validates
    them. Quotas are entered in megabytes."""

    role = forms.ChoiceField(label=_("Role"), choices=User.Role.choices, widget=forms.RadioSelect)
    is_active = forms.BooleanField(label=_("May sign in"), required=False)
    quota_megabytes = forms.IntegerField(
        label=_("Storage in megabytes"),
        required=False,
        min_value=0,
        max_value=2**63 // _MEGABYTE - 1,
        help_text=_("Empty: what this site gives everyone. 0: no limit."),
    )
    quota_images = forms.IntegerField(
        label=_("Most pictures"),
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text=_("Empty: what this site gives everyone. 0: no limit."),
    )

    def __init__(self, *args: Any, account: User, **kwargs: Any) -> None:
        room = account.quota_bytes
        kwargs["initial"] = {
            "role": account.role,
            "is_active": account.is_active,
            # Rounded up, because 0 would mean no limit.
            "quota_megabytes": None if room is None else -(-room // _MEGABYTE),
            "quota_images": account.quota_images,
        }
        super().__init__(*args, **kwargs)

    def changes(self) -> dict[str, Any]:
        """Return the changed values, by the names of the account's fields."""
        changed = {name: self.cleaned_data[name] for name in self.changed_data}
        if "quota_megabytes" in changed:
            megabytes = changed.pop("quota_megabytes")
            changed["quota_bytes"] = None if megabytes is None else megabytes * _MEGABYTE
        return changed

    def refuse(self, refusal: Refusal) -> None:
        field = "quota_megabytes" if refusal.field == "quota_bytes" else refusal.field
        self.add_error(field, str(refusal.message))
