from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from gallery.models import Image


class DetailsForm(forms.ModelForm):
    """What an owner may say about a picture. Saved by `gallery.organising.details`."""

    class Meta:
        model = Image
        fields = ["title", "description", "captured_at", "visibility"]
        labels = {"captured_at": _("Taken")}
        help_texts = {"captured_at": _("Empty: the timeline goes by the time of the upload.")}
        widgets = {
            "description": forms.Textarea(attrs={"rows": 4}),
            "captured_at": forms.DateTimeInput(
                {"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"
            ),
            "visibility": forms.RadioSelect,
        }
