from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gallery.models import Image


class ClockField(forms.DateTimeField):
    """A local time of capture, without a time zone."""

    widget = forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S")

    def prepare_value(self, value: Any) -> Any:
        return value

    def to_python(self, value: Any) -> datetime | None:
        # UTC has no hours that daylight saving time skips or repeats.
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment and moment.replace(tzinfo=None)


class DetailsForm(forms.ModelForm):
    """The details of a picture that its owner edits. `gallery.organising.details` saves them."""

    captured_at = ClockField(
        label=_("Taken"),
        help_text=_("Empty: the timeline goes by the time of the upload."),
        required=False,
    )

    class Meta:
        model = Image
        fields = ["title", "description", "visibility"]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 4}),
            "visibility": forms.RadioSelect,
        }

    field_order = ["title", "description", "captured_at", "visibility"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["captured_at"] = self.instance.captured_clock
