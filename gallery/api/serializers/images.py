"""Pictures as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.models import Image

STATES = ["pending", "ready", "failed"]
# Null for everybody but the owner: they may say who, where or what somebody is.
OWNERS_EYES_ONLY = ["original_name", "sha256", "latitude", "longitude"]


class OwnerSerializer(serializers.Serializer):
    username = serializers.CharField()


class ImageUrlsSerializer(serializers.Serializer):
    file = serializers.URLField()
    thumbnail = serializers.URLField(help_text="Takes `?w=`, the width in pixels.")
    page = serializers.URLField(help_text="The picture's page on this site.")


class ImageSerializer(serializers.ModelSerializer):
    """A picture and what is known about it."""

    # Needs the request in its context, and pictures with their index state
    # (gallery.indexing.ledger.with_state) and owner.

    state = serializers.ChoiceField(
        STATES,
        source="index_state",
        read_only=True,
        help_text="`ready`: the picture is found by searches.",
    )
    error = serializers.SerializerMethodField(help_text="Why `state` is `failed`; else empty.")
    exif = serializers.DictField(read_only=True, help_text="Camera settings by name.")
    owner = OwnerSerializer(read_only=True)
    is_owner = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()
    original_name = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    sha256 = serializers.CharField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    latitude = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )
    longitude = serializers.FloatField(
        read_only=True, allow_null=True, help_text="Null unless you own the picture."
    )

    class Meta:
        model = Image
        fields = [
            "id",
            "state",
            "error",
            "title",
            "description",
            "visibility",
            "width",
            "height",
            "content_type",
            "byte_size",
            "created_at",
            "captured_at",
            "camera",
            "exif",
            "placeholder",
            "owner",
            "is_owner",
            "urls",
            *OWNERS_EYES_ONLY,
        ]
        read_only_fields = fields

    def get_error(self, image: Image) -> str:
        """Reasons are stored in English and translated when they are shown."""
        return _(image.index_error) if image.index_error else ""

    def get_is_owner(self, image: Image) -> bool:
        return image.is_owned_by(self.context["request"].user)

    @extend_schema_field(ImageUrlsSerializer)
    def get_urls(self, image: Image) -> dict[str, str]:
        absolute = self.context["request"].build_absolute_uri
        return {
            "file": absolute(reverse("api:image-file", args=[image.pk])),
            "thumbnail": absolute(reverse("api:image-thumbnail", args=[image.pk])),
            "page": absolute(reverse("image", args=[image.pk])),
        }

    def to_representation(self, image: Image) -> dict[str, Any]:
        shown = super().to_representation(image)
        if not shown["is_owner"]:
            shown.update(dict.fromkeys(OWNERS_EYES_ONLY))
        return shown


class UploadedImageSerializer(ImageSerializer):
    """The picture, and whether it was there before."""

    duplicate = serializers.BooleanField(
        read_only=True, help_text="You had uploaded the same bytes before: this is that picture."
    )
    restored = serializers.BooleanField(
        read_only=True, help_text="That picture was in the trash and has been taken out."
    )

    class Meta(ImageSerializer.Meta):
        fields = [*ImageSerializer.Meta.fields, "duplicate", "restored"]
        read_only_fields = fields


class ImageChangesSerializer(serializers.ModelSerializer):
    """What the owner may change: all of it optional."""

    class Meta:
        model = Image
        fields = ["title", "description", "visibility"]


class UploadSerializer(ImageChangesSerializer):
    """A picture to keep, and what its owner says about it."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="JPEG, PNG, WebP, AVIF, HEIC, GIF, TIFF or BMP."
    )

    class Meta(ImageChangesSerializer.Meta):
        fields = ["file", *ImageChangesSerializer.Meta.fields]
