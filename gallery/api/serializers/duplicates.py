"""Near-duplicates as the API shows them, and the actions on them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from gallery.api.serializers.bulk import undo_address
from gallery.api.serializers.images import ImageSerializer
from gallery.organising.duplicates import Group
from gallery.organising.merging import MAX_GROUP

MAX_GROUPS = 100
DEFAULT_GROUPS = 20


class DuplicatePageSerializer(serializers.Serializer):
    """One page of the groups."""

    limit = serializers.IntegerField(
        min_value=1, max_value=MAX_GROUPS, default=DEFAULT_GROUPS, help_text="Groups on a page."
    )
    cursor = serializers.CharField(
        required=False, help_text="Taken from `next` of the previous page."
    )


class DuplicatePairSerializer(serializers.Serializer):
    first = serializers.UUIDField()
    second = serializers.UUIDField()
    similarity = serializers.FloatField(help_text="Cosine of the two vectors, from -1 to 1.")
    bits = serializers.IntegerField(
        help_text="In how many of 64 bits their perceptual hashes differ."
    )


class DuplicateGroupSerializer(serializers.Serializer[Group]):
    """A group of your pictures that show the same."""

    keep = serializers.UUIDField(source="keep.pk", help_text="The suggested picture to keep.")
    certain = serializers.BooleanField(
        source="is_certain", help_text="Whether the others are mere copies of it."
    )
    images = ImageSerializer(many=True, help_text="The one to keep first.")
    pairs = DuplicatePairSerializer(many=True, help_text="The facts about each pair.")


class ComparedSerializer(serializers.Serializer):
    compared = serializers.IntegerField(help_text="Your pictures that are compared.")
    total = serializers.IntegerField(help_text="Your pictures that can be compared.")


class DuplicateGroupsSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True, help_text="The next page; null on the last one.")
    results = DuplicateGroupSerializer(many=True)
    progress = ComparedSerializer()


class MergeSerializer(serializers.Serializer):
    keep = serializers.UUIDField(help_text="It gets albums, tags and other notes of the others.")
    others = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=1,
        max_length=MAX_GROUP,
        help_text="These go to the trash.",
    )


class DismissSerializer(serializers.Serializer):
    ids = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=1,
        max_length=MAX_GROUP,
        help_text="Pictures that do not show the same.",
    )
    of = serializers.UUIDField(
        required=False, help_text="With it, only this picture differs from `ids`."
    )


class SettledSerializer(serializers.Serializer):
    """The change that was made, and how to undo it."""

    change = serializers.SerializerMethodField(help_text="Its id; null if nothing changed.")
    undo = serializers.SerializerMethodField(
        help_text="The address where a POST undoes it, for 30 days; null if nothing changed."
    )

    def get_change(self, settled: dict[str, Any]) -> str | None:
        change = settled["change"]
        return str(change.pk) if change else None

    def get_undo(self, settled: dict[str, Any]) -> str | None:
        return undo_address(self, settled["change"])


class MergedSerializer(SettledSerializer):
    trashed = serializers.IntegerField(help_text="Pictures moved to the trash.")


class DismissedSerializer(SettledSerializer):
    pairs = serializers.IntegerField(help_text="Pairs that are now marked as different.")
