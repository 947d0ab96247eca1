"""Local times of capture as the API shows and takes them."""

from __future__ import annotations

from datetime import datetime

from rest_framework import serializers

from gallery.library.clocks import told


class ClockField(serializers.DateTimeField):
    """A local time. Output has the offset of the site. Input is taken as written, with or without
    an offset."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value

    def to_representation(self, value: datetime) -> str:
        return told(value, None)
