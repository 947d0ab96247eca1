from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from gallery.api.serializers.selection import SelectionField
from gallery.organising.downloads import Prepared


class DownloadRequestSerializer(serializers.Serializer):
    """Either a selection or an album."""

    selection = SelectionField(required=False)
    album = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError(
                {"selection": _("Give either a selection or an album.")}, "selection_or_album"
            )
        return attrs


class DownloadSerializer(serializers.Serializer[Prepared]):
    id = serializers.UUIDField()
    count = serializers.IntegerField(help_text="Pictures in it.")
    bytes = serializers.IntegerField(help_text="The total size of their originals.")
    url = serializers.SerializerMethodField(help_text="The ZIP file, for one hour.")

    def get_url(self, download: Prepared) -> str:
        address = reverse("api:download", args=[download.id])
        return str(self.context["request"].build_absolute_uri(address))
