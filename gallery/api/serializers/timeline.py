from __future__ import annotations

from rest_framework import serializers


class MonthSerializer(serializers.Serializer):
    month = serializers.CharField(help_text="Like `2024-05`, in the time zone of the site.")
    count = serializers.IntegerField()
    ratio = serializers.FloatField(help_text="The mean of width over height.")


class TimelineSerializer(serializers.Serializer):
    months = MonthSerializer(many=True)
    total = serializers.IntegerField()
