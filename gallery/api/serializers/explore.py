from __future__ import annotations

from rest_framework import serializers

from gallery.explore.maps import LEAST_PICTURES
from gallery.explore.regions import LEAST_FOR_REGIONS


class MapClusterSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text="Valid for this map: a new map has other clusters.")
    name = serializers.CharField(
        help_text="What its pictures have in common, in your language; clusters of one kind are "
        "numbered. If no word fits, your own tag that most of them have. Empty without one, or if "
        "the encoder does not answer.",
        allow_blank=True,
    )
    count = serializers.IntegerField(help_text="Pictures that you may see.")
    x = serializers.FloatField(help_text="The mean position of its pictures.")
    y = serializers.FloatField()
    spread = serializers.FloatField(help_text="The standard deviation of their positions.")
    samples = serializers.ListField(
        child=serializers.UUIDField(), help_text="The ids of a few of its pictures."
    )


class MapSerializer(serializers.Serializer):
    state = serializers.ChoiceField(
        choices=["too_few", "waiting", "building", "ready", "failed"],
        help_text=f"`too_few`: there is no map of fewer than {LEAST_PICTURES} pictures.",
    )
    progress = serializers.FloatField(
        allow_null=True, help_text="From 0 to 1 while a map, or a new one, is being drawn."
    )
    built_at = serializers.DateTimeField(allow_null=True)
    placed = serializers.IntegerField(help_text="Pictures on the map that you may see.")
    unplaced = serializers.IntegerField(
        help_text="Searchable pictures that are not on the map yet."
    )
    named = serializers.BooleanField(help_text="False if the names are currently unknown.")
    clusters = MapClusterSerializer(
        many=True, help_text=f"None on a map of fewer than {LEAST_FOR_REGIONS} pictures."
    )


class MapPointSerializer(serializers.Serializer):
    image = serializers.UUIDField(source="image_id")
    x = serializers.FloatField(help_text="From 0 (left) to 1.")
    y = serializers.FloatField(help_text="From 0 (top) to 1.")
    cluster = serializers.IntegerField(source="region", allow_null=True)
    colour = serializers.CharField(
        allow_blank=True, help_text="The dominant colour as `#rrggbb`; empty if unknown."
    )


class MapPointsSerializer(serializers.Serializer):
    points = MapPointSerializer(many=True)
    more = serializers.BooleanField(
        help_text="Whether there are others. Ask for smaller parts of the map to see all."
    )
