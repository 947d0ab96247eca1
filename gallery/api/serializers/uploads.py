"""Uploads and imports as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.images import ImageSerializer
from gallery.indexing.selectors import with_display_fields
from gallery.models import Image, ImportBatch, ImportItem, ResumableUpload
from gallery.retryable import can_pass
from gallery.uploads import imports, tus

MAX_HASHES = 1000


class ReasonSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Stable and machine readable.")
    detail = serializers.CharField()
    can_pass = serializers.BooleanField(help_text="Whether sending it again may help.")


class UploadStateSerializer(serializers.ModelSerializer):
    """The state of an upload and its result."""

    url = serializers.SerializerMethodField(help_text="Where its parts are sent to.")
    offset = serializers.SerializerMethodField(help_text="Bytes that are safe.")
    image = serializers.SerializerMethodField(help_text="The picture that it became.")
    batch = serializers.UUIDField(
        source="batch_id", allow_null=True, help_text="The import that its ZIP file became."
    )
    duplicate = serializers.BooleanField(help_text="You had the same bytes before.")
    restored = serializers.BooleanField(help_text="They were in the trash and came out of it.")
    error = serializers.SerializerMethodField(
        help_text="Why it was refused, or what went wrong with an accepted one."
    )

    class Meta:
        model = ResumableUpload
        fields = [
            "id",
            "url",
            "name",
            "length",
            "offset",
            "state",
            "image",
            "duplicate",
            "restored",
            "batch",
            "error",
            "created_at",
            "expires_at",
        ]
        read_only_fields = fields

    def get_url(self, upload: ResumableUpload) -> str:
        request = self.context["request"]
        return str(request.build_absolute_uri(reverse("api:upload", args=[upload.pk])))

    def get_offset(self, upload: ResumableUpload) -> int:
        return tus.offset_of(upload)

    @extend_schema_field(ImageSerializer(allow_null=True))
    def get_image(self, upload: ResumableUpload) -> dict[str, Any] | None:
        if upload.image_id is None:
            return None
        user = self.context["request"].user
        images = with_display_fields(Image.objects.owned_by(user), user)
        image = images.filter(pk=upload.image_id).first()
        return ImageSerializer(image, context=self.context).data if image else None

    @extend_schema_field(ReasonSerializer(allow_null=True))
    def get_error(self, upload: ResumableUpload) -> dict[str, Any] | None:
        if not upload.error_code:
            return None
        return {
            "code": upload.error_code,
            "detail": upload.error,
            "can_pass": can_pass(upload.error_code),
        }


class HashesSerializer(serializers.Serializer):
    sha256 = serializers.ListField(
        child=serializers.RegexField(r"\A[0-9a-fA-F]{64}\Z"), max_length=MAX_HASHES
    )


class KnownImageSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    in_trash = serializers.BooleanField()


class KnownSerializer(serializers.Serializer):
    known = serializers.DictField(
        child=KnownImageSerializer(), help_text="By SHA-256; what you do not have is left out."
    )


class NewImportSerializer(serializers.Serializer):
    """The addresses of pictures that the server fetches."""

    urls = serializers.ListField(
        child=serializers.CharField(allow_blank=True),
        allow_empty=False,
        max_length=imports.MAX_URLS,
    )
    visibility = serializers.ChoiceField(
        choices=Image.Visibility.choices, default=Image.Visibility.PRIVATE
    )
    album = serializers.UUIDField(required=False, allow_null=True, default=None)


class ImportFailureSerializer(serializers.ModelSerializer):
    error = serializers.SerializerMethodField()

    def get_error(self, item: ImportItem) -> str:
        return imports.sentence_of(item.error)

    class Meta:
        model = ImportItem
        fields = ["source", "error"]
        read_only_fields = fields


class ImportSerializer(serializers.ModelSerializer):
    """An import and its progress."""

    # Needs imports with their counts (gallery.uploads.imports.with_counts).

    total = serializers.IntegerField(help_text="0 while a ZIP file has not been opened yet.")
    added = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    failed = serializers.IntegerField()
    left_out = serializers.IntegerField(
        help_text="Files in a ZIP file that are no pictures, by their names either (`.json`)."
    )
    pending = serializers.IntegerField()
    error = serializers.CharField(help_text="What concerns the import as a whole; else empty.")
    can_retry = serializers.SerializerMethodField(
        help_text="Whether trying again may add something that is not there yet."
    )

    class Meta:
        model = ImportBatch
        fields = [
            "id",
            "kind",
            "name",
            "state",
            "total",
            "added",
            "duplicates",
            "failed",
            "left_out",
            "pending",
            "error",
            "can_retry",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields

    def get_can_retry(self, batch: ImportBatch) -> bool:
        return imports.can_retry(batch)


class ImportDetailSerializer(ImportSerializer):
    failures = serializers.SerializerMethodField(
        help_text=f"What was not added, and why; the first {imports.MAX_SHOWN_FAILURES}."
    )

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "failures"]
        read_only_fields = fields

    @extend_schema_field(ImportFailureSerializer(many=True))
    def get_failures(self, batch: ImportBatch) -> Any:
        return ImportFailureSerializer(imports.failures(batch), many=True).data
