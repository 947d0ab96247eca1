from __future__ import annotations

from rest_framework import serializers


class RootLinksSerializer(serializers.Serializer):
    docs = serializers.URLField(help_text="The description of the API, for people.")
    schema = serializers.URLField(help_text="The OpenAPI document.")
    health = serializers.URLField()
    ready = serializers.URLField()


class RootSerializer(serializers.Serializer):
    name = serializers.CharField(help_text="`Clipsite`.")
    version = serializers.CharField(help_text="The version of Clipsite: major.minor.patch.")
    links = RootLinksSerializer()


class HealthSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["ok"])


class PartSerializer(serializers.Serializer):
    ok = serializers.BooleanField()
    state = serializers.CharField()
    detail = serializers.CharField()


class WorkSerializer(PartSerializer):
    waiting = serializers.IntegerField(
        allow_null=True,
        help_text="Analyses of pictures that workers have still to do; null where not counted.",
    )
    failed = serializers.IntegerField(
        allow_null=True,
        help_text="Those that failed, without what failed since an earlier step did.",
    )


class ReadinessSerializer(serializers.Serializer):
    database = PartSerializer()
    broker = PartSerializer()
    worker = PartSerializer()
    space = PartSerializer()
    storage = PartSerializer()
    work = WorkSerializer()
