"""Tags, favourites and cameras as the API shows and takes them."""

from __future__ import annotations

from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.selection import tag_names
from gallery.models import Change, Tag
from gallery.organising.tags import MAX_NAME


class TagSerializer(serializers.ModelSerializer):
    count = serializers.IntegerField(read_only=True, help_text="Pictures that carry it.")

    class Meta:
        model = Tag
        fields = ["id", "name", "count"]
        read_only_fields = fields


class TagChangesSerializer(serializers.Serializer):
    name = serializers.CharField(max_length=MAX_NAME)


class TagDeletedSerializer(serializers.Serializer[Change]):
    undo = serializers.SerializerMethodField(help_text="Where a POST brings it back.")

    def get_undo(self, change: Change) -> str | None:
        return undo_address(self, change)


class ImageTagsSerializer(serializers.Serializer):
    tags = tag_names(help_text="All tags that the picture will have.")


class CameraSerializer(serializers.Serializer):
    camera = serializers.CharField()
    count = serializers.IntegerField(help_text="Pictures taken with it.")
