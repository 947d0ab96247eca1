from __future__ import annotations

from rest_framework import serializers


class HealthSerializer(serializers.Serializer):
    status = serializers.ChoiceField(["ok"])


class PartSerializer(serializers.Serializer):
    ok = serializers.BooleanField()
    state = serializers.CharField()
    detail = serializers.CharField()


class ReadinessSerializer(serializers.Serializer):
    database = PartSerializer()
    broker = PartSerializer()
    worker = PartSerializer()
    space = PartSerializer()
