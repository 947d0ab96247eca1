from __future__ import annotations

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.images import ImageSerializer, ImageUrlsSerializer
from gallery.models import Image


class DeletedImageSerializer(ImageSerializer):
    """A picture in the trash. Only the thumbnail address in `urls` works."""

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "deleted_at"]
        read_only_fields = fields

    @extend_schema_field(ImageUrlsSerializer)
    def get_urls(self, image: Image) -> dict[str, str]:
        thumbnail = reverse("api:trash-thumbnail", args=[image.pk])
        absolute = self.context["request"].build_absolute_uri(thumbnail)
        return {**super().get_urls(image), "thumbnail": absolute}


class PurgedSerializer(serializers.Serializer):
    purged = serializers.IntegerField(help_text="Pictures that are gone for good.")
