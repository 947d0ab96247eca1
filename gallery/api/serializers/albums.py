"""Albums as the API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.clocks import ClockField
from gallery.api.serializers.images import OwnerSerializer, thumbnail_address
from gallery.library import thumbnails
from gallery.models import Album, AlbumRole, Change
from gallery.organising.album_summaries import Summary
from gallery.organising.albums import MAX_MOVED, OWNER


class CoverUrlsSerializer(serializers.Serializer):
    thumbnail = thumbnail_address()


class CoverSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    urls = CoverUrlsSerializer()


class AlbumSerializer(serializers.Serializer[Summary]):
    """An album and its content, as you see it."""

    id = serializers.UUIDField(source="album.id")
    title = serializers.CharField(source="name")
    description = serializers.CharField(source="album.description")
    owner = OwnerSerializer(source="album.owner")
    role = serializers.ChoiceField([OWNER, *AlbumRole.values], help_text="Your role in it.")
    count = serializers.IntegerField(help_text="Pictures in it.")
    cover = serializers.SerializerMethodField()
    first_taken_at = ClockField(allow_null=True, help_text="Like `taken_at` of its pictures.")
    last_taken_at = ClockField(allow_null=True)
    shared = serializers.BooleanField(
        allow_null=True, help_text="With people or by a link; null unless you manage the album."
    )
    fills_itself = serializers.SerializerMethodField(
        help_text="It fills itself from a saved search: nobody adds or removes pictures."
    )
    created_at = serializers.DateTimeField(source="album.created_at")
    updated_at = serializers.DateTimeField(source="album.updated_at")

    def get_fills_itself(self, summary: Summary) -> bool:
        return hasattr(summary.album, "smart")

    @extend_schema_field(CoverSerializer(allow_null=True))
    def get_cover(self, summary: Summary) -> dict[str, Any] | None:
        if summary.cover_id is None:
            return None
        thumbnail = thumbnails.address(summary.cover_id, edition=summary.cover_edition)
        absolute = self.context["request"].build_absolute_uri(thumbnail)
        return {"id": str(summary.cover_id), "urls": {"thumbnail": absolute}}


class NewAlbumSerializer(serializers.ModelSerializer):
    class Meta:
        model = Album
        fields = ["title", "description"]


class AlbumChangesSerializer(NewAlbumSerializer):
    """All fields are optional."""

    cover = serializers.UUIDField(
        required=False, allow_null=True, help_text="A picture of the album; null: its first one."
    )

    class Meta(NewAlbumSerializer.Meta):
        fields = [*NewAlbumSerializer.Meta.fields, "cover"]


class AlbumListQuerySerializer(serializers.Serializer):
    show = serializers.ChoiceField(
        ["all", "own", "shared", "open", "trash"],
        default="all",
        help_text="`own`, `shared` with you, `open` to your pictures, or in your `trash`.",
    )


class MoveSerializer(serializers.Serializer):
    ids = serializers.ListField(
        child=serializers.UUIDField(), max_length=MAX_MOVED, help_text="In their new order."
    )
    before = serializers.UUIDField(
        allow_null=True, default=None, help_text="The picture that follows; null: to the end."
    )


class MovedSerializer(serializers.Serializer):
    moved = serializers.IntegerField()
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, or null."
    )

    def get_undo(self, moved: dict[str, Any]) -> str | None:
        change: Change | None = moved["undo"]
        return undo_address(self, change)
