"""The form of a share link."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import ShareLink


class LinkForm(forms.Form):
    """The settings of a new link. gallery.sharing.links validates them further."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("For yourself: whom it is for."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        help_text=_("Empty: the address alone opens it."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    expires_on = forms.DateField(
        label=_("Works until the end of"),
        required=False,
        help_text=_("Empty: until you revoke it."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    max_uses = forms.IntegerField(
        label=_("Most visits"),
        required=False,
        min_value=1,
        help_text=_("Empty: any number."),
    )
    allow_download = forms.BooleanField(label=_("May be downloaded"), required=False)

    def values(self) -> dict[str, Any]:
        """Return the values for gallery.sharing.links."""
        given = dict(self.cleaned_data)
        last_day = given.pop("expires_on")
        given["expires_at"] = last_day and timezone.make_aware(datetime.combine(last_day, time.max))
        return given


class ChangeLinkForm(LinkForm):
    """The settings of an existing link. Its password cannot be shown: an empty field keeps it."""

    no_password = forms.BooleanField(label=_("Ask for no password any more"), required=False)

    field_order = ["name", "password", "no_password"]

    def __init__(self, link: ShareLink, *args: Any, **kwargs: Any) -> None:
        until = link.expires_at and timezone.localtime(link.expires_at).date()
        initial = {
            "name": link.name,
            "expires_on": until,
            "max_uses": link.max_uses,
            "allow_download": link.allow_download,
        }
        super().__init__(*args, **{**kwargs, "initial": initial})
        if link.password:
            self.fields["password"].help_text = _("Empty: stays as it is.")
        else:
            del self.fields["no_password"]

    def values(self) -> dict[str, Any]:
        given = super().values()
        if given.pop("no_password", False):
            given["password"] = ""
        elif not given["password"]:
            del given["password"]
        if "expires_on" not in self.changed_data:
            # The stored time may differ from the end of the day.
            del given["expires_at"]
        return given
