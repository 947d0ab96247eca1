"""The standard error body, for the schema. gallery.api.errors builds it."""

from __future__ import annotations

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="Stable and machine readable.")
    detail = serializers.CharField(help_text="A sentence in the language of the request.")
    attr = serializers.CharField(allow_null=True, help_text="The input at fault, if any.")


class ErrorResponseSerializer(serializers.Serializer):
    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    # The standard uses this name. It hides `Serializer.errors`, but this serializer never
    # validates.
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]
