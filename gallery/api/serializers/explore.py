from __future__ import annotations

from rest_framework import serializers

from gallery.explore.maps import LEAST_PICTURES


class MapClusterSerializer(serializers.Serializer):
    id = serializers.IntegerField(help_text="Of this map: a new one has other clusters.")
    name = serializers.CharField(
        help_text="What its pictures have in common, in your language; no two alike. "
        "Empty where nothing fits well, or the encoder does not answer.",
        allow_blank=True,
    )
    count = serializers.IntegerField(help_text="Pictures that you may see.")
    x = serializers.FloatField(help_text="The mean place of its pictures.")
    y = serializers.FloatField()
    spread = serializers.FloatField(help_text="The standard deviation of their places.")
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
    unplaced = serializers.IntegerField(help_text="Searchable ones that are not on it yet.")
    named = serializers.BooleanField(help_text="False where names are not known right now.")
    clusters = MapClusterSerializer(many=True)


class MapPointSerializer(serializers.Serializer):
    image = serializers.UUIDField(source="image_id")
    x = serializers.FloatField(help_text="From 0, left, to 1.")
    y = serializers.FloatField(help_text="From 0, above, to 1.")
    cluster = serializers.IntegerField(source="region", allow_null=True)
    colour = serializers.CharField(
        allow_blank=True, help_text="The dominant one as `#rrggbb`; empty where not known."
    )


class MapPointsSerializer(serializers.Serializer):
    points = MapPointSerializer(many=True)
    more = serializers.BooleanField(
        help_text="There are others: ask for smaller parts of the map to see all."
    )
