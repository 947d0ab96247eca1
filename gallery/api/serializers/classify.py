from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

from gallery.api.serializers.search import PictureSerializer
from gallery.classification.service import parse_classnames
from gallery.models import LabelSetVersion


class NamesField(serializers.ListField):
    """A list of names. A form repeats the field, or sends it once with a JSON array or with text
    that `split` splits."""

    default_error_messages = {"not_json": _("This looks like JSON but is not an array of texts.")}

    def __init__(self, *, split: Callable[[str], list[str]], **options: Any) -> None:
        self.split = split
        super().__init__(child=serializers.CharField(allow_blank=True), **options)

    def get_value(self, dictionary: Mapping[str, Any]) -> Any:
        if not html.is_html_input(dictionary):
            return super().get_value(dictionary)
        values = dictionary.getlist(self.field_name)  # type: ignore[attr-defined]
        if not values:
            return empty
        return values[0] if len(values) == 1 else values

    def to_internal_value(self, data: Any) -> list[str]:
        if isinstance(data, str) and html.is_html_input(self.root.initial_data):
            data = self._from_text(data)
        return super().to_internal_value(data)

    def _from_text(self, text: str) -> list[Any]:
        if not text.lstrip().startswith("["):
            return self.split(text)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            self.fail("not_json")


class ClassNamesSerializer(serializers.Serializer):
    """Categories to classify a picture with."""

    classnames = NamesField(
        split=parse_classnames,
        required=False,
        help_text="The categories to choose from. Required without `label_set`.",
    )
    templates = NamesField(
        split=lambda text: [text],
        required=False,
        help_text="Sentences with `{}` for the name, like “a photo of a {}.”",
    )
    none_of_these = serializers.BooleanField(
        default=False, help_text="Adds a background class for pictures of other things."
    )
    mode = serializers.ChoiceField(
        LabelSetVersion.Mode.values,
        required=False,
        help_text="`one`: the classes exclude each other; `any`: each yes or no. Without it, what "
        "the model was trained for.",
    )
    label_set = serializers.UUIDField(
        required=False,
        help_text="Classify by this label set, with all that it has learned, instead of "
        "`classnames`. Its mode counts.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "label_set" not in attrs and "classnames" not in attrs:
            error = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError({"classnames": [str(error)]}, code="required")
        return attrs


class PictureClassNamesSerializer(PictureSerializer, ClassNamesSerializer):
    """A picture to classify and the categories. The picture is not stored."""


class ClassProbabilitySerializer(serializers.Serializer):
    classname = serializers.CharField(help_text="Empty for the background class.")
    probability = serializers.FloatField()
    none_of_these = serializers.BooleanField(source="is_none")


class ClassificationSerializer(serializers.Serializer):
    """One row for each category, the most probable first."""

    results = ClassProbabilitySerializer(many=True)
    space = serializers.CharField(help_text="The name of the embedding space.")
    templates = serializers.ListField(
        child=serializers.CharField(), help_text="The sentences that the model compared."
    )
